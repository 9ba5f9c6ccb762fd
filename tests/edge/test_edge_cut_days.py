"""R2: which days a site's windows count on, by its file and the statutory calendar together."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Policy
from edge.settings import statutory_days, terms_of
from tests.edge.building import Building

SATURDAYS = {"cut_window": {"days": ["sat", "sun"], "from": "09:00", "to": "16:00"}}


@pytest.mark.parametrize(
    ("day", "is_open", "kind"),
    [
        ("2026-10-03", False, "holiday"),  # A Saturday within the week of the National Day.
        ("2026-10-04", False, "holiday"),
        ("2026-10-10", True, "make-up"),  # A Saturday that is worked for it.
        ("2026-10-17", True, "weekend"),
        ("2026-02-21", False, "holiday"),  # Spring Festival.
    ],
)
def test_r2_a_window_by_names_of_days_rests_on_a_holiday_at_the_weekend(
    tmp_path: Path, day: str, is_open: bool, kind: str
) -> None:
    """A site that cuts on Saturdays and Sundays, holidays excepted, cuts nobody in the middle of the Golden Week."""
    start = datetime.fromisoformat(f"{day}T02:30:00+00:00")
    building = Building(tmp_path, meters={"a206"}, start=start, policy=SATURDAYS)
    building.connect()
    today = building.fact("policy")["days"][0]
    assert (today["date"], bool(today["open"]), today["kind"]) == (day, is_open, kind)
    assert building.edge.core.terms.window.is_open(start) is is_open


def test_r2_a_site_may_work_on_a_holiday_at_the_weekend(tmp_path: Path) -> None:
    """Its own days win over the statutory ones, at the weekend too."""
    own: dict[str, Any] = SATURDAYS | {"work_days": [date(2026, 10, 3)]}
    site = Building(tmp_path, meters={"a206"}, policy=own).site
    terms = terms_of(site, statutory_days(date(2026, 10, 1), site.policy))
    at = [datetime(2026, 10, day, 2, 30, tzinfo=UTC) for day in (3, 4)]
    assert [terms.window.is_open(each) for each in at] == [True, False]


def test_r2_the_statutory_calendar_says_nothing_of_ordinary_weekends() -> None:
    """Only holidays rest and only make-up days are worked: the rest is the week's."""
    rest, work = statutory_days(date(2026, 10, 1), Policy())
    assert {date(2026, 10, 1), date(2026, 10, 3)} <= rest and date(2026, 10, 17) not in rest
    assert date(2026, 10, 10) in work and not rest & work and all(day.weekday() >= 5 for day in work)
