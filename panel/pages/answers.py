"""What came of a request, shown as it comes: sent, done, read back; never ahead of what was answered.

A request this panel no longer remembers is looked up in the archive by its entry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, abort, render_template

from bridge.contract.messages import LARGEST, MeterRow, Relay
from bridge.contract.units import NANO_PER_FEN, is_transaction
from panel import lock_answers, meter_answers, protecting_answers
from panel.again import again
from panel.commands import KEY, Asked
from panel.edge_words import said
from panel.formats import yuan
from panel.guard import quiet
from panel.money_answers import SLIPS, done_words, from_entry, is_money, money_title, step_word
from panel.pages import price_answers
from panel.parts import Parts, parts
from panel.switches import OPERATIONS, RELAY, SWITCHES, Words, relay_of, words_of
from panel.telling import hold_words_of, rule_words
from panel.words import later, t

blueprint = Blueprint("answers", __name__)
quiet("answers.answer")

TITLES = {
    "topup": later("Top up"),
    "trip": later("Trip"),
    "close": later("Close"),
    "off": later("Close the valve"),
    "on": later("Open the valve"),
    "read": later("Read now"),
    "brake": later("Release the brake"),
    **price_answers.TITLES,
    **meter_answers.TITLES,
    **protecting_answers.TITLES,
    **lock_answers.TITLES,
}
WORDED = (price_answers, meter_answers, protecting_answers, lock_answers)
"""Modules that put the outcome of their operations into words."""

BUTTON = "press the button"
"""The edge's step while closing is permitted and the meter waits for its button."""


@dataclass(frozen=True)
class Step:
    """One step of a command: `state` is done, waiting or failed."""

    word: str
    state: str


@dataclass(frozen=True)
class Answer:
    """A command as people see it. `good` is None while nothing is decided."""

    transaction: str
    title: str
    who: str
    at: str
    steps: list[Step]
    good: bool | None
    sentence: str
    detail: str
    finished: bool
    receipt: str | None = None
    seq: int | None = None
    """The entry of a top-up, whose receipt goes to paper."""
    slip: int | None = None
    """The entry of a refund or a settlement, whose slip is signed."""
    again: str | None = None
    """The form of a refused act, filled as it was typed."""
    waits: bool = False
    """A second person must approve it."""
    price: str | None = None
    """The price whose proposal was refused: its form can be opened again."""


@blueprint.get("/answer/<transaction>")
def answer(transaction: str) -> str:
    """The card, which asks for itself again until the outcome is known."""
    found = answer_to(transaction)
    if found is None:
        abort(404)
    return render_template("parts/answer.html", answer=found, wall=parts().wall())


def answer_to(transaction: str | None) -> Answer | None:
    """The answer to a transaction, from memory or from the archive; None when neither knows it."""
    if not is_transaction(transaction) or transaction is None:
        return None
    stand = parts()
    asked = stand.commands.find(transaction)
    if asked is not None:
        return told(stand, asked) if asked.operation in TITLES or is_money(asked.operation) else None
    return _from_archive(stand, transaction)


def told(stand: Parts, asked: Asked) -> Answer:
    """Put a request and its answers into words."""
    good, sentence, detail = _outcome(stand, asked)
    newest = asked.newest
    found = (newest.data if newest and newest.status == "done" else None) or {}
    receipt, seq = found.get("receipt"), found.get("seq")
    money, titles = is_money(asked.operation), TITLES | protecting_answers.of_water(asked)
    return Answer(
        asked.transaction, money_title(asked.operation, asked.about) if money else t(titles[asked.operation]),
        asked.who, asked.at, _steps(stand, asked, good), good,
        sentence, detail, asked.finished, str(receipt) if receipt else None,
        seq if isinstance(seq, int) and receipt and not money else None,
        slip=seq if isinstance(seq, int) and asked.about in SLIPS and asked.operation == "approve-money" else None,
        again=again(asked) if good is False else None,
        waits=good is True and "until" in found and asked.operation not in protecting_answers.TITLES,
        price=asked.subject if price_answers.refused(asked) else None,
    )  # fmt: skip


def _steps(stand: Parts, asked: Asked, good: bool | None) -> list[Step]:
    done = good is True
    failed = good is False or stand.commands.silent(asked)
    outcome = "done" if done else "failed" if failed else "waiting"
    steps = [Step(t("Sent"), "failed" if asked.broker_refused else "done")]
    if asked.operation in OPERATIONS or lock_answers.moves(asked):
        moved = done or _meter_did(stand, asked)
        steps.append(Step(t("Done|relay"), "done" if moved else outcome))
        steps.append(Step(t("Read back"), outcome))
    elif asked.operation == "topup":
        steps.append(Step(t("Posted|money"), outcome))
    elif any(asked.operation in each.TITLES for each in (price_answers, protecting_answers, lock_answers)):
        steps.append(Step(t("In the book"), outcome))
    elif asked.operation in meter_answers.TITLES:
        steps.append(Step(meter_answers.step_word(asked.operation), outcome))
    elif is_money(asked.operation):
        steps.append(Step(step_word(asked.operation), outcome))
    else:
        steps.append(Step(t("Read back") if asked.operation == "read" else t("Done|relay"), outcome))
    return steps


def _meter_did(stand: Parts, asked: Asked) -> bool:
    """True when the meter said yes to this command: the relay fact that says so came after the gateway accepted it."""
    view = stand.mirror.view()
    meter = view.meters.get(asked.subject)
    relay = relay_of(view, meter) if meter else None
    fact = view.facts.get(view.topics.of(SWITCHES[(meter.switch if meter else None) or "relay"], asked.subject))
    return bool(
        asked.accepted
        and relay
        and fact
        and fact.heard_s > asked.sent_s
        and relay.step in ("done", "read back", BUTTON)
    )


def _outcome(stand: Parts, asked: Asked) -> tuple[bool | None, str, str]:
    """(good?, the sentence, what to know besides)."""
    if asked.broker_refused:
        return False, t("The broker did not take the request; nothing was done."), asked.broker_refused
    newest = asked.newest
    if newest is None:
        if not stand.commands.silent(asked):
            return None, t("Sent; waiting for the gateway's answer."), ""
        if asked.operation == "topup":
            return None, t("No answer (30 s). Not sent again. Look at the entries before taking the money twice."), ""
        for module in WORDED:
            if asked.operation in module.TITLES:
                return None, t(module.SILENT), ""
        if is_money(asked.operation):
            return None, t("No answer (30 s). Not sent again. Look at the account before you do it once more."), ""
        return None, t("No answer (30 s). Not sent again; read as usual next round."), ""
    booked = asked.operation == "topup" or is_money(asked.operation) or asked.operation in protecting_answers.TITLES
    if newest.status == "accepted" and booked:
        return None, t("Accepted by the gateway; waiting until it stands in the book."), ""
    if newest.status == "accepted" and asked.operation in meter_answers.TITLES:
        return None, meter_answers.on_its_way(asked.operation), ""
    if _waits_for_button(stand, asked):
        return None, t("Ready: press the button on the meter"), ""
    if newest.status == "accepted":
        besides = said(str((newest.data or {}).get("text") or ""))
        kind = RELAY if asked.operation == "read" else _words(stand, asked)  # Nothing turns while it is read.
        return None, t(kind.on_its_way), besides
    if newest.status == "refused":
        words = rule_words(newest.rule)
        told = t("Refused: {words} ({rule}).", words=words, rule=newest.rule) if newest.rule else t("Refused.")
        return False, told, said(newest.error)
    if newest.status == "failed":
        return False, t("Not done."), said(newest.error)
    for module in WORDED:
        if asked.operation in module.TITLES:
            return True, module.done(asked, newest.data or {}, stand.wall()), said(newest.error)
    if is_money(asked.operation):
        return True, done_words(asked, newest.data or {}, stand.wall()), said(newest.error)
    return True, _done(asked, newest.data or {}, _words(stand, asked)), said(newest.error)


def _words(stand: Parts, asked: Asked) -> Words:
    meter: MeterRow | None = stand.mirror.view().meters.get(asked.subject)
    return words_of(meter)


def _waits_for_button(stand: Parts, asked: Asked) -> bool:
    """True for a close that is permitted and not done: the gateway gives up waiting after a minute, the meter does not.

    Once the button was pressed the relay is closed, and the meter's page says so.
    """
    view = stand.mirror.view()
    meter, relay = view.meters.get(asked.subject), view.get(Relay, asked.subject)
    newest = asked.newest
    waits = newest is not None and newest.status in ("accepted", "failed")
    permitted = relay is not None and relay.step == BUTTON and relay.observed == "open"
    return asked.operation == "close" and waits and permitted and meter is not None and meter.relay == "permit"


def _done(asked: Asked, found: dict[str, object], words: Words) -> str:
    if asked.operation == "topup":
        amount = yuan(asked.fields["amount_fen"] * NANO_PER_FEN)
        balance = found.get("balance_nano")
        shown = yuan(balance) if isinstance(balance, int) else "—"
        return t("{amount} yuan posted. Balance {balance} yuan.", amount=amount, balance=shown)
    if asked.operation == words.off:
        return t(words.is_off)
    if asked.operation == words.on and found.get("holds"):
        holds = hold_words_of([str(kind) for kind in found["holds"]])  # type: ignore[attr-defined]
        return t(words.stays_off, holds=holds)
    if asked.operation == words.on:
        return t(words.is_on)
    if asked.operation == "brake":
        return t("The brake is released.")
    return t("Read; the values stand below.")


def _from_archive(stand: Parts, transaction: str) -> Answer | None:
    line = stand.history.by_id(f"{KEY}:{transaction}")
    if line is not None and (asked := from_entry(line)) is not None:
        return told(stand, replace(asked, about=_about(stand, asked)))
    if line is None or line.kind != "topup/1" or line.body.get("amount_fen") is None:
        return None
    amount, balance = yuan(line.body["amount_fen"] * NANO_PER_FEN), yuan(line.body.get("balance_after_nano"))
    return Answer(
        transaction, t("Top up"), str(line.body.get("who", "")), line.at.isoformat(),
        [Step(t("Sent"), "done"), Step(t("Posted|money"), "done")], True,
        t("{amount} yuan posted. Balance {balance} yuan.", amount=amount, balance=balance), "", True,
        str(line.body.get("receipt", "")) or None, line.seq,
    )  # fmt: skip


def _about(stand: Parts, asked: Asked) -> str:
    """What a decision from the archive was about, by the entry that it brought."""
    seq = ((asked.newest.data if asked.newest else None) or {}).get("seq")
    if asked.operation != "approve-money" or not isinstance(seq, int) or not 0 < seq <= LARGEST:
        return ""
    line = stand.history.entry(seq)
    return {"refund/1": "refund", "exit/1": "settle"}.get(line.kind, "") if line else ""
