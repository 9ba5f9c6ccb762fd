"""A relay's request is answered twice: it is done once a status says so that was asked for after it, else failed (R7).

What was known before proves nothing: the meter may have been silent since, somebody may have pressed its button, and an
order of before may still move the contact. What waits stands in the book, so a restart forgets nobody who waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bridge.contract.switching import VALVE_IS
from bridge.contract.units import instant_text
from edge.asked import Status
from edge.core import Core
from edge.line.request import PERSON, Reply
from edge.purses import why_open
from edge.relays import Relays
from edge.state import MeterState
from edge.switch_words import not_there_in_time

WITHIN_S = 60.0
"""Line seconds until a trip or close that was not read back is answered as failed; the hold itself stays."""

LOOK_EVERY_S = 5.0
"""Where the newest status says so already, and was asked for too early, it is asked again so often."""


class AnswerById(Protocol):
    """Tells who asked with this entry id what became of it."""

    def __call__(self, id: str, operation: str, status: Status, **more: Any) -> None: ...


@dataclass
class Waiting:
    """A relay request that was accepted and waits to be read back; the entry that it made has its `id`."""

    id: str
    operation: str
    meter: MeterState
    wanted: str
    since: float
    until: float
    look_at: float = 0.0


class ReadBack:
    """Knows the requests that wait."""

    def __init__(self, core: Core, relays: Relays, answer: AnswerById):
        self._core, self._relays, self._answer = core, relays, answer
        self._waiting: list[Waiting] = []
        for id, asked in core.state.unanswered.items():
            self.waits(id, asked.operation, core.state.meters[asked.meter], asked.wanted)

    def waits(self, id: str, operation: str, meter: MeterState, wanted: str) -> None:
        """It was accepted, and the relay is to stand as `wanted`, open or closed."""
        now = self._core.clock.monotonic()
        self._waiting.append(Waiting(id, operation, meter, wanted, now, now + self._within_s(meter)))

    def _within_s(self, meter: MeterState) -> float:
        relay = self._core.lives[meter.id].model.relay
        return WITHIN_S + (relay.settle_s if relay is not None and relay.is_valve else 0.0)

    def settle(self, meter: MeterState) -> None:
        """Answer the requests whose wanted state has now been read back."""
        if not self._waiting:
            return
        live = self._core.lives[meter.id]
        for waiting in [each for each in self._waiting if each.meter is meter]:
            if not self._stands(waiting):
                continue
            if live.seen_doubt is None and live.seen_at is not None and live.seen_began >= self._earliest(waiting):
                is_now = {"observed": waiting.wanted}
                if live.model.relay_is_valve:  # It is never told in a relay's words.
                    is_now = {"valve": VALVE_IS[waiting.wanted]}
                data = {**is_now, "holds": sorted(meter.holds), "read_at": instant_text(live.seen_at)}
                self._done(waiting, {"status": "done", "data": data})
            elif waiting.look_at <= self._core.clock.monotonic():
                self._look(waiting)

    def _stands(self, waiting: Waiting) -> bool:
        if waiting.wanted == "open":
            return self._relays.surely_off(waiting.meter)
        return self._core.lives[waiting.meter.id].relay_open is False

    def _earliest(self, waiting: Waiting) -> float:
        """A status asked for before then may be overtaken by an order that says the opposite and left already."""
        live = self._core.lives[waiting.meter.id]
        left = live.closed_mono if waiting.wanted == "open" else live.tripped_mono
        return max(waiting.since, left + (live.model.relay.settle_s if live.model.relay else 0.0))

    def _look(self, waiting: Waiting) -> None:
        core, meter = self._core, waiting.meter
        relay = core.lives[meter.id].model.relay
        assert relay is not None  # Nobody else is given orders.
        waiting.look_at = core.clock.monotonic() + LOOK_EVERY_S
        frame = core.question(meter, relay.row)
        core.submit(meter, PERSON, relay.row, frame, lambda reply: self._looked(meter, relay.row, reply))

    def _looked(self, meter: MeterState, row: str, reply: Reply) -> None:
        if reply.raw is not None:
            self._relays.commands.take(meter, row, reply)

    def tick(self) -> None:
        """Look again where that is due, and answer the requests that waited too long."""
        now = self._core.clock.monotonic()
        for waiting in list(self._waiting):
            live = self._core.lives[waiting.meter.id]
            if waiting.until >= now:
                self.settle(waiting.meter)
                continue
            error = not_there_in_time(live.model.relay_is_valve, self._within_s(waiting.meter))
            if waiting.wanted == "closed" and self._relays.commands.at_its_button(waiting.meter):
                error = "closing is permitted: press the button on the meter"
            if waiting.wanted == "closed":
                error = why_open(live) or error
            self._done(waiting, {"status": "failed", "rule": "R7", "error": error})

    def _done(self, waiting: Waiting, answer: dict[str, Any]) -> None:
        """Whoever asked hears it also where the disk takes no entry; a later run finds it unanswered, and looks."""
        if self._core.cannot_write is None:
            fields = {
                "request": waiting.id, "meter": waiting.meter.id, "status": answer["status"], "answer": answer,
            }  # fmt: skip
            self._core.append(("done/1", f"{waiting.id}:done", fields))
        self._waiting.remove(waiting)
        self._answer(waiting.id, waiting.operation, **answer)
