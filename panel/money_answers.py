"""Acts with money as they are answered: titles, the outcome in one sentence, and the way back to the form."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bridge.contract.messages import Response
from bridge.contract.units import NANO_PER_FEN, instant_of
from panel.commands import KEY, Asked
from panel.formats import Wall, yuan
from panel.history import Line
from panel.links import link
from panel.money_acts import ACTS, DECISIONS
from panel.money_typed import typed_from
from panel.words import later, t

ENTRIES = {"reversal/1": "reverse", "credit/1": "lend", "proposal/1": "", "decision/1": "", "refusal/1": ""}
"""Kinds of entries that answer a request about money; where none is named the entry itself says which."""

SLIPS = ("refund", "settle")
"""What is printed for the tenant to sign."""


def is_money(operation: str) -> bool:
    return operation in ACTS or operation in DECISIONS


def money_title(operation: str, about: str) -> str:
    """An act's title; a decision is called after what it decides."""
    if operation in DECISIONS:
        what = t(ACTS[about].title) if about in ACTS else t("Proposal")
        return t("{decision}: {what}", decision=t(DECISIONS[operation]), what=what)
    return t(ACTS[operation].title)


def step_word(operation: str) -> str:
    """What the second step of its progress is called."""
    if operation == "reject-money":
        return t("Ended|proposal")
    return t("Posted|money") if operation == "approve-money" or ACTS[operation].alone else t("Proposed")


def done_words(asked: Asked, found: dict[str, object], wall: Wall) -> str:
    """What was done, from the gateway's own figures."""
    amount, balance = _yuan(found.get("amount_fen"), NANO_PER_FEN), _yuan(found.get("balance_nano"))
    match asked.operation:
        case "reverse":
            return t("{amount} yuan taken back. Balance {balance} yuan.", amount=amount, balance=balance)
        case "lend":
            return t("{amount} yuan lent. Balance {balance} yuan.", amount=amount, balance=balance)
        case "approve-money":
            if type(nano := found.get("amount_nano")) is int:  # Of a reading that was put right.
                words = later("Approved and done: {amount} yuan are given back. Balance {balance} yuan.")
                if nano >= 0:
                    words = later("Approved and done: {amount} yuan are charged in addition. Balance {balance} yuan.")
                return t(words, amount=yuan(abs(nano)), balance=balance)
            return t("Approved and done: {amount} yuan. Balance {balance} yuan.", amount=amount, balance=balance)
        case "reject-money":
            return t("The proposal is ended; nothing has moved.")
    return t("Proposed; nothing has moved. Another person must approve it {until}.", until=_until(found, wall))


def _yuan(value: object, unit_nano: int = 1) -> str:
    return yuan(value * unit_nano) if type(value) is int else "—"


def _until(found: dict[str, object], wall: Wall) -> str:
    try:
        return t("by {when}", when=wall.when(instant_of(str(found.get("until", "")))))
    except ValueError:
        return ""


def again(asked: Asked) -> str | None:
    """The form of a refused act with what was typed in it."""
    if asked.operation not in ACTS or not asked.fields.get("account"):
        return None
    if not ACTS[asked.operation].form:
        words = typed_from(asked.fields)
        meter, _ = words.pop("meter", ""), words.pop("entry", "")  # The page finds the newest entry by itself.
        return link("right_reading.form", id=asked.fields["account"], meter=meter, **words) if meter else None
    return link("money.form", operation=asked.operation, id=asked.fields["account"], **typed_from(asked.fields))


def from_entry(line: Line) -> Asked | None:
    """A request about money as its own entry in the archive tells it, with its answer; None where it is none."""
    body: dict[str, Any] = line.body
    request = body.get("request")
    answer = request.get("answer") if isinstance(request, dict) else None
    operation = ENTRIES.get(line.kind)
    if operation == "":
        decision = "approve-money" if body.get("approved") else "reject-money"
        operation = {"proposal/1": body.get("what"), "refusal/1": body.get("operation")}.get(line.kind, decision)
    if not isinstance(operation, str) or not is_money(operation) or not isinstance(answer, dict):
        return None
    transaction = line.id.removeprefix(f"{KEY}:")
    words = body["body"] if isinstance(body.get("body"), dict) else {}
    try:
        told = Response.model_validate({**answer, "transaction": transaction, "key": KEY, "at": line.at.isoformat()})
    except ValidationError:
        return None
    return Asked(transaction, operation, "", words, str(body.get("who", "")), line.at.isoformat(), 0.0, [told])
