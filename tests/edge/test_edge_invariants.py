"""I7 to I13 and I22 (docs/rules.md), each looked at where it would be broken: wire, disk, what is shown."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.contract.units import instant_of_micros
from bridge.mqtt import Disconnected, Received
from edge.codec import dlt645
from edge.core import Core
from edge.evidence import FRESH_S
from edge.gateway import Gateway
from tests.edge.wires import ACCOUNT, ROOM, Watched, order_of


def test_i7_the_reason_is_on_the_disk_before_the_first_byte(tmp_path: Path) -> None:
    """While the first byte of a trip leaves, anybody who opens the book finds why: a sentence that is safe already."""
    building, found = Watched(tmp_path), []

    def look(frame: dlt645.Frame) -> None:
        if order_of(frame) == "trip":
            with sqlite3.connect(f"file:{tmp_path / 'book.db'}?mode=ro", uri=True) as other:
                found.append(other.execute("SELECT body FROM journal WHERE kind = 'trip/1'").fetchall())

    building.before = look
    building.cut()
    ((row,),) = found
    reason = json.loads(row[0])
    assert reason["available_nano"] <= reason["cut_limit_nano"] and reason["warned_s"] >= 1800
    assert reason["read"]["serial"] == building.sim_meter(ROOM).serial and reason["read"]["age_ms"] < 60_000


def test_i8_nothing_is_booked_between_the_reason_and_its_bytes(tmp_path: Path) -> None:
    """The reason is the newest entry when the bytes leave, and they leave at once."""
    building, newest = Watched(tmp_path), []

    def look(frame: dlt645.Frame) -> None:
        if order_of(frame) == "trip":
            newest.append((building.clock.now(), building.entries()[-1]))

    building.before = look
    building.cut()
    ((left_at, entry),) = newest
    assert entry.kind == "trip/1" and left_at - instant_of_micros(entry.at) < timedelta(seconds=5)
    assert entry.fields["balance_seq"] < entry.seq


def test_i8_reads_that_grew_old_while_the_line_was_busy_cut_nobody(tmp_path: Path) -> None:
    """A trip that waited for the line for longer than a minute does not leave: its registers are read again first."""
    building = Watched(tmp_path)
    building.run_until(lambda: any(port.trip for port in building.ports.values()), hours=6)
    building.clock.advance(FRESH_S + 1)
    building.run(seconds=1)
    assert not building.of("trip/1") and not building.sim_meter(ROOM).relay.open
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=0.25)
    (evidence,) = building.of("trip/1")
    assert evidence.fields["read"]["age_ms"] < FRESH_S * 1000


def test_i9_a_close_leaves_within_seconds_of_the_payment(tmp_path: Path) -> None:
    """Paid: the first close leaves within ten seconds, and while the meter does not hear it, again and again."""
    building = Watched(tmp_path)
    building.cut()
    building.deaf_to = {"direct"}
    building.topup(ACCOUNT, 200_00)
    paid_at = building.clock.now()
    building.run(minutes=12)
    closes = building.orders("direct")
    assert closes[0][0] - paid_at < timedelta(seconds=10) and len(closes) > 5
    assert building.of("alarm/1", alarm="paid-and-dark"), "after ten minutes a person is told"
    building.deaf_to = set()
    building.run(minutes=2)
    assert not building.dark


def test_i10_a_hold_set_in_the_last_moment_keeps_the_relay_open(tmp_path: Path) -> None:
    """A close stands at the head of the line when somebody locks the relay to work on it: it does not leave."""
    building = Watched(tmp_path)
    building.cut()
    topic, payload, _ = building.asked("topup", account=ACCOUNT, amount_fen=200_00, method="cash")
    building.edge.enqueue(Received(topic, payload, False))
    waiting = building.until_ready("close", hours=0.1)
    topic, payload, _ = building.asked("trip", meter=ROOM, why="hands at the busbar")
    for event in (Received(topic, payload, False), *waiting):
        building.edge.enqueue(event)
    building.run(minutes=10)
    assert building.orders("direct", "permit") == [] and building.dark


def test_i11_a_relay_is_shown_as_it_was_read_back(tmp_path: Path) -> None:
    """The trip was acknowledged and nobody has read the status since: the page still says closed, and nobody "done"."""
    building = Watched(tmp_path)
    building.run(minutes=3)

    def deaf_afterwards(frame: dlt645.Frame) -> None:
        if order_of(frame) == "trip":
            building.deaf_to = {"reads"}

    building.before = deaf_afterwards
    trip = building.request("trip", meter=ROOM, why="test")
    building.run(seconds=50)
    assert building.sim_meter(ROOM).relay.commanded_open
    assert building.fact(f"meter/{ROOM}/relay")["observed"] == "closed"
    assert [answer["status"] for answer in building.answers(trip)] == ["accepted"]
    building.deaf_to, building.before = set(), lambda frame: None
    building.run(minutes=5)
    assert building.fact(f"meter/{ROOM}/relay")["observed"] == "open"


def test_i12_a_request_that_is_none_costs_no_byte(tmp_path: Path) -> None:
    """Forged, retained, old, for a meter of somebody else, or with a known number and other words: no order leaves,
    and each is refused once."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    first = building.topup(ACCOUNT, 10_00)
    topic, payload, _ = building.asked("trip", meter=ROOM, why="test")
    forged = json.dumps(json.loads(payload) | {"mac": "0" * 64}).encode()
    stranger = building.asked("trip", meter="z999", why="test")
    conflict = building.asked("trip", meter=ROOM, why="test", transaction=first)
    late = building.asked("trip", meter=ROOM, why="test")
    told = len(building.broker.heard)
    building.deliver(topic, forged)
    building.deliver(topic, payload, retained=True)
    for sent, words, _ in (stranger, conflict):
        building.deliver(sent, words)
    building.run(minutes=3)
    building.deliver(late[0], late[1])
    building.run(minutes=5)
    rules = [json.loads(p)["rule"] for t, p, _ in building.broker.heard[told:] if t.endswith("response/trip")]
    assert rules == ["I12", "R7", "R7", "R7", "R7"]
    assert building.orders("trip", "direct", "permit") == []


def test_i13_orders_bear_the_address_of_one_registered_meter(tmp_path: Path) -> None:
    """Warned, cut, paid and lit again: every order was for this meter alone, none for everybody but the time."""
    building = Watched(tmp_path, meters={ROOM, "a207"})
    building.cut()
    building.topup(ACCOUNT, 200_00)
    building.run(minutes=10)
    sent = {(order_of(frame), frame.address) for _, frame in building.frames if frame.control == 0x1C}
    own = building.edge.core.state.meters[ROOM].row["address"]
    assert sent == {(name, own) for name in ("alarm", "trip", "direct", "alarm-off")}
    everybody = {
        frame.control for _, frame in building.frames if not frame.address.isdigit() or "9" * 12 in frame.address
    }
    assert everybody <= {0x08}


def recovery(edge: Gateway) -> Callable[[], None]:
    edge.modes.recover("restored from last week's copy")
    return lambda: edge.modes.recovered("王敏")


def version(edge: Gateway) -> Callable[[], None]:
    edge.core.state.unknown_kinds.add("shares/1")
    return edge.core.state.unknown_kinds.clear


def book(edge: Gateway) -> Callable[[], None]:
    edge.core.differs = "entry 12 reads otherwise"

    def gone(core: Core = edge.core) -> None:
        core.differs = None

    return gone


def identity(edge: Gateway) -> Callable[[], None]:
    edge.modes.disconnected(Disconnected("session taken over", True))
    return lambda: None  # It ends after ten calm minutes.


def disk(edge: Gateway) -> Callable[[], None]:
    edge.disk.free_bytes = lambda: 0  # type: ignore[method-assign]
    return lambda: None


@pytest.mark.parametrize("unsure", [recovery, version, book, identity, disk], ids=lambda each: each.__name__)
def test_i22_an_unsure_gateway_trips_nobody(tmp_path: Path, unsure: Callable[[Gateway], Callable[[], None]]) -> None:
    """Whatever makes the gateway unsure begins a minute before the cut: no trip leaves while it lasts."""
    building = Watched(tmp_path)
    building.until_warned()
    building.run(minutes=28)
    sure_again = unsure(building.edge)
    building.run(minutes=9)
    assert building.edge.core.mode == unsure.__name__
    assert building.orders("trip") == [] and not building.dark
    assert unsure is disk or building.fact("info")["mode"] == unsure.__name__
    if unsure is disk:
        return  # It is left by a new start, once there is room.
    sure_again()
    building.run_until(lambda: building.dark, hours=1)
