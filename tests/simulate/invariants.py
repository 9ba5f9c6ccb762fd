"""The invariants that one entry can break, each a function named after it: the entry and what was known before it in, a
sentence for each thing that must never be out.

Those of money stand in `invariants_money.py`; those that need more than the book in `witnesses.py` (I5, I9, I11-I13,
I19, I20, I23-I25).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from tests.simulate.invariants_money import Said, i1, i2, i3, i4, i14, r29
from tests.simulate.invariants_people import r6, r12, r16, r19, r32, r33
from tests.simulate.known import Known
from tests.simulate.rows import CHARGES, Entry

MOST_NANO = 9 * 10**15
EVIDENCE_AGE_MS = 62_000
COUNTER = ("manager", "finance")
APPROVERS = {"replace-meter": ("manager", "engineer"), "change-multiplier": ("manager", "engineer")}
"""Who may approve what was proposed; all else is approved at the counter (docs/mqtt.md)."""
T2_NS = 750 * 10**9
"""Ten minutes, and a look at the clock each minute."""


def i6(entry: Entry, known: Known) -> Said:
    """Integers within limits; floats were refused when the body was read."""
    for move in entry.fields.get("moves", ()):
        amount = move["amount_nano"]
        if type(amount) is not int or not 0 < amount <= MOST_NANO:
            yield f"moves {amount!r}"


def i7(entry: Entry, known: Known) -> Said:
    """Evidence: nothing left, every payment counted, freshly read, warned in this very episode long enough ago."""
    f = entry.fields
    if entry.kind != "trip/1" or f["cause"] != "arrears":
        return
    tenancy = known.tenancies[f["account"]]
    if f["available_nano"] > f["cut_limit_nano"]:
        yield f"{f['available_nano']} nano-yuan were left, the limit is {f['cut_limit_nano']}"
    if f["posted_nano"] != known.wallet(f["account"]):
        yield f"it rests on {f['posted_nano']}, the book has {known.wallet(f['account'])}"
    if not 0 <= f["read"]["age_ms"] <= EVIDENCE_AGE_MS:
        yield f"its reading is {f['read']['age_ms']} ms old"
    if tenancy.final_seq is None or f["final_seq"] != tenancy.final_seq or f["episode"] != tenancy.episode:
        yield f"it names the warning {f['final_seq']} of episode {f['episode']}, which does not stand"
    if tenancy.delivered_seq is None or f["delivered_seq"] != tenancy.delivered_seq:
        yield "its warning did not reach anybody in this episode"


def i8(entry: Entry, known: Known) -> Said:
    """No posting between the balance that evidence rests on and the evidence itself."""
    f = entry.fields
    if entry.kind == "trip/1" and f["cause"] == "arrears":
        money_seq = known.tenancies[f["account"]].money_seq
        if money_seq > f["balance_seq"]:
            yield f"money moved at {money_seq}, behind {f['balance_seq']}"


def i9(entry: Entry, known: Known) -> Said:
    """Paid and dark for longer than T2 is told to a person."""
    for meter, (seq, boot, mono_ns) in known.restored.items():
        if entry.fields.get("meter") == meter:
            continue  # It may tell just that.
        if boot == entry.boot and entry.mono_ns - mono_ns > T2_NS and meter not in known.told:
            known.told[meter] = entry.boot
            yield f"{meter} is dark since entry {seq} lifted its hold, and nobody was told"


def i10(entry: Entry, known: Known) -> Said:
    """A close says its cause."""
    if entry.kind == "close/1" and not entry.fields["cause"]:
        yield "closes without a cause"


def i15(entry: Entry, known: Known) -> Said:
    """What was set aside charges nothing and cuts nobody."""
    f = entry.fields
    if entry.kind in CHARGES and known.points[f["meter"]].quarantined:
        yield f"{f['meter']} is charged while a reading of it is set aside"
    if entry.kind == "trip/1" and f["cause"] == "arrears":
        for id in known.tenancies[f["account"]].meters:
            if known.points[id].quarantined:
                yield f"{f['meter']} is cut while a reading of {id} is set aside"


def i16(entry: Entry, known: Known) -> Said:
    """Numbers without a gap; within a start monotonic time never falls; each says whether its time is believed."""
    if entry.seq != known.seq + 1:
        yield f"follows entry {known.seq}"
    if entry.boot == known.boot and entry.mono_ns < known.mono_ns:
        yield f"its monotonic time fell from {known.mono_ns} to {entry.mono_ns}"
    if entry.trusted not in (0, 1):
        yield "does not say whether its time is believed"


def i17(entry: Entry, known: Known) -> Said:
    """The chain: SHA-256 over all columns and the hash before, a line each, as docs/book.md has it."""
    parts = (entry.seq, entry.id, entry.at, entry.boot, entry.mono_ns, entry.trusted, entry.kind, entry.body)
    text = "\n".join(str(each) for each in parts) + "\n" + entry.prev_hash
    if entry.prev_hash != known.hash:
        yield "does not carry the hash of the entry before it"
    if entry.hash != hashlib.sha256(text.encode()).hexdigest():
        yield "its hash is not that of its columns"


def i18(entry: Entry, known: Known) -> Said:
    """Nobody approves their own; approved comes before done."""
    f = entry.fields
    if entry.kind == "decision/1" and f["approved"]:
        if f["proposal"] not in known.proposals:
            yield f"approves {f['proposal']}, which was never proposed"
        elif known.proposals[f["proposal"]][1] == f["who"]:
            yield f"{f['who']} approves their own proposal"
        elif f["role"] not in APPROVERS.get(known.proposals[f["proposal"]][2], COUNTER):
            yield f"{f['who']} approves {f['proposal']} as {f['role']}, who may not"
    two = entry.kind in ("replacement/1", "ratio/1", "tariff/2") and "proposal" in f
    if two and f["proposal"] not in known.approved:
        yield f"is done before {f['proposal']} was approved"


def i21(entry: Entry, known: Known) -> Said:
    """One meter at an address, and both registers of a swap."""
    f = entry.fields
    if entry.kind not in ("replacement/1", "meter/1"):
        return
    row = f["row"] if entry.kind == "replacement/1" else f
    for id, point in known.points.items():
        if id != f["meter"] and (point.row["port"], point.row["address"]) == (row["port"], row["address"]):
            yield f"{f['meter']} has the address of {id}"
    counted = entry.kind == "replacement/1" and known.points[f["meter"]].registers is not None
    if counted and ("registers_wh" not in f["was"] or "registers_wh" not in f):
        yield f"{f['meter']} was swapped without both registers"


def i22(entry: Entry, known: Known) -> Said:
    """Whoever is unsure of anything cuts nobody by themselves."""
    if entry.kind == "trip/1" and entry.fields["cause"] == "arrears":
        mode = known.modes.get(entry.boot, "normal")
        if mode != "normal" or not entry.trusted:
            yield f"{entry.fields['meter']} is cut in mode {mode}, trusted {entry.trusted}"


OF_ENTRIES: dict[str, Callable[[Entry, Known], Said]] = {
    "I1": i1, "I2": i2, "I3": i3, "I4": i4, "I6": i6, "I7": i7, "I8": i8, "I9": i9, "I10": i10, "I14": i14, "I15": i15,
    "I16": i16, "I17": i17, "I18": i18, "I21": i21, "I22": i22,
    "R6": r6, "R12": r12, "R16": r16, "R19": r19, "R29": r29, "R32": r32, "R33": r33,
}  # fmt: skip
