"""Entries about money, prices and proposals as rows of an account's history: a word, what it was, what it moved."""

from __future__ import annotations

from typing import Any

from bridge.contract.entries import TENANT
from panel.bill_words import method_word
from panel.body_parts import moves_of
from panel.edge_words import person, reason
from panel.formats import Wall, fen
from panel.history import Line
from panel.meter_told import of_registers
from panel.money_acts import REASONS
from panel.words import later, t

WORDS = {
    "topup/1": later("Top up"),
    "opening-balance/1": later("Opening balance"),
    "reversal/1": later("Top-up reversed|entry"),
    "refund/1": later("Refund|entry"),
    "compensation/1": later("Compensation|entry"),
    "deduction/1": later("Deduction|entry"),
    "credit/1": later("Emergency credit|entry"),
    "debt/1": later("Debt agreed|entry"),
    "exit/1": later("Tenancy settled|entry"),
    "correction/1": later("Amount moved|entry"),
    "reading-correction/1": later("Register corrected|entry"),
    "replacement/1": later("Meter replaced"),
    "ratio/1": later("Multiplier changed"),
    "fee/1": later("Daily fee|entry"),
    "tariff/1": later("New price|entry"),
    "tariff/2": later("New price|entry"),
    "proposal/1": later("Proposed|entry"),
    "decision/1": later("Not approved|entry"),
}

ASKED = {
    "refund": WORDS["refund/1"], "compensate": WORDS["compensation/1"], "deduct": WORDS["deduction/1"],
    "correct": WORDS["correction/1"], "correct-reading": WORDS["reading-correction/1"],
    "bring": WORDS["opening-balance/1"], "defer": WORDS["debt/1"], "settle": WORDS["exit/1"],
    "price": WORDS["tariff/2"], "replace-meter": WORDS["replacement/1"], "change-multiplier": WORDS["ratio/1"],
    "move-in": later("Tenancy|entry"),
}  # fmt: skip
"""What is proposed, by the words of what it becomes."""


def moved_nano(line: Line, account: str) -> int | None:
    """What an entry adds to the balance of an account; the archive says it of the account that the entry is about."""
    if line.account == account:
        nothing = 0 if line.body.get("amount_nano") == 0 else None  # A charge of nothing moves nothing.
        return nothing if line.amount_nano is None else line.amount_nano
    wallet = TENANT + account
    moves = [move for move in moves_of(line.body) if wallet in (move["from"], move["to"])]
    return sum(move["amount_nano"] * (1 if move["to"] == wallet else -1) for move in moves) if moves else None


def balance_nano(line: Line, account: str) -> int | None:
    """The balance of an account after an entry."""
    name = "to_balance_after_nano" if line.body.get("to_account") == account else "balance_after_nano"
    found: int | None = line.body.get(name)
    return found


def money_words(line: Line, account: str, wall: Wall) -> tuple[str, str] | None:
    """(kind in words, what in words), or None for an entry of another kind."""
    body = line.body
    if line.kind == "correction/1":
        there = body.get("to_account") == account
        word = t("Amount moved here|entry") if there else t(WORDS[line.kind])
        other = t("from account {id}", id=body["account"]) if there else t("to account {id}", id=body["to_account"])
        return word, _joined(other, _why(body))
    if line.kind not in WORDS:
        return None
    return t(WORDS[line.kind]), _joined(*_what(line.kind, body, wall))


def _what(kind: str, body: dict[str, Any], wall: Wall) -> list[str]:
    match kind:
        case "topup/1" | "refund/1":
            number = t("receipt {number}", number=body.get("receipt", ""))
            return [method_word(body.get("method")), number, str(body.get("reference") or ""), _why(body)]
        case "reversal/1":
            return [t("receipt {number}", number=body.get("original_receipt", "")), _why(body)]
        case "compensation/1" | "deduction/1":
            said = str(body.get("reason") or "")
            return [t(REASONS[said]) if said in REASONS else said, _why(body)]
        case "opening-balance/1":
            return [t("from before this book|entry"), _why(body)]
        case "debt/1":
            return [t("paid off by {n} % of each top-up", n=body["share_percent"])] if body.get("share_percent") else []
        case "replacement/1" | "ratio/1":
            return [of_registers(kind, body)]
        case "fee/1":
            water = t("water|fee") if body.get("unit") == "m3" else ""
            return [t("for {day}", day=body["date"][5:]), water]
        case "tariff/1" | "tariff/2":
            return [named_version(body), t("from {when}", when=wall.stamp(body["effective_at"])), _by(body)]
        case "proposal/1":
            return _proposal(body)
        case "decision/1":
            return [body["proposal"], person(body["who"]), reason(body["who"], body.get("why"))]
    return [_why(body)]


def named_version(body: dict[str, Any]) -> str:
    """A price and its version, as people name it."""
    name = body.get("name") or body.get("tariff_name") or body.get("tariff", "")
    return t("“{name}”, version {n}|price", name=name, n=body.get("version", 0))


def _by(body: dict[str, Any]) -> str:
    """Who set a price: one proposed it and another approved it, or the site file came with it."""
    if body.get("proposed_by"):
        return t("proposed by {maker}, approved by {checker}", maker=person(body["proposed_by"]),
                 checker=person(body.get("by")))  # fmt: skip
    return person(body.get("by"))


def _proposal(body: dict[str, Any]) -> list[str]:
    what, asked = str(body["what"]), body["body"]
    told = [t(ASKED[what]) if what in ASKED else what]
    if type(amount := asked.get("amount_fen")) is int:
        told.append(t("{amount} yuan", amount=fen(amount)))
    price = asked.get("price")
    if isinstance(price, dict):
        told.append(str(price.get("name", "")))
    return [*told, t("by {who}|proposal", who=person(body["who"])), _why(asked), body["proposal"]]


def _why(body: dict[str, Any]) -> str:
    """A person's own words."""
    return str(body.get("why") or "")


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
