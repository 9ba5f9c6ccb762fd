"""Renders `policy`: the rules by which tenants are warned and cut, and the days ahead as they stand against a cut."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from bridge.contract.cutting import OpenSpan, Policy, PolicyDay
from bridge.contract.units import instant_text
from edge.billing.policy import brake_limit
from edge.billing.windows import CutWindow
from edge.core import Core

DAYS = 14


def policy_fact(core: Core) -> Policy:
    """The fact, from the site's terms."""
    terms, now = core.terms, core.now()
    today = now.astimezone(terms.zone).date()
    quiet = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in terms.quiet]
    return Policy(
        at=instant_text(now),
        lead_s=terms.lead_s,
        cut_limit_nano=terms.cut_limit_nano,
        restore_above_nano=terms.restore_nano,
        levels_nano=list(terms.levels_nano),
        level_repeats=list(terms.level_repeats),
        quiet_from=quiet[0] if quiet[0] != quiet[1] else None,
        quiet_to=quiet[1] if quiet[0] != quiet[1] else None,
        stale_s=terms.stale_s,
        warning_counts=terms.warning_counts,  # type: ignore[arg-type]
        brake_meters=brake_limit(len(core.state.meters), terms),
        days=[_day(terms.window, today + timedelta(days=ahead)) for ahead in range(DAYS)],
        unknown_years=list(terms.unknown_years),
    )


def _day(window: CutWindow, day: date) -> PolicyDay:
    season = window.season(day)
    spans = [
        OpenSpan.model_validate({"from": instant_text(begins), "to": instant_text(ends)})
        for begins, ends in window.on(day)
    ]
    return PolicyDay(
        date=day.isoformat(), kind=_kind(window, day), why=None if season is None else season.why, open=spans
    )


def _kind(window: CutWindow, day: date) -> Literal["workday", "weekend", "holiday", "make-up", "protected"]:
    if window.season(day) is not None:
        return "protected"
    if day in window.work_days and day.weekday() >= 5:
        return "make-up"
    if window.is_workday(day):
        return "workday"
    return "holiday" if day in window.rest_days else "weekend"
