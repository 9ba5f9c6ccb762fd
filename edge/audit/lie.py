"""What a check finds: the first entry that lies, and what was looked at until then."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


class Lie(Exception):
    """An entry, or something kept beside the book, that cannot be so. `seq` is None for what is no entry."""

    def __init__(self, seq: int | None, id: str | None, wrong: str, expected: str):
        self.seq, self.id, self.wrong, self.expected = seq, id, wrong, expected
        super().__init__(wrong)

    def as_json(self) -> dict[str, Any]:
        return {"seq": self.seq, "id": self.id, "wrong": self.wrong, "expected": self.expected}

    def sentence(self) -> str:
        """For people."""
        who = self.id or "" if self.seq is None else f"entry {self.seq}" + (f" ({self.id})" if self.id else "")
        return f"{who}: {self.wrong}; expected {self.expected}"


class Wrong(Exception):
    """Something in the entry that is being looked at is wrong; whoever knows its number makes a `Lie` of it."""

    def __init__(self, wrong: str, expected: object):
        self.wrong, self.expected = wrong, str(expected)
        super().__init__(wrong)


def must(found: Any, expected: Any, what: str) -> None:
    """Raises Wrong where what an entry says is not what it must say."""
    if found == expected and type(found) is type(expected):
        return
    raise Wrong(f"{what} is {found!r}", repr(expected))


@dataclass
class Report:
    """What `verify` did. `checked` counts by what was looked at."""

    path: str
    seq: int = 0
    hash: str = ""
    checked: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    lie: Lie | None = None

    @property
    def good(self) -> bool:
        return self.lie is None

    def count(self, what: str, more: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + more

    def as_json(self) -> dict[str, Any]:
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"good": self.good, **told, "lie": None if self.lie is None else self.lie.as_json()}
