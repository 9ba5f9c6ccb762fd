"""A Modbus answer that comes twice is not taken for the answer to the next question.

Repeaters, adapters and some slaves say everything twice. A Modbus answer names its slave, function and length only, so
the second copy would pass for the answer to another question, or confirm a damaged reading that is read twice. Three
things give it away: it stands in the line when the next question is about to be written; or the next answer is the last
one again, byte by byte, and yet another one follows within the slave's time; or two answers that differ come at once.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bridge.contract.clock import Clock
from edge.codec import PROTOCOLS
from edge.codec.modbus import READS
from edge.line.exchange import Outcome, converse
from edge.line.request import Request
from edge.line.wire import Line, Wire

log = logging.getLogger("riser.bus")

TELLING_BYTES = 4
"""So many bytes of the last answer, from its beginning, are no noise: slave, function, length and one of contents."""

QUIET_S, QUIET_AT_MOST_S = 0.15, 1.0
"""On a line that says things twice a question waits for so much silence, and not for ever."""

KEPT_S = 3600.0
"""Line seconds for which that is remembered; then the line is trusted again until it is seen to do it."""


class Twice:
    """What is known of one line; every exchange on it goes through here."""

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line, self._clock = line, clock
        self._asked, self._raw = b"", b""  # the exchange before: its question and, where that was a read, its answer
        self._proven: dict[bytes, tuple[bytes, bytes]] = {}
        # a question; the one before it and the answer to both: that these are alike was looked into
        self._doubled_at = self._ended_s = -1e9

    def converse(self, wire: Wire, request: Request) -> Outcome:
        """`exchange.converse`, with the second copies of earlier answers passed over. Raises OSError."""
        if self._line.protocol != "modbus-rtu" or request.frame[1] not in READS:
            self._asked = self._raw = b""  # A write's answer repeats what was written, and is believed by nobody.
            return converse(self._line, wire, request, self._clock)
        again = request.frame == self._asked
        self._read_away(wire, QUIET_S - (self._clock.monotonic() - self._ended_s) if again else 0.0)
        kept = _Kept(wire)
        outcome = converse(self._line, kept, request, self._clock)
        raw = outcome.raw or b""
        if raw and self._another(request, raw, kept.behind(raw)):
            self._doubles(raw[0])
            self._read_away(wire, QUIET_S)
            outcome = converse(self._line, kept, request, self._clock)  # A read may be asked again.
            raw = outcome.raw or b""
            if raw and self._another(request, raw, kept.behind(raw)):
                outcome = Outcome((), "noise", outcome.turnaround_s, raw + kept.behind(raw), spoken=True)
                raw = b""
        if raw and raw == self._raw and not again and self._proven.get(request.frame) != (self._asked, raw):
            outcome = self._listen_on(wire, request, outcome, kept.behind(raw))
            raw = outcome.raw or b""
        self._asked, self._raw, self._ended_s = request.frame, raw, self._clock.monotonic()
        return outcome

    def _another(self, request: Request, raw: bytes, behind: bytes) -> bool:
        """True when another answer came behind this one: a copy from two questions ago is older than the last answer,
        and which of the two belongs to this question does not stand in them."""
        return PROTOCOLS[self._line.protocol].find_reply(request.frame, bytearray(behind)) not in (None, raw)

    def _read_away(self, wire: Wire, quiet_s: float) -> None:
        """Before a question: is the last answer coming again? Then wait until it is over.

        A question that is asked again would take the copy for its own answer, so `quiet_s` are listened to first.
        """
        now = self._clock.monotonic()
        begun = wire.read(max(quiet_s, 0.0)) if self._raw else b""
        if len(begun) >= TELLING_BYTES and (self._raw.startswith(begun) or begun.startswith(self._raw)):
            self._doubles(self._raw[0])
        if self._clock.monotonic() - self._doubled_at > KEPT_S:
            return
        while self._clock.monotonic() - now < QUIET_AT_MOST_S and wire.read(QUIET_S):
            pass

    def _listen_on(self, wire: Wire, request: Request, outcome: Outcome, behind: bytes) -> Outcome:
        """The answer is the one before again: if another follows within the slave's time, that one is the answer."""
        protocol, buffer = PROTOCOLS[self._line.protocol], bytearray(behind)
        until = self._clock.monotonic() + request.manner.first_byte_s
        over_at = until + self._line.wire_s(protocol.reply_bytes(request.frame)) + request.manner.rest_s
        while True:
            if (raw := protocol.find_reply(request.frame, buffer)) is not None:
                self._doubles(raw[0])
                # How long the slave took is not known: what was timed is the copy.
                return replace(outcome, parts=(raw,), turnaround_s=None, ended_s=self._clock.monotonic())
            left_s = (over_at if buffer else until) - self._clock.monotonic()
            if left_s <= 0:
                break
            buffer += wire.read(left_s)
        self._proven[request.frame] = (self._asked, outcome.raw or b"")
        return replace(outcome, ended_s=self._clock.monotonic())

    def _doubles(self, slave: int) -> None:
        if self._clock.monotonic() - self._doubled_at > KEPT_S:
            log.warning(
                "port %s: slave %d was heard twice; look for a repeater, or an adapter that echoes. "
                "Questions wait for the second copy now, and the line is slower",
                self._line.id,
                slave,
            )
        self._doubled_at = self._clock.monotonic()


class _Kept:
    """A wire that keeps what it hears after a question: an adapter hands over several answers at once."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._heard = wire, bytearray()
        self.drain, self.close = wire.drain, wire.close

    def write(self, frame: bytes) -> None:
        self._heard.clear()
        self._wire.write(frame)

    def read(self, timeout_s: float) -> bytes:
        piece = self._wire.read(timeout_s)
        self._heard += piece
        return piece

    def behind(self, raw: bytes) -> bytes:
        """What came after an answer."""
        at = self._heard.find(raw)
        return bytes(self._heard[at + len(raw) :]) if at >= 0 else b""
