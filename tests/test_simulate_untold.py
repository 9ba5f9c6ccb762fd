"""The simulator's judge knows no more than a gateway can: what no register tells is laid to nobody (R5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.bench.policy_site import Plan, Room, RoomMeter, Steps
from tests.simulate import untold
from tests.simulate.judge import HouseJudge
from tests.test_policy_judge import Case


def test_a_register_that_stands_tells_nothing_until_it_moves_again() -> None:
    """Half an hour of the load is lost; readings of that time tell nothing, the first one after it tells what it moved.
    A second trouble meanwhile, such as another meter on the wall, makes no second beginning."""
    case = Case()
    used = case.seen.used
    case.mono = 1800
    untold.begins(case.seen, used.until(case.now))
    stood = used.told()
    case.mono = 2700
    untold.begins(case.seen, used.until(case.now))
    case.read("0001ff00")
    case.read("0001ff00")
    assert used.told() == stood == 6000 * 850_000 // 2
    case.mono = 3600
    untold.ends(case.seen, used.until(case.now))
    case.mono = 5400
    case.read("0001ff00")
    case.read("0001ff00")
    half_hour = timedelta(minutes=30) / timedelta(hours=1) * 6000 * 850_000
    assert case.seen.unsaid_nano == half_hour and used.told() == 3 * half_hour
    untold.ends(case.seen, used.until(case.now))
    assert case.seen.unsaid_nano == half_hour


def test_a_newcomer_pays_from_the_first_register_on_also_where_it_was_read_before() -> None:
    """No reading comes between moving in and the opening entry: the load counts from there, not from the next round."""
    case = Case()
    judge = HouseJudge(case.judge.plan, lambda: None)
    seen = judge.by_id["m011"]
    seen.used.since_us = case.seen.used.since_us
    judge.moves_in(Room("a001-1", "single", 0, (seen.meter,)), [seen])
    case.mono = 60
    judge.opened(seen, case.now)
    case.mono = 60 + 3600
    assert judge.left_nano("a001-1", case.now) == -6000 * 850_000 and not seen.unsaid_nano


@pytest.mark.parametrize(("late_s", "sure"), [(30, True), (7_200, False)])
def test_r29_use_laid_in_the_wrong_period_of_steps_is_allowed_for_until_that_ends(late_s: int, sure: bool) -> None:
    """The counter began anew on the 20th; the bill of that midnight was guessed, so that use of the day before may
    climb the steps of this period, a fortnight later too. Where it was read in time the judge is sure again."""
    steps = Steps(20, ((1_000, 150_000), (2_000, 450_000)))
    meter = RoomMeter("m011", 0, "000000000011", "constant", 100, 1)
    begins = datetime(2026, 11, 19, 16, tzinfo=UTC)
    room = Room("a001", "home", 850, (meter,))
    plan = Plan(1, "Asia/Shanghai", begins, 1, (room,), {}, prices={"home": {"total": 560_000}}, steps={"home": steps})
    judge = HouseJudge(plan, lambda: None)
    seen, registers = judge.by_id["m011"], "0001ff00"
    judge._told(seen, registers, 0, begins - timedelta(minutes=15), 0.0)
    judge._told(seen, registers, 0, begins + timedelta(seconds=late_s), 900.0 + late_s)
    later = begins + timedelta(days=14)
    judge.left_nano("a001", later)
    a_day = 24 * 100 * 450_000
    assert (judge.slack_nano("a001") < a_day // 2) == sure and (judge.slack_nano("a001") > a_day) != sure
