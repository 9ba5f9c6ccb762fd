"""The gateway's calendar is wrong and then right: money is taken, light comes back, nobody is cut, no day is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_text
from edge import trust
from firmware_sim.loads import WUS_PER_WH
from tests.edge import books
from tests.edge.building import START
from tests.edge.calendars import YEAR_1970, Elsewhen

ROOM, ACCOUNT = "a206", "100206"
SOME = {"a101", "a102", ROOM, "a301", "a303"}
YEAR_S = 365 * 86_400


def mall(tmp_path: Path, **options: Any) -> Elsewhen:
    """Three meters with clocks of their own, two without, read and opened."""
    building = Elsewhen(tmp_path, **{"meters": SOME, "poll_s": 120, "idle_s": 10, **options})
    building.connect()
    building.run(minutes=5)
    assert building.mode() == ("normal", None)
    return building


def run_dry(building: Elsewhen) -> None:
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=5)


def since(building: Elsewhen, seq: int) -> Counter[str]:
    """Kinds of the entries after one."""
    return Counter(entry.kind for entry in building.entries()[seq:])


def qualities(building: Elsewhen) -> set[str]:
    return {live.quality for live in building.edge.core.lives.values()}


# --- 1970 ---


def test_1970_at_start_stops_neither_reading_nor_selling(tmp_path: Path) -> None:
    """No battery behind the clock: meters are read, nothing is set aside, money is booked, light comes back (56)."""
    building = mall(tmp_path)
    run_dry(building)
    seq = building.edge.core.book.seq
    building.restart(YEAR_1970, off_s=1800)
    building.run(minutes=30)
    assert building.mode()[0] == "time" and qualities(building) == {"good"}
    assert building.fact(f"meter/{ROOM}")["energy_wh"] == building.edge.core.lives[ROOM].sample.registers_wh["total"]  # type: ignore[union-attr]
    transaction = building.topup(ACCOUNT, 200_00)
    assert building.answers(transaction)[0]["status"] == "done"
    paid_at = building.clock.monotonic()
    building.run_until(lambda: not building.sim_meter(ROOM).relay.open, hours=1)
    assert building.clock.monotonic() - paid_at < 10
    building.run(hours=1)
    kinds = since(building, seq)
    assert not {"closing/1", "charge/2", "trip/1", "quarantine/1", "alarm/1"} & set(kinds)
    assert not any(entry.trusted for entry in building.entries()[seq:])


def test_the_clock_comes_right_after_56_years(tmp_path: Path) -> None:
    """Days at 1970, then the time is known: each day closed once, exactly; no cut before the half hour (57, 59)."""
    building = mall(tmp_path)
    building.restart(YEAR_1970, off_s=3 * 86_400)
    building.run_until(lambda: building.of("delivered/1", account=ACCOUNT), hours=1)
    seq = building.edge.core.book.seq
    building.clock.set_right()
    building.run(minutes=20)
    assert building.mode() == ("normal", None)
    assert building.of("trip/1") == [], "twenty minutes are not the lead"
    for account in building.edge.core.state.accounts:
        assert books.days_of(building, account) == books.days("2026-11-20", 3)
    books.check(building)
    assert all(entry.trusted for entry in building.entries()[seq + 1 :])
    assert len(building.of("mode/1")) == 2 and qualities(building) == {"good"}
    building.run(minutes=20)
    assert building.of("trip/1")[0].fields["warned_s"] >= 1800


def test_1970_is_no_old_price(tmp_path: Path) -> None:
    """A price that rose this morning stays in force while the calendar says 1970: no price change in doubt (56)."""
    building = mall(tmp_path)
    core = building.edge.core
    (old,) = core.state.tariffs["catering"]
    doubled = {rate: 2 * price for rate, price in old["prices_micro"].items()}
    effective = instant_text(building.clock.now() + timedelta(minutes=1))
    core.append(("tariff/1", "tariff:2", old | {"version": 2, "effective_at": effective, "prices_micro": doubled}))
    building.run(minutes=10)
    before = core.balances.available_nano(core.state.accounts[ACCOUNT])
    building.restart(YEAR_1970)
    building.run(minutes=3)
    core = building.edge.core
    assert core.balances.available_nano(core.state.accounts[ACCOUNT]) <= before
    assert core.balances.version_now(core.state.accounts[ACCOUNT]).version == 2


def test_a_damaged_reading_of_before_the_time_was_known_does_not_warn(tmp_path: Path) -> None:
    """The one reading at 1970 was too high by chance; the first one after the time is known stands below it. Nobody
    is warned on what only the doubtful one said. No meter of this shaft has a clock that would be waited for."""
    building = mall(tmp_path, meters={"a301", "a303"})
    building.topup("100301", 5000_00)
    metrology, wrong = building.sim_meter("a301").metrology, 800 * WUS_PER_WH
    metrology.total_wus, metrology.rates_wus[3] = metrology.total_wus + wrong, metrology.rates_wus[3] + wrong
    building.restart(YEAR_1970, off_s=600)
    core = building.edge.core
    live, account = core.lives["a301"], core.state.accounts["100301"]
    building.run_until(lambda: live.sample is not None, hours=1)
    metrology.total_wus, metrology.rates_wus[3] = metrology.total_wus - wrong, metrology.rates_wus[3] - wrong
    building.clock.set_right()
    building.run(seconds=1)
    assert building.mode() == ("normal", None) and live.unproven
    limit_nano = core.balances.available_nano(account) + 10**8
    core.terms = replace(core.terms, cut_limit_nano=limit_nano, restore_nano=limit_nano, lead_s=60)
    doubtful = live.sample
    building.run_until(lambda: live.sample is not doubtful, hours=1)
    assert core.balances.available_nano(account) > limit_nano and live.quality == "good"
    assert live.before is not doubtful and building.of("final/1", account="100301") == []


def jump(building: Elsewhen, wh: int = 400_000) -> None:
    metrology = building.sim_meter(ROOM).metrology
    metrology.total_wus += wh * WUS_PER_WH
    metrology.rates_wus[2] += wh * WUS_PER_WH


@pytest.mark.parametrize("when", ["while it is off", "while it runs"])
def test_a_wrong_calendar_opens_no_door_for_garbage(tmp_path: Path, when: str) -> None:
    """A register that leaps while nobody knows the time: cut on it is nobody, and it is set aside once it is known."""
    building = mall(tmp_path)
    if when == "while it is off":
        jump(building)
    building.restart(YEAR_1970, off_s=60)
    building.run(minutes=5)
    if when == "while it runs":
        jump(building)
    building.run(minutes=45)
    assert building.of("trip/1") == []
    building.clock.set_right()
    building.run(minutes=50)
    assert building.mode() == ("normal", None)
    (aside,) = building.of("quarantine/1", meter=ROOM)
    assert aside.fields["rule"] == "R21" and building.of("trip/1") == []
    assert building.fact(f"meter/{ROOM}")["quality"] == "quarantined"


def test_a_first_start_at_1970_has_no_decades_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed with a dead clock and no network: once the time is known, today is the first day that is closed."""
    building = Elsewhen(tmp_path / "elsewhere", meters=SOME, poll_s=300, idle_s=10)
    building.stop_edge()
    building.directory = tmp_path
    with monkeypatch.context() as kernel:
        kernel.setattr(trust, "judge", lambda *_: (False, "not synchronised since start"))
        building.restart(YEAR_1970)
        building.run(minutes=30)
        assert building.mode()[0] == "time" and building.of("closing/1") == []
    building.clock.set_right()
    building.run(minutes=30)
    building.clock.advance(13 * 3600)
    building.run(minutes=20)
    for account in building.edge.core.state.accounts:
        assert books.days_of(building, account) == ["2026-11-20"]
    assert {charge.fields["days"] for charge in building.of("charge/2", meter="a101")} == {1}
    books.check(building)


# --- requests while the time is not known ---


def test_money_is_taken_while_the_time_is_not_known(tmp_path: Path) -> None:
    """Calendar a year ahead: the counter's top-ups are not called expired, each is booked once (87)."""
    building = mall(tmp_path)
    building.clock.step_calendar(YEAR_S)
    transaction = building.topup(ACCOUNT, 50_00)
    assert building.answers(transaction)[-1]["status"] == "done"
    building.run(minutes=5)
    assert [entry.trusted for entry in building.of("topup/1")] == [False]


@pytest.mark.parametrize("ahead_s", [YEAR_S, -YEAR_S])
def test_an_old_wish_to_cut_is_not_carried_out_by_a_wrong_calendar(tmp_path: Path, ahead_s: int) -> None:
    """A trip that lay at the broker for an hour, calendar wrong either way: refused, by the seconds since (73, 87)."""
    building = mall(tmp_path)
    topic, payload, late = building.asked("trip", meter=ROOM, why="lock-out")
    building.clock.step_calendar(ahead_s)
    building.run(hours=1)
    building.deliver(topic, payload)
    assert [(a["status"], a["rule"]) for a in building.answers(late)] == [("refused", "R7")]
    fresh = building.request("trip", meter=ROOM, why="lock-out")
    assert building.answers(fresh)[0]["status"] == "accepted", "a person's trip is possible in mode time (I22)"


def test_a_trip_waits_until_somebody_knows_the_time(tmp_path: Path) -> None:
    """Just started at 1970, no meter heard: a trip is refused by name, a close is taken; a minute later both are."""
    building = mall(tmp_path)
    building.restart(YEAR_1970)
    refused = building.request("trip", meter=ROOM, why="lock-out")
    assert building.answers(refused)[0]["rule"] == "R25"
    closed = building.request("close", meter=ROOM, why="light, please")
    assert building.answers(closed)[0]["status"] in ("accepted", "done")
    building.run(minutes=2)
    taken = building.request("trip", meter=ROOM, why="lock-out")
    assert building.answers(taken)[0]["status"] == "accepted"


def test_a_lock_is_lifted_only_by_a_wish_of_now(tmp_path: Path) -> None:
    """An unlocking that lay at the broker for an hour must not open a newer lock while the calendar is wrong (R5, 87);
    one that leaves the light as it stands may be set whatever the time."""
    building = mall(tmp_path)
    topic, payload, late = building.asked("unlock", meter=ROOM, why="done yesterday")
    building.clock.step_calendar(YEAR_S)
    building.run(hours=1)
    locked = building.request("lock", meter=ROOM, off=False, why="cable")
    assert building.answers(locked)[-1]["status"] == "done"
    building.deliver(topic, payload)
    assert building.answers(late)[-1]["rule"] == "R7" and building.edge.core.state.meters[ROOM].lock is not None
    now = building.request("unlock", meter=ROOM, why="done")
    building.run(minutes=1)
    assert building.answers(now)[-1]["status"] == "done"


# --- a false time server ---


@pytest.mark.parametrize("when", ["while it runs", "at start", "after 1970", "a moment after 1970"])
def test_a_year_ahead_is_believed_by_nobody(tmp_path: Path, when: str) -> None:
    """A false time server: no day closed, nobody cut, said in words; right again, and life goes on (64)."""
    building = mall(tmp_path)
    building.run_until(lambda: building.of("delivered/1"), hours=4)
    seq = building.edge.core.book.seq
    if when == "while it runs":
        building.clock.step_calendar(YEAR_S)
    elif when == "at start":
        building.restart(building.clock.now() + timedelta(seconds=YEAR_S))
    else:
        building.restart(YEAR_1970, off_s=60)
        building.run(seconds=600 if when == "after 1970" else 0.5)
        building.clock.off_s = YEAR_S
    building.run(hours=1)
    mode, why = building.mode()
    assert mode == "time" and why is not None and "meters' clocks" in why
    assert not {"closing/1", "charge/2", "trip/1"} & set(since(building, seq))
    assert not any(entry.trusted for entry in building.entries()[seq:])
    building.clock.set_right()
    building.run(minutes=5)
    assert building.mode() == ("normal", None)
    assert len(building.of("trip/1")) == 1, "it was warned a powered hour ago, and the day's window is open"
    building.clock.advance(11 * 3600)
    building.run(minutes=20)
    for account in building.edge.core.state.accounts:
        assert books.days_of(building, account) == ["2026-11-20"]
    books.check(building)


def test_an_entry_in_the_very_moment_of_a_step_is_marked(tmp_path: Path) -> None:
    """A payment arrives in the instant after the calendar leapt: it carries no believed time of next year."""
    building = mall(tmp_path)
    building.clock.step_calendar(YEAR_S)
    building.topup(ACCOUNT, 50_00)
    assert building.of("topup/1")[0].trusted is False
    building.clock.set_right()
    building.run(minutes=2)
    assert building.mode() == ("normal", None), "next year does not stand in the book"


def test_a_machine_that_slept_is_believed_when_the_meters_agree(tmp_path: Path) -> None:
    """Asleep for nine hours over midnight, seconds stood still: the meters confirm, the day closes, nothing is odd."""
    building = mall(tmp_path, start=START + timedelta(hours=6))
    building.clock.sleep(9 * 3600)
    building.run(minutes=15)
    assert building.mode() == ("normal", None)
    assert building.of("quarantine/1") == [] and qualities(building) == {"good"}
    assert {tuple(books.days_of(building, a)) for a in building.edge.core.state.accounts} == {("2026-11-20",)}
    books.check(building)


def test_one_dead_battery_does_not_stop_the_gateway(tmp_path: Path) -> None:
    """One meter of three stands in the year 2000: it alarms, and the others keep the calendar believed (12)."""
    building = Elsewhen(tmp_path, meters=SOME, poll_s=60, idle_s=5)
    metrology = building.sim_meter("a101").metrology
    metrology.set_clock(metrology.at_us - 26 * YEAR_S * 1_000_000)
    building.connect()
    building.run(minutes=20)
    assert building.mode() == ("normal", None)
    assert [entry.fields["meter"] for entry in building.of("alarm/1", alarm="clock-drift")] == ["a101"]


def test_the_only_witness_does_not_contradict_the_kernel_alone(tmp_path: Path) -> None:
    """One meter with a clock, and its battery is dead: the gateway goes on as if there were none (12)."""
    building = Elsewhen(tmp_path, meters={"a101", "a301"}, poll_s=60, idle_s=5)
    metrology = building.sim_meter("a101").metrology
    metrology.set_clock(metrology.at_us - 26 * YEAR_S * 1_000_000)
    building.connect()
    building.run(minutes=20)
    assert building.mode() == ("normal", None) and building.of("alarm/1", alarm="clock-drift")


def test_without_witnesses_a_leap_waits_for_a_person(tmp_path: Path) -> None:
    """Only meters without clocks: a year's leap is not believed until it is taken back or the gateway is started."""
    building = mall(tmp_path, meters={"a301", "a303"})
    building.clock.step_calendar(YEAR_S)
    building.run(hours=2)
    assert building.mode()[0] == "time" and building.of("closing/1") == []
    building.clock.set_right()
    building.run(minutes=2)
    assert building.mode() == ("normal", None)


def test_small_corrections_change_nothing(tmp_path: Path) -> None:
    """A time server moves the calendar by minutes, forward and back: nothing is doubted, nothing is closed twice."""
    building = mall(tmp_path)
    for step_s in (120, -200, 240, -160):
        building.clock.step_calendar(step_s)
        building.run(minutes=6)
    assert building.of("mode/1") == [] and building.of("quarantine/1") == []
    assert qualities(building) == {"good"}


def test_back_over_midnight_and_forward_again(tmp_path: Path) -> None:
    """Twice over the same midnight: one closing, one charge; the hours between are read and nothing is set aside."""
    building = mall(tmp_path, start=START + timedelta(hours=13))
    building.run(minutes=45)
    assert {len(building.of("closing/1", account=a)) for a in building.edge.core.state.accounts} == {1}
    building.clock.step_calendar(-2 * 3600)
    building.run(minutes=30)
    assert building.mode()[0] == "time"
    building.clock.set_right()
    building.run(minutes=30)
    assert building.mode() == ("normal", None)
    assert {len(building.of("closing/1", account=a)) for a in building.edge.core.state.accounts} == {1}
    assert building.of("quarantine/1") == [] and qualities(building) == {"good"}
    books.check(building)


def test_r4_a_calendar_that_is_put_right_makes_no_hour_pass(tmp_path: Path) -> None:
    """The calendar is forty minutes behind while two are cut and is then put right: the third is still cut within an
    hour of them, and waits for a named person."""
    policy = {"brake_meters": 2, "brake_percent": 1}
    building = Elsewhen(tmp_path, meters={f"a20{n}" for n in range(1, 5)}, poll_s=60, idle_s=2, policy=policy)
    building.connect()
    building.run(minutes=3)
    building.edge.clocks._allowed = False  # Where no clocks are set, meters say nothing against forty minutes.
    building.clock.step_calendar(-2400)
    building.run(minutes=10)
    for account in list(building.edge.core.state.accounts)[:2]:
        building.edge.core.state.ledger[f"account:{account}"] = -(10**9)
    building.run_until(lambda: len(building.of("trip/1")) == 2, hours=3)
    building.clock.set_right()
    for account in building.edge.core.state.accounts:
        building.edge.core.state.ledger[f"account:{account}"] = -(10**9)
    building.run(minutes=45)
    assert building.mode()[0] == "normal" and len(building.of("trip/1")) == 2
    assert building.fact("info")["brake"]
