"""What a page relies on in the body of an entry; one that does not fit is shown as unreadable and never trusted.

The archive is a copy of what came by message and judges nothing. Keys that are not named here may be what they like.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, ValidationError

from bridge.contract.fields import Instant, Whole
from panel.body_parts import Body, Exchange, Registers
from panel.money_bodies import Act, Charge, Correction, Decision, Fee, Proposal, ReadingCorrection, TopUp
from panel.price_bodies import Tariff

UNREADABLE = "unreadable"
"""The kind of a line whose body does not fit its kind; its body is empty."""


class Tenancy(Body):
    account: str
    name: str
    room: str = ""
    meters: list[str] = Field(default_factory=list)
    since: Instant


class Opening(Body):
    at: Instant
    registers_wh: Registers
    source: str = "opening"
    frames: list[Exchange] | None = None


class Was(Body):
    """The meter that was taken off."""

    address: str
    serial: str | None = None
    registers_wh: Registers = Field(default_factory=dict)


class NewRow(Body):
    """The row of the meter that was put on."""

    multiplier: Whole = 1


class Replacement(Opening):
    serial: str | None = None
    was: Was
    row: NewRow | None = None


class Ratio(Opening):
    multiplier: Whole
    multiplier_before: Whole


class Closing(Body):
    date: str
    charges: list[str] = Field(default_factory=list)
    deferred: list[str] = Field(default_factory=list)


class Level(Body):
    level: Literal[1, 2, 3]
    threshold_nano: Whole | None = None
    available_nano: Whole | None = None


class Final(Body):
    cut_at: Instant | None = None
    available_nano: Whole | None = None


class Protection(Body):
    until: Instant | None = None


class CloseWay(Body):
    """How supply returns after a cut."""

    close: Literal["direct", "permit"]
    who: str | None = None
    why: str | None = None


class Hold(Body):
    hold: str | None = None
    who: str | None = None
    why: str | None = None
    in_place_of: str | None = None


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
    window: list[Instant] = Field(default_factory=list)
    billed: Opening | None = None
    read: Seen | None = None
    holds: list[Hold] = Field(default_factory=list)


class Alarm(Body):
    alarm: str | None = None


KINDS: dict[str, type[Body]] = {
    "charge/1": Charge,
    "charge/2": Charge,
    "reading-correction/1": ReadingCorrection,
    "fee/1": Fee,
    "opening/1": Opening,
    "replacement/1": Replacement,
    "ratio/1": Ratio,
    "topup/1": TopUp,
    "opening-balance/1": TopUp,
    "correction/1": Correction,
    **{f"{kind}/1": Act for kind in ("reversal", "refund", "compensation", "deduction", "credit", "debt", "exit")},
    "proposal/1": Proposal,
    "decision/1": Decision,
    "tariff/1": Tariff,
    "tariff/2": Tariff,
    "account/1": Tenancy,
    "closing/1": Closing,
    "level/1": Level,
    "final/1": Final,
    "close-way/1": CloseWay,
    "protection/1": Protection,
    "hold/1": Hold,
    "trip/1": Trip,
    "alarm/1": Alarm,
}


def fits(kind: str, body: dict[str, Any]) -> bool:
    """True when a page may rely on this body."""
    try:
        KINDS.get(kind, Body).model_validate(body)
        if isinstance(day := body.get("date"), str):
            date.fromisoformat(day)
    except (ValidationError, ValueError):
        return False
    return True
