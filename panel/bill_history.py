"""What of the archive belongs to one entry: where its meter's register came from, the versions of its price, the entry
before it; and all that a month of an account is made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from bridge.archive.tables import ENTRY
from bridge.contract.entries import PRICED, TARIFFS
from bridge.contract.units import micros_of
from panel.concerning import given_to, says
from panel.history import History, Line

HOLDS_REGISTER = (*PRICED, "opening/1", "replacement/1", "ratio/1")
"""Kinds after which a meter is charged from a certain register on."""


def holder_of(history: History, line: Line) -> Line | None:
    """The entry that holds the register from which a charge starts; None while the archive does not have it."""
    before = (ENTRY.c.meter == line.meter, ENTRY.c.kind.in_(HOLDS_REGISTER), ENTRY.c.seq < line.seq)
    return next(iter(history.lines(*before, limit=1)), None)


def versions_of(history: History, tariff: str, versions: Iterable[int]) -> list[Line]:
    """The entries of these versions of a price, by version; those that the archive does not have are left out."""
    wanted = set(versions)
    lines = history.lines(ENTRY.c.kind.in_(TARIFFS), says(tariff=tariff), limit=None, newest_first=False)
    return [line for line in lines if line.body.get("tariff") == tariff and line.body["version"] in wanted]


def tenancy_entry(history: History, account: str) -> Line | None:
    """The newest word of the book on who has an account."""
    return next(iter(history.lines(ENTRY.c.account == account, ENTRY.c.kind == "account/1", limit=1)), None)


def balance_before(history: History, account: str, at: datetime) -> int:
    """What all that was written before an instant came to, in nano-yuan."""
    total = select(func.coalesce(func.sum(ENTRY.c.amount_nano), 0)).where(
        history.of_gateway, ENTRY.c.account == account, ENTRY.c.at_us < micros_of(at)
    )
    return int(next(iter(history.ask(total)), (0,))[0])


def about(history: History, account: str, meters: Iterable[str], since: datetime) -> list[Line]:
    """What a statement is made of from an instant on, oldest first: the account's own entries, what was moved to it,
    its meters' openings."""
    own = or_(ENTRY.c.account == account, given_to(account))
    openings = and_(ENTRY.c.kind == "opening/1", ENTRY.c.meter.in_(list(meters)))
    return history.lines(or_(own, openings), ENTRY.c.at_us >= micros_of(since), limit=None, newest_first=False)


def given_before(history: History, account: str, at: datetime) -> list[Line]:
    """What was moved to an account from others before an instant."""
    return history.lines(given_to(account), ENTRY.c.at_us < micros_of(at), limit=None)


def exit_before(history: History, account: str, at: datetime) -> Line | None:
    """The end of a tenancy, where that was before an instant."""
    own = (ENTRY.c.account == account, ENTRY.c.kind == "exit/1", ENTRY.c.at_us < micros_of(at))
    return next(iter(history.lines(*own, limit=1)), None)


def register_before(history: History, account: str, meter: str, at: datetime, exit: Line | None) -> Line | None:
    """The newest entry before an instant that says where the register of an account's meter stood; after the account's
    exit the meter is somebody else's."""
    own = and_(ENTRY.c.account == account, ENTRY.c.kind.in_(PRICED))
    held = [ENTRY.c.meter == meter, or_(own, ENTRY.c.kind == "opening/1"), ENTRY.c.at_us < micros_of(at)]
    held += [ENTRY.c.seq <= exit.seq] if exit is not None else []
    return next(iter(history.lines(*held, limit=1)), None)


def first_entry(history: History, account: str) -> datetime | None:
    """When the first entry of an account was written."""
    first = history.lines(ENTRY.c.account == account, limit=1, newest_first=False)
    return first[0].at if first else None


def reach(history: History) -> tuple[int, int, str]:
    """(how many entries the archive has, the newest number, its hash): equal numbers mean that none is missing."""
    count = select(func.count(), func.coalesce(func.max(ENTRY.c.seq), 0)).where(history.of_gateway)
    number, newest = next(iter(history.ask(count)), (0, 0))
    last = history.entry(int(newest)) if newest else None
    return int(number), int(newest), last.hash if last else ""
