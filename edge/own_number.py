"""After a silence a meter says who it is before what it shows counts (R20-R22): somebody may have hung up another one
there, or given another one its address.

Its reading waits for its own number, which is asked for once and, while it does not come, once more with each reading.
A number that is another's is read twice and told; nothing of that meter counts, for as long as it says so. A number
that never comes keeps a good meter's readings away for a few rounds only: then they count as they do where a model
tells none, R20 and R21 still judge them, and a person is told. Nobody is cut meanwhile (see `evidence.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from edge import gate
from edge.core import NOT_ASKED, Core
from edge.line.request import WATCH, Reply
from edge.live import Live, Sample
from edge.model import Values
from edge.state import MeterState

log = logging.getLogger("riser.readings")

SILENCE_S = 180.0
"""Calendar seconds since the last reading; in less nobody takes a meter down and gives another one its address."""

TRIES = 5
"""Readings that wait for a number that does not come; the next one counts without it."""

WAITS = "after a silence its number is read back first"
NO_NUMBER = "after a silence the meter does not tell its number; its readings count without it"


@dataclass
class Waiting:
    """What is known of a meter whose number is awaited."""

    values: Values
    reply: Reply
    """Its newest reading."""
    asking: bool = False
    failed: int = 0
    said: str | None = None
    """The other number that it said."""
    told: bool = False


class OwnNumber:
    """Asks for numbers after silences, and lets readings wait for them."""

    def __init__(
        self,
        core: Core,
        take: Callable[[MeterState, Reply], bool],
        believe: Callable[[MeterState, Live, Values, Reply], None],
    ):
        """`take` passes an answer with a number on, `believe` a reading that waited for it."""
        self._core, self._take, self._believe = core, take, believe
        self._waiting: dict[str, Waiting] = {}

    def changed(self, meter: str) -> None:
        """It was replaced: what was asked is of no interest for the one that stands there now."""
        self._waiting.pop(meter, None)

    def holds(
        self, meter: MeterState, live: Live, before: Sample | None, sample: Sample, values: Values, reply: Reply
    ) -> bool:
        """Does a reading after a silence wait for the meter's number? `before` is the last that was accepted."""
        if before is None or not _tells(meter, live) or _is_short(before, sample):
            self._over(meter, live)
            return False
        waiting = self._waiting.setdefault(meter.id, Waiting(values, reply))
        waiting.values, waiting.reply = values, reply
        if live.quality != "quarantined" and not waiting.told:
            live.quality, live.quality_why = "unconfirmed", WAITS
        if not waiting.asking:
            self._ask(meter, waiting)
        return True

    def heard(self, meter: MeterState, live: Live, reply: Reply) -> None:
        """It said its number, whoever asked for it."""
        if not live.unnamed or live.serial != meter.serial:
            return
        waiting = self._over(meter, live)
        # What was read longer ago may be of the other one that stood there until now.
        if waiting is not None and 0 <= reply.ended - waiting.reply.ended <= gate.AT_ONCE_S:
            self._believe(meter, live, waiting.values, waiting.reply)

    def _over(self, meter: MeterState, live: Live) -> Waiting | None:
        live.unnamed = False
        return self._waiting.pop(meter.id, None)

    def _ask(self, meter: MeterState, waiting: Waiting) -> None:
        waiting.asking = True
        frame = self._core.question(meter, "serial")
        # What waits may be read again at once, as at a border: the number must not come after all of its tries.
        priority = min(WATCH, waiting.reply.request.priority)
        self._core.submit(meter, priority, "serial", frame, lambda reply: self._answered(meter, waiting, reply))

    def _answered(self, meter: MeterState, waiting: Waiting, reply: Reply) -> None:
        waiting.asking = False
        live = self._core.lives[meter.id]
        said = live.serial if reply.raw is not None and self._take(meter, reply) else None
        if self._waiting.get(meter.id) is not waiting:
            return  # It is the one that was installed, or it was replaced meanwhile.
        if said is not None:
            waiting.failed = 0
            self._another(meter, live, waiting, said)
        elif reply.error not in NOT_ASKED:
            self._failed(meter, live, waiting)

    def _another(self, meter: MeterState, live: Live, waiting: Waiting, said: str) -> None:
        """A sum may be right by chance: only a number that is said twice in a row is told."""
        before, waiting.said = waiting.said, said
        if before != said:
            if before is None:
                self._ask(meter, waiting)
            return
        if live.quality != "quarantined":
            live.quality, live.quality_why = "unconfirmed", f"it says it is {said}, {meter.serial} is meant"
        if not waiting.told:
            self._tell(meter, "another-meter", f"the meter says it is {said}, and {meter.serial} is meant")
            waiting.told = True

    def _failed(self, meter: MeterState, live: Live, waiting: Waiting) -> None:
        """No number came. One that was asked once and refuses is none that tells it."""
        waiting.failed += 1
        if waiting.told:
            return  # Another one stands there, as it said itself.
        if "serial" not in live.lacks:
            if waiting.failed < TRIES:
                return
            self._tell(meter, "no-number", NO_NUMBER)
        self._over(meter, live)
        self._believe(meter, live, waiting.values, waiting.reply)

    def _tell(self, meter: MeterState, alarm: str, text: str) -> None:
        log.warning("meter %s: %s", meter.id, text)
        fields = {"meter": meter.id, "account": meter.account, "alarm": alarm, "text": text}
        self._core.append(("alarm/1", self._core.own_id("alarm"), fields))


def _tells(meter: MeterState, live: Live) -> bool:
    return meter.serial is not None and "serial" in live.model.rows and "serial" not in live.lacks


def _is_short(before: Sample, sample: Sample) -> bool:
    passed_s = gate.span_s(before, sample)
    return passed_s is not None and passed_s <= SILENCE_S
