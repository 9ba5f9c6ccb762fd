"""How one meter is spoken to: as briefly as its model allows, more gently where that failed, and no longer waited for
than it has shown to need.

Wake-up bytes and pauses cost every exchange, and most meters need none; a few do, and old wiring makes some. So a
question is asked plainly, and the one after a failure gently. Where plain words fail again and again, gentle ones stay.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from edge.line.request import Manner, Reply

GENTLE_PREAMBLE, GENTLE_QUIET_S = 4, 0.02
"""Wake-up bytes FEH and quiet line before a gentle question: what DL/T 645 masters send by custom."""

PLAIN_KNOWN, PLAIN_FAILED = 12, 4
"""When so many of the newest plain questions failed, the meter is spoken to gently for a while."""

KEPT_S = 3600.0
"""Line seconds of that while; afterwards plain words are tried again."""

KNOWN_AT = 8
"""Answers from which a meter's own delay is known."""

SHORTEST_WAIT_S = 0.2
"""No meter gets less than this to begin, however quick it was so far."""

SHORTEST_REST_S = 0.03
"""No answer is over before so much silence, however flowing the meter's answers were so far."""

TIMES_ITS_WORST = 4
"""A meter gets so many times the longest delay it has shown lately, and the longest pause inside an answer."""

PATIENT_REST_S = 0.5
"""After a failure: DL/T 645-2007 §5.3 lets a meter pause so long between two bytes. So its pauses are learned."""


@dataclass
class Courtesy:
    """What was learned of one meter in this run."""

    failed: bool = True
    """The newest exchange brought no answer, or there was none yet."""
    spoken: bool = False
    """It brought none, and yet the meter was heard: it is awake, and what it said was damaged."""
    gentle_until: float = -1e9
    _plain_failed: bool = False
    """The newest plain question failed, and no gentle one has been answered since."""
    _plain: deque[bool] = field(default_factory=lambda: deque(maxlen=PLAIN_KNOWN))
    _delays_s: deque[float] = field(default_factory=lambda: deque(maxlen=16))
    _pauses_s: deque[float] = field(default_factory=lambda: deque(maxlen=16))

    def gentle(self, now: float) -> bool:
        """True when the next question, at the monotonic second `now`, is asked gently."""
        return (self.failed and not self.spoken) or now < self.gentle_until

    def preamble(self, own: int, now: float) -> int:
        """Wake-up bytes of the next question to a meter whose model asks for `own`."""
        return max(own, GENTLE_PREAMBLE) if self.gentle(now) else own

    def manner(self, own: Manner, now: float, learned_wait: bool = False) -> Manner:
        """`own` is the model's; with `learned_wait` the question waits no longer than this meter was seen to need."""
        first_byte_s, rest_s, quiet_s = own.first_byte_s, own.rest_s, own.quiet_s
        if self.gentle(now):
            quiet_s = max(quiet_s, GENTLE_QUIET_S)
        if self.failed:
            rest_s = max(rest_s, PATIENT_REST_S)
        if learned_wait and len(self._delays_s) >= KNOWN_AT:
            first_byte_s = min(first_byte_s, max(SHORTEST_WAIT_S, TIMES_ITS_WORST * max(self._delays_s)))
            if not self.failed:
                rest_s = min(max(SHORTEST_REST_S, TIMES_ITS_WORST * max(self._pauses_s)), PATIENT_REST_S)
        return Manner(first_byte_s, rest_s, quiet_s)

    def heard(self, gently: bool, reply: Reply) -> None:
        """An exchange is over; `gently` is how it was asked."""
        answered = reply.raw is not None
        self.failed, self.spoken = not answered, reply.spoken
        if answered and reply.turnaround_s is not None and reply.pause_s is not None:
            self._delays_s.append(reply.turnaround_s)
            self._pauses_s.append(reply.pause_s)
        if not gently:
            self._plain_failed = not answered
            if answered:
                self._plain.append(True)
            return
        if self._plain_failed and answered:
            self._plain.append(False)  # Gentle words did it. Where they fail too the meter is off, and wants none.
        self._plain_failed = False
        if self._plain.count(False) >= PLAIN_FAILED:
            self._plain.clear()
            self.gentle_until = reply.ended + KEPT_S
