"""An act of the former epoch as it is written again after a restore (I5): under its own id, by what stands now.

A payment counts from now and repays what is owed now; what it was stands in `former`. A hold that people set, the hold
of a cut and a protection stand again. A lift is done again only where the hold is older than the restore.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.contract.recovering import BringBack
from bridge.contract.units import (
    NANO_PER_FEN,
    instant_of,
    instant_of_micros,
    instant_text,
    micros_of,
    micros_of_text,
    wall_time,
)
from edge.billing import money
from edge.billing.money import Forbidden, Limits, Moves
from edge.core import Core
from edge.entry import Draft
from edge.restored import Restored, mark_of
from edge.standing import receipt_of, standing_of
from edge.state import AccountState, MeterState

Fields = dict[str, Any]

FAR = 1 << 62

NO_LIMITS = Limits(least_nano=1, most_nano=FAR, overdraft_nano=FAR)
"""The money was taken or given: no limit of the site makes that undone."""


def former(restored: Restored, body: BringBack) -> Fields:
    """Where it stood, and when."""
    at = instant_text(instant_of_micros(body.at_us))
    return {"epoch": restored.before, "seq": body.seq, "mark": mark_of(body.hash), "at": at}


def again(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft | None:
    """The draft of a kind of `BROUGHT_BACK`; None where nothing is to be done. Raises Forbidden where a person must see
    to it, and says why."""
    return _AGAIN[body.kind](core, restored, body, fields)


def _account(core: Core, fields: Fields) -> AccountState:
    if (account := core.state.accounts.get(fields["account"])) is None:
        raise Forbidden("R7", f"there is no account {fields['account']!r} on this gateway")
    return account


def _meter(core: Core, fields: Fields) -> MeterState:
    if (meter := core.state.meters.get(fields["meter"])) is None:
        raise Forbidden("R7", f"there is no meter {fields['meter']!r} on this gateway")
    return meter


# --- money ---


def _posted(
    core: Core, restored: Restored, body: BringBack, account: AccountState, fields: Fields, moves: Moves, **more: Any
) -> Draft:
    """With a receipt of now; the old one stands beside it."""
    seq, after = core.book.seq + 1, standing_of(core, account).after(moves)
    receipt = receipt_of(core, seq)
    data = {"seq": seq, "receipt": receipt, "balance_nano": after, "account": account.id}
    answer = {"status": "done", "data": {**data, "amount_fen": fields["amount_fen"]}}
    kept = {key: value for key, value in fields.items() if key != "repaid"}
    now = {"receipt": receipt, "moves": moves, "balance_after_nano": after, **more}
    told = {"request": {**fields["request"], "answer": answer}}
    return (
        body.kind,
        body.id,
        {**kept, **now, **told, "former": {**former(restored, body), "receipt": fields["receipt"]}},
    )


def _topup(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft:
    account = _account(core, fields)
    nano = fields["amount_fen"] * NANO_PER_FEN
    moves, repaid = money.topup(standing_of(core, account), fields["method"], nano, NO_LIMITS)
    return _posted(core, restored, body, account, fields, moves, **({"repaid": repaid} if repaid else {}))


def _reversal(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft:
    account, (seq, original) = _account(core, fields), _topup_here(core, restored, fields)
    receipt = str(original.get("receipt", fields["original_receipt"]))
    moves = money.reversal(
        standing_of(core, account), original or None, receipt=receipt, reversed=seq in account.purse.reversed,
        lent_since=account.purse.lent_seq > seq, limits=NO_LIMITS,
    )  # fmt: skip
    named = {"original": seq, "original_receipt": receipt, "repaid": original.get("repaid", {})}
    return _posted(core, restored, body, account, fields, moves, **named)


def _topup_here(core: Core, restored: Restored, fields: Fields) -> tuple[int, Fields]:
    """The top-up that a former reversal names, as it stands here: its number and body; 0 and nothing without one."""
    for seq in restored.here(fields["original"]):
        entry = next(core.book.entries(seq, 1), None)
        if entry is None or entry.kind != "topup/1" or entry.fields["account"] != fields["account"]:
            continue
        was = entry.fields.get("former", entry.fields) if seq > restored.seq else entry.fields
        if was["receipt"] == fields["original_receipt"]:
            return seq, entry.fields
    return 0, {}


def _credit(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft:
    account = _account(core, fields)
    lent = Limits(1, FAR, emergency_nano=fields["amount_fen"] * NANO_PER_FEN)
    return _posted(core, restored, body, account, fields, money.lend(standing_of(core, account), lent))


# --- holds and protections ---


def _hold(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft | None:
    """What a person set or lifted. The policy lifts its own hold by itself, when the payment is back."""
    if "request" not in fields:
        return None
    standing = _meter(core, fields).holds.get(fields["hold"])
    newer = standing is not None and standing.seq > restored.seq and standing.seq not in restored.again
    if newer and standing is not None:
        raise Forbidden("R5", f"the hold {fields['hold']} was set by {standing.by} after the restore; it stays")
    return body.kind, body.id, {**fields, "former": former(restored, body)}


def _trip(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft | None:
    """A cut for arrears stands again as its hold, so that a payment brings the supply back (I9)."""
    meter = _meter(core, fields)
    if fields["cause"] != "arrears" or "arrears" in meter.holds or meter.account != fields["account"]:
        return None
    why = f"cut before the restore, at entry {body.seq} of the former book"
    hold = {"meter": meter.id, "account": meter.account, "hold": "arrears", "set": True, "why": why}
    by = {"who": "policy", "role": "system", "former": former(restored, body)}
    return "hold/1", f"former:{restored.epoch}:{mark_of(body.hash)}", {**hold, **by}


def _withdrawn(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft | None:
    """No byte of that trip left: the hold that came back for it is lifted again."""
    meter = _meter(core, fields)
    hold = meter.holds.get("arrears")
    if hold is None or hold.seq not in restored.here(fields["evidence_seq"]):
        return None
    why = f"withdrawn before the restore, at entry {body.seq} of the former book"
    lift = {"meter": meter.id, "account": meter.account, "hold": "arrears", "set": False, "why": why}
    by = {"who": "policy", "role": "system", "former": former(restored, body)}
    return "hold/1", f"former:{restored.epoch}:{mark_of(body.hash)}", {**lift, **by}


def _protection(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft:
    account, kind = _account(core, fields), fields["protection"]
    money.open_to_money(standing_of(core, account))
    if not fields["set"]:
        raise Forbidden("R3", f"the protection {kind} was lifted; it stands here until a person lifts it again")
    if (own := account.protections.get(kind)) is not None and own.seq > restored.seq:
        raise Forbidden("R3", f"the protection {kind} was set again after the restore; that one counts")
    if micros_of_text(fields["until"]) <= micros_of(core.now()):
        over = wall_time(instant_of(fields["until"]), core.terms.zone)
        raise Forbidden("R3", f"the protection {kind} was over at {over}")
    return body.kind, body.id, {**fields, "former": former(restored, body)}


def _close_way(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft | None:
    """How a tenant's supply comes back, as a person chose it; of two that come back the later one counts."""
    account = _account(core, fields)
    money.open_to_money(standing_of(core, account))
    if (own := account.way) is not None and own.seq > restored.seq:
        brought = next((old for old, new in restored.brought.values() if new == own.seq), None)
        if brought is None:
            raise Forbidden("R6", f"{own.who} has chosen since the restore how supply comes back; that counts")
        if brought > body.seq:
            return None
    if account.row.get("close") == fields["close"]:
        return None
    return body.kind, body.id, {**fields, "former": former(restored, body)}


def _decision(core: Core, restored: Restored, body: BringBack, fields: Fields) -> Draft | None:
    """A person's no to what waits here still. What was approved is shown, each with what came of it."""
    proposal = core.state.proposals.get(fields["proposal"])
    if fields["approved"] or "request" not in fields or proposal is None or proposal.decision is not None:
        return None
    if proposal.seq > restored.seq:
        return None  # Its number was given anew here, to another one.
    return body.kind, body.id, {**fields, "former": former(restored, body)}


_AGAIN: dict[str, Callable[[Core, Restored, BringBack, Fields], Draft | None]] = {
    "topup/1": _topup,
    "reversal/1": _reversal,
    "credit/1": _credit,
    "hold/1": _hold,
    "trip/1": _trip,
    "withdrawn/1": _withdrawn,
    "protection/1": _protection,
    "close-way/1": _close_way,
    "decision/1": _decision,
}
