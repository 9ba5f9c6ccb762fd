"""What of the archive belongs to one entry: where its meter's register came from, the versions of its price, the entry
before it; and all that a month of an account is made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from bridge.archive.tables import ENTRY
from bridge.contract.entries import PRICED, REPLACED, TARIFFS
from bridge.contract.units import micros_of
from panel.concerning import given_to, says
from panel.history import History, Line

HOLDS_REGISTER = (*PRICED, "opening/1", *REPLACED)
"""Kinds after which a meter is charged from a certain register on."""


def holder_of(history: History, line: Line) -> Line | None:
    """The entry that holds the register from which a charge starts; None while the archive does not have it."""
    before = (ENTRY.c.meter == line.meter, ENTRY.c.kind.in_(HOLDS_REGISTER), ENTRY.c.seq < line.seq)
    return next(iter(history.lines(*before, limit=1)), None)


def newest_register(history: History, meter: str) -> Line | None:
    """The entry that holds the register from which a meter is charged next."""
    held = (ENTRY.c.meter == meter, ENTRY.c.kind.in_(HOLDS_REGISTER))
    return next(iter(history.lines(*held, limit=1)), None)


def versions_of(history: History, tariff: str, versions: Iterable[int]) -> list[Line]:
    """The entries of these versions of a price, by version; those that the archive does not have are left out."""
    wanted = set(versions)
    lines = history.lines(ENTRY.c.kind.in_(TARIFFS), says(tariff=tariff), limit=None, newest_first=False)
    return [line for line in lines if line.body.get("tariff") == tariff and line.body["version"] in wanted]


def tenancy_entry(history: History, account: str) -> Line | None:
    """The newest word of the book on who has an account."""
    return next(iter(history.lines(ENTRY.c.account == account, ENTRY.c.kind == "account/1", limit=1)), None)


def of_account(account: str) -> Any:
    """What a statement is made of: the account's own entries, what was moved to it, and what dates those whose clock
    was doubted: openings of meters and prices."""
    return or_(ENTRY.c.account == account, given_to(account), ENTRY.c.kind.in_(("opening/1", *TARIFFS)))


def seq_before(history: History, account: str, at: datetime) -> int:
    """The last of those that was surely written before an instant: by a clock that was believed."""
    newest = select(func.coalesce(func.max(ENTRY.c.seq), 0)).where(
        history.of_gateway, of_account(account), ENTRY.c.trusted == 1, ENTRY.c.at_us < micros_of(at)
    )
    return int(next(iter(history.ask(newest)), (0,))[0])


def balance_at(history: History, account: str, seq: int) -> int:
    """What an account's own entries came to up to one, in nano-yuan."""
    total = select(func.coalesce(func.sum(ENTRY.c.amount_nano), 0)).where(
        history.of_gateway, ENTRY.c.account == account, ENTRY.c.seq <= seq
    )
    return int(next(iter(history.ask(total)), (0,))[0])


def given_until(history: History, account: str, seq: int) -> list[Line]:
    """What was moved to an account from others, up to an entry."""
    return history.lines(given_to(account), ENTRY.c.seq <= seq, limit=None)


def after(history: History, account: str, seq: int) -> list[Line]:
    """What a statement is made of behind an entry, oldest first."""
    return history.lines(of_account(account), ENTRY.c.seq > seq, limit=None, newest_first=False)


def exit_until(history: History, account: str, seq: int) -> Line | None:
    """The end of a tenancy, where that came up to an entry."""
    own = (ENTRY.c.account == account, ENTRY.c.kind == "exit/1", ENTRY.c.seq <= seq)
    return next(iter(history.lines(*own, limit=1)), None)


def register_in(history: History, account: str, meter: str, seqs: tuple[int, int]) -> Line | None:
    """The newest entry behind the first and up to the second number that says where the register of an account's
    meter stood."""
    own = and_(ENTRY.c.account == account, ENTRY.c.kind.in_((*PRICED, *REPLACED)))
    within = (ENTRY.c.seq > seqs[0], ENTRY.c.seq <= seqs[1])
    return next(
        iter(history.lines(ENTRY.c.meter == meter, or_(own, ENTRY.c.kind == "opening/1"), *within, limit=1)), None
    )


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
