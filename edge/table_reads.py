"""Meters with registers per rate are asked for their time table, seldom, and it is compared with their price (R28).

Once a day, when the price has changed, and when the meter has changed over to its other set. An outcome that is new is
read a second time before it counts; from where the next charge begins the hours of a meter whose table differs are
told apart by readings at their borders.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from edge.billing.tariff import Version, in_force
from edge.codec import dlt645
from edge.codec.errors import CodecError, Refused
from edge.core import Core, Draft
from edge.line.request import WATCH, Reply
from edge.midnights import LINE_FREE
from edge.pricing import ENERGY
from edge.state import AccountState, MeterState
from edge.table_questions import SETS, STATUS, table_of, wanted
from edge.time_table import Difference, OwnTable, difference

log = logging.getLogger("riser.tables")

PROTOCOL = "dlt645-2007"

AGAIN_S = 3600.0
"""Line seconds between two looks at one meter, also where the calendar runs faster than the line."""

SOON_S = 60.0
"""The same after a change of price, of holidays or of the meter's sets."""

EVERY_S = 2.0
"""Line seconds between two questions on a line: a table has dozens of parts, and nobody waits for it."""

TRIES = 3
"""A question that is not answered is asked so often; then the whole look is put off."""


@dataclass
class Look:
    """One look at a meter's tables: what it has told, by identifier; None where it has no such thing."""

    told: dict[str, bytes | None] = field(default_factory=dict)
    frames: list[list[str]] = field(default_factory=list)
    tries: int = 0
    asked: bool = False
    before: dict[str, bytes | None] | None = None
    """What the look before told, whose outcome this one is to confirm."""


class _Moment:
    """The local day of one tick and the prices in force then, which all meters share."""

    def __init__(self, core: Core):
        self._core, self._now = core, core.now()
        self._versions: dict[str, Version | None] = {}  # by tariff
        self.today = self._now.astimezone(core.terms.zone).date()

    def version(self, account: AccountState) -> Version | None:
        tariff = account.row["tariff"]
        if tariff not in self._versions:
            versions = self._core.pricing.versions(account, ENERGY)
            self._versions[tariff] = in_force(versions, self._now) if versions else None
        return self._versions[tariff]


class TableReads:
    """Asks, compares, writes."""

    def __init__(self, core: Core):
        self._core = core
        self._looks: dict[str, Look] = {}
        self._looked_mono: dict[str, float] = {}
        self._compared: dict[str, Any] = {}
        self._next_mono = -1e9

    def changed(self, meter: str) -> None:
        """What is remembered of it was another meter's."""
        for kept in (self._looks, self._looked_mono, self._compared):
            kept.pop(meter, None)  # type: ignore[attr-defined]

    def tick(self) -> None:
        """Ask one question on each line, of the look that is going on there or of the next meter whose turn it is."""
        core, mono = self._core, self._core.clock.monotonic()
        if not core.book.trusted or mono < self._next_mono:
            return
        self._next_mono = mono + EVERY_S
        for id, look in list(self._looks.items()):
            if not core.lives[id].online:
                del self._looks[id]  # It is asked again in an hour.
            elif not look.asked:
                self._ask(core.state.meters[id], look)
        at = _Moment(core)
        busy = {core.state.meters[id].row["port"] for id in self._looks}
        for meter in core.state.meters.values():
            port = meter.row["port"]
            if port not in busy and self._is_due(meter, mono, at) and core.ports[port].waiting() <= LINE_FREE:
                busy.add(port)
                self._looked_mono[meter.id] = mono
                self._looks[meter.id] = Look()
                self._ask(meter, self._looks[meter.id])

    def _is_due(self, meter: MeterState, mono: float, at: _Moment) -> bool:
        live, account = self._core.lives[meter.id], self._core.state.accounts.get(meter.account or "")
        if account is None or live.model.protocol != PROTOCOL or not live.model.rates or not live.online:
            return False
        version = at.version(account)
        if meter.billed is None or version is None or not version.by_hours:
            return False
        since = mono - self._looked_mono.get(meter.id, -1e9)
        known, basis = self._compared.get(meter.id), self._basis(meter, at)
        otherwise = known is not None and known[1:] != basis[1:]
        return known != basis and since >= (SOON_S if otherwise else AGAIN_S)

    def _basis(self, meter: MeterState, at: _Moment) -> tuple[Any, ...]:
        """What an outcome holds for: this day, this price, these holidays, the sets that the meter has in use."""
        core, version = self._core, at.version(self._core.state.accounts[meter.account or ""])
        assert version is not None  # Nobody without a price is asked.
        word = core.lives[meter.id].word_3
        sets = None if word is None else word & SETS
        return at.today, version.tariff, version.version, core.state.days, sets

    # --- asking ---

    def _ask(self, meter: MeterState, look: Look) -> None:
        try:
            identifier = next(wanted(look.told), None)
        except CodecError:
            identifier = None  # What it told so far is no table; that is an answer too.
        if identifier is None:
            self._whole(meter, look)
            return
        frame = dlt645.read(meter.row["address"], identifier, self._core.preamble(meter))
        sent = self._core.submit(
            meter, WATCH, "time-table", frame, lambda reply: self._answered(meter, look, identifier, reply)
        )
        look.asked = True
        if sent is None:
            del self._looks[meter.id]

    def _answered(self, meter: MeterState, look: Look, identifier: str, reply: Reply) -> None:
        if self._looks.get(meter.id) is not look:
            return  # Given up meanwhile, or another meter stands there now.
        look.asked = False
        if reply.raw is None:
            look.tries += 1
            if look.tries >= TRIES or reply.error == "closed":
                del self._looks[meter.id]  # It is asked again in an hour.
            return
        model = self._core.lives[meter.id].model
        try:
            value = model.contents(reply.parts)
            look.told[identifier] = bytes([value[0] & SETS]) if identifier == STATUS else value
        except Refused:
            look.told[identifier] = None
        except CodecError as trouble:
            log.info("meter %s, %s: %s", meter.id, identifier, trouble)
            del self._looks[meter.id]
            return
        look.frames.append(list(model.kept(reply.request.frame, reply.parts)))

    # --- what follows ---

    def _whole(self, meter: MeterState, look: Look) -> None:
        """Everything was told: compare; what is new is read twice."""
        core, account = self._core, self._core.state.accounts.get(meter.account or "")
        try:
            own = table_of(look.told)
        except CodecError as trouble:
            log.info("meter %s: its time table cannot be read: %s", meter.id, trouble)
            own = None
        if account is None:
            del self._looks[meter.id]
            return
        found = difference(own, core.pricing.versions(account, ENERGY), core.terms.zone, core.state.days, core.now())
        if (found is not None) != meter.table_found and look.before is None:
            self._looks[meter.id] = Look(before=look.told)
            return
        del self._looks[meter.id]
        if look.before is not None and look.before != look.told:
            return  # Two looks that differ say nothing; there is another in an hour.
        self._compared[meter.id] = self._basis(meter, _Moment(core))
        if (found is not None) != meter.table_found:
            self._write(meter, own, found, look)

    def _write(self, meter: MeterState, own: OwnTable | None, found: Difference | None, look: Look) -> None:
        core = self._core
        account = core.state.accounts[meter.account or ""]
        version = in_force(core.pricing.versions(account, ENERGY), core.now())
        day = found.day if found else core.now().astimezone(core.terms.zone).date()
        fields = {
            "meter": meter.id,
            "differs": found is not None,
            "tariff": version.tariff,
            "version": version.version,
            "told": [{"from": a, "to": b, "rate": rate} for a, b, rate in (own.windows_of(day) if own else ())],
            "day": day.isoformat(),
            "frames": look.frames,
        }
        drafts: list[Draft] = [("time-table/1", core.own_id(f"time-table:{meter.id}"), fields)]
        if found is not None or meter.table_found:
            kind, text = ("time-table", sentence(version.name, own, found)) if found else ("time-table-good", GOOD)
            alarm = {"meter": meter.id, "account": account.id, "alarm": kind, "text": text}
            drafts.append(("alarm/1", f"alarm:{core.book.seq + 2}", alarm))
            log.warning("meter %s: %s", meter.id, text)
        core.append(*drafts)
        core.changed("meter", meter.id)


GOOD = "its own time table is that of its price again: its registers per rate are charged from the next charge on (R28)"


def sentence(price: str, own: OwnTable | None, found: Difference) -> str:
    """What differs, and what to do."""
    if own is None:
        return (
            "it does not tell its own time table, so that is not known to be the price's: from the next charge on its "
            "hours are told apart by readings at their borders (R28)"
        )
    day, minute = found.day, f"{found.minute // 60:02d}:{found.minute % 60:02d}"
    return (
        f"its own time table is not that of the price {price}: on {day} at {minute} it counts {found.own or 'nothing'} "
        f"and the price has {found.price}; from the next charge on its hours are told apart by readings at their "
        "borders (R28). Set the meter's time table, or correct the price"
    )
