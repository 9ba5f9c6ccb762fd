"""One thread hands each fact to the sinks; paho's thread only enqueues.

A sink that raises costs one line of log and nothing else. When paho's thread has died the loop ends with a
non-zero code, so that whoever runs us starts us again (failure 46): a live process with a dead part helps nobody.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from typing import Protocol

from bridge.facts import BadFact, Fact, read
from bridge.mqtt import Acknowledged, Connected, Disconnected, Happening, Received
from bridge.sink import Sink

log = logging.getLogger("riser.bridge")

LONGEST_WAIT_S = 1.0
"""Sinks look at their time-outs, and the loop at paho's thread, at least this often."""

BATCH_AT_MOST = 1000
"""So many messages are taken before the sinks settle: one transaction of the archive."""

WAITING_AT_MOST = 20_000
"""Beyond this, `entry` and `reading` are left out: both are asked for again, whereas a retained fact comes once."""

STOPPED, THREAD_DIED = 0, 1
"""Exit codes of a program that runs this loop."""


class Wire(Protocol):
    """What the loop needs of a `Link`."""

    @property
    def alive(self) -> bool: ...


class Inbox:
    """What paho's thread tells, in order. Putting never waits and is safe inside a signal handler."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Happening | None] = queue.SimpleQueue()
        self.left_out = 0

    def put(self, happening: Happening) -> None:
        """Called on paho's thread."""
        if self._waiting.qsize() >= WAITING_AT_MOST and _comes_again(happening):
            self.left_out += 1
        else:
            self._waiting.put(happening)

    def wake(self) -> None:
        """End a `drain` that waits for something to come."""
        self._waiting.put(None)

    def drain(self, wait_s: float) -> list[Happening]:
        """Wait for the first, then take what is there, at most `BATCH_AT_MOST`."""
        taken: list[Happening] = []
        try:
            first = self._waiting.get(timeout=wait_s)
            while True:
                if first is not None:
                    taken.append(first)
                if len(taken) >= BATCH_AT_MOST:
                    return taken
                first = self._waiting.get_nowait()
        except queue.Empty:
            return taken


def _comes_again(happening: Happening) -> bool:
    return isinstance(happening, Received) and happening.topic.rpartition("/")[2] in ("entry", "reading")


class Loop:
    """The one thread of a program that listens."""

    def __init__(self, base: str, wire: Wire, inbox: Inbox, sinks: Sequence[Sink]):
        self._base, self._wire, self._inbox, self._sinks = base, wire, inbox, list(sinks)
        self._stopping = False
        self._left_out = 0
        self._said: dict[str, str] = {}

    def stop(self) -> None:
        """End after what is being done now; may be called from a signal handler."""
        self._stopping = True
        self._inbox.wake()

    def run(self, beat: Callable[[], None] = lambda: None) -> int:
        """Until `stop`, or until paho's thread is dead. Return the exit code."""
        while not self._stopping:
            self.step(LONGEST_WAIT_S)
            beat()
            if not self._wire.alive:
                log.error("the network thread has died; this process ends and must be started again")
                return THREAD_DIED
        self.step(0.0)
        for sink in self._sinks:
            self._guarded(sink, sink.close)
        return STOPPED

    def step(self, wait_s: float) -> None:
        """Take what came, then let every sink settle."""
        for happening in self._inbox.drain(wait_s):
            self._one(happening)
        if (left_out := self._inbox.left_out) != self._left_out:
            log.warning("%d entries and readings left out; they are asked for again", left_out - self._left_out)
            self._left_out = left_out
        for sink in self._sinks:
            self._guarded(sink, sink.settle)

    def _one(self, happening: Happening) -> None:
        match happening:
            case Connected():
                log.info("connected to the broker")
                for sink in self._sinks:
                    self._guarded(sink, sink.connected)
            case Disconnected(reason, taken_over):
                log.warning("the broker is gone: %s", "another client uses our client id" if taken_over else reason)
            case Acknowledged(_, error):
                if error:
                    self._once("publish", f"the broker refuses what we publish: {error}")
            case Received():
                self._received(happening)

    def _received(self, message: Received) -> None:
        came: Fact | Received | None
        try:
            came = read(self._base, message.topic, message.payload, message.retained)
        except BadFact as error:
            self._once(message.topic, f"left out, not a fact: {error}")
            return
        if came is None:
            came = message
        for sink in self._sinks:
            self._guarded(sink, sink.take, came)

    def _guarded(self, sink: Sink, call: Callable[..., None], *arguments: object) -> None:
        about = f"{sink.name} {call.__name__}"
        try:
            call(*arguments)
        except Exception as error:  # One sink's trouble is not another's; the sink repairs itself by comparing.
            said = str(error).partition("\n[SQL:")[0].partition("\n(Background")[0]  # Those two help no operator.
            self._once(about, f"{about}: {type(error).__name__}: {' '.join(said.split())[:300]}")
        else:
            if self._said.pop(about, None):
                log.info("%s: works again", about)

    def _once(self, about: str, sentence: str) -> None:
        """Log a sentence unless it was the last one about the same thing: trouble that stays fills no disk."""
        if len(self._said) > 1000:
            self._said.clear()
        if self._said.get(about) != sentence:
            self._said[about] = sentence
            log.error("%s", sentence)
