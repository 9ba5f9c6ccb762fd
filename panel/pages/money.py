"""The acts with money: a short form, then a page that shows before and after, and only then one request.

Nothing is kept between the steps but what stands in the form itself, so it works without JavaScript and from two
windows at once. The transaction is made with the first form and goes along: a double click is done once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.units import yuan_text
from panel.commands import Conflict, NotSent
from panel.formats import fen
from panel.guard import me, quiet, require
from panel.links import link
from panel.money_acts import ACTS, LONGEST, METHODS, REASONS, Act, approval_words, told_label
from panel.money_card import card_of
from panel.money_effects import Sight, effect_of, forbidden, limits
from panel.money_figures import figures_of
from panel.money_topups import TopUps, receipt_of
from panel.money_typed import read
from panel.pages.account import Tenancy, tenancy
from panel.parts import parts
from panel.typed import Typed, fresh
from panel.words import t

blueprint = Blueprint("money", __name__)
quiet("money.of_account")

ROOMS_OFFERED = 400
"""Accounts that a browser offers while the other one is typed; whoever has more types the number."""


def _act(operation: str) -> Act:
    """The act of an address; 404 for none, 403 for a role that may not ask for it."""
    if operation not in ACTS or not ACTS[operation].form:
        abort(404)
    require(operation)
    return ACTS[operation]


def _sight(found: Tenancy) -> Sight:
    stand = parts()
    topups = TopUps(stand.history, found.row.id)
    return Sight(stand, stand.mirror.view(), stand.wall(), found.row, found.account, found.rooms, topups)


@blueprint.get("/account-money/<id>")
def of_account(id: str) -> str:
    """The card on the account's page, which refreshes itself: which acts there are, and what waits for approval."""
    found = tenancy(id)
    stand = parts()
    card = card_of(stand, id, found.account)
    return render_template("parts/money.html", it=found, wall=stand.wall(), **card)


@blueprint.get("/money/<operation>/<id>")
def form(operation: str, id: str) -> str:
    """The form; its fields may be filled by the address, a top-up also by the number of its `entry`."""
    act, found = _act(operation), tenancy(id)
    sight, given = _sight(found), request.args.to_dict()
    if (line := sight.topups.at(given.get("entry", ""))) is not None:
        given["receipt"] = receipt_of(line)
    return _page(sight, fresh(act, given))


@blueprint.post("/money/<operation>/<id>")
def step(operation: str, id: str) -> str | tuple[str, int] | Response:
    """`step`: `look` shows before and after, `edit` goes back to the form, `send` asks the gateway."""
    act, found = _act(operation), tenancy(id)
    sight = _sight(found)
    typed = read(act, id, request.form, sight.view)
    wanted = request.form.get("step", "look")
    if wanted == "edit":
        return _page(sight, replace(typed, mistakes={}))
    if why := forbidden(sight, act):
        return _page(sight, replace(typed, mistakes={"form": why})), 422
    mistakes = typed.mistakes or limits(sight, act, typed.words)
    if mistakes:
        return _page(sight, replace(typed, mistakes=mistakes)), 422
    if wanted != "send":
        return _confirm(sight, typed)
    return _send(sight, typed)


def _send(sight: Sight, typed: Typed) -> tuple[str, int] | Response:
    user, id, act = me(), sight.row.id, typed.act
    try:
        parts().commands.send(
            act.operation, id, who=user.name, role=user.role, transaction=typed.transaction, **typed.words
        )
    except NotSent:
        words = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(sight, replace(typed, mistakes={"form": words})), 503
    except Conflict:
        words = t("This form was already used for something else. Check the state, then send it once more.")
        again = replace(typed, transaction=new_transaction(), mistakes={"form": words})
        return _page(sight, again), 409
    return redirect(link("account.account", id=id, answer=typed.transaction), 303)


def _page(sight: Sight, typed: Typed) -> str:
    act = typed.act
    return render_template(
        "money.html", form=typed, stands_against=forbidden(sight, act), figures=figures_of(sight, act),
        topups=sight.topups.offered(typed.value("receipt")) if "receipt" in act.fields else [],
        most=_most(sight, act), others=_others(sight) if "to_account" in act.fields else [], **_shared(sight, act),
    )  # fmt: skip


def _confirm(sight: Sight, typed: Typed) -> str:
    return render_template(
        "money_confirm.html", form=typed, effect=effect_of(sight, typed.act, typed.words),
        told=_told(sight, typed), **_shared(sight, typed.act),
    )  # fmt: skip


def _shared(sight: Sight, act: Act) -> dict[str, Any]:
    return {
        "act": act, "it": sight.row, "wall": sight.wall, "methods": METHODS, "reasons": REASONS,
        "longest": LONGEST, "approval": approval_words(act),
    }  # fmt: skip


def _most(sight: Sight, act: Act) -> str | None:
    """The whole amount that a refund or a deferral can have, for one click."""
    refundable = sight.account.refundable_nano or 0 if sight.account else 0
    nano = {"refund": refundable, "defer": sight.owed_nano}.get(act.operation, 0)
    return yuan_text(nano) if nano > 0 else None


def _others(sight: Sight) -> list[Any]:
    rows = [row for row in sight.view.accounts.values() if row.id != sight.row.id]
    return rows if len(rows) <= ROOMS_OFFERED else []


def _told(sight: Sight, typed: Typed) -> list[tuple[str, str]]:
    """(label, what was typed) as it will be sent."""
    found = []
    for name in typed.act.fields:
        text = typed.value(name)
        match name:
            case "amount":
                text = t("{amount} yuan", amount=fen(typed.words["amount_fen"]))
            case "method":
                text = t(METHODS[text])
            case "reason":
                text = t(REASONS[text])
            case "to_account":
                row = sight.view.accounts.get(typed.words["to_account"])
                text = t("Account {id}", id=typed.words["to_account"]) + (f" · {row.room} {row.name}" if row else "")
            case "share":
                text = f"{text} %"
            case "cap" if not typed.words["weekly_cap_fen"]:
                text = t("no cap")
        if text:
            found.append((told_label(typed.act.operation, name), text))
    return found
