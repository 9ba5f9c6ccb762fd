"""What a page relies on in the body of an entry; one that does not fit is shown as unreadable and never trusted.

The archive is a copy of what came by message and judges nothing. Keys that are not named here may be what they like.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.contract.fields import Instant, Whole

UNREADABLE = "unreadable"
"""The kind of a line whose body does not fit its kind; its body is empty."""


Pair = Annotated[list[str], Field(min_length=2, max_length=2)]
"""A raw frame sent and the one received, in hex."""


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class Register(Body):
    at: Instant
    registers_wh: dict[str, Whole]
    read_at: Instant | None = None
    frames: list[Pair] | None = None


class ChargeLine(Body):
    rate: str
    kind: str = "rate"
    wh: Whole
    price_micro: Whole
    amount_nano: Whole


class Charge(Body):
    start: Register
    end: Register
    lines: list[ChargeLine]
    wh: Whole
    amount_nano: Whole
    multiplier: Whole = 1
    balance_after_nano: Whole | None = None


class Opening(Body):
    at: Instant
    registers_wh: dict[str, Whole]


class Was(Body):
    """The meter that was taken off."""

    address: str
    serial: str | None = None
    registers_wh: dict[str, Whole] = {}


class Replacement(Opening):
    serial: str | None = None
    was: Was


class Ratio(Opening):
    multiplier: Whole
    multiplier_before: Whole


class TopUp(Body):
    method: str | None = None
    who: str | None = None
    receipt: str | None = None
    reference: str | None = None
    amount_fen: Whole | None = None
    balance_after_nano: Whole | None = None


class Closing(Body):
    date: str
    charges: list[str] = []
    deferred: list[str] = []


class Level(Body):
    level: Literal[1, 2, 3]
    threshold_nano: Whole | None = None
    available_nano: Whole | None = None


class Final(Body):
    cut_at: Instant | None = None
    available_nano: Whole | None = None


class Money(Body):
    balance_after_nano: Whole | None = None


class Hold(Body):
    hold: str | None = None
    who: str | None = None
    why: str | None = None


class Seen(Body):
    """The fresh reading behind a cut."""

    registers_wh: dict[str, Whole]
    read_at: Instant


class Trip(Body):
    """The evidence of a cut, as far as it goes: an older version wrote less of it."""

    cause: str | None = None
    posted_nano: Whole | None = None
    provisional_nano: Whole = 0
    provisional_wh: Whole | None = None
    available_nano: Whole | None = None
    cut_limit_nano: Whole = 0
    warned_s: Whole | None = None
    window: list[Instant] = []
    billed: Opening | None = None
    read: Seen | None = None
    holds: list[Hold] = []


class Alarm(Body):
    alarm: str | None = None


KINDS: dict[str, type[Body]] = {
    "charge/1": Charge,
    "charge/2": Charge,
    "opening/1": Opening,
    "replacement/1": Replacement,
    "ratio/1": Ratio,
    "topup/1": TopUp,
    "opening-balance/1": Money,
    "closing/1": Closing,
    "level/1": Level,
    "final/1": Final,
    "hold/1": Hold,
    "trip/1": Trip,
    "alarm/1": Alarm,
}


def fits(kind: str, body: dict[str, Any]) -> bool:
    """True when a page may rely on this body."""
    try:
        KINDS.get(kind, Body).model_validate(body)
        if kind == "closing/1":
            date.fromisoformat(body["date"])
    except (ValidationError, ValueError):
        return False
    return True
