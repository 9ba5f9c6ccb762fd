"""The register from which a tenant is charged (R19): read twice, under a number that was read twice, and not before
the tenancy began. What the meter counted since the last tenancy ended stands beside it and is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.contract.units import exact_of_micros, instant_exact, instant_of
from edge.core import Core
from edge.line.request import PERSON, Reply
from edge.live import Live, Sample
from edge.state import MeterState

WITNESSES_WITHIN_S = 600.0
"""Line seconds after a start that an opening waits for a meter that knows the day, while the calendar does not."""


class FirstRegisters:
    """Opens meters."""

    def __init__(self, core: Core, take: Callable[[MeterState, str, Reply], bool]):
        self._core, self._take = core, take
        self._known_by = core.clock.monotonic() + WITNESSES_WITHIN_S

    def open(self, meter: MeterState, live: Live, sample: Sample) -> None:
        """Two reads agree, so this is the register from which the meter is charged."""
        if not sample.believed and self._core.true_now() is None and self._core.clock.monotonic() < self._known_by:
            return  # The next reading opens it; by then a meter's clock has told the day.
        if self._of_before(meter, sample):
            return
        if "serial" in live.model.rows.keys() - live.lacks and not live.serial_proven:
            frame = self._core.question(meter, "serial")
            self._core.submit(meter, PERSON, "serial", frame, lambda reply: self._named(meter, live, reply))
            return
        self._write(meter, live, sample)

    def _of_before(self, meter: MeterState, sample: Sample) -> bool:
        """It was on its way when the tenant moved in: what was used until then is not theirs."""
        account = self._core.state.accounts.get(meter.account or "")
        if account is None or not (sample.believed and account.since_believed):
            return False
        return sample.read_at < instant_of(account.row["since"])

    def _named(self, meter: MeterState, live: Live, reply: Reply) -> None:
        """The number a meter is opened under is read twice: it decides later whether a trip may leave (failure 27)."""
        if reply.raw is not None and self._take(meter, "serial", reply):
            first, frame = live.serial, self._core.question(meter, "serial")
            self._core.submit(meter, PERSON, "serial", frame, lambda again: self._opened(meter, live, first, again))

    def _opened(self, meter: MeterState, live: Live, first: str | None, reply: Reply) -> None:
        if reply.raw is None or not self._take(meter, "serial", reply) or live.serial != first:
            return  # Asked again with the next reading.
        live.serial_proven = True
        if live.sample and meter.billed is None and not self._of_before(meter, live.sample):
            self._write(meter, live, live.sample)

    def _write(self, meter: MeterState, live: Live, sample: Sample) -> None:
        if meter.serial is not None and live.serial is not None and live.serial != meter.serial:
            live.quality, live.quality_why = "unconfirmed", f"it says it is {live.serial}, {meter.serial} is meant"
            return
        known = None if sample.believed else self._core.true_now()  # Its price is that of the true day, not of 1970.
        fields = {
            "meter": meter.id,
            "serial": live.serial or meter.serial,
            "registers_wh": sample.registers_wh,
            **({"unit": "L"} if live.model.quantity == "volume" else {}),
            **unbilled(meter, sample.registers_wh, live.model.full_scale_wh),
            "at": instant_exact(known or sample.read_at),
            "source": "opening",
            "frames": [list(pair) for pair in sample.frames],
        }
        self._core.append(("opening/1", f"opening:{meter.id}:{self._core.book.seq + 1}", fields))


def unbilled(meter: MeterState, registers: dict[str, int], full_scale_wh: int) -> dict[str, Any]:
    """What an opening says of the time between two tenants; nothing where there was no tenant before, or nobody read
    the meter then."""
    if (before := meter.vacant) is None:
        return {}
    used = (registers["total"] - before.registers_wh["total"]) % full_scale_wh
    told = {"since": exact_of_micros(before.at), "registers_wh": before.registers_wh, "wh": used * meter.multiplier}
    return {"unbilled": told}
