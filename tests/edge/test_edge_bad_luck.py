"""What goes wrong on a bad day, each case met once in a review: nobody is cut, freed or charged by mistake."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.messages import Topics
from bridge.contract.signing import envelope
from bridge.contract.site import Site
from bridge.mqtt import Received
from edge import gateway, install
from edge.book import BookError
from edge.codec import dlt645
from edge.codec.dlt645_orders import Password
from edge.inbox import MESSAGES_AT_MOST
from firmware_sim.faults import Faults
from firmware_sim.loads import WUS_PER_WH
from tests.edge.building import KEYS, Building

ROOM, ACCOUNT = "a206", "100206"
JUMP_WH = 400_000


def room(tmp_path: Path, **options: Any) -> Building:
    building = Building(tmp_path, meters={ROOM}, **{"poll_s": 30, "idle_s": 2, **options})
    building.connect()
    return building


def cut(building: Building) -> None:
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=5)


def restart(building: Building) -> None:
    building.stop_edge()
    building.start_edge()
    building.connect()


class Two(Building):
    """One account with two meters, a206 and a207."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, {"a206", "a207"}).model_dump(by_alias=True)
        tables["accounts"] = [row | {"meters": ["a206", "a207"]} for row in tables["accounts"] if row["id"] == ACCOUNT]
        return Site.model_validate(tables)


def test_a_restart_does_not_forget_what_was_used(tmp_path: Path) -> None:
    """Cut, then the meter is silent and the edge restarts: nobody is called paid who has not paid."""
    building = room(tmp_path)
    cut(building)
    building.shaft.set_faults(Faults(silent=frozenset({ROOM})))
    restart(building)
    building.run(minutes=3)
    assert building.of("hold/1", set=False) == []
    assert building.edge.core.balances.available_nano(building.edge.core.state.accounts[ACCOUNT]) < 0


def test_a_restart_brings_no_light_before_all_was_read(tmp_path: Path) -> None:
    """Two meters, cut, and the power fails before their newest readings were saved: the one that answers first does
    not make a payer of who used more on the other."""
    building = Two(tmp_path, poll_s=30, idle_s=2)
    building.connect()
    building.topup(ACCOUNT, 60_00)
    building.run_until(lambda: len(building.of("trip/1")) == 2, hours=12)
    building.run(minutes=5)
    building.stop_edge()
    with closing(sqlite3.connect(tmp_path / "book.db")) as book, book:
        book.execute("DELETE FROM sweep")
    building.start_edge()
    building.connect()
    building.run(minutes=5)
    assert building.of("hold/1", set=False) == [] and building.sim_meter("a206").relay.open
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=1)
    assert not building.sim_meter("a206").relay.open and not building.sim_meter("a207").relay.open


def test_a_restart_does_not_take_a_delivered_warning_back(tmp_path: Path) -> None:
    """Two meters, warned, restarted: the load is not known for a moment, and the warning stands."""
    building = Two(tmp_path, poll_s=30, idle_s=2)
    building.connect()
    building.topup(ACCOUNT, 60_00)
    building.run_until(lambda: building.of("delivered/1"), hours=9)
    building.run(minutes=10)
    restart(building)
    building.run(minutes=2)
    assert building.of("cancelled/1") == []


def test_a_cause_to_close_does_not_outlive_its_close(tmp_path: Path) -> None:
    """Somebody asks to close what is closed; hours later the relay opens by overload: it stays open (I10)."""
    building = room(tmp_path)
    building.topup(ACCOUNT, 5000_00)
    building.run(minutes=3)
    building.request("close", meter=ROOM, why="just to be sure")
    building.run(minutes=30)
    building.sim_meter(ROOM).relay.open = True
    building.run(minutes=5)
    assert building.of("close/1") == [] and building.sim_meter(ROOM).relay.open


def test_one_false_status_word_leaves_nobody_dark(tmp_path: Path) -> None:
    """Paid, the closes are lost, and one frame with a right sum says closed: it is looked at twice, and light comes."""
    building = room(tmp_path)
    cut(building)
    meter = building.sim_meter(ROOM)
    real, answer, lies = meter.status_word, meter.answer, [0]

    def deaf(frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        return None if dlt645.decode(frame).control == 0x1C and lies[0] < 2 else answer(frame, now, mono)

    def lie(number: int) -> int:
        lies[0] += 1
        return real(number) & ~0x10 if lies[0] == 1 else real(number)

    meter.answer, meter.status_word = deaf, lie
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=30)
    assert not meter.relay.open


@pytest.mark.parametrize("relook_s", [60.0, 0.0])
def test_paid_and_dark_calls_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relook_s: float) -> None:
    """Paid while the meter is silent, also over a restart: after ten minutes somebody is told (I9), also where the loop
    has so much to do that it looks at all accounts in each of its turns."""
    monkeypatch.setattr(gateway, "RELOOK_S", relook_s)
    building = room(tmp_path)
    cut(building)
    building.shaft.set_faults(Faults(silent=frozenset({ROOM})))
    building.topup(ACCOUNT, 500_00)
    restart(building)
    building.run(minutes=15)
    assert building.of("alarm/1", alarm="paid-and-dark")


def test_a_trip_that_never_left_is_no_cut(tmp_path: Path) -> None:
    """Evidence, and the first byte did not leave: the hold is taken back, and after a small payment all begins anew."""
    building = room(tmp_path)
    building.run_until(lambda: building.of("delivered/1"), hours=4)
    port = building.ports["line-2"]
    go = port.go
    port.go = lambda number: bool(port.refuse(number))  # type: ignore[method-assign]
    building.run_until(lambda: building.of("withdrawn/1"), hours=2)
    assert "arrears" not in building.edge.core.state.meters[ROOM].holds and building.edge.core.state.cuts == {ROOM: []}
    account, finals = building.edge.core.state.accounts[ACCOUNT], len(building.of("final/1"))
    building.topup(ACCOUNT, max(-building.edge.core.balances.available_nano(account) // 10**7 + 60, 100))
    building.run(seconds=5)
    port.go = go  # type: ignore[method-assign]
    building.run(hours=2)
    assert len(building.of("final/1")) > finals and building.sim_meter(ROOM).relay.open


def test_a_person_who_holds_a_relay_does_not_fight_with_it(tmp_path: Path) -> None:
    """Somebody closes a held relay at the meter again and again: one trip an hour, three a day, then a person (R5)."""
    building = room(tmp_path)
    building.topup(ACCOUNT, 5000_00)
    building.run(minutes=2)
    building.request("trip", meter=ROOM, why="lockout")
    building.run(minutes=1)
    for _ in range(20):
        building.sim_meter(ROOM).relay.open = False
        building.run(minutes=1)
    assert len(building.of("trip/1")) <= 3 and building.of("alarm/1", alarm="relay-moved")


def jumped(tmp_path: Path) -> Building:
    """A register that rose by 400 kWh in a moment."""
    building = room(tmp_path)
    building.run(minutes=5)
    metrology = building.sim_meter(ROOM).metrology
    metrology.total_wus += JUMP_WH * WUS_PER_WH
    metrology.rates_wus[2] += JUMP_WH * WUS_PER_WH
    building.run(minutes=5)
    return building


def test_a_jump_is_neither_charged_nor_a_reason_to_cut(tmp_path: Path) -> None:
    """R21, I15: set aside with its frames; the day closes deferred; time alone does not make it right."""
    building = jumped(tmp_path)
    (aside,) = building.of("quarantine/1")
    assert aside.fields["rule"] == "R21" and aside.fields["frames"]
    building.run_until(lambda: building.of("closing/1"), hours=15)
    assert building.of("charge/2") == [] and building.of("trip/1") == [] and building.of("release/1") == []
    assert building.fact(f"meter/{ROOM}")["quality"] == "quarantined"


def test_a_person_releases_a_jump_with_a_note(tmp_path: Path) -> None:
    """Somebody has looked at the meter: from then on it is read, and at midnight charged with the jump in it (R20)."""
    building = jumped(tmp_path)
    refused = building.request("release", role="finance", meter=ROOM, why="looks fine from here")
    assert building.answers(refused)[0]["rule"] == "R32"
    done = building.request("release", meter=ROOM, why="seen at the meter, display says so")
    assert building.answers(done)[0]["status"] == "done"
    building.run(minutes=5)
    assert building.fact(f"meter/{ROOM}")["quality"] == "good"
    building.run_until(lambda: building.of("charge/2"), hours=15)
    assert building.of("charge/2")[0].fields["wh"] > JUMP_WH
    again = building.request("release", meter=ROOM, why="once more")
    assert building.answers(again)[0]["rule"] == "R20"


@pytest.mark.parametrize("minutes", [0, 1, 4])
def test_a_persons_release_outlives_a_restart(tmp_path: Path, minutes: int) -> None:
    """The power fails before the register was read again, or saved again: the person is not asked a second time."""
    building = jumped(tmp_path)
    building.request("release", meter=ROOM, why="seen at the meter, display says so")
    building.run(seconds=60 * minutes + 1)
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(minutes=5)
    assert building.fact(f"meter/{ROOM}")["quality"] == "good" and len(building.of("quarantine/1")) == 1
    building.run_until(lambda: building.of("charge/2"), hours=15)
    assert building.of("charge/2")[0].fields["wh"] > JUMP_WH
    assert building.edge.core.state.meters[ROOM].released_at is None, "it was charged: from here on that judges"
    building.sim_meter(ROOM).metrology.total_wus += JUMP_WH * WUS_PER_WH
    building.stop_edge()
    building.start_edge()
    building.run(minutes=5)
    assert len(building.of("quarantine/1")) == 2


def test_a_slow_meter_clock_is_waited_for(tmp_path: Path) -> None:
    """The meter comes to midnight twenty minutes late: its day is charged, not given up."""
    building = Building(tmp_path, meters={"a207"}, poll_s=600, idle_s=10)
    metrology = building.sim_meter("a207").metrology
    metrology.set_clock(metrology.at_us - 20 * 60 * 1_000_000)
    building.run(hours=15)
    assert [charge.fields["end"]["source"] for charge in building.of("charge/2")] == ["freeze"]


def test_a_siblings_wrong_register_cuts_nobody(tmp_path: Path) -> None:
    """A meter that was silent answers once with a wrong register: the account's other meter is not cut on that."""
    building = Two(tmp_path, poll_s=30, idle_s=2)
    building.connect()
    building.topup(ACCOUNT, 145_00)
    building.run(minutes=5)
    building.shaft.set_faults(Faults(silent=frozenset({"a207"})))
    building.run(minutes=100)
    metrology = building.sim_meter("a207").metrology
    metrology.total_wus += 110_000 * WUS_PER_WH
    building.shaft.set_faults(Faults())
    live = building.edge.core.lives["a207"]
    building.run_until(lambda: live.suspect is not None, hours=1)
    metrology.total_wus -= 110_000 * WUS_PER_WH
    building.run(minutes=50)
    assert building.of("trip/1") == [] and live.quality == "good"


@pytest.mark.parametrize(
    "body",
    [{"entries_from": 9999999999999999999}, {"entries_from": 2**63}, {"readings_from": 2**63}, {"entries_from": -1}],
    ids=json.dumps,
)
def test_a_number_beyond_the_book_is_refused(tmp_path: Path, body: dict[str, int]) -> None:
    """An unsigned query with a number no book can hold is refused, and the edge lives."""
    building = room(tmp_path)
    payload = json.dumps({"transaction": "aaaaaaaa", **body}).encode()
    building.deliver(building.edge.topics.request("replay"), payload)
    heard = [json.loads(p) for t, p, _ in building.broker.heard if t.endswith("response/replay")]
    assert [answer["status"] for answer in heard] == ["refused"]


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T00:00:00"])
def test_an_instant_outside_the_calendar_is_refused(tmp_path: Path, instant: str) -> None:
    """A sealed request with an impossible instant is refused in words, and the edge lives."""
    building = room(tmp_path)
    now = building.clock.now().isoformat()
    body = {"transaction": "aaaaaaaa", "who": "x", "role": "manager", "issued_at": now, "valid_until": instant}
    topic = building.edge.topics.request("read")
    building.deliver(topic, envelope(topic, {**body, "meter": ROOM}, "shell", KEYS["shell"]))
    assert building.answers("aaaaaaaa")[0]["rule"] == "R7"


def test_a_flood_is_dropped_and_survived(tmp_path: Path) -> None:
    """Thousands of messages at once: the rest is dropped, replies of the line are not, and the edge lives."""
    building = room(tmp_path)
    topic = Topics("riser", "jinxiu-east").request("read")
    for _ in range(MESSAGES_AT_MOST * 6):
        building.edge.enqueue(Received(topic, b"{}", False))
    assert building.edge.failed is None and building.edge.inbox.dropped > 0
    building.run(minutes=3)
    assert building.edge.core.lives[ROOM].sample is not None


def test_an_edited_book_is_not_opened(tmp_path: Path) -> None:
    """An amount edited on the card is noticed at the next start: the edge refuses in words (I17)."""
    import sqlite3

    building = room(tmp_path)
    building.topup(ACCOUNT, 100_00)
    building.stop_edge()
    with sqlite3.connect(tmp_path / "book.db") as raw:
        raw.execute("DROP TRIGGER journal_keeps")
        raw.execute("UPDATE journal SET body = replace(body, '10000', '90000') WHERE kind = 'topup/1'")
    with pytest.raises(BookError, match="I17"):
        building.start_edge()


def test_misfits_are_named_before_the_first_byte(tmp_path: Path) -> None:
    """A renamed port, another protocol, a password of five digits, another zone: each named, none guessed."""
    building = room(tmp_path)
    tables = building.site.model_dump(by_alias=True)
    assert install.misfits(building.edge.core, building.site, lambda meter: Password()) == []
    renamed = [row | {"id": "line-9"} if row["id"] == "line-2" else row for row in tables["ports"]]
    (words,) = install.misfits(
        building.edge.core, Site.model_validate(tables | {"ports": renamed}), lambda _: Password()
    )
    assert "line-2" in words
    (words,) = install.misfits(building.edge.core, building.site, lambda _: Password(password="00000"))
    assert ROOM in words and "00000" not in words
    elsewhere = Site.model_validate(tables | {"site": tables["site"] | {"zone": "Europe/Berlin"}})
    (words,) = install.misfits(building.edge.core, elsewhere, lambda _: Password())
    assert "Europe/Berlin" in words
