"""The bridge's sign of progress comes from its loop: no work, no beat (failure 47)."""

from __future__ import annotations

import threading

from bridge.facts import Fact
from bridge.loop import STOPPED, Inbox, Loop
from bridge.mqtt import Received
from bridge.sink import Sink
from tests.bridge.waiting import until


class Wire:
    alive = True


class Blocks(Sink):
    """A sink that waits for a database."""

    name = "archive"

    def __init__(self) -> None:
        self.entered, self.released = threading.Event(), threading.Event()

    def take(self, came: Fact | Received) -> None:
        self.entered.set()
        self.released.wait(30)


def test_a_bridge_that_waits_for_ever_falls_silent() -> None:
    """Each turn of the loop is a beat; while a sink does not come back there is none, afterwards there are."""
    inbox, sink, beats = Inbox(), Blocks(), list[int]()
    loop = Loop("riser", Wire(), inbox, [sink])
    codes = list[int]()
    thread = threading.Thread(target=lambda: codes.append(loop.run(lambda: beats.append(1))))
    thread.start()
    inbox.wake()
    until(lambda: beats, 5, "a first beat")
    inbox.put(Received("x", b"", False))
    assert sink.entered.wait(5)
    before = len(beats)
    thread.join(1.5)  # Longer than the loop's longest wait, after which it would have turned.
    assert len(beats) == before
    sink.released.set()
    until(lambda: len(beats) > before, 5, "a beat after the database came back")
    loop.stop()
    thread.join(5)
    assert codes == [STOPPED]
