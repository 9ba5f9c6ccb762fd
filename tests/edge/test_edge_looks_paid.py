"""While nobody knows the time, use is priced as of one instant; nobody is given light by that alone (R5)."""

from __future__ import annotations

from pathlib import Path

from tests.edge.calendars import Elsewhen

ROOM, ACCOUNT = "a206", "100206"


def test_r5_a_balance_that_rose_without_money_brings_no_light_while_the_time_is_not_known(tmp_path: Path) -> None:
    """Cut for arrears, and the calendar leaps: what was used seems to cost less. It stays dark. Money brings light at
    once, whatever the calendar says."""
    building = Elsewhen(tmp_path, meters={"a101", "a102", ROOM}, poll_s=120, idle_s=10)
    building.connect()
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=6)
    building.run(minutes=5)
    building.clock.step_calendar(40 * 86_400)
    building.edge.core.state.ledger[f"account:{ACCOUNT}"] += 100 * 10**9
    building.run(minutes=15)
    assert building.mode()[0] == "time"
    assert building.edge.core.balances.available_nano(building.edge.core.state.accounts[ACCOUNT]) > 50 * 10**9
    assert building.sim_meter(ROOM).relay.open and building.of("close/1") == []
    building.topup(ACCOUNT, 10_00)
    building.run_until(lambda: not building.sim_meter(ROOM).relay.open, hours=0.1)
    assert building.mode()[0] == "time"
