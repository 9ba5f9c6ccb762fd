"""What a line can do to an exchange, and what a port promises to the loop: one wire, one owner, one word on a trip."""

from __future__ import annotations

import os
import queue
import select
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.clock import ManualClock, SystemClock
from edge.codec import cjt188, dlt645, dlt645_orders, modbus
from edge.codec.dlt645 import Frame
from edge.codec.dlt645_orders import Password
from edge.line import port
from edge.line.exchange import CONVERSED_S, HUSH_S, HUSHED_S, Outcome, converse, exchange, hush
from edge.line.port import ThreadPort
from edge.line.request import BORDER, PERSON, RESTORE, ROUTINE, TRIP, USUAL, WATCH, Manner, Ready, Reply, Request
from edge.line.waiting import Queue
from edge.line.wire import Line, Wire

METER, OTHER = "202603110206", "202603110207"
LINE = Line("line-1", Path("unused"), "dlt645-2007", 2400, "E")
MODBUS = Line("line-2", Path("unused"), "modbus-rtu", 9600, "E")
ASKED = dlt645.read(METER, "00010000")
WAIT_S = 10.0


def answer(address: str = METER, identifier: str = "00010000", value: str = "26000000") -> bytes:
    return dlt645.encode(Frame(address, 0x91, bytes.fromhex(identifier)[::-1] + bytes.fromhex(value)), 2)


# --- one exchange, on a scripted line ---


@dataclass
class Script:
    """A line that says `says`: (seconds after the question's last byte, bytes), and what is still in the buffer."""

    clock: ManualClock
    says: list[tuple[float, bytes]]
    waiting: bytes = b""
    line: Line = LINE
    sent: list[bytes] = field(default_factory=list)
    due: list[tuple[float, bytes]] = field(default_factory=list)

    def write(self, frame: bytes) -> None:
        self.sent.append(frame)
        over = self.clock.monotonic() + self.line.wire_s(len(frame))
        self.due = [(over + after_s, piece) for after_s, piece in self.says]

    def read(self, timeout_s: float) -> bytes:
        assert timeout_s > 0
        if self.waiting:
            piece, self.waiting = self.waiting, b""
            return piece
        deadline = self.clock.monotonic() + timeout_s
        if self.due and self.due[0][0] <= deadline:
            at, piece = self.due.pop(0)
            self.clock.advance(max(0.0, at - self.clock.monotonic()))
            return piece
        self.clock.advance(timeout_s)
        return b""

    def drain(self) -> None:
        self.waiting = b""

    def close(self) -> None:
        self.due = []


def ask(
    says: list[tuple[float, bytes]], waiting: bytes = b"", frame: bytes = ASKED, line: Line = LINE
) -> tuple[bytes | None, str | None, float]:
    """(raw, error, seconds the exchange took) on a line that says `says`."""
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    began = clock.monotonic()
    outcome = exchange(line, Script(clock, says, waiting, line), frame, clock)
    return outcome.raw, outcome.error, clock.monotonic() - began


def by_the_byte(raw: bytes, begins_s: float, line: Line = LINE) -> list[tuple[float, bytes]]:
    """Bytes as they come on a real line, one after the other."""
    return [(begins_s + line.wire_s(n + 1), raw[n : n + 1]) for n in range(len(raw))]


def test_a_silent_meter_costs_one_time_out() -> None:
    """Nobody answers: `silent`, after the request's own time and the half second a meter may think."""
    raw, error, took_s = ask([])
    assert (raw, error) == (None, "silent")
    assert took_s == pytest.approx(LINE.wire_s(len(ASKED)) + USUAL.first_byte_s, abs=0.01)


def test_an_answer_ends_by_its_length_and_not_by_silence() -> None:
    """The answer is taken with its last byte; no time is lost waiting for silence."""
    raw, error, took_s = ask(by_the_byte(answer(), 0.08))
    assert raw == answer()[2:] and error is None
    assert took_s == pytest.approx(LINE.wire_s(len(ASKED) + len(answer())) + 0.08, abs=0.01)


@pytest.mark.parametrize("begins_s", [0.02, 0.3, 0.5])
@pytest.mark.parametrize("reply", [answer(), dlt645.encode(Frame(METER, 0xD1, b"\x02"), 4)], ids=["value", "refusal"])
def test_a_slow_meter_is_heard_to_the_end(begins_s: float, reply: bytes) -> None:
    """A meter may begin as late as 500 ms (DL/T 645-2007 §5.3): what it has begun it may finish, byte by byte."""
    raw, error, _ = ask(by_the_byte(reply, begins_s))
    assert raw == reply.lstrip(b"\xfe") and error is None


def test_an_answer_in_pieces_is_one_answer() -> None:
    """An adapter delivers in bursts with pauses between: the pieces become one answer."""
    whole = answer()
    raw, _, _ = ask([(0.1, whole[:3]), (0.22, whole[3:11]), (0.36, whole[11:])])
    assert raw == whole[2:]


def test_an_answer_that_breaks_off_is_noise() -> None:
    """A meter that stops in the middle is not waited for without end, and is not called silent."""
    raw, error, took_s = ask(by_the_byte(answer()[:-3], 0.1))
    assert (raw, error) == (None, "noise") and took_s < 1.0


def test_noise_before_the_answer_does_not_cost_it() -> None:
    """A disturbance, even a long one, and then the meter's answer within its time: the answer is taken."""
    noise = bytes(range(1, 40))
    for begins_s in (0.1, 0.3, 0.45):
        raw, error, _ = ask([(0.02, noise), *by_the_byte(answer(), begins_s)])
        assert raw == answer()[2:] and error is None, begins_s


def test_our_echo_then_the_answer() -> None:
    """An adapter that hears itself, one that adds a stray byte to the echo: the answer behind is taken."""
    for echo in (ASKED, ASKED + b"\x00", b"\xff" + ASKED):
        raw, error, _ = ask([(0.0, echo), *by_the_byte(answer(), 0.4)])
        assert raw == answer()[2:] and error is None
    assert ask([(0.0, ASKED)])[:2] == (None, "silent"), "an echo alone is no answer"


def test_behind_a_damaged_echo_the_answer_is_still_to_come() -> None:
    """An adapter hears itself, and a disturbance falls on it: the meter keeps its whole time to answer."""
    water = Line("line-3", Path("unused"), "cjt188", 2400, "E")
    frame = cjt188.read(0x10, "78330011223344")
    body = bytes.fromhex("681044332211003378" + "8116" + "901F00" + "00" * 19)
    said = body + bytes([sum(body) & 0xFF, 0x16])
    for line, asked, whole in ((LINE, ASKED, answer()[2:]), (water, frame, said)):
        echo = bytearray(asked)
        echo[-3] ^= 0x10
        raw, error, _ = ask([(0.0, bytes(echo)), *by_the_byte(whole, 0.4)], frame=asked, line=line)
        assert raw == whole and error is None


def test_behind_a_damaged_modbus_echo_the_answer_is_still_to_come() -> None:
    """An echo of a read with a bit turned is as long as a short answer, and comes late through a slow adapter."""
    asked = modbus.read(12, 3, 0, 2)
    body = bytes.fromhex("0c030400bc614e")
    whole, echo = body + modbus.crc(body), bytearray(asked)
    echo[4] ^= 0x10
    raw, error, _ = ask([(0.013, bytes(echo)), *by_the_byte(whole, 0.099, MODBUS)], frame=asked, line=MODBUS)
    assert raw == whole and error is None


def test_what_waits_in_the_buffer_is_not_the_answer() -> None:
    """The answer to the question before, too late: it is drained, and the new question is answered by its own."""
    late = answer(value="99000000")
    raw, _, _ = ask(by_the_byte(answer(), 0.1), waiting=late)
    assert raw == answer()[2:]
    assert ask([], waiting=late)[:2] == (None, "silent")


def test_a_late_answer_during_the_next_question_is_passed_over() -> None:
    """It comes after the drain, before the right one: address and identifier tell them apart."""
    for stranger in (answer(identifier="02030000", value="563412"), answer(OTHER)):
        raw, _, _ = ask([(0.05, stranger), *by_the_byte(answer(), 0.3)])
        assert raw == answer()[2:]


@pytest.mark.parametrize(
    "piece", [b"\x68", b"\x00", b"\xfe\x68", answer(OTHER), bytes.fromhex("6811111111111168 91ff")]
)
def test_endless_babble_ends(piece: bytes) -> None:
    """A meter that never stops talking holds the line for a bounded time, then the next meter has its turn (I23)."""
    raw, error, took_s = ask([(n * 0.01, piece) for n in range(2000)])
    limit_s = LINE.wire_s(len(ASKED) + dlt645.LARGEST_REPLY) + USUAL.first_byte_s + USUAL.rest_s
    assert (raw, error) == (None, "babble") and took_s <= limit_s + 0.02


def test_a_damaged_answer_is_asked_for_again_at_once() -> None:
    """An answer that came whole and is damaged is not waited for any longer; a late one before the right one is."""
    damaged = bytearray(answer())
    damaged[-4] ^= 0x10
    raw, error, took_s = ask(by_the_byte(bytes(damaged), 0.05))
    assert (raw, error) == (None, "noise")
    assert took_s < LINE.wire_s(len(ASKED) + len(damaged)) + 0.05 + 0.03
    raw, error, _ = ask([*by_the_byte(bytes(damaged), 0.05), *by_the_byte(answer(), 0.05 + 0.11)])
    assert raw == answer()[2:], "what looked like the damaged answer was noise before it"
    asked = modbus.read(12, 3, 0, 2)
    body = bytes.fromhex("0c030400bc614e")
    reply = bytearray(body + modbus.crc(body))
    reply[4] ^= 1
    raw, error, took_s = ask(by_the_byte(bytes(reply), 0.02, MODBUS), frame=asked, line=MODBUS)
    assert (raw, error) == (None, "noise") and took_s < 0.1
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    outcome = exchange(MODBUS, Script(clock, by_the_byte(bytes(reply), 0.02, MODBUS), b"", MODBUS), asked, clock)
    assert outcome.spoken, "it has spoken: the line need not be left alone for its late answer"


@pytest.mark.parametrize("lost", [6, 9, -1])
def test_an_answer_that_lost_a_byte_is_asked_for_again_soon(lost: int) -> None:
    """A meter that is heard and stops has spoken: its usual rest is waited, not the time that it has to begin."""
    asked = modbus.read(12, 3, 0, 6)
    body = bytes([12, 3, 12, *range(12)])
    quick = Manner(rest_s=0.03)
    for line, frame, whole in ((LINE, ASKED, answer()), (MODBUS, asked, body + modbus.crc(body))):
        reply = bytearray(whole)
        del reply[lost]
        clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
        script, began = Script(clock, by_the_byte(bytes(reply), 0.02, line), b"", line), clock.monotonic()
        outcome = exchange(line, script, frame, clock, quick)
        assert (outcome.raw, outcome.error, outcome.spoken) == (None, "noise", True)
        over_s = line.wire_s(len(frame) + len(reply)) + 0.02
        assert clock.monotonic() - began == pytest.approx(over_s + quick.rest_s, abs=0.011)


def test_the_pauses_inside_an_answer_are_told() -> None:
    """The longest silence between two pieces of an answer: from it a meter's rest is learned."""
    whole, clock = answer(), ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    line = Script(clock, [(0.1, whole[:3]), (0.15, whole[3:11]), (0.27, whole[11:])])
    assert exchange(LINE, line, ASKED, clock).pause_s == pytest.approx(0.12)


def test_the_line_waits_a_moment_for_the_word_after_an_order(bench: Callable[..., Bench]) -> None:
    """What became of an order is read next, not after the routine question that waited already."""
    stand = bench(FakeWire(lambda frame: DONE if frame == TRIP_FRAME else answer()))
    stand.port.put(trip())
    ready = stand.inbox.get(timeout=WAIT_S)
    stand.port.put(request(1, ROUTINE))
    assert isinstance(ready, Ready) and stand.port.go(7)
    assert stand.reply().request.number == 7
    stand.port.put(request(2, WATCH))
    assert [stand.reply().request.number for _ in range(2)] == [2, 1]


def test_a_line_is_left_alone_until_a_babbler_is_quiet() -> None:
    """After babble the next question waits for silence, and no longer than a few seconds for one who never stops."""
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    line = Script(clock, [(n * 0.01, b"\x55") for n in range(100)])
    line.write(b"")
    began = clock.monotonic()
    assert hush(line, clock) and clock.monotonic() - began == pytest.approx(0.99 + HUSHED_S, abs=0.02)
    endless = Script(clock, [(n * 0.01, b"\x55") for n in range(2000)])
    endless.write(b"")
    began = clock.monotonic()
    assert not hush(endless, clock) and clock.monotonic() - began == pytest.approx(HUSH_S, abs=0.2)


def test_a_long_answer_is_asked_on_until_it_is_whole() -> None:
    """B1H says that more follows: 12H fetches part after part, one that was lost is asked for once more (§7)."""
    first = dlt645.encode(Frame(METER, 0xB1, bytes.fromhex("0001FF00")[::-1] + b"\x01" * 8), 0)
    second = dlt645.encode(Frame(METER, 0xB2, bytes.fromhex("0001FF00")[::-1] + b"\x02" * 8 + b"\x01"), 0)
    third = dlt645.encode(Frame(METER, 0x92, bytes.fromhex("0001FF00")[::-1] + b"\x03" * 8 + b"\x02"), 0)
    asked = Request(1, PERSON, "a206", "energy", dlt645.read(METER, "0001FF00", 0))
    for lost in ((), (1,), (2,)):
        says = Parts([first, second, third], lost)
        outcome = converse(LINE, says, asked, says.clock)
        assert outcome.parts == (first, second, third) and outcome.error is None
        assert dlt645.value_of(*outcome.parts) == b"\x01" * 8 + b"\x02" * 8 + b"\x03" * 8
        assert [dlt645.decode(each).data[-1:] for each in says.sent[1:] if len(each) > 16][-1] == b"\x02"
    says = Parts([first, second, third], (1, 1))
    outcome = converse(LINE, says, asked, says.clock)
    assert outcome.parts == () and outcome.error == "unfinished", "half an answer is none"


def test_an_answer_without_end_has_one() -> None:
    """A meter that says of every part that more follows has the line for half a minute, and not for minutes."""
    parts = [dlt645.encode(Frame(METER, 0xB1, bytes.fromhex("0001FF00")[::-1] + b"\x01" * 8), 0)]
    head = bytes.fromhex("0001FF00")[::-1] + b"\x02" * 180
    parts += [dlt645.encode(Frame(METER, 0xB2, head + bytes([number])), 0) for number in range(1, 256)]
    says = Parts(parts, ())
    began = says.clock.monotonic()
    asked = Request(1, PERSON, "a206", "energy", dlt645.read(METER, "0001FF00", 0))
    outcome = converse(LINE, says, asked, says.clock)
    assert outcome.parts == () and outcome.error == "babble"
    assert says.clock.monotonic() - began < CONVERSED_S + 2


def test_an_order_is_not_asked_on() -> None:
    """A meter that sets the follow bit in the answer to an order gets no further frame: an order is one exchange."""
    done = dlt645.encode(Frame(METER, 0xBC), 0)
    order = dlt645_orders.control("trip", METER, [METER], Password(), None, 0)
    says = Parts([done], ())
    outcome = converse(LINE, says, Request(1, TRIP, "a206", "trip", order), says.clock)
    assert outcome.parts == (done,) and says.sent == [order]


def test_a_broadcast_waits_for_nobody() -> None:
    """Nobody answers a broadcast: the line is held for its bytes, and that is all."""
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    began, line, frame = clock.monotonic(), Script(clock, []), dlt645_orders.broadcast_time(clock.now(), 0)
    outcome = converse(LINE, line, Request(1, WATCH, "", "clock", frame, answered=False), clock)
    assert outcome == Outcome() and clock.monotonic() - began == pytest.approx(LINE.wire_s(len(frame)))


class Parts(Script):
    """A meter that says one part of its answer to each question, and loses some once."""

    def __init__(self, parts: list[bytes], lost: tuple[int, ...]):
        super().__init__(ManualClock(datetime(2026, 11, 20, tzinfo=UTC)), [])
        self._parts, self._lost = parts, list(lost)

    def write(self, frame: bytes) -> None:
        number = dlt645.decode(frame).data[-1] if dlt645.decode(frame).function == dlt645.READ_ON else 0
        lost = len(self._lost) and self._lost[0] == number
        if lost:
            self._lost.pop(0)
        self.says = [] if lost else by_the_byte(self._parts[number], 0.03)
        super().write(frame)


def test_a_false_header_does_not_cost_the_answer() -> None:
    """Noise that looks like the head of a long frame: the answer behind it is found when the line is silent."""
    raw, error, _ = ask([(0.02, bytes.fromhex("681111111111116891ff")), *by_the_byte(answer(), 0.2)])
    assert raw == answer()[2:] and error is None


def test_a_modbus_answer_after_a_stray_byte() -> None:
    """One stray byte before a good Modbus reply costs neither the reply nor a time-out."""
    asked = modbus.read(12, 3, 0, 2)
    body = bytes.fromhex("0c030400bc614e")
    reply = body + modbus.crc(body)
    raw, error, took_s = ask([(0.01, b"\x00"), *by_the_byte(reply, 0.02, MODBUS)], frame=asked, line=MODBUS)
    assert raw == reply and error is None and took_s < 0.1
    assert ask([(0.01, reply[:-1])], frame=asked, line=MODBUS)[1] == "noise"


# --- requests wait by priority ---


def request(number: int, priority: int = ROUTINE, frame: bytes = ASKED, **more: Any) -> Request:
    return Request(number, priority, "a206", "energy", frame, **more)


def test_light_comes_back_before_anything_else() -> None:
    """Restoring first, then people, midnight, an automatic trip, looks, routine; among equals the older first."""
    waiting = Queue()
    order = [ROUTINE, TRIP, RESTORE, WATCH, PERSON, BORDER, RESTORE, ROUTINE]
    for number, priority in enumerate(order):
        waiting.put(request(number, priority))
    taken = [waiting.take(0) for _ in order]
    assert [each.number for each in taken if each] == [2, 6, 4, 5, 1, 3, 0, 7]
    assert waiting.take(0) is None and len(waiting) == 0


# --- a port with its thread ---


class FakeWire:
    """A wire in the test's hands: remembers what left, answers by `reply`, can be told to fail."""

    def __init__(self, reply: Callable[[bytes], bytes] = lambda frame: b""):
        self.reply, self.sent, self.pending = reply, [], b""  # type: Callable[[bytes], bytes], list[bytes], bytes
        self.broken = self.closed = False
        self.write_fails_after: int | None = None
        self._held: tuple[threading.Event, threading.Event] | None = None

    def hold(self) -> tuple[threading.Event, threading.Event]:
        """Stop exchanges before their first byte: (set when one has come there, to be set to let them go on)."""
        self._held = (threading.Event(), threading.Event())
        return self._held

    def write(self, frame: bytes) -> None:
        if self.write_fails_after is not None:
            self.sent.append(frame[: self.write_fails_after])
            raise OSError("the adapter was pulled")
        self.sent.append(frame)
        self.pending = self.reply(frame)

    def read(self, timeout_s: float) -> bytes:
        if self.broken:
            raise OSError("the adapter was pulled")
        piece, self.pending = self.pending, b""
        return piece

    def drain(self) -> None:
        if self._held is not None:
            self._held[0].set()
            assert self._held[1].wait(WAIT_S)
        if self.broken:
            raise OSError("the adapter was pulled")
        self.pending = b""

    def close(self) -> None:
        self.closed = True


class QuickClock(SystemClock):
    """Real threads, but the line's own seconds pass as they are asked for: no test waits for a time-out."""

    def __init__(self) -> None:
        self._ticks = 0.0

    def monotonic(self) -> float:
        self._ticks += 0.001
        return self._ticks

    def wait(self, seconds: float) -> None:
        self._ticks += seconds


@dataclass(frozen=True)
class FakeLine(Line):
    """A line that opens what the test gives it; an error instead of a wire is raised."""

    opens: Any = None

    def open(self) -> Wire:
        found = self.opens()
        if isinstance(found, Exception):
            raise found
        return found


class Bench:
    """A port with its thread, its inbox, and the wires it will open."""

    def __init__(self, *wires: FakeWire | Exception):
        self.inbox: queue.Queue[Reply | Ready] = queue.Queue()
        self.wires = list(wires)
        self.opened = 0
        line = FakeLine("line-1", Path("unused"), "dlt645-2007", 2400, "E", self._open)
        self.port = ThreadPort(line, self.inbox.put, QuickClock())

    def _open(self) -> FakeWire | Exception:
        self.opened += 1
        return self.wires.pop(0) if len(self.wires) > 1 else self.wires[0]

    def next(self) -> Reply | Ready:
        return self.inbox.get(timeout=WAIT_S)

    def reply(self) -> Reply:
        found = self.next()
        assert isinstance(found, Reply)
        return found

    def stop(self) -> None:
        self.port.stop()
        self.port.join(WAIT_S)
        assert not self.port.is_alive()


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def build(*wires: FakeWire | Exception) -> Bench:
        made.append(Bench(*wires))
        made[-1].port.start()
        return made[-1]

    yield build
    for each in made:
        each.stop()


TRIP_FRAME = dlt645_orders.control("trip", METER, {METER}, Password(), None)
DONE = dlt645.encode(Frame(METER, 0x9C), 1)


def trip(number: int = 7) -> Request:
    return request(number, TRIP, TRIP_FRAME, handshake=True)


def test_a_port_answers_each_request_once(bench: Callable[..., Bench]) -> None:
    """Every request comes back with its answer, or with a word that says why there is none."""
    wire = FakeWire(lambda frame: answer() if frame == ASKED else b"")
    stand = bench(wire)
    stand.port.put(request(1))
    first = stand.reply()
    assert (first.request.number, first.raw, first.error) == (1, answer()[2:], None)
    stand.port.put(request(2, frame=dlt645.read(OTHER, "00010000")))
    second = stand.reply()
    assert (second.request.number, second.raw, second.error) == (2, None, "silent")
    assert second.ended > second.began and stand.port.state == "open" and stand.port.why is None


def test_a_port_serves_the_most_urgent_first(bench: Callable[..., Bench]) -> None:
    """While one exchange runs others gather; the next is the most urgent, however late it came."""
    wire = FakeWire(lambda frame: answer())
    taken, hold = wire.hold()
    stand = bench(wire)
    stand.port.put(request(0))
    assert taken.wait(WAIT_S)
    for number, priority in ((1, ROUTINE), (2, TRIP), (3, RESTORE), (4, PERSON)):
        stand.port.put(request(number, priority))
    hold.set()
    assert [stand.reply().request.number for _ in range(5)] == [0, 3, 4, 2, 1]


def test_no_byte_of_a_trip_leaves_before_the_word(bench: Callable[..., Bench]) -> None:
    """The port says ready and waits; only after the loop's go do the bytes leave, and go says so (I7, I8)."""
    wire = FakeWire(lambda frame: DONE)
    stand = bench(wire)
    stand.port.put(trip())
    ready = stand.next()
    assert isinstance(ready, Ready) and ready.request.number == 7
    assert wire.sent == [], "not before the evidence is written"
    assert stand.port.go(8) is False, "a word about another trip is none"
    assert stand.port.go(7) is True
    assert wire.sent == [TRIP_FRAME]
    done = stand.reply()
    assert done.raw == DONE[1:] and done.error is None
    assert stand.port.go(7) is False, "a second word moves nothing"


def test_go_knows_that_the_bytes_left_even_when_all_is_over(bench: Callable[..., Bench]) -> None:
    """The meter answers at once: the loop is still told that the trip left, never that it did not."""
    stand = bench(FakeWire(lambda frame: DONE))
    for number in range(1, 200):
        stand.port.put(trip(number))
        assert isinstance(stand.next(), Ready)
        assert stand.port.go(number) is True
        assert stand.reply().error is None


def test_a_refused_trip_sends_nothing(bench: Callable[..., Bench]) -> None:
    """The last look found a payment: refuse, and not one byte leaves; the next request is served."""
    wire = FakeWire(lambda frame: answer())
    stand = bench(wire)
    stand.port.put(trip())
    assert isinstance(stand.next(), Ready)
    stand.port.refuse(7)
    withdrawn = stand.reply()
    assert (withdrawn.raw, withdrawn.error) == (None, "withdrawn") and wire.sent == []
    assert stand.port.go(7) is False
    stand.port.put(request(8))
    assert stand.reply().raw is not None and wire.sent == [ASKED]


def test_a_loop_that_says_nothing_cuts_nobody(bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop hangs: after a while the port withdraws the trip, and a later go is answered with no."""
    monkeypatch.setattr(port, "READY_FOR_S", 0.05)
    wire = FakeWire(lambda frame: DONE)
    stand = bench(wire)
    stand.port.put(trip())
    assert isinstance(stand.next(), Ready)
    assert stand.reply().error == "withdrawn"
    assert stand.port.go(7) is False and wire.sent == []


def test_a_trip_that_cannot_leave_in_time_never_leaves(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is stuck after the go: the loop is told no, and when the line comes back no byte goes out (I8)."""
    monkeypatch.setattr(port, "SENT_WITHIN_S", 0.05)
    wire = FakeWire(lambda frame: DONE)
    _, free = wire.hold()
    stand = bench(wire)
    stand.port.put(trip())
    assert isinstance(stand.next(), Ready)
    assert stand.port.go(7) is False
    free.set()
    late = stand.reply()
    assert (late.raw, late.error) == (None, "withdrawn") and wire.sent == []
    stand.port.put(request(8))
    stand.reply()
    assert wire.sent == [ASKED], "and never afterwards"


def test_a_line_that_breaks_in_the_middle_of_a_trip_may_have_sent(bench: Callable[..., Bench]) -> None:
    """Some bytes were out when the adapter was pulled: the loop is not told that nothing left."""
    wire = FakeWire()
    wire.write_fails_after = 5
    stand = bench(wire, FakeWire())
    stand.port.put(trip())
    assert isinstance(stand.next(), Ready)
    assert stand.port.go(7) is True
    assert stand.reply().error == "closed" and wire.sent == [TRIP_FRAME[:5]]


def test_a_late_border_read_is_not_sent(bench: Callable[..., Bench]) -> None:
    """A read whose moment is over is answered `late`, and the line stays free for others."""
    wire = FakeWire(lambda frame: answer())
    stand = bench(wire)
    stand.port.put(request(1, BORDER, not_after=-1.0))
    assert (stand.reply().error, wire.sent) == ("late", [])
    stand.port.put(request(2, BORDER, not_after=1e9))
    assert stand.reply().raw is not None


def test_a_pulled_adapter_is_opened_again(bench: Callable[..., Bench]) -> None:
    """The adapter goes in the middle of an exchange: `closed`, opened again, and the next request is served."""
    first, second = FakeWire(lambda frame: answer()), FakeWire(lambda frame: answer())
    stand = bench(first, second)
    stand.port.put(request(1))
    assert stand.reply().raw is not None
    first.broken = True
    stand.port.put(request(2))
    assert stand.reply().error == "closed" and first.closed
    stand.port.put(request(3))
    assert stand.reply().raw is not None and second.sent == [ASKED]
    assert stand.port.state == "open" and stand.opened == 2


def test_a_request_to_a_closed_port_is_answered(bench: Callable[..., Bench]) -> None:
    """A port that cannot be opened answers `closed` and says why; nothing waits for ever, a trip neither."""
    stand = bench(OSError("no such device"))
    stand.port.put(request(1))
    stand.port.put(trip(2))
    assert [(each.request.number, each.error) for each in (stand.reply(), stand.reply())] in (
        [(1, "closed"), (2, "closed")],
        [(2, "closed"), (1, "closed")],
    )
    assert stand.port.state == "closed" and stand.port.why == "no such device"


# --- a real pseudo-terminal ---


class Pty:
    """A line whose far end the test holds."""

    def __init__(self) -> None:
        self.far, near = os.openpty()
        tty.setraw(near)
        self.device = Path(os.ttyname(near))
        self._near = near

    def hear(self, count: int) -> bytes:
        """The next `count` bytes from the port."""
        heard = b""
        while len(heard) < count:
            readable, _, _ = select.select([self.far], [], [], WAIT_S)
            assert readable, "nothing came"
            heard += os.read(self.far, count - len(heard))
        return heard

    def pull(self) -> None:
        for end in (self._near, self.far):
            os.close(end)
        self.far = self._near = -1

    def close(self) -> None:
        if self.far >= 0:
            self.pull()


@pytest.fixture
def pty() -> Iterator[Callable[[], Pty]]:
    made: list[Pty] = []

    def build() -> Pty:
        made.append(Pty())
        return made[-1]

    yield build
    for each in made:
        each.close()


def test_a_device_has_one_owner(pty: Callable[[], Pty]) -> None:
    """A second program, or a second port, cannot open a line that is in use; once it is free it can (failure 25)."""
    line = Line("line-1", pty().device, "dlt645-2007", 9600, "E")
    first = line.open()
    with pytest.raises(OSError, match="exclusively"):
        line.open()
    first.close()
    line.open().close()


def test_a_pulled_cable_is_an_error_a_port_understands(pty: Callable[[], Pty]) -> None:
    """Whatever is tried on a line whose adapter is gone raises OSError, which reopens the port and ends nothing."""
    for attempt in ("drain", "read", "write"):
        end = pty()
        wire = Line("line-1", end.device, "dlt645-2007", 9600, "E").open()
        end.pull()
        with pytest.raises(OSError):
            wire.drain() if attempt == "drain" else wire.read(1) if attempt == "read" else wire.write(b"x")
        wire.close()


def test_a_port_lives_through_a_pulled_adapter(pty: Callable[[], Pty], tmp_path: Path) -> None:
    """A USB adapter is pulled and comes back under its stable name: reading goes on, nobody restarts anything (29)."""
    name, end = tmp_path / "line-1", pty()
    name.symlink_to(end.device)
    inbox: queue.Queue[Any] = queue.Queue()
    port = ThreadPort(Line("line-1", name, "dlt645-2007", 9600, "E"), inbox.put, SystemClock())
    port.start()
    try:
        port.put(request(1))
        assert end.hear(len(ASKED)) == ASKED
        os.write(end.far, answer())
        assert inbox.get(timeout=WAIT_S).raw == answer()[2:]
        end.pull()
        port.put(request(2))
        assert inbox.get(timeout=WAIT_S).error == "closed" and port.is_alive()
        back = pty()
        name.unlink()
        name.symlink_to(back.device)
        for number in range(3, 100):  # The port tries by itself, again and again; each request is answered meanwhile.
            port.put(request(number))
            readable, _, _ = select.select([back.far], [], [], 1.0)
            if readable:
                break
            assert inbox.get(timeout=WAIT_S).error == "closed"
        assert back.hear(len(ASKED)) == ASKED
        os.write(back.far, answer())
        found = [inbox.get(timeout=WAIT_S)]
        while found[-1].error == "closed":
            found.append(inbox.get(timeout=WAIT_S))
        assert found[-1].raw == answer()[2:] and port.state == "open"
    finally:
        port.stop()
        port.join(WAIT_S)
