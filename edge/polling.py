"""Round after round over a port's meters: what changes fast often, what changes slowly seldom, the silent ones rarely.

A round asks each meter its `round` questions; slow and hourly ones join when they are due. The first silence
ends a meter's turn, so a silent meter costs one time-out a round; after three missed rounds it leaves the rounds and is
probed now and then, one meter at a time, so that the healthy ones do not wait for the dead.
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

PROBE_S, PROBE_APART = 45.0, 8
"""An off-line meter is probed this often in line seconds, and at least so many questions apart from another probe."""

PATIENT_PROBE = 4
"""Every fourth probe waits as long as the model allows; the others no longer than this meter used to need."""

DEPTH = 4
"""Questions that wait at a port, so that its line goes on while the loop is busy. Urgent ones go before them."""

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
        self._probed_at = -PROBE_APART  # count of questions at the newest probe

    def meters(self) -> list[MeterState]:
        return [meter for meter in self._core.state.meters.values() if meter.row["port"] == self.port]

    def feed(self) -> None:
        """Keep one exchange waiting at the port, so that it never stands idle and nothing urgent waits long."""
        if self._core.ports[self.port].state == "closed":
            self._shut()
            return
        if self._closed_mono is not None:
            self._closed_mono = self._started = None  # It is back: its meters are asked at once.
        while self._outstanding < DEPTH and self._core.ports[self.port].waiting() < DEPTH:
            if (silent := self._to_probe()) is not None:
                self._probe(silent)
                continue
            if not self._plan and not self._begin_round():
                return
            if (question := self._next()) is None:
                return
            self._ask(*question)

    def _to_probe(self) -> MeterState | None:
        """The off-line meter whose turn it is, or None."""
        if self.asked + self._outstanding < self._probed_at + PROBE_APART and self._plan:
            return None
        now, lives = self._core.clock.monotonic(), self._core.lives
        away = [meter for meter in self.meters() if self._is_away(meter) and meter.id not in self._asking]
        first = min(away, key=lambda meter: lives[meter.id].probed_mono, default=None)
        return first if first is not None and now - lives[first.id].probed_mono >= PROBE_S else None

    def _is_away(self, meter: MeterState) -> bool:
        """Out of the rounds, because it missed too many."""
        return self._core.lives[meter.id].missed >= MISSED_ROUNDS

    def _probe(self, meter: MeterState) -> None:
        live = self._core.lives[meter.id]
        live.probed_mono, self._probed_at = self._core.clock.monotonic(), self.asked + self._outstanding
        live.probes += 1
        self._ask(meter.id, live.model.names("round")[0], RETRIES)

    def _next(self) -> tuple[str, str, int] | None:
        """The next question of the round. A second one to a meter waits at the port only while it answers."""
        for place, (id, _, _) in enumerate(self._plan):
            live = self._core.lives[id]
            if self._asking[id] < (2 if live.online and not live.missed else 1):
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
            live.missed = 0  # When its adapter is back it is asked at once.
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
        if self._is_away(meter):
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
        live = core.lives[id]
        patient = live.missed > 0 and live.probes % PATIENT_PROBE == 0
        core.submit(
            meter, ROUTINE, name, frame, lambda reply: self._reply(meter, name, tries, reply), learned_wait=not patient
        )

    def _reply(self, meter: MeterState, name: str, tries: int, reply: Reply) -> None:
        self._outstanding -= 1
        self._asking[meter.id] -= 1
        self._asking += Counter()  # Without those that are at zero.
        self.asked += 1
        live = self._core.lives[meter.id]
        if reply.raw is None:
            self.failed += 1
            if reply.error in ("noise", "unfinished") and tries < RETRIES:
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
        assert reply.raw is not None
        try:
            values = live.model.values(name, reply.raw, self._core.terms.zone)
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
        live.missed = live.probes = 0
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
        live.missed_how = error
        live.missed += MISSED_ROUNDS if error == "babble" else 1  # Who does not stop spoils the line for the others.
        if live.missed < MISSED_ROUNDS:
            return
        live.probed_mono = self._core.clock.monotonic()
        if self._off_line(meter, live):
            log.warning("meter %s on %s does not answer (%s)", meter.id, self.port, error)
