"""The invariants of money that one entry can break: sums, charged registers, prices, payments, days.

As in `invariants.py` each is a function named after it: the entry and what was known before it in, a sentence for each
thing that must never be out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from tests.simulate.known import Known
from tests.simulate.rows import CHARGES, TENANT, Entry, us_of

Said = Iterator[str]

NEAR_US = 61_000_000
"""A border read within a minute stands for its border."""
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
        if line["kind"] != "rate":
            continue  # R29 looks at the steps.
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
    if (
        sum(move["amount_nano"] for move in f["moves"] if move["from"] == "till:" + f["method"])
        != f["amount_fen"] * 10**7
    ):
        yield "another amount moves than was paid"


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
    begins = us_of(datetime.combine(date.fromisoformat(f["date"]), datetime.min.time(), known.zone).isoformat())
    for meter in set(tenancy.meters) - set(f["deferred"]):
        if (point := known.points[meter]).opened and point.at_us < begins:
            yield f"{f['account']} closes {f['date']}, and {meter} was not charged for it"
    if f["charges"] != tenancy.open_charges or f["fees"] != tenancy.open_fees:
        yield f"{f['account']} closes {f['date']} with {f['charges']}, charged was {tenancy.open_charges}"


def _period(known: Known, at_us: int, first: int) -> str:
    """The first day of the month's period that an instant lies in, by the site's own days."""
    day = datetime.fromtimestamp(at_us // 10**6, known.zone).date()
    begins = day.replace(day=first)
    return (begins if begins <= day else (day.replace(day=1) - timedelta(days=1)).replace(day=first)).isoformat()


def r29(entry: Entry, known: Known) -> Said:
    """Steps: what an account was charged in its period decides, to the Wh, how much of a charge is dearer and by what.
    What spans two periods is of that of its middle."""
    f = entry.fields
    if entry.kind not in CHARGES:
        return
    version = next(each for each in known.versions[f["tariff"]] if each["version"] == f["version"])
    told = [line for line in f["lines"] if line["kind"] == "step"]
    if version.get("steps") is None:
        if told:
            yield f"charges steps, and {f['tariff']} has none"
        return
    first, bounds = version["steps"]["day"], version["steps"]["steps"]
    begins, ends = us_of(f["start"]["at"]), us_of(f["end"]["at"])
    around = {_period(known, at, first) for at in (begins - NEAR_US, begins, ends, ends + NEAR_US)}
    period = _period(known, (begins + ends) // 2, first)
    if len(around) > 1 and (f["between"] or len({line["version"] for line in f["lines"]}) > 1):
        known.lost_count |= {(f["account"], each) for each in around}
    before = known.counted.setdefault(f["account"], {}).get(period, 0)
    known.counted[f["account"]][period] = after = before + f["wh"]
    if (f["account"], period) in known.lost_count:
        return
    tops = [each["above_wh"] for each in bounds[1:]] + [1 << 62]
    for number, (bound, top) in enumerate(zip(bounds, tops, strict=True), 2):
        want = max(min(after, top) - bound["above_wh"], 0) - max(min(before, top) - bound["above_wh"], 0)
        lines = [line for line in told if line["rate"] == str(number)]
        if sum(line["wh"] for line in lines) != want or any(x["price_micro"] != bound["add_micro"] for x in lines):
            yield f"{f['account']} has {lines} on step {number} from {before} to {after} Wh, and {want} Wh are on it"
