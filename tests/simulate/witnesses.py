"""The invariants for which the book alone is no witness: frames on the line, messages, files, people who were answered.

I17 (newest hash known outside), I19, I20: the ear; I7, I8, I10, I13: frames beside entries; I5: those who were told
that their money is there; I12: what was forged; I23 to I25: the running program.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from edge.fold import apply
from edge.state import State
from tests.edge.building import KEYS
from tests.simulate.house import House
from tests.simulate.known import Known
from tests.simulate.rows import Entry
from tests.simulate.till import Till

Said = Iterator[str]

TRIP, PERMIT, DIRECT, CONTROL, CLOCK = 0x1A, 0x1B, 0x1C, 0x1C, 0x08
COMMANDS = {PERMIT: "permit", DIRECT: "direct"}
I8_S, T1_S = 5.0, 10.0
EVERYBODY = "99" * 6


def journal(house: House) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{house.directory / 'book.db'}?mode=ro", uri=True)


def i5(house: House, till: Till, known: Known) -> Said:
    """Who was told `done` has their money in the book, on the account and with the amount asked for."""
    for one in till.payments.values():
        if one.answered != "done":
            continue
        found = known.topups.get(one.transaction, [])
        if not found:
            yield f"{one.transaction} was answered done and does not stand in the book"
        elif (found[0].fields["account"], found[0].fields["amount_fen"]) != (one.account, one.fen):
            yield f"{one.transaction} stands on another account or with another amount"


def i7_i8(house: House, trips: list[Entry]) -> Said:
    """Each cut that left had its evidence on the disk before its first byte, and not long before."""
    written = [(each.boot, each.mono_ns / 1e9, each.fields["meter"]) for each in trips]
    names = names_of(house)
    for order in house.memory.orders:
        if (order.control, order.code) != (CONTROL, TRIP):
            continue
        meter = names.get(order.address)
        ages = [order.mono - mono for boot, mono, id in written if (boot, id) == (order.boot, meter)]
        if not any(-1e-3 <= age <= I8_S for age in ages):
            yield f"a cut left for {meter or order.address} at {order.mono:.1f} of {order.boot} without fresh evidence"


def i10_closes(house: House, closes: list[Entry]) -> Said:
    """Each close that left has its entry: in this start before it, unless the disk took none; and the newest one says
    what left."""
    written = [(each.boot, each.mono_ns / 1e9, each.fields["meter"], each.fields["command"]) for each in closes]
    names = names_of(house)
    for order in house.memory.orders:
        if order.control != CONTROL or order.code not in (PERMIT, DIRECT) or order.disk:
            continue
        meter = names.get(order.address)
        told = f"for {meter or order.address} at {order.mono:.1f} of {order.boot}"
        before = [
            how for boot, mono, id, how in written if (boot, id) == (order.boot, meter) and mono <= order.mono + 1e-3
        ]
        if not before:
            yield f"a close left {told} without an entry"
        elif before[-1] != COMMANDS[order.code]:
            yield f"a {COMMANDS[order.code]} close left {told}, and its entry says {before[-1]}"


def i9_t1(house: House, lifted: list[Entry]) -> Said:
    """Where nothing is wrong, a close leaves within T1 of what brings the light back."""
    names = names_of(house)
    for entry in lifted:
        since, meter = entry.mono_ns / 1e9, entry.fields["meter"]
        closes = [
            order.mono - since for order in house.memory.orders
            if order.code in (PERMIT, DIRECT) and order.control == CONTROL and order.boot == entry.boot
            and names.get(order.address) == meter
        ]  # fmt: skip
        if not any(-1e-3 <= late_s <= T1_S for late_s in closes):
            yield f"{meter} is not closed within {T1_S:.0f} s of entry {entry.seq}, which lifts its hold"


def names_of(house: House) -> dict[str, str]:
    """Meters by every address that they have had."""
    found = {}
    for id, hung in house.memory.hung.items():
        for each in hung:
            found[each.device.address] = id
    return found


def i12(house: House) -> Said:
    """What was forged left nothing behind but a refusal."""
    db = journal(house)
    try:
        for transaction, how in house.memory.forged.items():
            for key in KEYS:
                row = db.execute("SELECT kind FROM journal WHERE id = ?", (f"{key}:{transaction}",)).fetchone()
                if row is not None and row[0] != "refusal/1":
                    yield f"a message that was forged ({how}) became an entry {row[0]}"
    finally:
        db.close()


def i13(house: House) -> Said:
    """Nothing but a read went to anybody, to everybody, or to an address that is not installed."""
    for order in house.memory.orders:
        if order.control == CLOCK and order.address == EVERYBODY:
            continue  # The one named exception.
        if order.address not in house.memory.addresses and order.control not in (0x12, 0x13):
            yield f"an order {order.control:02X} left for {order.address}, which is no meter here"


def i17_i19(house: House, known: Known, rows: list[Entry]) -> Said:
    """What was told is what stands there."""
    for entry in rows:
        if house.ear.hashes.get(entry.seq, entry.hash) != entry.hash:
            yield f"entry {entry.seq} was told with another hash than it has"
    if max(house.ear.hashes, default=0) > known.seq:
        yield f"entry {max(house.ear.hashes)} was told, and the book ends with {known.seq}"
    if house.broker.strays:
        yield f"it speaks on {house.broker.strays[0]}, which is another's"


def i19_i20(house: House, known: Known) -> Said:
    """When the network is well again nothing is missing outside."""
    if house.ear.seq != known.seq:
        yield f"outside they have heard up to entry {house.ear.seq}, the book ends with {known.seq}"
    if (missing := house.ear.missing_sweep()) is not None:
        yield f"reading {missing} was never heard"


def i23(house: House) -> Said:
    """Queues and memory within their bounds."""
    edge = house.edge
    sizes = {
        "events": (edge.events.qsize(), 5000), "answers": (len(edge.outbox._soon), 500),
        "messages on their way": (len(edge.outbox._flying), 60), "replays": (len(edge.outbox._replays), 1700),
        "sweeps in memory": (edge.core.book.unsaved_sweeps, 60), "handlers": (len(edge.core._handlers), 2000),
        "facts": (len(edge.publisher._dirty), 5000),
    }  # fmt: skip
    for name, (size, most) in sizes.items():
        if size > most:
            yield f"{size} {name}, at most {most}"


def i24(house: House, rows: list[Entry]) -> Said:
    """No key in what is kept or told."""
    secrets = [key.decode() for key in KEYS.values()] + [key.hex() for key in KEYS.values()]
    texts = [entry.body for entry in rows] + [each.decode() for each in house.broker.retained.values()]
    for text in texts:
        if found := [each for each in secrets if each in text]:
            yield f"a key of {len(found[0])} characters stands in {text[:40]!r}"


def i25(house: House, known: Known) -> Said:
    """Folded from nothing the book gives what the edge goes by, and both give our own sums."""
    state, core = State(), house.edge.core
    for entry in core.book.entries():
        apply(state, entry)
    if state != core.state:
        apart = [name for name in vars(state) if getattr(state, name) != getattr(core.state, name)]
        yield f"folded anew the book gives other {', '.join(apart)}"
    if {name: nano for name, nano in state.ledger.items() if nano} != {k: v for k, v in known.ledger.items() if v}:
        yield "its balances are not the sums of its postings"
    for id, point in known.points.items():
        meter = core.state.meters[id]
        has = set(meter.holds), meter.observed, meter.account, meter.multiplier, meter.quarantined is not None
        if (own := (point.holds, point.observed, point.account, point.multiplier, point.quarantined)) != has:
            yield f"the edge goes by {has} of {id}, its entries say {own}"
    for id, tenancy in known.tenancies.items():
        account = core.state.accounts[id]
        final_seq = None if account.final is None else account.final.seq
        theirs = account.closed_through, account.ended, account.episode, final_seq
        ours = tenancy.closed, tenancy.ended is not None, tenancy.episode, tenancy.final_seq
        if ours != theirs:
            yield f"the edge goes by {theirs} of {id}, its entries say {ours}"


def told_apart(house: House) -> list[str]:
    """What listeners found contradictory since the last look (I11, I19)."""
    found, house.ear.contradictions = house.ear.contradictions, []
    return found


def info_of(house: House) -> dict[str, object]:
    """The retained `info`, {} where there is none."""
    found: dict[str, object] = json.loads(house.broker.retained.get(f"{house.broker.root}/info", b"{}"))
    return found
