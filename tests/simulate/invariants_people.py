"""The invariants of what people do with money and tenancies: who may move how much, whose meter it is, what an end is.

As in `invariants.py`: the entry and what was known before it in, a sentence for each thing that must never be out.
"""

from __future__ import annotations

from tests.simulate.invariants_money import Said
from tests.simulate.known import Known
from tests.simulate.rows import CHARGES, CREDIT, DEBT, NANO_PER_FEN, TENANT, Entry

FINAL_US = 40 * 60 * 10**6
"""The final reading is as fresh as one that may cut (25 minutes here), by clocks that are minutes apart."""

BETWEEN = {
    "refund/1": lambda f: (TENANT + f["account"], "till:" + f["method"]),
    "compensation/1": lambda f: ("expense:compensation", TENANT + f["account"]),
    "deduction/1": lambda f: (TENANT + f["account"], "income:deductions"),
    "correction/1": lambda f: (TENANT + f["account"], TENANT + f["to_account"]),
    "credit/1": lambda f: (CREDIT + f["account"], TENANT + f["account"]),
}
"""Acts that move one amount: from whom to whom (R12, R16)."""

AGREED = ("refund/1", "compensation/1", "deduction/1", "correction/1", "exit/1", "account/1")
"""Acts of two people that hold the words of their proposal."""


OF_A_TENANT = ("closing/1", "final/1", "trip/1", "close-way/1")
"""What is done of a tenancy that lasts."""


def owed(known: Known, account: str) -> int:
    """What was lent and what was deferred, in nano-yuan."""
    return -known.ledger.get(CREDIT + account, 0) - known.ledger.get(DEBT + account, 0)


def r6(entry: Entry, known: Known) -> Said:
    """What closes does it in the way that stands: its tenant's, else as the meter is wired."""
    f = entry.fields
    if entry.kind == "close/1" and f["command"] != known.way(f["meter"]):
        yield f"{f['meter']} is closed by {f['command']}, and its supply comes back by {known.way(f['meter'])}"


def r12(entry: Entry, known: Known) -> Said:
    """Each act moves its own amount between its own two accounts, and nothing else; a payment is taken back whole."""
    f = entry.fields
    if entry.kind in BETWEEN:
        giver, taker = BETWEEN[entry.kind](f)
        want = [{"from": giver, "to": taker, "amount_nano": f["amount_fen"] * NANO_PER_FEN}]
        if f["moves"] != want:
            yield f"moves {f['moves']}, and {want} is what it says"
    if entry.kind == "refund/1" and known.wallet(f["account"]) - f["amount_fen"] * NANO_PER_FEN < owed(
        known, f["account"]
    ):
        yield f"gives {f['account']} more than their own"
    if entry.kind == "deduction/1" and not f["consent"].strip():
        yield "takes without a consent"
    if entry.kind == "reversal/1":
        original = known.receipts.get(f["original"])
        if original is None or original["account"] != f["account"]:
            yield f"takes back {f['original']}, which is no payment of {f['account']}"
        elif f["original"] in known.reversed:
            yield f"takes back payment {f['original']} for the second time"
        elif _turned(original["moves"]) != sorted((m["from"], m["to"], m["amount_nano"]) for m in f["moves"]):
            yield f"does not take back what payment {f['original']} has moved"


def _turned(moves: list[dict]) -> list[tuple]:  # type: ignore[type-arg]
    return sorted((each["to"], each["from"], each["amount_nano"]) for each in moves)


def r16(entry: Entry, known: Known) -> Said:
    """An emergency credit is lent once until it is repaid, and repaid first."""
    f = entry.fields
    if entry.kind == "credit/1" and known.ledger.get(CREDIT + f["account"], 0):
        yield f"{f['account']} is lent more before the last credit is repaid"
    if entry.kind == "topup/1":
        lent = -known.ledger.get(CREDIT + f["account"], 0)
        repaid = sum(m["amount_nano"] for m in f["moves"] if m["to"] == CREDIT + f["account"])
        if repaid != min(lent, f["amount_fen"] * NANO_PER_FEN):
            yield f"repays {repaid} of {lent} that were lent"


def r19(entry: Entry, known: Known) -> Said:
    """Who moved in is charged from one first register, for meters that are theirs, and nobody else is."""
    f = entry.fields
    if entry.kind == "opening/1" and known.points[f["meter"]].opened:
        yield f"{f['meter']} is opened twice for {known.points[f['meter']].account}"
    if entry.kind in CHARGES:
        point = known.points[f["meter"]]
        if point.account != f["account"]:
            yield f"{f['meter']} is charged to {f['account']}, and it is {point.account}'s"
        if not point.opened:
            yield f"{f['meter']} is charged to {f['account']} before its first register"
    if entry.kind == "account/1":
        if f["account"] in known.tenancies:
            yield f"{f['account']} begins twice"
        for id in f["meters"]:
            if known.points[id].account is not None:
                yield f"{f['account']} begins with {id}, which is {known.points[id].account}'s"


def r33(entry: Entry, known: Known) -> Said:
    """An end is an end: every meter charged to its final reading, nothing left, and nothing moves afterwards."""
    f = entry.fields
    for move in f.get("moves", ()):
        for side in ("from", "to"):
            tenancy = known.tenancies.get(move[side].removeprefix(TENANT)) if TENANT in move[side] else None
            if tenancy is not None and tenancy.ended is not None:
                yield f"moves money of {move[side]}, which was settled by entry {tenancy.ended}"
    told = known.tenancies.get(f.get("account") or "") if entry.kind in OF_A_TENANT else None
    if told is not None and told.ended is not None:
        yield f"{f['account']} was settled already"
    if entry.kind != "exit/1":
        return
    account = f["account"]
    if f["balance_after_nano"]:
        yield f"{account} ends with {f['balance_after_nano']}"
    back = sum(m["amount_nano"] for m in f["moves"] if m["to"] == "till:" + f["method"])
    own = known.wallet(account) - owed(known, account)
    if not 0 <= max(own, 0) - back < NANO_PER_FEN or own <= -NANO_PER_FEN:
        yield f"{account} gets {back} of {own}"
    for side in (CREDIT, DEBT):
        paid = sum(m["amount_nano"] for m in f["moves"] if m["to"] == side + account)
        if paid != -known.ledger.get(side + account, 0):
            yield f"{account} ends and leaves {side}{account} at {known.ledger.get(side + account, 0) + paid}"
    for id in known.tenancies[account].meters:
        point = known.points[id]
        if not point.opened or abs(entry.at - point.at_us) > FINAL_US:
            yield f"{account} ends, and {id} is charged to {point.at_us} only, {entry.at - point.at_us} us before"


def r32(entry: Entry, known: Known) -> Said:
    """What two people agreed on is done once, word for word, and after the second has said yes."""
    f = entry.fields
    if entry.kind not in AGREED or "proposal" not in f:
        return
    if f["proposal"] not in known.approved:
        yield f"is done before {f['proposal']} was approved"
    elif known.approved[f["proposal"]] != f["approved_by"] or f["approved_by"] == f["who"]:
        yield f"names {f['approved_by']}, who has not approved {f['proposal']} of {f['who']}"
    if f["proposal"] in known.carried:
        yield f"carries out {f['proposal']} again"
    asked = known.asked.get(f["proposal"], {})
    if other := [name for name, word in asked.items() if f.get(name) != word]:
        yield f"does not do what was proposed: {', '.join(other)}"
