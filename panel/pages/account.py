"""An account: what it has, what happens next, every entry with its reasons, and taking money.

The transaction stands in the form before the click, so a double click posts once. What was typed is never lost to a
mistake in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.messages import Account, AccountRow
from bridge.contract.units import NANO_PER_FEN, BadAmount, fen_of, is_plain, is_transaction, nano_of_yuan, yuan_text
from panel.commands import Conflict, NotSent
from panel.concerning import concerning_of
from panel.formats import yuan
from panel.guard import me, quiet, require
from panel.links import link
from panel.mirror import View
from panel.money_acts import METHODS
from panel.money_card import card_of
from panel.pages.answers import answer_to
from panel.pages.entries import STORY_WITHIN, rows_of, story_of
from panel.parts import Parts, parts
from panel.paying_words import all_water, paying_for
from panel.protecting_card import card_of as protecting_card
from panel.repaying import after_nano, repaid_of, repays_words
from panel.states import PRIORITY, WORDS, Room, room_of
from panel.telling import banner_of, effect_of, least_nano
from panel.words import t

blueprint = Blueprint("account", __name__)
quiet("account.now")
quiet("account.entries")

QUICK = ("50", "100", "200", "500")

SHOWN = 64
"""Characters of a typed text that stand in the form again. An amount is judged whole, never by its beginning."""


@dataclass(frozen=True)
class Tenancy:
    """An account with its newest facts and its meters, the most urgent first."""

    row: AccountRow
    account: Account | None
    rooms: list[Room]

    @property
    def state(self) -> str:
        return self.rooms[0].state if self.rooms else "none"

    @property
    def tag(self) -> tuple[str, str, str]:
        """Paint, word and icon."""
        return (self.rooms[0].paint, self.word, self.rooms[0].icon) if self.rooms else ("none", self.word, "none")

    @property
    def ended(self) -> bool:
        """Settled: its meters are free and may be somebody else's."""
        return self.account is not None and self.account.ended_at is not None

    @property
    def water(self) -> bool:
        return all_water(self.rooms)

    @property
    def word(self) -> str:
        """Its state in words: those of the meter that is in it."""
        if self.ended:
            return t("Settled")
        return self.rooms[0].word if self.rooms else t(WORDS["none"])


@dataclass(frozen=True)
class Form:
    """The top-up form as it was typed. `mistakes` stand next to their fields."""

    transaction: str
    amount: str = ""
    method: str = ""
    reference: str = ""
    mistakes: tuple[tuple[str, str], ...] = ()

    def mistake(self, field: str) -> str | None:
        return dict(self.mistakes).get(field)


def tenancy(id: str) -> Tenancy:
    """The account with this id; 404 where there is none."""
    stand = parts()
    view = stand.mirror.view()
    row = view.accounts.get(id)
    if row is None:
        abort(404)
    return tenancy_of(stand, view, row)


def tenancy_of(stand: Parts, view: View, row: AccountRow) -> Tenancy:
    """An account as it stands in `view`."""
    wall, account = stand.wall(), view.get(Account, row.id)
    # A settled account keeps the names of its meters; what they do now is somebody else's.
    meters = [] if account is not None and account.ended_at is not None else view.meters_of(row)
    rooms = [room_of(view, meter, wall, stand.stale_s) for meter in meters]
    rooms.sort(key=lambda room: PRIORITY.index(room.state))
    return Tenancy(row, account, rooms)


def amount_nano(text: str) -> int:
    """A typed amount as nano-yuan. Raises BadAmount with a sentence for the person who typed."""
    try:
        fen = fen_of(text)
    except BadAmount:
        raise BadAmount(
            t("“{text}” is not an amount: digits with at most two decimals, such as 200 or 200.50.", text=text[:24])
        ) from None
    policy = parts().site.policy
    low, high = nano_of_yuan(policy.topup_min), nano_of_yuan(policy.topup_max)
    if not low <= fen * NANO_PER_FEN <= high:
        raise BadAmount(t("A top-up lies between {low} and {high} yuan.", low=yuan(low), high=yuan(high)))
    return fen * NANO_PER_FEN


@blueprint.get("/account/<id>")
def account(id: str) -> str:
    """The page. `amount`, `method` and `reference` fill the form, `before` pages the entries, `answer` shows a
    request's outcome."""
    asked = request.args
    form = Form(
        new_transaction(), asked.get("amount", "")[:SHOWN], asked.get("method", ""), asked.get("reference", "")[:SHOWN]
    )
    return _page(tenancy(id), form)


def _page(found: Tenancy, form: Form) -> str:
    stand, preview = parts(), _preview(found, form.amount)
    preview["mistake"] = form.mistake("amount") or preview["mistake"]
    least = least_nano(found.account, found.rooms, nano_of_yuan(stand.site.policy.topup_min))
    return render_template(
        "account.html", it=found, form=form, methods=METHODS, quick=QUICK, preview=preview,
        least=yuan_text(least) if least else None, least_words=paying_for(found.rooms).least,
        answer=answer_to(request.args.get("answer")), **_now(stand, found), **_entries(stand, found),
        **card_of(stand, found.row.id, found.account), **protecting_card(found, stand.wall()),
    )  # fmt: skip


def _now(stand: Parts, found: Tenancy) -> dict[str, Any]:
    wall = stand.wall()
    return {"wall": wall, "banner": banner_of(found.rooms, found.account, wall)}


def _entries(stand: Parts, found: Tenancy) -> dict[str, Any]:
    before = request.args.get("before", "")
    seq = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    concerning = concerning_of(found.row, found.ended)
    lines = stand.history.of_account(concerning, seq, limit=21)
    wall = stand.wall()
    return {
        "rows": rows_of(lines[:20], found.row.id, stand, wall),
        "older": lines[19].seq if len(lines) > 20 else None,
        "before": seq,
        "story": story_of(stand.history.of_account(concerning, limit=STORY_WITHIN), found.account, wall),
    }


@blueprint.get("/account-now/<id>")
def now(id: str) -> str:
    """Banner and figures, which refresh themselves."""
    found = tenancy(id)
    shown = _now(parts(), found) | {"it": found, "oob": True}
    return render_template("parts/account_now.html", **shown) + render_template("parts/figures.html", **shown)


@blueprint.get("/account-entries/<id>")
def entries(id: str) -> str:
    """Entries and warnings, which refresh themselves."""
    found = tenancy(id)
    shown = _entries(parts(), found) | {"it": found, "wall": parts().wall(), "oob": True}
    return render_template("parts/entries.html", **shown) + render_template("parts/story.html", **shown)


@blueprint.get("/account-preview/<id>")
def preview(id: str) -> str:
    """Before and after for the amount that stands in the field, and what it will do."""
    require("topup")
    found = tenancy(id)
    amount = request.args.get("amount", "")
    return render_template("parts/preview.html", it=found, preview=_preview(found, amount), typing=True)


def _preview(found: Tenancy, text: str) -> dict[str, Any]:
    """{before, after, amount, good, effect, mistake}; without an amount only `before`."""
    account = found.account
    shown: dict[str, Any] = {"before": account.available_nano if account else None, "after": None, "mistake": None}
    if not text.strip():
        return shown
    try:
        nano = amount_nano(text)
    except BadAmount as bad:
        return shown | {"mistake": str(bad)}
    if account is None:
        return shown | {"amount": nano}
    after = after_nano(account, nano)
    good, effect = effect_of(account, found.rooms, after, parts().site.policy.cut_at, parts().wall())
    shown["repays"] = repays_words(*repaid_of(account, nano))
    return shown | {"amount": nano, "after": after, "good": good, "effect": effect}


@blueprint.post("/account/<id>")
def top_up(id: str) -> str | tuple[str, int] | Response:
    """Take money: one request for one transaction, then the page that shows its answer."""
    require("topup")
    found, typed = tenancy(id), request.form
    amount, reference = typed.get("amount", ""), typed.get("reference", "").strip()
    form = Form(typed.get("transaction", ""), amount[:SHOWN], typed.get("method", ""), reference)
    mistakes: dict[str, str] = {}
    nano = 0
    if not is_transaction(form.transaction):  # Without its number a double click would post twice.
        form = replace(form, transaction=new_transaction())
        mistakes["form"] = t("This form lost its number on the way. Nothing was done; send it once more.")
    try:
        nano = amount_nano(amount)
    except BadAmount as bad:
        mistakes["amount"] = str(bad)
    if form.method not in METHODS:
        mistakes["method"] = t("Choose how the money came.")
    if len(reference) > 64:
        mistakes["reference"] = t("At most 64 characters.")
    elif not is_plain(reference):
        mistakes["reference"] = t("There are characters in it that cannot be shown; type it anew.")
    if mistakes:
        return _again(found, form, mistakes)
    user = me()
    try:
        parts().commands.send(
            "topup", id, who=user.name, role=user.role, transaction=form.transaction,
            account=id, amount_fen=nano // NANO_PER_FEN, method=form.method, reference=reference,
        )  # fmt: skip
    except NotSent:
        words = t("Not sent: the connection to the gateway is lost. Nothing was posted; send the form again later.")
        return _again(found, form, {"form": words}, 503)
    except Conflict:
        fresh = replace(form, transaction=new_transaction())
        words = t("This form was already used for another top-up. Check the entries, then send it once more.")
        return _again(found, fresh, {"form": words}, 409)
    if typed.get("back") == "demo":
        return redirect(link("demo.timeline", answer=form.transaction), 303)
    return redirect(link("account.account", id=id, answer=form.transaction), 303)


def _again(found: Tenancy, form: Form, mistakes: dict[str, str], code: int = 422) -> tuple[str, int]:
    return _page(found, replace(form, mistakes=tuple(mistakes.items()))), code
