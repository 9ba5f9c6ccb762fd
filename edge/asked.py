"""A request that passed all checks of form and seal, its answer, and the one way to say no: a rule and a sentence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from bridge.contract.request import Request
from bridge.contract.units import instant_of, instant_of_micros, micros_of, wall_time
from edge.core import Core
from edge.entry import Entry
from edge.holds import Ordered
from edge.state import AccountState

SHELL = "shell"
"""The key of requests from a command line."""

Status = Literal["accepted", "refused", "done", "failed"]


AHEAD_S = 300.0
"""Real seconds by which an asker's clock may be ahead of ours; one far ahead would make a request valid for ever."""

LATER = {"hold": "manual"}
"""Fields that older programs do not send, and what leaving them out means: said or unsaid, it is the same request."""


class Refusal(Exception):
    """A request that will not be carried out; the rule and one sentence say why."""

    def __init__(self, rule: str, sentence: str):
        self.rule, self.sentence = rule, sentence
        super().__init__(sentence)


def instant_asked(field: str, text: str) -> datetime:
    """The instant that a field of a request names. Raises Refusal."""
    try:
        return instant_of(text)
    except ValueError:
        raise Refusal("R7", f"{field} is an instant with offset, such as 2027-01-01T00:00:00+08:00") from None


@dataclass(frozen=True)
class Asked:
    """One request that passed all checks of form and seal."""

    id: str
    operation: str
    key: str
    sha256: str
    body: Any

    @property
    def login(self) -> str | None:
        """Who asked from a shell, as the operating system knows them; other keys' programs know their people better."""
        told: str | None = self.body.login if self.key == SHELL else None
        return told

    def written(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What an entry keeps of the request: who asked, the digest of what was asked, what was answered."""
        kept = {"sha256": self.sha256, "answer": answer} | ({"login": self.login} if self.login else {})
        return {"who": self.body.who, "role": self.body.role, "request": kept}


def account_of(core: Core, id: str) -> AccountState:
    """The account that a request names. Raises Refusal."""
    if (account := core.state.accounts.get(id)) is None:
        raise Refusal("R7", f"there is no account {id[:32]!r} on this gateway")
    return account


def answer_in(core: Core, known: Entry) -> dict[str, Any]:
    """What stands in the book as the newest answer to a request that `known` was written for."""
    newest = core.book.find(f"{known.id}:done") or known
    answer: dict[str, Any] = newest.fields.get("answer") or newest.fields["request"]["answer"]
    return answer


def overtaken_at(asked: Asked, newest: Ordered | None, core: Core) -> str | None:
    """The wires may deliver two wishes about one thing the other way round; the last word of one program stands. Its
    wall time where that one came before this older one; only the program's own clock can tell."""
    issued_us = micros_of(instant_of(asked.body.issued_at))
    if newest is None or newest.key != asked.key:
        return None
    # What lies further ahead was asked under a clock that was wrong, and comes before nothing.
    if not issued_us < newest.issued_at <= micros_of(core.now()) + int(AHEAD_S * core.clock.speed * 1e6):
        return None
    return wall_time(instant_of_micros(newest.issued_at), core.terms.zone)


class Answer(Protocol):
    """Tells the asker what became of a request."""

    def __call__(self, asked: Asked, status: Status, **more: Any) -> None: ...


def digest_of(operation: str, body: Request) -> str:
    """What was asked, without when: a form sent once more after the asker's restart is the same request (R7)."""
    later = {name for name, unsaid in LATER.items() if getattr(body, name, None) == unsaid}
    asked = body.model_dump_json(exclude={"issued_at", "valid_until", "login", *later})
    return hashlib.sha256(f"{operation}\n{asked}".encode()).hexdigest()
