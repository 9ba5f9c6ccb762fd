"""What the archive tells: entries of the book and readings, read and never written.

The archive is a copy: it may be a moment behind the mirror, and it may be empty. Nothing here is computed that the
edge computed already; bodies are given as they stand in the book. Where it cannot be read, there is nothing to tell and
that is said: whoever comes to pay must not be sent away because a copy is damaged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, or_, select
from sqlalchemy.exc import SQLAlchemyError

from bridge.archive.tables import ENTRY, READING, WATER
from bridge.contract.entries import REPLACED
from bridge.contract.units import instant_of_micros, micros_of
from panel.bodies import UNREADABLE, fits
from panel.concerning import Concerning, decided

log = logging.getLogger("riser.panel.history")

PAGE = 20

SAME_US = 1_000
"""Readings are told to the millisecond, and the book keeps microseconds."""

OF_A_METER = (
    "relay/1",
    "hold/1",
    "trip/1",
    "withdrawn/1",
    "close/1",
    "alarm/1",
    "quarantine/1",
    "clock-set/1",
    "opening/1",
    "meter/1",
    *REPLACED,
)


THROUGH_TILL = ("topup/1", "reversal/1", "refund/1", "exit/1")
"""Kinds by which money comes in or leaves."""


@dataclass(frozen=True)
class Line:
    """One entry of the book with its body opened."""

    seq: int
    id: str
    at: datetime
    kind: str
    account: str | None
    meter: str | None
    body: dict[str, Any]
    amount_nano: int | None
    """What it adds to the balance of `account`."""
    hash: str = ""
    prev_hash: str = ""
    trusted: bool = True


@dataclass(frozen=True)
class Point:
    """Power at an instant, in W."""

    at: datetime
    power_w: int


def _opened(text: str) -> dict[str, Any] | None:
    """The body of an entry; None where it is not a JSON object."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _line(row: Any) -> Line:
    body = _opened(row.body)
    kind, body = (row.kind, body) if body is not None and fits(row.kind, body) else (UNREADABLE, {})
    at = instant_of_micros(row.at_us)
    told = row.account, row.meter, body, row.amount_nano
    return Line(row.seq, row.id, at, kind, *told, row.hash, row.prev_hash, bool(row.trusted))


class History:
    """Questions to the archive about one gateway."""

    def __init__(self, engine: Engine, gateway: str):
        self._engine, self._gateway = engine, gateway
        self.of_gateway = ENTRY.c.gateway == gateway
        self.missing: Callable[[], None] = lambda: None
        """Called when a question could not be answered."""
        self._complaint = ""

    def ask(self, question: Select[Any]) -> list[Any]:
        """The rows of an answer; none where the archive cannot be read, which is logged once and told by `missing`."""
        try:
            with self._engine.connect() as connection:
                rows = list(connection.execute(question))
        except SQLAlchemyError as error:
            complaint = str(getattr(error, "orig", None) or error).splitlines()[0]
            if complaint != self._complaint:
                self._complaint = complaint
                log.error(
                    "the archive cannot be read: %s; remove it, start again, and it is filled from the book", complaint
                )
            self.missing()
            return []
        return rows

    def lines(self, *where: Any, limit: int | None, newest_first: bool = True) -> list[Line]:
        """Entries by columns of the archive's table."""
        order = ENTRY.c.seq.desc() if newest_first else ENTRY.c.seq
        question = select(ENTRY).where(self.of_gateway, *where).order_by(order).limit(limit)
        return [_line(row) for row in self.ask(question)]

    def of_account(self, tenancy: Concerning, before: int | None = None, limit: int = PAGE) -> list[Line]:
        """Entries that matter to the people of an account, newest first; with `before`, those below that seq."""
        asked = [line.body["proposal"] for line in self.lines(tenancy.proposed(), limit=None) if line.body]
        below = () if before is None else (ENTRY.c.seq < before,)
        return self.lines(or_(tenancy.condition(), decided(asked)), *below, limit=limit)

    def of_meter(self, meter: str, limit: int = 20) -> list[Line]:
        """Relay, hold, alarm and installation entries of a meter, newest first."""
        return self.lines(ENTRY.c.meter == meter, ENTRY.c.kind.in_(OF_A_METER), limit=limit)

    def newest(self, meter: str, *kinds: str) -> Line | None:
        """The newest entry of some kinds about a meter."""
        found = next(iter(self.lines(ENTRY.c.meter == meter, ENTRY.c.kind.in_(kinds), limit=1)), None)
        return found if found is not None and found.kind in kinds else None

    def by_id(self, id: str) -> Line | None:
        """The entry with this id; a request's entry is `panel:<transaction>`."""
        return next(iter(self.lines(ENTRY.c.id == id, limit=1)), None)

    def entry(self, seq: int) -> Line | None:
        """Entry `seq` of the book; None while the archive does not hold it."""
        return next(iter(self.lines(ENTRY.c.seq == seq, limit=1)), None)

    def newest_seq(self) -> int:
        """How far the archive has got; 0 while it is empty."""
        return next((line.seq for line in self.lines(limit=1)), 0)

    def through_till(self, start: datetime, end: datetime) -> list[Line]:
        """All that was taken or paid out from `start` until before `end`, newest first: a drawer is counted against
        it."""
        within = (ENTRY.c.at_us >= micros_of(start), ENTRY.c.at_us < micros_of(end))
        return self.lines(ENTRY.c.kind.in_(THROUGH_TILL), *within, limit=None)

    def of_kinds(self, account: str, meters: Sequence[str], kinds: Sequence[str], limit: int = 500) -> list[Line]:
        """Entries of some kinds about an account or its meters, oldest first; the newest `limit` of them."""
        concerns = or_(ENTRY.c.account == account, ENTRY.c.meter.in_(meters))
        return self.lines(concerns, ENTRY.c.kind.in_(kinds), limit=limit)[::-1]

    def topups_since(self, at: datetime) -> list[Line]:
        """All top-ups since an instant, over all accounts, newest first."""
        return self.lines(ENTRY.c.kind == "topup/1", ENTRY.c.at_us >= micros_of(at), limit=None)

    def closed_days(self, days: int = 3) -> list[dict[str, Any]]:
        """The newest closed days: {date, at, accounts, charges, wh, deferred}, newest first."""
        newest_closings = self.lines(ENTRY.c.kind == "closing/1", limit=days * 400)
        closings = [line for line in newest_closings if line.kind != UNREADABLE]
        found: dict[str, dict[str, Any]] = {}
        for line in closings:
            empty = {"date": line.body["date"], "at": line.at, "accounts": 0, "charges": [], "deferred": 0}
            day = found.setdefault(line.body["date"], empty)
            day["accounts"] += 1
            day["charges"] += line.body.get("charges", [])
            day["deferred"] += len(line.body.get("deferred", []))
        newest = sorted(found.values(), key=lambda day: day["date"], reverse=True)[:days]
        for day in newest:
            ids = day["charges"]
            wh = sum(self._wh_of(ids[start : start + 400]) for start in range(0, len(ids), 400))
            day["charges"], day["wh"] = len(ids), wh
        return newest

    def _wh_of(self, ids: Sequence[str]) -> int:
        """The energy of these charges together."""
        question = select(ENTRY.c.body).where(self.of_gateway, ENTRY.c.id.in_(ids))
        bodies = [_opened(row.body) for row in self.ask(question)]
        return sum(wh for body in bodies if body is not None and type(wh := body.get("wh")) is int)

    def swept(self, meter: str, at: datetime, register: int, unit: str) -> int | None:
        """The number of the sweep in which a meter was read at an instant and stood at a register."""
        table, column = (WATER, WATER.c.volume_l) if unit == "m3" else (READING, READING.c.energy_wh)
        near = micros_of(at) - SAME_US, micros_of(at) + SAME_US
        question = select(table.c.number).where(
            table.c.gateway == self._gateway, table.c.meter == meter, table.c.read_at_us.between(*near),
            column == register,
        )  # fmt: skip
        return next((int(row.number) for row in self.ask(question.order_by(table.c.number).limit(1))), None)

    def power(self, meter: str, start: datetime, end: datetime) -> list[Point]:
        """Power readings of a meter from `start` until before `end`, oldest first."""
        question = (
            select(READING.c.read_at_us, READING.c.power_w)
            .where(
                READING.c.gateway == self._gateway,
                READING.c.meter == meter,
                READING.c.read_at_us >= micros_of(start),
                READING.c.read_at_us < micros_of(end),
                READING.c.power_w.is_not(None),
            )
            .order_by(READING.c.read_at_us)
        )
        return [Point(instant_of_micros(at_us), power_w) for at_us, power_w in self.ask(question)]
