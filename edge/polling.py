"""Round after round over a port's meters: what changes fast often, what changes slowly seldom, the silent ones rarely.

A round asks each meter its `round` questions; slow and hourly ones join when they are due. The first silence
ends a meter's turn, so a silent meter costs one time-out a round; after three missed rounds it leaves the rounds and is
probed now and then (`probing.py`).
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from edge.answers import Answers, Heard
from edge.codec.errors import Refused
from edge.core import NOT_ASKED, Core
from edge.due import APART_S, Planned, apart, due
from edge.line.quiet import LATE_S
from edge.line.request import ROUTINE, Reply
from edge.live import MISSED_ROUNDS, Live
from edge.probing import PATIENT_PROBE, Probing
from edge.state import MeterState

log = logging.getLogger("riser.polling")

RETRIES = 2
"""A damaged answer is asked for again at once, so often."""

DEPTH = 4
"""Questions that wait at a port, so that its line goes on while the loop is busy. Urgent ones go before them."""

CLOSED_S = 2.0
"""A port that stays closed so long takes its meters off line; an adapter that only blinked does not."""

SHORTEST_ROUND_S = 0.05
"""A port without meters, or with silent ones only, does not spin."""


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
        self._asking: Counter[str] = Counter()  # by address: the circuits of a box have one voice
        self._missed: set[str] = set()  # in this round
        self._rests: dict[str, float] = {}  # address, and the second until which its late answer may still come
        self._started: float | None = None
        self._open = False
        self._answered: set[str] = set()
        self.round_s: float | None = None
        self.round_at: datetime | None = None
        self.read_last_round = 0
        self.rounds = 0
        self.asked = 0
        self.failed = 0
        self.closed: tuple[float, datetime] | None = None
        self._probing = Probing(core)

    def meters(self) -> list[MeterState]:
        return [meter for meter in self._core.state.meters.values() if meter.row["port"] == self.port]

    def feed(self) -> None:
        """Keep a few questions waiting at the port, so that its line never stands idle; urgent ones go before them."""
        port = self._core.ports[self.port]
        if port.state == "closed":
            self._shut()
            return
        if self.closed is not None:
            self.closed = self._started = None  # It is back: its meters are asked at once.
        while self._outstanding < DEPTH and port.waiting() < DEPTH:
            if self._open and not self._plan and not self._outstanding:
                self._end_round()
            idle = not self._open and not self._round_is_due()
            given = self.asked + self._outstanding
            if (silent := self._probing.turn(given, bool(self._plan), idle, self._asking)) is not None:
                self._probe(silent)
                continue
            if not self._plan and not self._begin_round():
                return
            if (planned := self._next()) is None:
                return
            self._ask(planned)

    def _probe(self, meter: MeterState) -> None:
        live = self._core.lives[meter.id]
        self._probing.begun(meter, self._together(meter), self.asked + self._outstanding)
        (probe,) = apart(meter.id, live, live.model.names("round")[:1])
        self._ask(replace(probe, tries=RETRIES))

    def _next(self) -> Planned | None:
        """The next question of the round. A second one to a meter waits at the port only while it answers, and who did
        not answer is not asked while its late answer could be taken for another's."""
        now, modbus = self._core.clock.monotonic(), self._is_modbus()
        for place, planned in enumerate(self._plan):
            live, address = self._core.lives[planned.meter], self._core.state.meters[planned.meter].row["address"]
            if now < self._rests.get(address, -1e9):
                continue
            if self._asking[address] < (2 if live.online and not live.missed and not modbus else 1):
                del self._plan[place]
                return planned
        return None

    def _is_modbus(self) -> bool:
        return self._core.ports[self.port].line.protocol == "modbus-rtu"

    def _shut(self) -> None:
        """Without its adapter nobody on a line can answer. The port tells why, once; the meters only go off line."""
        now = self._core.clock.monotonic()
        if self.closed is None:
            self.closed, self._open = (now, self._core.now()), False  # The round that was begun is none.
        self._plan.clear()
        if now - self.closed[0] < CLOSED_S:
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
        live.online, live.online_since, live.off_mono = False, self._core.now(), self._core.clock.monotonic()
        self._core.changed("availability", meter.id)
        return True

    def _begin_round(self) -> bool:
        if self._outstanding or not self._round_is_due():
            return False
        now = self._core.clock.monotonic()
        self._started, self._open, self._answered, self._missed = now, True, set(), set()
        self._probing.round_begun()
        baud = self._core.ports[self.port].line.baud
        for meter in self.meters():
            if not self._probing.is_away(meter.id):
                self._plan += due(meter.id, self._core.lives[meter.id], baud, now)
        return bool(self._plan)

    def _round_is_due(self) -> bool:
        pause_s = max(self._poll_s, SHORTEST_ROUND_S)
        return self._started is None or self._core.clock.monotonic() >= self._started + pause_s

    def _end_round(self) -> None:
        assert self._started is not None
        self.round_s, self.round_at = self._core.clock.monotonic() - self._started, self._core.now()
        self.read_last_round, self._open = len(self._answered), False
        self.rounds += 1
        self._swept(self)

    def _ask(self, planned: Planned) -> None:
        core, meter, live = self._core, self._core.state.meters[planned.meter], self._core.lives[planned.meter]
        self._outstanding += 1
        address = meter.row["address"]
        self._asking[address] += 1
        frame = core.question_frame(meter, planned.question)
        patient = live.missed > 0 and live.probes % PATIENT_PROBE == 0
        core.submit(
            meter, ROUTINE, "+".join(planned.question.names), frame,
            lambda reply: self._reply(planned, address, reply), learned_wait=not patient,
        )  # fmt: skip

    def _reply(self, planned: Planned, address: str, reply: Reply) -> None:
        self._outstanding -= 1
        meter, live = self._core.state.meters[planned.meter], self._core.lives[planned.meter]
        self._asking[address] -= 1
        if not self._asking[address]:
            del self._asking[address]  # Those that stand here are busy.
        self._probing.over(planned.meter)
        self.asked += 1
        if reply.raw is None:
            self.failed += 1
            if self._is_modbus() and reply.error not in NOT_ASKED and not reply.spoken:
                self._rests[address] = reply.ended + LATE_S
            if reply.error == "withdrawn":
                pass  # The meter was replaced meanwhile: that is no silence of the new one.
            elif reply.error in ("noise", "unfinished") and planned.tries < RETRIES:
                self._plan.appendleft(replace(planned, tries=planned.tries + 1))
            else:
                self._miss(meter, reply.error or "silent")
            return
        if live.missed:
            self._return(meter)
        found = planned.question.values(reply.parts, self._core.terms.zone)
        if len(found) > 1 and any(isinstance(each, Refused) for each in found.values()):
            live.apart_until = reply.ended + APART_S  # One register that it does not have spoils them all.
            self._plan.extendleft(reversed(apart(meter.id, live, found)))
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

    def _together(self, meter: MeterState) -> list[MeterState]:
        """The meters that fall silent together: this one, and the other circuits of its box."""
        return [each for each in self.meters() if each.row["address"] == meter.row["address"]]

    def _return(self, meter: MeterState) -> None:
        """Something answers at this address again: the next round asks every circuit of it."""
        for each in self._together(meter):
            self._core.lives[each.id].missed = 0

    def _miss(self, meter: MeterState, error: str) -> None:
        """An address that did not answer has had its turn in this round, with all its circuits."""
        together = [meter] if error == "closed" else self._together(meter)
        ids = {each.id for each in together}
        self._plan = deque(each for each in self._plan if each.meter not in ids)
        if error == "closed":
            return  # It was not asked at all.
        for each in together:
            if each.id not in self._missed:  # A second question was on its way already; it is one missed round.
                self._missed_round(each, error)

    def _missed_round(self, meter: MeterState, error: str) -> None:
        live = self._core.lives[meter.id]
        self._missed.add(meter.id)
        if live.missed_how != error and live.online is False:
            self._core.changed("availability", meter.id)
        live.missed_how = error
        live.missed += MISSED_ROUNDS if error == "babble" else 1  # Who does not stop spoils the line for the others.
        if live.missed < MISSED_ROUNDS:
            return
        self._probing.left(meter.id)
        if self._off_line(meter, live):
            log.warning("meter %s on %s does not answer (%s)", meter.id, self.port, error)
