"""The loop: facts reach every sink, one sink's trouble stays its own, and a dead network thread ends the program."""

from __future__ import annotations

import json
import logging
import threading

import pytest

from bridge import loop as loop_module
from bridge.contract.messages import Availability, Entry, Response, Status
from bridge.facts import BadFact, Fact, read
from bridge.loop import STOPPED, THREAD_DIED, Inbox, Loop
from bridge.mqtt import Acknowledged, Connected, Disconnected, Received
from bridge.sink import Presence, Sink
from tests.bridge.fake_edge import FakeEdge
from tests.bridge.waiting import until

ONLINE = b'{"state": "online"}'


class Wire:
    alive = True


class Notes(Sink):
    """Writes down what it is called with; raises where it is told to."""

    def __init__(self, name: str, sore: tuple[str, ...] = ()):
        self.name, self.sore, self.got = name, sore, list[object]()

    def _note(self, what: str, thing: object = None) -> None:
        self.got.append(what if thing is None else thing)
        if what in self.sore:
            raise RuntimeError("two\nlines of trouble")

    def connected(self) -> None:
        self._note("connected")

    def take(self, came: Fact | Received) -> None:
        self._note("take", came)

    def settle(self) -> None:
        self._note("settle")

    def close(self) -> None:
        self._note("close")


def test_every_sink_gets_every_fact_whatever_another_does(caplog: pytest.LogCaptureFixture) -> None:
    """One sink fails at everything: the other still gets connection, fact, settling and closing; the log is short."""
    inbox, sore, sound = Inbox(), Notes("sore", ("connected", "take", "settle", "close")), Notes("sound")
    loop = Loop("riser", Wire(), inbox, [sore, sound])
    for happening in (
        Connected(False),
        Received("riser/a/status", ONLINE, True),
        Received("homeassistant/status", b"online", False),
    ):
        inbox.put(happening)
    loop.step(0)
    for _ in range(50):
        loop.step(0)
    loop.stop()
    assert loop.run() == STOPPED
    fact = Fact("a", "", Status(state="online"), True)
    assert sound.got[:4] == ["connected", fact, Received("homeassistant/status", b"online", False), "settle"]
    assert sound.got[-1] == "close"
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(lines) == 4 and all("\n" not in line and line.startswith("sore ") for line in lines)


def test_trouble_that_ends_is_told_and_may_be_told_again(caplog: pytest.LogCaptureFixture) -> None:
    """The same trouble is one line while it stays, `works again` when it ends, and a line again when it returns."""
    caplog.set_level(logging.INFO)
    sink = Notes("archive", ("settle",))
    loop = Loop("riser", Wire(), Inbox(), [sink])
    for sore in (("settle",), ("settle",), (), ("settle",)):
        sink.sore = sore
        loop.step(0)
    lines = [record.getMessage() for record in caplog.records]
    assert [("again" in line) for line in lines] == [False, True, False]


def test_a_dead_network_thread_ends_the_program(caplog: pytest.LogCaptureFixture) -> None:
    """A bridge that cannot hear any more does not pretend to live: it ends with a non-zero code (failure 46)."""
    wire = Wire()
    wire.alive = False
    assert Loop("riser", wire, Inbox(), []).run() == THREAD_DIED != 0
    assert "must be started again" in caplog.text


def test_stopping_does_not_wait_for_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop from outside ends the loop at once, and what came before it is still handled."""
    monkeypatch.setattr(loop_module, "LONGEST_WAIT_S", 60.0)
    inbox, sink = Inbox(), Notes("sink")
    loop = Loop("riser", Wire(), inbox, [sink])
    thread = threading.Thread(target=loop.run)
    thread.start()
    came = Received("x", b"", False)
    inbox.put(came)
    until(lambda: came in sink.got, 5, "the message is taken, and the loop waits for the next")
    loop.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert sink.got[-1] == "close"


def test_a_flood_leaves_out_only_what_comes_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With a full queue entries and readings are left out and said to be; a retained fact never is."""
    monkeypatch.setattr(loop_module, "WAITING_AT_MOST", 10)
    inbox, sink = Inbox(), Notes("sink")
    for number in range(15):
        inbox.put(Received("riser/a/entry", str(number).encode(), False))
    inbox.put(Received("riser/a/status", ONLINE, True))
    inbox.put(Connected(False))
    Loop("riser", Wire(), inbox, [sink]).step(0)
    assert inbox.left_out == 5 and "5 entries and readings left out" in caplog.text
    assert Fact("a", "", Status(state="online"), True) in sink.got and "connected" in sink.got


def test_troubles_of_the_connection_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """A refused publish, a lost broker and a session taken over each give a line that a person understands."""
    inbox = Inbox()
    for happening in (
        Acknowledged(1, "Not authorized"),
        Disconnected("gone", False),
        Disconnected("x", True),
        Acknowledged(2),
    ):
        inbox.put(happening)
    Loop("riser", Wire(), inbox, []).step(0)
    assert [record.getMessage() for record in caplog.records] == [
        "the broker refuses what we publish: Not authorized",
        "the broker is gone: gone",
        "the broker is gone: another client uses our client id",
    ]


def test_a_bad_fact_costs_a_line_and_reaches_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Rubbish on our own topics is left out by name; it comes to no sink and is said once."""
    inbox, sink = Inbox(), Notes("sink")
    for _ in range(3):
        inbox.put(Received("riser/a/status", b'{"state": "drunk"}', False))
    Loop("riser", Wire(), inbox, [sink]).step(0)
    assert sink.got == ["settle"]
    assert len(caplog.records) == 1 and "'riser/a/status': state" in caplog.text


def test_presence_is_said_at_every_connect_and_in_parting() -> None:
    """Others see the bridge on line after each connect and off line when it leaves in order."""
    said: list[tuple[str, bytes, bool]] = []

    def publish(topic: str, payload: bytes, *, retain: bool) -> int:
        said.append((topic, payload, retain))
        return 1

    sink = Presence(publish, "riser/bridge/status", b"on", b"off")
    sink.connected()
    sink.close()
    assert said == [("riser/bridge/status", b"on", True), ("riser/bridge/status", b"off", True)]


def test_a_topic_says_what_a_message_is() -> None:
    """Each fact is read as its own class, with gateway and id from the topic."""
    entry = FakeEdge().append()
    availability = Availability(state="online", since="x")
    answer = Response(transaction="abcdefgh", status="done", at="x")
    assert read("riser", "riser/a/entry", entry.payload(), False) == Fact("a", "", entry, False)
    assert read("riser", "riser/a/meter/m1/availability", availability.payload(), True) == Fact(
        "a", "m1", availability, True
    )
    assert read("riser", "riser/a/response/replay", answer.payload(), False) == Fact("a", "replay", answer, False)
    assert isinstance(entry, Entry)


@pytest.mark.parametrize(
    "topic",
    ["riser/bridge/status", "riser/panel/status", "riserx/a/status", "riser/a/request/topup", "riser/a",
     "riser/a/meter", "riser/A/status", "homeassistant/status", "riser/a/status/x", "riser/a/account/1/relay"],
)  # fmt: skip
def test_what_is_not_ours_is_no_fact(topic: str) -> None:
    """Programs' own presence, requests, other trees and unknown branches are not facts of a gateway."""
    assert read("riser", topic, ONLINE, False) is None


def test_a_fact_taken_back_is_no_fact() -> None:
    """An empty retained message clears a topic; it is no broken fact."""
    assert read("riser", "riser/a/meter/m1", b"", False) is None


@pytest.mark.parametrize(
    ("topic", "payload"),
    [("riser/a/status", b"{"), ("riser/a/status", b"[]"), ("riser/a/status", b'{"state": "asleep"}'),
     ("riser/a/status", b"\xff"), ("riser/a/meter/M1/availability", b'{"state": "online", "since": "x"}'),
     ("riser/a/meter/..", b"{}"), ("riser/a/status", b" " * 1_000_001), ("riser/a/status", b"[" * 100_000),
     ("riser/a/entry", json.dumps({"seq": "one"}).encode())],
)  # fmt: skip
def test_what_claims_to_be_a_fact_and_is_not_is_named(topic: str, payload: bytes) -> None:
    """Broken JSON, unknown states, wrong types, bad ids, huge and deep payloads end in one sentence with the topic."""
    with pytest.raises(BadFact, match=topic.split("/")[2]) as refusal:
        read("riser", topic, payload, False)
    assert "\n" not in str(refusal.value)
