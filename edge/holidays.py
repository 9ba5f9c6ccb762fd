"""Which days are holidays, for prices that tell kinds of days apart: kept in the book, from today on (R28).

What is known: China's statutory holidays and make-up days by chinesecalendar, and the site file's own `rest_days` and
`work_days`, which win. The book gets a `calendar/1` when it says otherwise of a day from today on; days that have
passed stay as they were billed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, timedelta

from bridge.contract.site import Policy
from edge.billing.days import Days
from edge.core import Core

log = logging.getLogger("riser.settings")

AHEAD_DAYS = 366
"""How far ahead holidays are written down; the next year's are published in autumn."""

BY = "calendar"

Table = Callable[[date], bool | None]
"""True for a holiday, False for a weekend day that is worked, None for any other. Raises NotImplementedError for a
year that it does not know."""


class Holidays:
    """Compares what is known with the book, at the start and on each new local day."""

    def __init__(self, core: Core, policy: Policy, table: Table | None = None):
        self._core, self._policy, self._table = core, policy, table or statutory
        self._looked: tuple[date, int] | None = None

    def tick(self) -> None:
        """Cheap unless the day is new or a price was set. A calendar that is not believed writes nothing."""
        core = self._core
        if not core.book.trusted:
            return
        today = core.now().astimezone(core.terms.zone).date()
        if self._looked == (looked := (today, core.state.installed_seq)):
            return
        self._looked = looked
        if not any(table["days"] for all in core.state.tariffs.values() for v in all for table in v.get("tables", ())):
            return
        until, days = known(today, self._policy, self._table)
        if days == within(core.state.days, today, until):
            return
        fields = {
            "since": today.isoformat(), "until": until.isoformat(), "by": BY,
            "rest_days": sorted(map(date.isoformat, days.rest)), "work_days": sorted(map(date.isoformat, days.work)),
        }  # fmt: skip
        core.append(("calendar/1", core.own_id("calendar"), fields))
        log.info("the holidays from %s to %s are written down anew", today, until)


def known(since: date, policy: Policy, table: Table) -> tuple[date, Days]:
    """The last day that is known, and the holidays and make-up days from `since` to it.

    After the last known year only the site file's own days count, so the range ends with the newest of those.
    """
    rest: set[date] = set()
    work: set[date] = set()
    until = since
    for ahead in range(AHEAD_DAYS):
        day = since + timedelta(days=ahead)
        try:
            kind = table(day)
        except NotImplementedError:
            log.warning("holidays of %d are not known yet: its days count by the week until rest_days and work_days "
                        "in the site file or a newer chinesecalendar say otherwise (R28)", day.year)  # fmt: skip
            break
        until = day
        if kind is not None:
            (rest if kind else work).add(day)
    own_rest, own_work = (
        frozenset(day for day in days if day >= since) for days in (policy.rest_days, policy.work_days)
    )
    until = max([until, *own_rest, *own_work])
    return until, Days(frozenset(rest - own_work) | own_rest, frozenset(work - own_rest) | own_work)


def within(days: Days, since: date, until: date) -> Days:
    """What a calendar says of the days from `since` to `until`."""
    return Days(*(frozenset(day for day in each if since <= day <= until) for each in (days.rest, days.work)))


def statutory(day: date) -> bool | None:
    """China's holidays, also those that fall on a weekend, and weekend days that are worked (调休)."""
    import chinese_calendar  # Imported here: only sites that tell kinds of days apart need it.

    holiday, name = chinese_calendar.get_holiday_detail(day)
    if holiday:
        return None if name is None else True
    return False if day.weekday() >= 5 else None
