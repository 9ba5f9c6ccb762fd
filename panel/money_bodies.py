"""What a page relies on in entries that move money, and in those that ask for it or decide; see `bodies.py`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from bridge.contract.fields import Instant, Whole
from panel.body_parts import Body, Moving, Register, Stood


class ChargeLine(Body):
    rate: str
    kind: str = "rate"
    wh: Whole
    price_micro: Whole
    amount_nano: Whole
    version: Whole | None = None


class Counter(Body):
    """The step counter."""

    period: str | None = None
    used_wh: Whole = 0
    others: list[Annotated[list[str | Whole], Field(min_length=2, max_length=2)]] = Field(default_factory=list)


class Charge(Moving):
    start: Register
    end: Register
    between: list[Stood] = Field(default_factory=list)
    guessed: list[str] = Field(default_factory=list)
    lines: list[ChargeLine]
    wh: Whole
    amount_nano: Whole
    multiplier: Whole = 1
    full_scale_wh: Whole = 0
    unit: str = "kWh"
    by: str = "registers"
    tariff: str = ""
    tariff_name: str = ""
    version: Whole = 0
    counter_before: Counter | None = None
    counter: Counter | None = None
    days: Whole = 1
    date: str | None = None


class Fee(Moving):
    date: str
    tariff: str
    tariff_name: str = ""
    version: Whole
    unit: str = "kWh"
    amount_nano: Whole


class TopUp(Moving):
    method: str | None = None
    who: str | None = None
    receipt: str | None = None
    reference: str | None = None
    amount_fen: Whole | None = None


class Act(TopUp):
    """An act with money of a clerk, or of two."""

    account: str
    role: str | None = None
    why: str | None = None
    reason: str | None = None
    papers: str | None = None
    consent: str | None = None
    approved_by: str | None = None
    proposal: str | None = None
    original: Whole | None = None
    original_receipt: str | None = None
    share_percent: Whole | None = None
    weekly_cap_fen: Whole | None = None


class Correction(Act):
    to_account: str
    to_balance_after_nano: Whole


class ReadingCorrection(Charge):
    """A register that was charged and was wrong, put right (R12)."""

    account: str
    entry: str
    receipt: str | None = None
    who: str | None = None
    approved_by: str | None = None
    why: str | None = None
    papers: str | None = None


class Proposal(Body):
    proposal: str
    what: str
    body: dict[str, Any]
    who: str
    until: Instant


class Decision(Body):
    proposal: str
    approved: bool
    who: str
    why: str | None = None
