"""Protecting a tenant from a cut-off, lifting that, recording that one was told, and choosing how supply returns: a
form, a look, one request.

Nothing is kept between the steps but what stands in the form itself, so it works without JavaScript. The transaction is
made with the first form and goes along: a double click is done once.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from panel.commands import Conflict, NotSent
from panel.final_warning import HOWS, how_words, undelivered, warning_words
from panel.formats import lasts, yuan
from panel.guard import me, quiet, require
from panel.links import link
from panel.pages.account import Tenancy, tenancy
from panel.parts import parts
from panel.protecting import ACTS, DAYS, LONGEST, Act, read, worded
from panel.protecting_card import already, card_of
from panel.protections import renewed_words, standing
from panel.telling import protection_words
from panel.typed import Typed, fresh
from panel.words import t

blueprint = Blueprint("protection", __name__)
quiet("protection.of_account")


@blueprint.get("/account-protection/<id>")
def of_account(id: str) -> str:
    """The card on the account's page, which refreshes itself."""
    found, wall = tenancy(id), parts().wall()
    return render_template("parts/protection.html", it=found, wall=wall, **card_of(found, wall))


def _act(name: str) -> Act:
    """The act of an address; 404 for none, 403 for a role that may not ask for it."""
    if name not in ACTS:
        abort(404)
    require(ACTS[name].operation)
    return ACTS[name]


@blueprint.get("/protection/<name>/<id>")
def form(name: str, id: str) -> str:
    """The form; its fields may be filled by the address."""
    act, found = _act(name), tenancy(id)
    typed = fresh(act, request.args)
    if "episode" in act.fields and found.account is not None:
        # Of the warning that is seen here: another one may stand when this is sent, and nobody was told of that (R1).
        typed.values["episode"] = str(found.account.episode)
    return _page(found, typed)


@blueprint.post("/protection/<name>/<id>")
def step(name: str, id: str) -> str | tuple[str, int] | Response:
    """`step`: `look` shows what will be asked, `edit` goes back to the form, `send` asks the gateway."""
    act, found = _act(name), tenancy(id)
    typed = read(act, id, request.form, parts().wall())
    wanted = request.form.get("step", "look")
    if wanted == "edit":
        return _page(found, replace(typed, mistakes={}))
    if why := forbidden(act, found):
        return _page(found, replace(typed, mistakes={"form": why})), 422
    if typed.mistakes:
        return _page(found, typed), 422
    return _send(found, typed) if wanted == "send" else _confirm(found, typed)


def forbidden(act: Act, found: Tenancy) -> str | None:
    """Why the gateway would refuse it as things stand now, in words; None where nothing is known against it."""
    if found.ended:
        return t("The tenancy has ended; nobody cuts it and nobody protects it any more (R33).")
    if act.name == "told" and not undelivered(found.account):
        return t("No final warning waits to be delivered now: it was delivered, or it is over (R1).")
    if act.operation == "set-close" and already(act, found):
        return t("Supply returns that way already, or no meter here can do it otherwise (R6).")
    if act.operation == "unprotect":
        kinds = [one.kind for one in standing(found.account, parts().wall())]
        if dict(act.fixed)["protection"] not in kinds:
            return t("No such protection stands now; there is nothing to lift (R3).")
    return None


def _send(found: Tenancy, typed: Typed) -> tuple[str, int] | Response:
    user, id = me(), found.row.id
    try:
        parts().commands.send(
            typed.act.operation, id, who=user.name, role=user.role, transaction=typed.transaction, **typed.words
        )
    except NotSent:
        words = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(found, replace(typed, mistakes={"form": words})), 503
    except Conflict:
        words = t("This form was already used for something else. Check the state, then send it once more.")
        return _page(found, replace(typed, transaction=new_transaction(), mistakes={"form": words})), 409
    return redirect(link("account.account", id=id, answer=typed.transaction), 303)


def _page(found: Tenancy, typed: Typed) -> str:
    return render_template(
        "protection.html", it=found.row, act=worded(typed.act, found.water), form=typed, days=DAYS, hows=HOWS,
        longest=LONGEST, water=found.water,
        stands_against=forbidden(typed.act, found), figures=_figures(found), wall=parts().wall(),
    )  # fmt: skip


def _confirm(found: Tenancy, typed: Typed) -> str:
    wall = parts().wall()
    told = [(t("Account"), f"{found.row.room} {found.row.name} · {found.row.id}")]
    if until := typed.words.get("until"):
        left = lasts(wall.left_s(until) / 86_400)
        told.append((t("Until"), t("{when} ({span} from now)", when=wall.when(until), span=left)))
        # A choice of days becomes the end that was seen: it does not move on while somebody looks at it.
        typed = replace(typed, values={**typed.values, "for": "until", "until": wall.typed(until)})
    if how := typed.words.get("how"):
        told.append((t("How"), how_words(how)))
    if typed.words["why"]:
        told.append((t("What was said") if typed.act.name == "told" else t("Reason"), typed.words["why"]))
    act = worded(typed.act, found.water)
    return render_template("protection_confirm.html", it=found.row, act=act, form=typed, told=told)


def _figures(found: Tenancy) -> list[tuple[str, str]]:
    """What the decision is about: the state, the balance, the warning, what protects already."""
    wall, account = parts().wall(), found.account
    told = [(t("State"), found.word)]
    if account is None:
        return told
    told.append((t("Balance"), t("{amount} yuan", amount=yuan(account.available_nano))))
    told += [(t("Final warning"), words) for words in warning_words(account, wall)]
    if found.row.phone:
        told.append((t("Phone"), found.row.phone))
    told += [(t("Protected"), protection_words(one, wall, found.water)) for one in standing(account, wall)]
    again = renewed_words(account, wall)
    return [*told, (t("Renewed"), again)] if again else told
