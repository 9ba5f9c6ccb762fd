"""One exchange: a question out, its answer back and matched; late answers, noise and our own echo are passed over.

A long answer comes in parts; `converse` asks on until it is whole. Errors are words: `silent` nobody spoke, `noise`
what came is no answer, `babble` somebody does not stop, `unfinished` a part of a long answer is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bridge.contract.clock import Clock
from edge.codec import PROTOCOLS
from edge.codec.errors import CodecError
from edge.line.request import USUAL, Manner, Reply, Request
from edge.line.wire import Line, Wire

HEARD_AT_MOST = 512
"""Bytes kept of what was no answer, for whoever looks at the line."""

BABBLE_BYTES = 64
"""Who says more than an answer, or than this, and does not stop, babbles; a noise before and after is none."""

SPOILED_REST_S = 0.02
"""Silence after which a damaged answer is over, and is asked for again; an adapter's burst is shorter."""

CONVERSED_S = 30.0
"""A meter whose answer has ever more parts is one that does not stop: light that is to come back waits behind it."""

HUSH_S, HUSHED_S = 3.0, 0.1
"""After babble a line is given so long to become quiet, and is quiet after so much silence."""


@dataclass(frozen=True)
class Outcome:
    """What a question led to: the meter's frames, or a word that says why there is none."""

    parts: tuple[bytes, ...] = ()
    error: str | None = None
    turnaround_s: float | None = None
    heard: bytes = b""
    ended_s: float | None = None
    """Monotonic second of the last byte."""
    spoken: bool = False
    """The answer came damaged, whole or with a part missing: no late answer is to be feared."""
    pause_s: float | None = None
    """The longest silence inside the answer, between two of its pieces as the adapter delivered them."""

    @property
    def raw(self) -> bytes | None:
        return self.parts[0] if self.parts else None


def reply_of(request: Request, port: str, outcome: Outcome, began: float, clock: Clock) -> Reply:
    """The outcome as the loop gets it; it is over now."""
    return Reply(
        request, port, outcome.raw, outcome.error, began, clock.monotonic(), clock.now(),
        outcome.parts[1:], outcome.turnaround_s, outcome.heard, outcome.spoken, outcome.pause_s,
    )  # fmt: skip


def converse(line: Line, wire: Wire, request: Request, clock: Clock) -> Outcome:
    """Ask, and ask on while the answer says that more follows."""
    if not request.answered:
        wire.write(request.frame)
        clock.wait(line.wire_s(len(request.frame)))
        return Outcome()
    over_at = clock.monotonic() + CONVERSED_S
    outcome = exchange(line, wire, request.frame, clock, request.manner)
    parts, protocol = list(outcome.parts), PROTOCOLS[line.protocol]
    while parts:
        try:
            following = protocol.next_part(request.frame, parts)
        except CodecError:
            return Outcome((), "unfinished", outcome.turnaround_s)
        if following is None:
            break
        if clock.monotonic() > over_at:
            return Outcome((), "babble", outcome.turnaround_s)
        after = exchange(line, wire, following, clock, request.manner)
        if after.raw is None:
            after = exchange(line, wire, following, clock, request.manner)  # A repeated question repeats the part (§7).
        if after.raw is None:
            return Outcome((), "unfinished", outcome.turnaround_s, after.heard)
        parts.append(after.raw)
        outcome = replace(outcome, ended_s=after.ended_s)
    return replace(outcome, parts=tuple(parts)) if len(parts) > 1 else outcome


def exchange(line: Line, wire: Wire, frame: bytes, clock: Clock, manner: Manner = USUAL) -> Outcome:
    """Send one frame and wait for its answer.

    An answer ends by its length. A late answer and noise before it are passed over, so whatever was heard, the meter
    keeps its whole time to begin, and a begun answer may end after that. Once the meter is known to speak, its answer
    is over after `rest_s` of silence. Babble ends at `over_at`. Our own echo is taken away once, at the front only: an
    echo with nothing behind it is silence (failure 24); what came while we still spoke is no beginning of an answer.
    """
    protocol = PROTOCOLS[line.protocol]
    wire.drain()
    wire.write(frame)
    asked_by = clock.monotonic() + line.wire_s(len(frame))
    silent_at = asked_by + manner.first_byte_s
    over_at = silent_at + line.wire_s(protocol.reply_bytes(frame)) + manner.rest_s
    buffer, heard, last, echo, spoiled, begun = bytearray(), bytearray(), 0.0, True, False, False
    first: float | None = None
    pause_s = 0.0
    while True:
        now = clock.monotonic()
        rest_at = last + (SPOILED_REST_S if spoiled else manner.rest_s)
        if not (spoiled or begun):
            rest_at = max(silent_at, rest_at)
        until = min(over_at, rest_at) if heard else silent_at
        if now >= until:
            break
        piece = wire.read(until - now)
        if not piece:
            continue
        before, last = last, clock.monotonic()
        buffer += piece
        heard += piece
        if echo and len(buffer) < len(frame) and frame.startswith(buffer):
            continue  # It may become our echo, or an answer that begins as the question did.
        if echo and buffer.startswith(frame):
            del buffer[: len(frame)]
            heard = bytearray(buffer)
        echo = False
        if heard and first is None:
            first = last - line.wire_s(len(piece)) - asked_by
        elif begun:
            pause_s = max(pause_s, last - before)
        if (raw := protocol.find_reply(frame, buffer)) is not None:
            return Outcome((raw,), None, _begun_s(first), ended_s=last, pause_s=pause_s)
        spoiled = protocol.spoiled(frame, heard)
        begun = first is not None and first >= 0 and protocol.begun(frame, bytes(heard))
    raw = protocol.find_reply(frame, buffer, final=True)
    if raw is not None:
        return Outcome((raw,), None, _begun_s(first))
    babbles = until == over_at and len(heard) > min(protocol.reply_bytes(frame), BABBLE_BYTES)
    error = "babble" if babbles else "noise" if heard else "silent"
    return Outcome((), error, _begun_s(first), bytes(heard[:HEARD_AT_MOST]), spoken=spoiled or begun)


def _begun_s(first: float | None) -> float | None:
    """A turnaround: a line without pacing delivers before its speed allows, and that is none."""
    return None if first is None else max(0.0, first)


def hush(wire: Wire, clock: Clock) -> bool:
    """Wait until the line is quiet, after somebody babbled on it. False when he does not stop."""
    over_at = clock.monotonic() + HUSH_S
    while clock.monotonic() < over_at:
        if not wire.read(HUSHED_S):
            return True
    return False
