"""Round after round over a port's meters: what changes fast often, what changes slowly seldom, the silent ones rarely.

A round asks each meter its `round` questions; slow and hourly ones join when they are due. The first silence
ends a meter's turn, so a silent meter costs one time-out a round, and after three missed rounds one in eight.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime

from edge.codec.errors import CodecError, Refused
from edge.core import Core
from edge.line.request import ROUTINE, Reply
from edge.live import MISSED_ROUNDS, Live
from edge.model import Values
from edge.state import MeterState

log = logging.getLogger("riser.polling")

EVERY_S = {"round": 0.0, "slow": 60.0, "minutes": 300.0, "hourly": 600.0}
"""Line seconds between two askings of the same question."""

REFUSED_S = 3600.0
"""A question that not every meter knows, and this one refused, rests so long."""

RETRIES = 2
"""A damaged answer is asked for again at once, so often."""

SKIPPED_ROUNDS = 7
"""An off-line meter is probed once in eight rounds; a probe costs its port one time-out."""

CLOSED_S = 2.0
"""A port that stays closed so long takes its meters off line; an adapter that only blinked does not."""

SHORTEST_ROUND_S = 0.05
"""A port without meters, or with silent ones only, does not spin."""

Heard = Callable[[MeterState, str, Values, Reply], None]


class Polling:
    """The routine reads of one port."""

    def __init__(
        self,
        core: Core,
        port: str,
        poll_s: float,
        heard: Heard,
        swept: Callable[[Polling], None],
        returned: Callable[[MeterState], None],
    ):
        self._core, self.port, self._poll_s = core, port, poll_s
        self._heard, self._swept, self._returned = heard, swept, returned
        self._plan: deque[tuple[str, str, int]] = deque()
        self._outstanding = 0
        self._asking: Counter[str] = Counter()
        self._missed: set[str] = set()  # in this round
        self._started: float | None = None
        self._open = False
        self._answered: set[str] = set()
        self.round_s: float | None = None
        self.round_at: datetime | None = None
        self.read_last_round = 0
        self.rounds = 0
        self.asked = 0
        self.failed = 0
        self._closed_mono: float | None = None

    def meters(self) -> list[MeterState]:
        return [meter for meter in self._core.state.meters.values() if meter.row["port"] == self.port]

    def feed(self) -> None:
        """Keep one exchange waiting at the port, so that it never stands idle and nothing urgent waits long."""
        if self._core.ports[self.port].state == "closed":
            self._shut()
            return
        if self._closed_mono is not None:
            self._closed_mono = self._started = None  # It is back: its meters are asked at once.
        while self._outstanding < 2 and self._core.ports[self.port].waiting() < 2:
            if not self._plan and not self._begin_round():
                return
            if (question := self._next()) is None:
                return
            self._ask(*question)

    def _next(self) -> tuple[str, str, int] | None:
        """The next question of the round. A meter that may be silent is not asked a second one before it answered."""
        for place, (id, _, _) in enumerate(self._plan):
            live = self._core.lives[id]
            if id not in self._asking or (live.online and not live.missed):
                question = self._plan[place]
                del self._plan[place]
                return question
        return None

    def _shut(self) -> None:
        """Without its adapter nobody on a line can answer. The port tells why, once; the meters only go off line."""
        now = self._core.clock.monotonic()
        if self._closed_mono is None:
            self._closed_mono, self._open = now, False  # The round that was begun is none.
        self._plan.clear()
        if now - self._closed_mono < CLOSED_S:
            return
        self.read_last_round = 0
        for meter in self.meters():
            live = self._core.lives[meter.id]
            live.skip_rounds = 0
            self._off_line(meter, live)

    def _off_line(self, meter: MeterState, live: Live) -> bool:
        """Note that a meter does not answer. True when that is new."""
        if live.online is False:
            return False
        live.online, live.online_since = False, self._core.now()
        self._core.changed("availability", meter.id)
        return True

    def _begin_round(self) -> bool:
        if self._outstanding:
            return False
        now = self._core.clock.monotonic()
        if self._open:
            self._end_round(now)
        if self._started is not None and now < self._started + max(self._poll_s, SHORTEST_ROUND_S):
            return False
        self._started, self._open, self._answered, self._missed = now, True, set(), set()
        for meter in self.meters():
            self._plan_meter(meter, self._core.lives[meter.id], now)
        return bool(self._plan)

    def _end_round(self, now: float) -> None:
        assert self._started is not None
        self.round_s, self.round_at = now - self._started, self._core.now()
        self.read_last_round, self._open = len(self._answered), False
        self.rounds += 1
        self._swept(self)

    def _plan_meter(self, meter: MeterState, live: Live, now: float) -> None:
        if live.skip_rounds > 0:
            live.skip_rounds -= 1
            return
        for every, seconds in EVERY_S.items():
            for name in live.model.names(every):
                if now - live.asked_mono.get(name, -1e9) >= seconds:
                    self._plan.append((meter.id, name, 0))

    def _ask(self, id: str, name: str, tries: int) -> None:
        core, meter = self._core, self._core.state.meters[id]
        frame = core.question(meter, name)
        self._outstanding += 1
        self._asking[id] += 1
        core.submit(meter, ROUTINE, name, frame, lambda reply: self._reply(meter, name, tries, reply))

    def _reply(self, meter: MeterState, name: str, tries: int, reply: Reply) -> None:
        self._outstanding -= 1
        self._asking[meter.id] -= 1
        self._asking += Counter()  # Without those that are at zero.
        self.asked += 1
        live = self._core.lives[meter.id]
        if reply.raw is None:
            self.failed += 1
            if reply.error == "noise" and tries < RETRIES:
                self._plan.appendleft((meter.id, name, tries + 1))
            else:
                self._miss(meter, live, reply.error or "silent")
            return
        live.asked_mono[name] = reply.ended
        if not self.take(meter, name, reply) and name not in live.lacks:
            self.failed += 1

    def take(self, meter: MeterState, name: str, reply: Reply) -> bool:
        """Read a reply's values and pass them on. False when the meter refused or the contents are unusable."""
        live = self._core.lives[meter.id]
        try:
            values = live.model.values(name, reply.parts, self._core.terms.zone)
        except CodecError as trouble:
            if name not in live.lacks:
                log.info("meter %s, %s: %s", meter.id, name, trouble)
            if isinstance(trouble, Refused) and live.model.rows[name].optional:
                live.lacks.add(name)
                live.asked_mono[name] = reply.ended + REFUSED_S
            return False
        self._answered.add(meter.id)
        self.seen(meter, live)
        self._heard(meter, name, values, reply)
        return True

    def seen(self, meter: MeterState, live: Live) -> None:
        """A meter answered."""
        live.missed = live.skip_rounds = 0
        if live.online is not True:
            live.online, live.online_since = True, self._core.now()
            self._returned(meter)
            self._core.changed("availability", meter.id)

    def _miss(self, meter: MeterState, live: Live, error: str) -> None:
        self._plan = deque(each for each in self._plan if each[0] != meter.id)
        if error == "closed":
            return  # It was not asked at all.
        if meter.id in self._missed:
            return  # A second question was on its way already; it is one missed round.
        self._missed.add(meter.id)
        live.missed += 1
        if live.missed < MISSED_ROUNDS:
            return
        live.skip_rounds = SKIPPED_ROUNDS
        if self._off_line(meter, live):
            log.warning("meter %s on %s does not answer (%s)", meter.id, self.port, error)
