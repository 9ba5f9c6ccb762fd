"""A maintenance lock (R5): hands are at the wires behind a meter, so nothing and nobody gives supply to it.

Whoever works there sets it and lifts it themselves, as with a padlock on a breaker; somebody else only in their place,
by name, when they have made sure that nobody works there any more.
"""

from __future__ import annotations

from pydantic import Field

from bridge.contract.fields import Plain
from bridge.contract.request import Request

WHY = Field(min_length=1, max_length=200)


class Lock(Request):
    """Set the hold `lockout`: until `unlock` nothing closes, no payment, no person, no other program, and nobody is cut
    for arrears. Done when supply was read back off; with `off` false at once. Refused while another lock stands."""

    operation = "lock"
    meter: str
    off: bool = Field(
        default=True,
        description="switch supply off and hold it so; false: leave it as it stands; where it is off it is held so",
    )
    why: Plain = WHY


class Unlock(Request):
    """Lift the hold `lockout`. Supply returns by itself when no other hold remains; done when read back."""

    operation = "unlock"
    meter: str
    in_place_of: Plain | None = Field(
        default=None, min_length=1, max_length=64,
        description="whose lock it is, where it is not the asker's own: they are known to be away from the wires",
    )  # fmt: skip
    why: Plain = WHY


LOCK_REQUESTS: tuple[type[Request], ...] = (Lock, Unlock)
