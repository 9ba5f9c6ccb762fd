"""Levels, forecast, final warning, and whether a cut may happen now: each a function of what it is given (R1-R9).

Nothing here reads a clock or a wire. A refusal names its rule and, where it can, the instant at which it ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from edge.billing.money import Limits
from edge.billing.windows import CutWindow

FORECAST_DAYS = 60
"""Further ahead a forecast says nothing; the panel then shows no date."""

RELAX_S = 3600
"""A final warning is taken back without a payment only when zero has moved this much beyond the lead."""


@dataclass(frozen=True)
class Terms:
    """The site's numbers. Money in nano-yuan, times in seconds."""

    zone: ZoneInfo
    window: CutWindow
    lead_s: int
    cut_limit_nano: int
    restore_nano: int
    levels_nano: tuple[int, int, int]
    level_margin_nano: int
    stale_s: int
    warning_counts: str
    brake_meters: int
    brake_percent: int
    border_lead_s: int
    limits: Limits
    markup_limit_percent: int | None = None
    level_repeats: tuple[int, int, int] = (0, 0, 0)
    quiet: tuple[int, int] = (0, 0)
    """Minutes of the local day from and to which levels 1 and 2 wait; the same twice is never."""
    stagger_s: int = 0
    unknown_years: tuple[int, ...] = ()
    """Years near today whose official calendar nobody has told: on days that may be holidays nobody is cut (R2)."""


@dataclass(frozen=True)
class Verdict:
    """May a cut happen now? Where not: the rule, a sentence, and until when if that is known."""

    allowed: bool
    rule: str | None = None
    why: str = ""
    until: datetime | None = None


ALLOWED = Verdict(True)
GUESSED = Verdict(False, "R3", "the balance rests on an estimate")
SETTLED = Verdict(False, "I5", "this tenancy was settled after the backup that was restored; settle it again")


def level_now(level: int, available_nano: int, terms: Terms) -> int:
    """The deepest level that has fired and not re-armed, 0 to 3 (R9).

    A level fires once per downward crossing and re-arms when the balance rises above it plus a margin.
    """
    below = sum(available_nano < threshold for threshold in terms.levels_nano)
    if below >= level:
        return below
    while level and available_nano > terms.levels_nano[level - 1] + terms.level_margin_nano:
        level -= 1
    return level


TOLD_AGAIN_AFTER = timedelta(days=1)
"""A level is told again no sooner (R9)."""


def is_quiet(now: datetime, terms: Terms) -> bool:
    """True in the quiet hours, which hold back levels 1 and 2 and never more than that (R9)."""
    local = now.astimezone(terms.zone)
    minute, (begins, ends) = local.hour * 60 + local.minute, terms.quiet
    return begins <= minute < ends if begins <= ends else minute >= begins or minute < ends


def repeat_is_due(level: int, repeats: int, told_at: datetime, now: datetime, terms: Terms) -> bool:
    """A level is told again a day later while the balance stays below it, so often as the site says (R9)."""
    if not level or repeats >= terms.level_repeats[level - 1] or now - told_at < TOLD_AGAIN_AFTER:
        return False
    return level == len(terms.levels_nano) or not is_quiet(now, terms)


def zero_at(
    available_nano: int, limit_nano: int, load_w: int, ahead: Iterable[tuple[datetime, datetime, int]], now: datetime
) -> datetime | None:
    """When the balance reaches the limit at the load of now and the prices ahead; None beyond the horizon.

    `ahead` are spans (from, to, micro-yuan per kWh) from now on. Load in W after the
    multiplier. W x micro-yuan/kWh = nano-yuan per hour.
    """
    left = available_nano - limit_nano
    if left <= 0:
        return now
    if load_w <= 0:
        return None
    for begins, ends, price_micro in ahead:
        nano_per_hour = load_w * price_micro
        cost = nano_per_hour * int((ends - begins).total_seconds()) // 3600
        if cost >= left and nano_per_hour > 0:
            return begins + timedelta(seconds=left * 3600 // nano_per_hour)
        left -= cost
    return None


def final_is_due(zero: datetime | None, now: datetime, terms: Terms) -> bool:
    """The final warning goes out when zero is the lead away, or has come unforeseen (R1)."""
    return zero is not None and zero - now <= timedelta(seconds=terms.lead_s)


def final_is_void(
    available_nano: int, zero: datetime | None, now: datetime, paid: bool, terms: Terms, sure: bool = True
) -> str | None:
    """Why a final warning no longer stands, or None while it does (R1): paid, or the load has fallen for good. While
    nobody knows the hour, and so the price, any payment may have been enough: then `sure` is false."""
    if paid and (available_nano > terms.cut_limit_nano or not sure):
        return "a payment came"
    if available_nano <= terms.cut_limit_nano:
        return None
    if zero is None or zero - now > timedelta(seconds=terms.lead_s + RELAX_S):
        return "the forecast moved far away"
    return None


def warned(delivered_powered_s: int | None, powered_s: int, terms: Terms) -> Verdict:
    """R1: at least the lead in powered time since a warning of this episode was delivered."""
    if delivered_powered_s is None:
        return Verdict(False, "R1", "no final warning of this arrears episode was delivered")
    if powered_s - delivered_powered_s < terms.lead_s:
        left = terms.lead_s - (powered_s - delivered_powered_s)
        return Verdict(
            False, "R1", f"the final warning was delivered less than {terms.lead_s // 60} minutes ago ({left} s left)"
        )
    return ALLOWED


@dataclass(frozen=True)
class Moment:
    """All that decides whether one meter of one account may be cut for arrears at `now`."""

    now: datetime
    mode: str
    available_nano: int
    delivered_powered_s: int | None
    powered_s: int
    read_age_s: float | None
    quarantined: bool
    opened: bool
    keep_power: bool
    brake: str | None
    protected: str | None = None
    """Why a person keeps the tenant from being cut, and until when."""
    estimated: bool = False
    """A meter of the account was charged on an estimate, and no real register has settled that yet."""
    changing: bool = False
    """A meter of the account was replaced, or its multiplier changed, and nobody has approved that yet."""
    locked: str | None = None
    """Who works at the wires behind the meter, and since when."""


def may_cut(moment: Moment, terms: Terms) -> Verdict:
    """May a meter be cut for arrears now? The first rule against it is named, the hardest first."""
    if moment.mode != "normal":
        return Verdict(False, "I22", f"the gateway is in mode {moment.mode}: no automatic trips")
    if moment.available_nano > terms.cut_limit_nano:
        return Verdict(False, "R1", "the balance is above the cut limit")
    if moment.keep_power:
        return Verdict(False, "R3", "the meter keeps power on")
    if moment.protected is not None:
        return Verdict(False, "R3", moment.protected)
    if moment.locked is not None:
        return Verdict(False, "R5", moment.locked)
    if not moment.opened:
        return Verdict(False, "R19", "the opening register is not confirmed yet")
    if moment.quarantined:
        return Verdict(False, "I15", "the newest reading is set aside until a person releases it")
    if moment.changing:
        return Verdict(False, "R3", "a replaced meter or a changed multiplier waits to be approved")
    if moment.estimated:
        return GUESSED
    if moment.read_age_s is None or not 0 <= moment.read_age_s <= terms.stale_s:
        return Verdict(False, "R3", "the newest reading is too old")
    told = warned(moment.delivered_powered_s, moment.powered_s, terms)
    if not told.allowed:
        return told
    if not terms.window.is_open(moment.now):
        return Verdict(False, "R2", "protected time", terms.window.opens(moment.now))
    if moment.brake is not None:
        return Verdict(False, "R4", moment.brake)
    return ALLOWED


def brake_limit(installed: int, terms: Terms) -> int:
    """R4: the larger of so many meters and such a share of the site."""
    return max(terms.brake_meters, installed * terms.brake_percent // 100)


def brake_due(cuts_in_hour: int, installed: int, terms: Terms) -> bool:
    """R4: one more cut would be more than the limit in one hour."""
    return cuts_in_hour >= brake_limit(installed, terms)


def desired(holds: Collection[str], cut_is_due: bool) -> str:
    """What a relay should be: closed only when every hold is clear (R5) and no cut is due."""
    return "open" if holds or cut_is_due else "closed"
