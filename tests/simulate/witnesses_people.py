"""What the people at the counter know of a book: who lived where and when, who paid, and what each was answered."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulate.counter import Counter
from tests.simulate.house import House
from tests.simulate.movers import Lease
from tests.simulate.rows import CHARGES, Entry, us_of
from tests.simulate.till import Till
from tests.simulate.truth import CALENDAR_OFF_S
from tests.simulate.witnesses import journal

Said = Iterator[str]

ASKED = ("proposal/1", "reversal/1", "credit/1", "close-way/1")
"""Entries that stand there because somebody asked, word for word."""
OFF_US = CALENDAR_OFF_S * 10**6


def r33_lease(leases: dict[str, Lease], entry: Entry) -> Said:
    """Nobody is charged for a meter or a time that is not theirs."""
    f = entry.fields
    if entry.kind not in CHARGES:
        return
    lease = leases.get(f["account"])
    if lease is None or f["meter"] not in lease.meters:
        yield f"{f['account']} is charged for {f['meter']}, which they never had"
        return
    if us_of(f["start"]["at"]) < lease.from_us - OFF_US:
        yield f"{f['account']} is charged for {f['meter']} from {f['start']['at']}, before they moved in"
    if lease.to_us is not None and us_of(f["end"]["at"]) > lease.to_us + OFF_US:
        yield f"{f['account']} is charged for {f['meter']} to {f['end']['at']}, after they moved out"


def i4_asked(till: Till, counter: Counter, rows: list[Entry]) -> Said:
    """Every payment and every act in the book is one that somebody asked for, with these words."""
    for entry in rows:
        f = entry.fields
        if entry.kind == "topup/1":
            one = till.payments.get(f["reference"])
            if one is None or (f["account"], f["amount_fen"]) != (one.account, one.fen):
                yield f"entry {entry.seq} is a payment that nobody made so: {f['reference']} of {f['account']}"
        key, _, transaction = entry.id.partition(":")
        if key != "panel" or entry.kind not in ASKED:
            continue
        wish, words = counter.wishes.get(transaction), f["body"] if entry.kind == "proposal/1" else f
        if wish is None:
            yield f"entry {entry.seq} {entry.kind} is what nobody has asked for"
        elif (wish.who, wish.role) != (f["who"], f.get("role", wish.role)) or any(
            words.get(n) != w for n, w in wish.words.items() if n != "receipt"
        ):
            yield f"entry {entry.seq} {entry.kind} is not what {wish.who} has asked for"


def i5_acts(house: House, till: Till, counter: Counter) -> Said:
    """What was answered is what stands there: done once, or refused and not there at all."""
    db = journal(house)
    try:
        for wish in counter.wishes.values():
            if wish.kind is None or wish.answered not in ("done", "refused"):
                continue
            row = db.execute("SELECT kind FROM journal WHERE id = ?", (f"panel:{wish.transaction}",)).fetchone()
            if (row is not None and row[0] == wish.kind) != (wish.answered == "done"):
                yield f"{wish.transaction} ({wish.operation}) was answered {wish.answered} and stands there as {row}"
        for one in till.payments.values():
            if one.answered != "refused":
                continue
            row = db.execute("SELECT kind FROM journal WHERE id = ?", (f"panel:{one.transaction}",)).fetchone()
            if row is not None and row[0] == "topup/1":
                yield f"{one.transaction} was refused and stands in the book"
    finally:
        db.close()
