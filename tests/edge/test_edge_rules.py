"""R1 to R9, each at the meter's own side of the wire: what left, when, and whether the light is on."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bridge.contract.units import instant_of_micros, instant_text
from bridge.mqtt import Received
from edge import brake
from edge.codec import dlt645
from tests.edge.wires import ACCOUNT, ROOM, Watched, order_of

YUAN = 10**9
ROOT = Path(__file__).parents[2]


def test_r1_a_lamp_of_an_earlier_episode_warns_of_nothing(tmp_path: Path) -> None:
    """Warned, paid, dry again, and the lamp is still lit from before because its order to go out was lost: that lamp
    tells nobody of the new debt, so nobody is cut."""
    building = Watched(tmp_path)
    building.until_warned()
    building.deaf_to = {"alarm", "alarm-off"}
    building.topup(ACCOUNT, 20_00)
    building.run(hours=2, minutes=30)
    assert [final.fields["episode"] for final in building.of("final/1")] == [1, 2]
    assert building.sim_meter(ROOM).relay.alarm, "lit all the time"
    assert building.orders("trip") == [] and not building.dark
    building.deaf_to = set()
    building.run_until(lambda: building.dark, hours=2)
    assert instant_of_micros(building.of("trip/1")[0].at) - instant_of_micros(building.of("delivered/1")[1].at) >= (
        timedelta(minutes=30)
    )


def test_r1_a_lamp_counts_that_was_seen_after_the_answer(tmp_path: Path) -> None:
    """The first order lit it and its answer was lost; the next one is answered, and then nothing is heard: only a lamp
    that is read back as lit after the meter said yes has warned anybody."""
    building = Watched(tmp_path)

    def lit_unanswered(frame: dlt645.Frame) -> None:
        if order_of(frame) == "alarm":
            building.sim_meter(ROOM).relay.alarm = True

    def silent_then(frame: dlt645.Frame) -> None:
        if order_of(frame) == "alarm":
            building.deaf_to = {"reads"}

    building.before, building.deaf_to = lit_unanswered, {"alarm"}
    building.run_until(lambda: building.edge.core.lives[ROOM].lamp_on, hours=4)
    building.before = silent_then
    building.run_until(lambda: building.deaf_to == {"reads"}, hours=1)
    building.run(minutes=2)
    assert not building.of("delivered/1")
    building.before, building.deaf_to = lambda frame: None, set()
    building.run_until(lambda: building.of("delivered/1"), hours=1)


def test_r2_a_rest_day_of_the_site_is_protected(tmp_path: Path) -> None:
    """The site file makes this Friday a rest day: the tenant who ran dry keeps the light until Monday morning."""
    building = Watched(tmp_path, policy={"rest_days": [date(2026, 11, 20)]})
    building.until_warned()
    building.run(hours=1)
    assert building.orders("trip") == []
    assert building.fact(f"account/{ACCOUNT}")["protected_until"].startswith("2026-11-23T01:00")


def test_r2_a_worked_saturday_is_not(tmp_path: Path) -> None:
    """The site file makes this Saturday a workday: from nine o'clock on a cut may happen, and not a second before."""
    building = Watched(
        tmp_path, start=datetime(2026, 11, 20, 22, 0, tzinfo=UTC), policy={"work_days": [date(2026, 11, 21)]}, idle_s=5
    )
    building.edge.core.state.ledger[f"account:{ACCOUNT}"] = -YUAN
    building.run_until(lambda: building.dark, hours=6)
    opened = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    assert opened <= building.orders("trip")[0][0] < opened + timedelta(minutes=5)


def test_r3_a_meter_that_keeps_power_is_not_tripped(tmp_path: Path) -> None:
    """Somebody set keep-power at the meter: no trip leaves, not even to be refused, and afterwards one does."""
    building = Watched(tmp_path)
    building.until_warned()
    building.sim_meter(ROOM).relay.keep_power = True
    building.run(hours=1)
    assert building.orders("trip") == []
    assert building.fact(f"account/{ACCOUNT}")["blocked"] == "R3"
    building.sim_meter(ROOM).relay.keep_power = False
    building.run_until(lambda: building.dark, hours=1)


def test_r3_a_price_change_that_was_not_read_cuts_nobody(tmp_path: Path) -> None:
    """The price rises while the gateway has no power: how much was used before is a guess, and nobody is cut on one."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    core = building.edge.core
    (old,) = core.state.tariffs["catering"]
    dearer = {rate: 3 * micro for rate, micro in old["prices_micro"].items()}
    effective = instant_text(building.clock.now() + timedelta(minutes=1))
    core.append(("tariff/1", "tariff:2", old | {"version": 2, "effective_at": effective, "prices_micro": dearer}))
    building.stop_edge()
    building.clock.advance(600)
    building.start_edge()
    building.connect()
    building.until_warned()
    building.run(hours=1)
    assert building.fact(f"account/{ACCOUNT}")["available_nano"] < 0
    assert building.orders("trip") == [] and building.fact(f"account/{ACCOUNT}")["blocked"] == "R3"


def test_r3_hours_that_the_meter_counts_otherwise_cut_nobody(tmp_path: Path) -> None:
    """The meter's own time table is found not to be the price's: until readings tell the hours, nobody is cut."""
    building = Watched(tmp_path, meters={"a201"})
    building.run(minutes=3)
    building.edge.tables.tick = lambda: None  # type: ignore[method-assign]
    building.edge.core.state.meters["a201"].table_found = True
    building.edge.core.state.ledger["account:100201"] = -YUAN
    building.run(hours=1)
    assert building.of("delivered/1") and building.orders("trip") == []
    assert building.fact("account/100201")["blocked"] == "R3"
    building.edge.core.state.meters["a201"].table_found = False
    building.run_until(lambda: building.orders("trip"), hours=1)


def test_r4_the_brake_remembers_over_a_restart(tmp_path: Path) -> None:
    """Two were cut, the limit is two, and the gateway starts anew: the third still waits for a named person."""
    rooms = {f"a20{n}" for n in range(1, 5)}
    building = Watched(tmp_path, meters=rooms, poll_s=60, policy={"brake_meters": 2, "brake_percent": 1})
    building.run(minutes=3)
    for account in building.edge.core.state.accounts:
        building.edge.core.state.ledger[f"account:{account}"] = -YUAN
    building.run_until(lambda: len({frame.address for _, frame in building.orders("trip")}) == 2, hours=2)
    ledger = dict(building.edge.core.state.ledger)
    building.restart()
    building.edge.core.state.ledger.update(ledger)
    building.run(minutes=10)
    assert len({frame.address for _, frame in building.orders("trip")}) == 2
    assert building.fact("info")["brake"]


def test_r4_the_hour_is_one_of_the_wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence counts whole seconds and is older than its order: one cut too many left 59:59.9 after the first."""
    building = Watched(tmp_path, meters={ROOM, "a207"}, policy={"brake_meters": 1, "brake_percent": 1})
    building.cut()
    core = building.edge.core
    (cut_s,) = core.state.cuts[ROOM]
    for later_s, caught in ((3601, True), (3659, True), (3660, False)):
        monkeypatch.setattr(core, "powered_s", lambda later_s=later_s: cut_s + later_s)
        assert (brake.due(core, core.state.meters["a207"]) is not None) == caught


def test_r5_a_payment_lifts_the_arrears_hold_and_no_other(tmp_path: Path) -> None:
    """Cut for arrears and locked by an electrician: paid, nothing closes, and the fact names the hold that remains."""
    building = Watched(tmp_path)
    building.cut()
    building.request("trip", meter=ROOM, why="cable being repaired", role="engineer")
    building.topup(ACCOUNT, 200_00)
    building.run(minutes=5)
    assert building.orders("direct", "permit") == [] and building.dark
    assert [hold["kind"] for hold in building.fact(f"meter/{ROOM}/relay")["holds"]] == ["manual"]
    building.request("close", meter=ROOM, why="repaired", role="engineer")
    building.run(minutes=1)
    assert not building.dark


def test_r6_light_returns_above_the_restore_threshold_only(tmp_path: Path) -> None:
    """Half a yuan above zero is no chatter: still dark. Above one yuan it returns within ten minutes, nobody asked."""
    building = Watched(tmp_path)
    building.cut()
    available = building.fact(f"account/{ACCOUNT}")["available_nano"]
    building.topup(ACCOUNT, (YUAN - available) // 10**7)
    assert 0 < building.fact(f"account/{ACCOUNT}")["available_nano"] <= YUAN
    building.run(minutes=15)
    assert building.orders("direct") == [] and building.dark
    building.topup(ACCOUNT, 1_00)
    paid_at = building.clock.monotonic()
    building.run_until(lambda: not building.dark, hours=1)
    assert building.clock.monotonic() - paid_at < 600


def test_r7_a_silent_meters_intent_is_decided_again_with_a_fresh_read(tmp_path: Path) -> None:
    """A person orders a trip while the meter is silent: when it answers again its number is read before anything
    leaves; and an order taken back meanwhile never leaves."""
    building = Watched(tmp_path, meters={ROOM, "a207"})
    building.run(minutes=3)
    building.deaf_to = {"reads"}
    building.run(minutes=3)
    for meter in (ROOM, "a207"):
        building.request("trip", meter=meter, why="test", role="engineer")
    building.run(minutes=2)
    building.request("close", meter="a207", why="not needed any more", role="engineer")
    building.run(minutes=30)
    assert building.orders("trip") == []
    returned = len(building.frames)
    building.deaf_to = set()
    building.run_until(lambda: building.dark, hours=1)
    address = building.edge.core.state.meters[ROOM].row["address"]
    assert {frame.address for _, frame in building.orders("trip")} == {address}
    left = next(n for n, (_, frame) in enumerate(building.frames) if frame.control == 0x1C and frame.address == address)
    asked = [f.data[:4][::-1].hex() for _, f in building.frames[returned:left] if f.address == address]
    assert "04000402" in asked, "its own number, after it came back"
    building.run(minutes=10)
    assert not building.sim_meter("a207").relay.open


def test_r7_a_trip_by_a_person_reads_the_number_first(tmp_path: Path) -> None:
    """Another meter hangs at that address: a person's trip does not leave for it either (failure 27)."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    building.sim_meter(ROOM).serial = "202699999999"
    trip = building.request("trip", meter=ROOM, why="test", role="engineer")
    building.run(minutes=5)
    assert building.orders("trip") == [] and building.answers(trip)[-1]["status"] == "failed"


def test_r7_an_order_comes_once_however_often_it_is_heard(tmp_path: Path) -> None:
    """The broker delivers a trip three times, and once more after the person has lifted it: it is not done again."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    topic, payload, _ = building.asked("trip", meter=ROOM, why="test")
    for _ in range(3):
        building.deliver(topic, payload)
    building.run(seconds=30)
    building.request("close", meter=ROOM, why="test over")
    building.run(seconds=30)
    building.deliver(topic, payload)
    building.run(minutes=1)
    assert len(building.orders("trip")) == 1 and not building.dark


def test_r8_the_readme_asks_for_a_supply_upstream_of_every_relay() -> None:
    """Who installs the gateway reads that a cut must not darken the gateway itself."""
    sentence = next(row for row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "(R8)" in row)
    assert re.search(r"\bPi\b.*upstream of every relay", sentence)


def test_r9_each_level_warns_once_on_the_way_down(tmp_path: Path) -> None:
    """Fifty, thirty-eight, twenty-five: one warning each though the balance is read a hundred times on its way."""
    building = Watched(tmp_path)
    building.until_warned()
    building.restart()
    building.run(minutes=5)
    assert Counter(entry.fields["level"] for entry in building.of("level/1")) == {1: 1, 2: 1, 3: 1}
    building.topup(ACCOUNT, 100_00)
    building.run(minutes=1)
    assert building.fact(f"account/{ACCOUNT}")["level"] == 0, "armed again"


@pytest.mark.parametrize("retained", [True, False])
def test_r7_what_is_old_or_retained_reaches_no_meter(tmp_path: Path, retained: bool) -> None:
    """A trip that the broker kept, or that lay about for five minutes: not one order leaves."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    topic, payload, transaction = building.asked("trip", meter=ROOM, why="test")
    if not retained:
        building.run(minutes=5)
    building.edge.enqueue(Received(topic, payload, retained))
    building.run(minutes=5)
    assert building.orders("trip") == []
    answers = building.answers(transaction)
    assert [(answer["status"], answer["rule"]) for answer in answers] == [("refused", "R7")]
