"""One question of a search on a real line: said, and listened to until whoever wants to answer has spoken."""

from __future__ import annotations

from bridge.contract.clock import Clock
from edge.codec import PROTOCOLS
from edge.line.request import USUAL
from edge.line.wire import Line, Wire
from edge.scan.search import Outcome, Probe

LONGEST_S = 3.0
"""Whoever still speaks after this babbles; the next question is asked all the same."""

GLITCHES = b"\xfe\xff\x00"
"""Wake-up bytes, and what a transceiver leaves on the line when it lets go: no second meter."""


def listen(line: Line, wire: Wire, probe: Probe, clock: Clock, patience_s: float) -> Outcome:
    """Ask, and say what was heard: one reply, noise (several at once, or damage), or silence for `patience_s`.

    A question that only one meter can answer ends with its answer; one to a crowd ends with the line's silence,
    because a second answer behind the first means that there are two. Our own echo is taken away at the front.
    """
    protocol = PROTOCOLS[line.protocol]
    wire.drain()
    wire.write(probe.frame)
    silent_at = clock.monotonic() + line.wire_s(len(probe.frame)) + patience_s
    over_at, last = silent_at + LONGEST_S, 0.0
    heard = bytearray()
    while (now := clock.monotonic()) < min(over_at, max(silent_at, last + USUAL.rest_s)):
        piece = wire.read(min(over_at, max(silent_at, last + USUAL.rest_s)) - now)
        if piece:
            heard, last = heard + piece, clock.monotonic()
            if heard.startswith(probe.frame) and len(heard) >= len(probe.frame):
                del heard[: len(probe.frame)]
                last = last if heard else 0.0
            if not probe.crowd and (raw := protocol.find_reply(probe.frame, bytearray(heard))) is not None:
                return Outcome(raw)
    raw = protocol.find_reply(probe.frame, bytearray(heard), final=True)
    if raw is None:
        return Outcome(None, "noise" if heard.strip(GLITCHES) else "silent")
    others = bytes(heard).replace(raw, b"", 1).strip(GLITCHES)
    return Outcome(None, "noise") if probe.crowd and others else Outcome(raw)
