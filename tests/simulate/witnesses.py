"""The invariants for which the book alone is no witness: frames on the line, messages, files, people who were answered.

I17 (newest hash known outside), I19, I20: the ear; I7, I8, I10, I13: frames beside entries; I5: those who were told
that their money is there; I12: what was forged; I24: what is kept and told. I23 and I25 look into the running program
(`witnesses_inside.py`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

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


def i7_i8(house: House, trips: list[Entry], postings: dict[str, list[int]]) -> Said:
    """Each cut that left had its evidence on the disk before its first byte, not long before, and no posting between
    them. `postings`: by account, the entries that moved its money."""
    written = [(each.boot, each.mono_ns / 1e9, each.fields["meter"]) for each in trips]
    names = names_of(house)
    for order in house.memory.orders:
        if (order.control, order.code) != (CONTROL, TRIP):
            continue
        meter = names.get(order.address)
        ages = [order.mono - mono for boot, mono, id in written if (boot, id) == (order.boot, meter)]
        if not any(-1e-3 <= age <= I8_S for age in ages):
            yield f"a cut left for {meter or order.address} at {order.mono:.1f} of {order.boot} without fresh evidence"
            continue
        newest = [each for each in trips if (each.boot, each.fields["meter"]) == (order.boot, meter)
                  and each.seq <= order.seq][-1]  # fmt: skip
        between = [seq for seq in postings.get(newest.fields["account"], ()) if newest.seq < seq <= order.seq]
        if between:
            yield f"a cut left for {meter} on evidence {newest.seq}, and entry {between[0]} had moved the money"


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


def i24(house: House, rows: list[Entry]) -> Said:
    """No key in what is kept or told."""
    secrets = [key.decode() for key in KEYS.values()] + [key.hex() for key in KEYS.values()]
    texts = [entry.body for entry in rows] + [each.decode() for each in house.broker.retained.values()]
    for text in texts:
        if found := [each for each in secrets if each in text]:
            yield f"a key of {len(found[0])} characters stands in {text[:40]!r}"


def told_apart(house: House) -> list[str]:
    """What listeners found contradictory since the last look (I11, I19), or was never to be told (I24)."""
    found, house.ear.contradictions = house.ear.contradictions, []
    return found


def info_of(house: House) -> dict[str, object]:
    """The retained `info`, {} where there is none."""
    found: dict[str, object] = json.loads(house.broker.retained.get(f"{house.broker.root}/info", b"{}"))
    return found
