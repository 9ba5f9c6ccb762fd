"""A midnight from a meter's load record: the total it stored at that minute, read twice (R24).

    06040001   DI 4, N blocks 1, mm hh DD MM YY        one record of class 4 (energies) from that time on

A record holds no registers per rate, so it serves prices that need none. It must be of that very minute, whole, and its
own sum right; a meter answers with the next record where it has none of then, and that is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from bridge.contract.units import instant_exact, instant_text
from edge.billing.tariff import local_midnight
from edge.codec import dlt645
from edge.codec.errors import CodecError
from edge.core import NOT_ASKED, Core
from edge.line.request import BORDER, Reply
from edge.live import registers_of
from edge.model import Model, Values
from edge.state import MeterState

log = logging.getLogger("riser.closing")

ROW = "load-energy"
SOURCE = "load-record"
PROTOCOL = "dlt645-2007"

TRIES = 3
"""A meter that does not answer is asked so often; then the midnight is sought elsewhere."""

BEGIN, END = b"\xa0\xa0", 0xE5

Key = tuple[str, date]


class LoadRecord:
    """Asks for records of midnights and keeps them until they are charged."""

    def __init__(self, core: Core):
        self._core = core
        self._found: dict[Key, dict[str, Any] | None] = {}
        self._tries: dict[Key, int] = {}
        self._asking: set[Key] = set()

    def changed(self, meter: str) -> None:
        """What is remembered of it was another meter's."""
        for kept in (self._found, self._tries):
            for key in [key for key in kept if key[0] == meter]:  # type: ignore[attr-defined]
                del kept[key]  # type: ignore[attr-defined]
        self._asking = {key for key in self._asking if key[0] != meter}

    def want(self, meter: MeterState, midnight: date) -> bool:
        """Ask, if the meter may have it. False when there is nothing more to wait for."""
        live, key = self._core.lives[meter.id], (meter.id, midnight)
        if ROW not in live.model.rows or live.model.protocol != PROTOCOL or ROW in live.lacks or key in self._found:
            return False
        if not live.is_itself or self._tries.get(key, 0) >= TRIES:
            return False
        if key not in self._asking:
            self._tries[key] = self._tries.get(key, 0) + 1
            self._asking.add(key)
            self._ask(meter, key, self._first)
        return True

    def mark(self, meter: str, midnight: date) -> dict[str, Any] | None:
        """The end of a charge, or None where the meter gave no such record."""
        return self._found.get((meter, midnight))

    def forget(self, meter: str, midnight: date) -> None:
        """It is charged."""
        self._found.pop((meter, midnight), None)
        self._tries.pop((meter, midnight), None)

    def _ask(self, meter: MeterState, key: Key, then: Callable[[MeterState, Key, Reply], None]) -> None:
        wanted = local_midnight(key[1], self._core.terms.zone)
        di = self._core.lives[meter.id].model.rows[ROW].di
        assert di is not None
        local = wanted.astimezone(self._core.terms.zone)
        frame = dlt645.read_records(meter.row["address"], di, 1, local, self._core.preamble(meter))
        if self._core.submit(meter, BORDER, ROW, frame, lambda reply: then(meter, key, reply)) is None:
            self._asking.discard(key)

    def _first(self, meter: MeterState, key: Key, reply: Reply) -> None:
        if self._values(meter, key, reply) is None:
            self._asking.discard(key)
            return
        self._ask(meter, key, lambda meter, key, again: self._second(meter, key, reply, again))

    def _second(self, meter: MeterState, key: Key, first: Reply, reply: Reply) -> None:
        """Both are the same: it goes on a bill."""
        self._asking.discard(key)
        values = self._values(meter, key, reply)
        if values is None or values != self._values(meter, key, first) or not self._core.lives[meter.id].is_itself:
            return
        model, midnight = self._core.lives[meter.id].model, local_midnight(key[1], self._core.terms.zone)
        if values["freeze"] != midnight:
            self._found[key] = None
            log.info("meter %s has no load record of midnight of %s", meter.id, key[1])
            return
        self._found[key] = {
            "registers_wh": registers_of(values),
            "at": instant_exact(midnight),
            "read_at": instant_text(reply.at),
            "source": SOURCE,
            "frames": [list(model.kept(each.request.frame, each.parts)) for each in (first, reply)],
        }

    def _values(self, meter: MeterState, key: Key, reply: Reply) -> dict[str, Any] | None:
        """What a record says; None where there is none, and it is asked for again unless the meter refused it."""
        if reply.raw is None:
            if reply.error in NOT_ASKED:
                self._tries[key] -= 1
            return None
        model = self._core.lives[meter.id].model
        try:
            return record(model, reply.parts, self._core.terms.zone)
        except CodecError as trouble:
            log.info("meter %s, %s: %s", meter.id, ROW, trouble)
            self._found[key] = None
            return None


def record(model: Model, parts: Sequence[bytes], zone: tzinfo) -> Values | None:
    """What one answer says of a record: its minute and its total; None for one that is not whole. Raises CodecError."""
    raw = model.contents(parts)
    values = model.read(model.rows[ROW], raw, zone)
    right = raw[:2] == BEGIN and raw[-1] == END and raw[-2] == sum(raw[:-2]) & 0xFF
    return values if right and isinstance(values.get("freeze"), datetime) and "energy_wh" in values else None
