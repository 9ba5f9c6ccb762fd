"""From the site file to what the edge's parts are handed: terms of policy, lines, and the holidays that are known."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from bridge.contract.site import Policy, Site, wall_minutes
from bridge.contract.site_cutting import WEEKDAYS
from bridge.contract.site_cutting import CutWindow as CutWindowTable
from bridge.contract.site_money import MoneyPolicy
from bridge.contract.units import nano_of_yuan
from edge.billing.money import Limits
from edge.billing.policy import Terms
from edge.billing.windows import CutWindow, Season, Span
from edge.festivals import may_rest
from edge.holidays import statutory
from edge.line.wire import Line

log = logging.getLogger("riser.settings")


def terms_on(site: Site, today: date) -> Terms:
    """The policy's numbers with the days that are known on this local day."""
    years = unknown_years(today, site.policy)
    for year in years:
        log.warning(
            "the official calendar of %d is not known: nobody is cut on days that may be holidays; update Riser, or "
            "write rest_days and work_days of that year into the site file (R2)",
            year,
        )
    return replace(terms_of(site, statutory_days(today, site.policy)), unknown_years=years)


def terms_of(site: Site, holidays: tuple[frozenset[date], frozenset[date]]) -> Terms:
    """The policy's numbers. `holidays` are (rest days, make-up days); the site file's own days win."""
    policy = site.policy
    rest, work = holidays
    own_rest, own_work = frozenset(policy.rest_days), frozenset(policy.work_days)
    window = CutWindow(
        site.zone,
        tuple(_span(each) for each in (policy.cut_window, *policy.more_cut_windows)),
        (rest - own_work) | own_rest,
        (work - own_rest) | own_work,
        tuple(Season(each.from_, each.to, each.why) for each in policy.protected),
    )
    first, second, third = (nano_of_yuan(text) for text in policy.levels)
    return Terms(
        zone=site.zone,
        window=window,
        lead_s=policy.lead_min * 60,
        cut_limit_nano=nano_of_yuan(policy.cut_at),
        restore_nano=nano_of_yuan(policy.returns_above),
        levels_nano=(first, second, third),
        level_margin_nano=nano_of_yuan(policy.level_margin),
        level_repeats=tuple(policy.level_repeats),  # type: ignore[arg-type]
        quiet=(wall_minutes(policy.quiet_hours.from_), wall_minutes(policy.quiet_hours.to)),
        stagger_s=policy.stagger_s,
        stale_s=policy.stale_min * 60,
        warning_counts=policy.warning_counts,
        brake_meters=policy.brake_meters,
        brake_percent=policy.brake_percent,
        border_lead_s=policy.border_lead_s,
        limits=limits_of(policy),
        markup_limit_percent=policy.markup_limit_percent,
    )


def _span(window: CutWindowTable) -> Span:
    days = window.days
    return Span(
        wall_minutes(window.from_),
        wall_minutes(window.to),
        frozenset(WEEKDAYS.index(day) for day in days) if isinstance(days, list) else days,
    )


def limits_of(policy: MoneyPolicy) -> Limits:
    """What the site allows with money (R15, R16)."""
    hoard, day = policy.balance_max, policy.operator_day_max
    return Limits(
        least_nano=nano_of_yuan(policy.topup_min),
        most_nano=nano_of_yuan(policy.topup_max),
        hoard_nano=None if hoard is None else nano_of_yuan(hoard),
        operator_day_nano=None if day is None else nano_of_yuan(day),
        overdraft_nano=nano_of_yuan(policy.overdraft),
        emergency_nano=nano_of_yuan(policy.emergency_credit),
    )


def lines_of(site: Site, data_directory: Path, practice: str = "") -> list[Line]:
    """The site's ports; a relative device is looked up in the data directory.

    `practice` is the directory where a simulator puts its ports under their ids, in place of the site's devices.
    """
    return [
        Line(
            port.id,
            Path(practice, port.id) if practice else data_directory / port.device,
            port.protocol,
            port.baud,
            port.parity,
        )
        for port in site.ports
    ]


def statutory_days(around: date, policy: Policy) -> tuple[frozenset[date], frozenset[date]]:
    """China's holidays, weekends among them, and make-up workdays for a year around a day.

    In a year that the table does not know yet every day that may be a holiday is one, and no weekend is worked.
    """
    if _all_days(policy):
        return frozenset(), frozenset()
    rest, work = set[date](), set[date]()
    for offset in range(-30, 366):
        day = around + timedelta(days=offset)
        kind = statutory(day) if _is_known(day.year) else may_rest(day) or None
        if kind is not None:
            (rest if kind else work).add(day)
    return frozenset(rest), frozenset(work)


def unknown_years(today: date, policy: Policy) -> tuple[int, ...]:
    """This year, and in December the next, where neither the table nor the site file has days of it.

    The State Council publishes a year's days in the November before it.
    """
    if _all_days(policy):
        return ()
    own = {day.year for day in (*policy.rest_days, *policy.work_days)}
    near = (today.year, today.year + 1) if today.month == 12 else (today.year,)
    return tuple(year for year in near if year not in own and not _is_known(year))


def _all_days(policy: Policy) -> bool:
    return all(each.days == "all" for each in (policy.cut_window, *policy.more_cut_windows))


def _is_known(year: int) -> bool:
    try:
        statutory(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True
