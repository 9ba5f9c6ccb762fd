"""The invariants that one entry can break, each a function named after it: the entry and what was known before it in, a
sentence for each thing that must never be out.

Those that need more than the book stand in `witnesses.py` (I5, I9, I11-I13, I19, I20, I23-I25).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta

from tests.simulate.known import Known
from tests.simulate.rows import CHARGES, TENANT, Entry, us_of

Said = Iterator[str]

MOST_NANO = 9 * 10**15
NEAR_US = 61_000_000
"""A border read within a minute stands for its border."""
EVIDENCE_AGE_MS = 62_000
T2_NS = 750 * 10**9
"""Ten minutes, and a look at the clock each minute."""
GUESSED = ("estimate", "interpolated")


def i1(entry: Entry, known: Known) -> Said:
    """Double entry: what one side gives the other takes; a balance that is told is the sum of its postings."""
    own = 0
    for move in entry.fields.get("moves", ()):
        own += (move["to"] == TENANT + str(entry.fields.get("account"))) * move["amount_nano"]
        own -= (move["from"] == TENANT + str(entry.fields.get("account"))) * move["amount_nano"]
        if move["from"] == move["to"]:
            yield f"moves from {move['from']} to itself"
    if "balance_after_nano" in entry.fields:
        want = known.wallet(entry.fields["account"]) + own
        if entry.fields["balance_after_nano"] != want:
            yield f"says a balance of {entry.fields['balance_after_nano']}, its postings sum to {want}"
    if sum(known.ledger.values()):
        yield "the ledger does not sum to zero"


def _moved(start: int, end: int, full: int, guessed: bool) -> int:
    forward = (end - start) % full
    return forward - full if guessed and forward * 2 > full else forward


def i2(entry: Entry, known: Known) -> Said:
    """Charged spans of a register are gapless and disjoint, and charge what the register moved, roll-over included."""
    f = entry.fields
    if entry.kind in ("replacement/1", "ratio/1") and f.get("charge") is not None:
        point = known.points[f["meter"]]
        last = f["was"].get("registers_wh") if "was" in f else f["registers_wh"]
        if last != point.registers:
            yield f"{f['meter']} goes on from {last}, and was charged to {point.registers}"
    if entry.kind not in CHARGES:
        return
    point, start, end = known.points[f["meter"]], f["start"], f["end"]
    if start["registers_wh"] != point.registers or us_of(start["at"]) != point.at_us:
        yield f"{f['meter']} is charged from {start}, and was charged to {point.registers}"
    if us_of(end["at"]) <= us_of(start["at"]):
        yield f"{f['meter']} is charged backwards"
    if f["multiplier"] != point.multiplier:
        yield f"{f['meter']} is charged times {f['multiplier']}, it counts times {point.multiplier}"
    guessed = start["source"] in GUESSED
    lines = [line for line in f["lines"] if line["kind"] == "rate"]
    names = ["total"] if f["by"] == "borders" else sorted({line["rate"] for line in lines})
    for name in names:
        charged = sum(line["wh"] for line in lines if name in (line["rate"], "total") or f["by"] == "borders")
        ends = start["registers_wh"].get(name), end["registers_wh"].get(name)
        if None in ends:
            yield f"{f['meter']} is charged by the register {name}, which it did not say"
            continue
        moved = _moved(*ends, f["full_scale_wh"], guessed) * f["multiplier"]  # type: ignore[arg-type]
        if charged != moved and not _mixed(f, name):
            yield f"{f['meter']}: {charged} Wh are charged on {name}, which moved by {moved}"


def _mixed(f: dict, name: str) -> bool:  # type: ignore[type-arg]
    """A price of one kind gave way to one of another within the span, so a register is charged for a part of it."""
    return len({line["rate"] == "total" for line in f["lines"] if line["kind"] == "rate"}) > 1


def i3(entry: Entry, known: Known) -> Said:
    """Each line at the price of a version that was in force in its span; amounts are products and sums, exactly."""
    f = entry.fields
    if entry.kind in ("tariff/1", "tariff/2"):
        for other in known.versions.get(f["tariff"], ()):
            if other["version"] == f["version"] or other["effective_at"] == f["effective_at"]:
                yield f"price {f['tariff']} version {f['version']} is set twice"
    if entry.kind not in CHARGES:
        return
    begins, ends = us_of(f["start"]["at"]), us_of(f["end"]["at"])
    versions = sorted(known.versions[f["tariff"]], key=lambda each: us_of(each["effective_at"]))
    for line in f["lines"]:
        if line["amount_nano"] != line["wh"] * line["price_micro"]:
            yield f"a line of {line['wh']} Wh at {line['price_micro']} costs {line['amount_nano']}"
        place = next((n for n, each in enumerate(versions) if each["version"] == line["version"]), None)
        if place is None:
            yield f"a line names version {line['version']}, which is none"
            continue
        version = versions[place]
        until = us_of(versions[place + 1]["effective_at"]) if place + 1 < len(versions) else ends + 1
        if (place and us_of(version["effective_at"]) > ends + NEAR_US) or until < begins - NEAR_US:
            yield f"a line is priced by version {line['version']}, which was not in force"
        if version["prices_micro"].get(line["rate"]) != line["price_micro"]:
            yield f"a line of {line['rate']} costs {line['price_micro']}, agreed is {version['prices_micro']}"
    if f["amount_nano"] != sum(line["amount_nano"] for line in f["lines"]):
        yield "its lines do not sum to its amount"
    if f["wh"] != sum(line["wh"] for line in f["lines"] if line["kind"] == "rate"):
        yield "its lines do not sum to its energy"
    moved = sum(m["amount_nano"] * (1 if m["from"] == TENANT + f["account"] else -1) for m in f["moves"])
    if moved != f["amount_nano"]:
        yield f"{moved} moves for a charge of {f['amount_nano']}"


def i4(entry: Entry, known: Known) -> Said:
    """One posting for one payment."""
    f = entry.fields
    if entry.kind != "topup/1":
        return
    if f["reference"] in known.topups:
        yield f"{f['reference']} is booked twice"
    if sum(move["amount_nano"] for move in f["moves"]) != f["amount_fen"] * 10**7:
        yield "another amount moves than was paid"


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


def i14(entry: Entry, known: Known) -> Said:
    """Days are closed once, in a row, and begin with what the day before ended with."""
    f = entry.fields
    if entry.kind != "closing/1":
        return
    tenancy = known.tenancies[f["account"]]
    if tenancy.closed is not None and f["date"] != (tenancy.closed + timedelta(days=1)).isoformat():
        yield f"{f['account']} closes {f['date']} after {tenancy.closed}"
    if tenancy.closing_nano is not None and f["opening_nano"] != tenancy.closing_nano:
        yield f"{f['account']} opens {f['date']} with {f['opening_nano']}, the day before ended with another balance"
    if f["closing_nano"] != known.wallet(f["account"]):
        yield f"{f['account']} closes {f['date']} with {f['closing_nano']}, the book has {known.wallet(f['account'])}"
    if f["charges"] != tenancy.open_charges or f["fees"] != tenancy.open_fees:
        yield f"{f['account']} closes {f['date']} with {f['charges']}, charged was {tenancy.open_charges}"


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
}  # fmt: skip
