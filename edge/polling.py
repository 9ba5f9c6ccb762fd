"""Round after round over a port's meters: what changes fast often, what changes slowly seldom, the silent ones rarely.

A round asks each meter its `round` questions; slow and hourly ones join when they are due. The first silence
ends a meter's turn, so a silent meter costs one time-out a round; after three missed rounds it leaves the rounds and is
probed now and then, one meter at a time, so that the healthy ones do not wait for the dead.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from edge.answers import Answers, Heard
from edge.codec.errors import Refused
from edge.core import Core
from edge.line.quiet import LATE_S
from edge.line.request import ROUTINE, Reply
from edge.live import MISSED_ROUNDS, Live
from edge.model import Question
from edge.state import MeterState

log = logging.getLogger("riser.polling")

EVERY_S = {"round": 0.0, "slow": 60.0, "minutes": 300.0, "hourly": 600.0}
"""Line seconds between two askings of the same question."""

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

APART_S = 3600.0
"""A meter that refused rows asked together is asked for each alone for so long."""


@dataclass(frozen=True)
class Planned:
    """Rows of a meter that are asked with one request, and how often that was tried."""

    meter: str
    names: tuple[str, ...]
    tries: int = 0


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
        self._answers, self._swept = Answers(core, heard, returned), swept
        self._plan: deque[Planned] = deque()
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
            if (planned := self._next()) is None:
                return
            self._ask(planned)

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
        self._ask(Planned(meter.id, (live.model.names("round")[0],), RETRIES))

    def _next(self) -> Planned | None:
        """The next question of the round. A second one to a meter waits at the port only while it answers, and who did
        not answer is not asked while its late answer could be taken for another's."""
        now = self._core.clock.monotonic()
        rest_s = LATE_S if self._core.ports[self.port].line.protocol == "modbus-rtu" else 0.0
        for place, planned in enumerate(self._plan):
            id, live = planned.meter, self._core.lives[planned.meter]
            if live.missed and now < live.missed_mono + rest_s:
                continue
            if self._asking[id] < (2 if live.online and not live.missed and not rest_s else 1):
                del self._plan[place]
                return planned
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
        due = [
            name
            for every, seconds in EVERY_S.items()
            for name in live.model.names(every)
            if now - live.asked_mono.get(name, -1e9) >= seconds
        ]
        if now < live.apart_until:
            self._plan += [Planned(meter.id, (name,)) for name in due]
        else:
            baud = self._core.ports[self.port].line.baud
            self._plan += [Planned(meter.id, each.names) for each in live.model.plan(due, baud)]

    def _ask(self, planned: Planned) -> None:
        core, meter, live = self._core, self._core.state.meters[planned.meter], self._core.lives[planned.meter]
        self._outstanding += 1
        self._asking[meter.id] += 1
        (question,) = live.model.plan(planned.names, core.ports[self.port].line.baud)
        frame = core.question_frame(meter, question)
        patient = live.missed > 0 and live.probes % PATIENT_PROBE == 0
        core.submit(
            meter, ROUTINE, "+".join(planned.names), frame,
            lambda reply: self._reply(planned, question, reply), learned_wait=not patient,
        )  # fmt: skip

    def _reply(self, planned: Planned, question: Question, reply: Reply) -> None:
        self._outstanding -= 1
        self._asking[planned.meter] -= 1
        self._asking += Counter()  # Without those that are at zero.
        self.asked += 1
        meter, live = self._core.state.meters[planned.meter], self._core.lives[planned.meter]
        if reply.raw is None:
            self.failed += 1
            if reply.error in ("noise", "unfinished") and planned.tries < RETRIES:
                self._plan.appendleft(replace(planned, tries=planned.tries + 1))
            else:
                live.missed_mono = reply.ended
                self._miss(meter, live, reply.error or "silent")
            return
        found = question.values(reply.parts, self._core.terms.zone)
        if len(found) > 1 and any(isinstance(each, Refused) for each in found.values()):
            live.apart_until = reply.ended + APART_S  # One register that it does not have spoils them all.
            self._plan.extendleft(Planned(meter.id, (name,)) for name in reversed(planned.names))
            return
        for name, values in found.items():
            live.asked_mono[name] = reply.ended
            if self._answers.row(meter, name, values, reply):
                self._answered.add(meter.id)
            elif name not in live.lacks:
                self.failed += 1

    def take(self, meter: MeterState, name: str, reply: Reply) -> bool:
        """Read the values of a row that somebody else asked for, and pass them on. False where there are none."""
        taken = self._answers.take(meter, name, reply)
        if taken:
            self._answered.add(meter.id)
        return taken

    def _miss(self, meter: MeterState, live: Live, error: str) -> None:
        self._plan = deque(each for each in self._plan if each.meter != meter.id)
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
