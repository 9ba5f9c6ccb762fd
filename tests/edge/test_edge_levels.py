"""R9: three low-balance levels, held back in quiet hours, told again where the site says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge import levels
from edge.billing import policy
from tests.edge.building import Building
from tests.edge.test_edge_policy import TERMS

ROOM = "a206"
NIGHT = replace(TERMS, quiet=(22 * 60, 7 * 60))


@pytest.mark.parametrize(
    ("wall", "quiet"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("06:59", True), ("07:00", False), ("12:00", False)],
)
def test_r9_the_quiet_hours_go_over_midnight(wall: str, quiet: bool) -> None:
    """From ten in the evening to seven; the same time twice is never."""
    at = datetime.fromisoformat(f"2026-11-20T{wall}:00+08:00")
    assert policy.is_quiet(at, NIGHT) is quiet and not policy.is_quiet(at, TERMS)


def test_r9_a_level_is_told_again_a_day_later_so_often_as_the_site_says() -> None:
    """Not earlier, not more often, not at night but for the last level."""
    terms, noon = replace(NIGHT, level_repeats=(1, 0, 2)), datetime(2026, 11, 20, 4, tzinfo=UTC)
    day, night = timedelta(days=1), timedelta(days=1, hours=12)
    assert policy.repeat_is_due(1, 0, noon, noon + day, terms)
    assert not policy.repeat_is_due(1, 0, noon, noon + day - timedelta(seconds=1), terms)
    assert not policy.repeat_is_due(1, 1, noon, noon + day, terms) and not policy.repeat_is_due(
        0, 0, noon, noon + day, terms
    )
    assert not policy.repeat_is_due(2, 0, noon, noon + day, terms)
    assert not policy.repeat_is_due(1, 0, noon, noon + night, terms) and policy.repeat_is_due(
        3, 1, noon, noon + night, terms
    )


def test_r9_quiet_hours_hold_back_the_first_levels_and_not_the_last_warning(tmp_path: Path) -> None:
    """From half past ten it is quiet here: levels 1 and 2 wait, level 3 and the final warning do not."""
    building = Building(
        tmp_path, meters={ROOM}, poll_s=30, idle_s=2, policy={"quiet_hours": {"from": "10:30", "to": "20:00"}}
    )
    building.connect()
    core = building.edge.core
    account = core.state.accounts["100206"]
    building.run_until(lambda: core.balances.available_nano(account) < core.terms.levels_nano[1], hours=4)
    assert not building.of("level/1") and account.level == 0
    building.run_until(lambda: building.of("final/1"), hours=4)
    assert [each.fields["level"] for each in building.of("level/1")] == [1, 2, 3]
    assert building.of("level/1")[0].fields["available_nano"] < core.terms.levels_nano[2]


def test_r9_a_level_waits_for_a_second_reading(tmp_path: Path) -> None:
    """One reading that leaps fires no level, and of two the one that leaves more says which."""
    building = Building(tmp_path, meters={ROOM})
    account, core = building.edge.core.state.accounts["100206"], building.edge.core
    low, lower, lowest = (nano - 1 for nano in core.terms.levels_nano)
    plenty = core.terms.levels_nano[0] + core.terms.level_margin_nano
    assert levels.due(core, account, lowest, plenty) == []
    assert [fields["level"] for _, _, fields in levels.due(core, account, lowest, lower)] == [1, 2]
    assert [fields["level"] for _, _, fields in levels.due(core, account, low, low)] == [1]


def test_r9_what_was_held_back_is_told_in_the_morning(tmp_path: Path) -> None:
    """If it is still so."""
    building = Building(
        tmp_path, meters={ROOM}, poll_s=30, idle_s=2, policy={"quiet_hours": {"from": "10:30", "to": "11:20"}}
    )
    building.connect()
    building.run_until(lambda: building.of("level/1"), hours=4)
    assert building.clock.now() >= datetime(2026, 11, 20, 3, 20, tzinfo=UTC)
    assert building.clock.now() < datetime(2026, 11, 20, 3, 22, tzinfo=UTC)


def test_r9_a_level_is_repeated_in_the_book_and_to_the_people(tmp_path: Path) -> None:
    """A tenant who stays low for two days hears of it each day, as often as the site says, and `verify` agrees."""
    building = Building(
        tmp_path,
        meters={"a101"},
        poll_s=600,
        idle_s=30,
        policy={"level_repeats": [2, 0, 0], "levels": ["9000.00", "20.00", "10.00"]},
    )
    building.connect()
    building.run(hours=24 * 4)
    assert [each.fields.get("repeat") for each in building.of("level/1")] == [None, 1, 2]
    told = [payload for topic, payload, _ in building.broker.heard if topic.endswith("account/100101/event")]
    assert sum(b"told again" in each for each in told) == 2
