"""What keeps a supply off, or a meter from being switched: each hold with who set it, and why (R5)."""

from __future__ import annotations

from dataclasses import dataclass

LOCKOUT = "lockout"
"""The hold of who works at the wires behind a meter."""

ARREARS = "arrears"
"""The hold of a tenant whose money is used up; the others are people's."""


@dataclass(frozen=True)
class Hold:
    """A reason to keep a relay open, and who set it (R5)."""

    kind: str
    why: str
    by: str
    since: int
    seq: int
    off: bool = True
    """False of a lock that was set while supply stood on: it blocks and switches nothing."""

    @property
    def by_person(self) -> bool:
        return self.kind != ARREARS


@dataclass(frozen=True)
class Unanswered:
    """A request to switch `meter` that was accepted and waits to be read back; `wanted` is open or closed."""

    meter: str
    operation: str
    wanted: str


@dataclass(frozen=True)
class Ordered:
    """When a person's newest wish was issued, by the clock of the program that signed it with `key`; `seq` is its
    entry."""

    key: str
    issued_at: int
    who: str
    seq: int
