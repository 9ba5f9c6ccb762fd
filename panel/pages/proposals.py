"""Waiting for approval: what one person has proposed about money or a tenant, and another decides (R32).

Its maker sees why it is not theirs to approve, and may take it back. Every decision has a form with a number of its
own, so two clicks are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.messages import Account
from bridge.contract.units import is_plain, is_transaction
from panel import price_versions
from panel.commands import Conflict, NotSent
from panel.guard import i_may, me, quiet, require
from panel.links import link
from panel.money_acts import ACTS, REGISTERS
from panel.money_effects import CHANGES, Effect, Sight, effect_of
from panel.money_topups import TopUps
from panel.pages.account import tenancy_of
from panel.pages.answers import answer_to
from panel.parts import parts
from panel.proposals import Waiting, decided, decision_of, says_of, told_of, waiting
from panel.protections import long_kept, renewed_words
from panel.right_reading import OPERATION, Booked, Pair, beside
from panel.words import t

blueprint = Blueprint("proposals", __name__)
quiet("proposals.now")

LONGEST_WHY = 200


@dataclass(frozen=True)
class Decision:
    """The forms of a decision as they were typed."""

    transaction: str
    why: str = ""
    mistake: str | None = None


@blueprint.get("/money/waiting")
def waiting_() -> str:
    """The page; `answer` shows what came of a decision."""
    require("approve-money")
    return render_template("proposals.html", answer=answer_to(request.args.get("answer")), **_now())


@blueprint.get("/money/waiting-now")
def now() -> str:
    """The list, which refreshes itself."""
    require("approve-money")
    return render_template("parts/proposals_now.html", **_now())


def _now() -> dict[str, Any]:
    stand = parts()
    view = stand.mirror.view()
    prices = price_versions.waiting(view)[0] if i_may("approve-price") else []
    wall = stand.wall()
    kept = [(row, renewed_words(account, wall)) for row in view.accounts.values()
            if long_kept(account := view.get(Account, row.id), wall)]  # fmt: skip
    return {"waiting": waiting(view), "decided": decided(view), "wall": wall, "prices": prices, "kept": kept}


@blueprint.get("/proposal/<id>")
def proposal(id: str) -> str | tuple[str, int]:
    """One proposal with before and after, to be decided; or what became of it."""
    require("approve-money")
    return _page(id, Decision(new_transaction(), request.args.get("why", "")[:LONGEST_WHY]))


def _found(id: str) -> Waiting | None:
    return next((each for each in waiting(parts().mirror.view()) if each.row.id == id), None)


def _page(id: str, form: Decision, code: int = 200) -> str | tuple[str, int]:
    stand, found = parts(), _found(id)
    if found is None:
        over = next((each for each in decided(stand.mirror.view()) if each.row.id == id), None)
        known = 200 if over else 404
        return render_template("proposal.html", it=None, over=over, wall=stand.wall()), code if code != 200 else known
    beside = _beside(found)
    told = found.told
    if beside is not None:  # The table tells them.
        words = {key: text for key, text in found.row.body.items() if key not in (*REGISTERS, "entry")}
        told = told_of(stand.mirror.view(), found.row.what, words)
    shown = render_template(
        "proposal.html", it=found, over=None, form=form, effect=_effect(found),
        says=says_of(found.row.what), wall=stand.wall(), beside=beside, told=told,
    )  # fmt: skip
    return (shown, code) if code != 200 else shown


def _beside(found: Waiting) -> tuple[Booked, list[Pair]] | None:
    """Of a reading that is to be put right: the registers of the book, and the right ones."""
    if found.row.what != OPERATION:
        return None
    stand, meter = parts(), found.row.body.get("meter")
    row = stand.mirror.view().meters.get(meter) if isinstance(meter, str) else None
    return beside(stand.history, row, found.row.body)


def _effect(found: Waiting) -> Effect | None:
    """Before and after as things stand now; None where the proposal or the account is not known whole."""
    stand = parts()
    view = stand.mirror.view()
    if found.tenant is None or not found.whole or found.row.what not in CHANGES:
        return None
    one = tenancy_of(stand, view, found.tenant)
    topups = TopUps(stand.history, found.account)
    account = view.get(Account, found.account)
    sight = Sight(stand, view, stand.wall(), found.tenant, account, one.rooms, topups)
    return effect_of(sight, ACTS[found.row.what], found.row.body)


@blueprint.post("/proposal/<id>")
def decide(id: str) -> str | tuple[str, int] | Response:
    """Approve, or reject with a reason; the gateway looks at every rule again."""
    typed, approve = request.form, request.form.get("do") == "approve"
    form = Decision(typed.get("transaction", ""), typed.get("why", "").strip())
    found, known = _found(id), parts().commands.find(form.transaction)
    what = found.row.what if found is not None else known.about if known is not None else ""
    operation = decision_of(what, approve)
    require(operation)
    if found is None and known is None:
        return _page(id, form, 409)
    if mistake := _mistake(form, approve, found):
        fresh = form.transaction if is_transaction(form.transaction) else new_transaction()
        return _page(id, Decision(fresh, form.why[:LONGEST_WHY], mistake), 422)
    user = me()
    try:
        parts().commands.send(
            operation, found.account if found else "", who=user.name, role=user.role, transaction=form.transaction,
            about=what, proposal=id, why=form.why,
        )  # fmt: skip
    except NotSent:
        words = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(id, Decision(form.transaction, form.why, words), 503)
    except Conflict:
        words = t("This form was already used for something else. Check the state, then send it once more.")
        return _page(id, Decision(new_transaction(), form.why, words), 409)
    return redirect(link("proposals.waiting_", answer=form.transaction), 303)


def _mistake(form: Decision, approve: bool, found: Waiting | None) -> str | None:
    if not is_transaction(form.transaction):
        return t("This form lost its number on the way. Nothing was done; send it once more.")
    if approve and found is not None and found.mine:
        return t("You have proposed this, and nobody approves their own (R32). Ask somebody else.")
    if not approve and not form.why:
        return t("A reason is needed; it stands in the book.")
    if len(form.why) > LONGEST_WHY:
        return t("At most {n} characters.", n=LONGEST_WHY)
    if not is_plain(form.why):
        return t("There are characters in it that cannot be shown; type it anew.")
    return None
