"""A conversation on a line that is ours alone: a frame out, the whole answer back, or one sentence why there is none.

What reads may be asked twice, what orders is said once: nobody knows whether an order without an answer was heard.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from bridge.contract.clock import Clock
from edge.codec import dlt645_orders
from edge.line.exchange import converse
from edge.line.quiet import Quiet
from edge.line.request import PERSON, USUAL, Request
from edge.line.wire import Line, Wire

WHY = {
    "silent": "nobody answers: look at address, speed, parity, A and B, and whether the meter is under voltage.",
    "noise": "what comes is no answer: two meters with one address, another master on the line, or a wrong speed.",
    "babble": "somebody on the line does not stop talking; take its meters off one by one",
    "unfinished": "the answer is long, and a part of it did not come; ask again",
}


class NoAnswer(Exception):
    """The meter did not answer; the text is a sentence for the person, `kind` says why in a word."""

    def __init__(self, kind: str):
        self.kind = kind
        super().__init__(WHY[kind])

    @property
    def short(self) -> str:
        return WHY[self.kind].partition(":")[0]


class Talk:
    """An open line. `shown` gets each frame in hex, passwords masked (I24)."""

    def __init__(self, line: Line, clock: Clock, shown: Callable[[str], None] = lambda text: None):
        self.line, self.clock, self._shown = line, clock, shown
        self._wire: Wire = line.open()
        self._quiet = Quiet(line)
        self._numbers = itertools.count(1)
        self.manner = USUAL
        """How this meter wants to be spoken to, where its model says so."""

    def ask(self, frame: bytes, tries: int = 2) -> tuple[bytes, ...]:
        """The parts of the answer. Raises NoAnswer, OSError."""
        for left in range(tries - 1, -1, -1):
            request = Request(next(self._numbers), PERSON, "", "by hand", frame, manner=self.manner)
            self._pause(request)
            self._show(">", frame)
            outcome = converse(self.line, self._wire, request, self.clock)
            self._quiet.over(request, outcome.raw is not None, self.clock.monotonic())
            for part in outcome.parts:
                self._show("<", part)
            if outcome.heard and dlt645_orders.masked(frame) == frame:
                self._show("<", outcome.heard)  # Never beside an order: an echo in it would tell the password (I24).
            if outcome.parts:
                return outcome.parts
            if not left:
                raise NoAnswer(outcome.error or "silent")
        raise AssertionError("tries is at least one")

    def tell(self, frame: bytes) -> None:
        """Say what nobody answers: a broadcast. Raises OSError."""
        request = Request(next(self._numbers), PERSON, "", "by hand", frame, answered=False)
        self._pause(request)
        self._show(">", frame)
        converse(self.line, self._wire, request, self.clock)
        self._quiet.over(request, False, self.clock.monotonic())

    def at(self, baud: int) -> None:
        """Go on at another speed. Raises OSError; then the line is closed."""
        self._wire.close()
        self.line = replace(self.line, baud=baud)
        self._wire = self.line.open()
        self._quiet = Quiet(self.line)

    def close(self) -> None:
        self._wire.close()

    def _pause(self, request: Request) -> None:
        if (pause_s := self._quiet.pause_s(request, self.clock.monotonic())) > 0:
            self.clock.wait(pause_s)

    def _show(self, way: str, frame: bytes) -> None:
        raw = dlt645_orders.masked(frame) if self.line.protocol.startswith("dlt645") else frame
        self._shown(f"{way} {raw.hex(' ').upper()}")
