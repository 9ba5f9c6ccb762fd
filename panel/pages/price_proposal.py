"""A price that waits: what would change, what it would have cost, and the second person's yes or no (R32).

Its maker may take it back and never approve it. What is approved never changes, so everything stands on one page first.
"""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.people import same_person
from bridge.contract.units import is_plain, is_transaction
from panel.commands import Conflict, NotSent
from panel.guard import i_may, me, require
from panel.links import go
from panel.parts import parts
from panel.price_tries import ask_for, chosen_month, months, try_of
from panel.price_versions import Proposed, one_price, one_waiting, table_of
from panel.price_words import changes, told_version, unit_word
from panel.words import t

blueprint = Blueprint("price_proposal", __name__)

DECISIONS = {"approve": "approve-price", "reject": "reject-price"}


@blueprint.get("/price-proposal/<id>")
def proposal(id: str) -> str | Response:
    """The page; `why` is a reason whose session had ended. What waits no longer is told on the page of prices."""
    proposed = _waiting(id)
    return _page(proposed, why=request.args.get("why", "")) if proposed else go("prices.page", gone=id)


def _waiting(id: str) -> Proposed | None:
    stand = parts()
    return one_waiting(stand.mirror.view(), id, stand.site.policy.markup_limit_percent)


def _page(
    proposed: Proposed, *, why: str = "", mistakes: dict[str, str] | None = None, number: str = "", trying: bool = False
) -> str:
    stand = parts()
    view, wall = stand.mirror.view(), stand.wall()
    price = one_price(view, proposed.tariff, wall.instant)
    today, mistakes, tried = wall.now.date(), mistakes or {}, None
    month = chosen_month(request.form.get("month-tried", ""), today)
    if trying:
        table = table_of(proposed.tariff, proposed.name, proposed.version)
        try:
            tried = try_of(stand, ask_for(table, month, me().name, request.form.get("tried", "")))
        except NotSent:
            mistakes["try"] = t("The connection to the gateway is lost, so nothing can be tried now.")
    return render_template(
        "price_proposal.html", it=proposed, price=price, lines=changes(price.newest if price else None,
        proposed.version), told=told_version(proposed.version), wall=wall, why=why[:400], mistakes=mistakes,
        transaction=number or new_transaction(), mine=same_person(me().name, proposed.row.who), tried=tried,
        may=i_may("approve-price"), months=months(today), month=month, unit=unit_word(proposed.version.unit),
    )  # fmt: skip


@blueprint.post("/price-proposal/<id>")
def decide(id: str) -> str | tuple[str, int] | Response:
    """Approve, reject or take back; or try it on a month's readings."""
    do, form = request.form.get("do", ""), request.form
    if do not in (*DECISIONS, "try"):
        abort(404)
    operation = DECISIONS.get(do, "propose-price")  # Who may not set prices tries none: it tells every account's bill.
    require(operation)
    number, why = form.get("transaction", ""), form.get("why", "").strip()
    before = parts().commands.find(number)
    if before is not None and (before.operation, before.fields.get("proposal")) == (operation, id):
        return go("prices.page", answer=number)  # A second click: the first one is on its way or decided.
    proposed = _waiting(id)
    if proposed is None:
        return go("prices.page", gone=id)
    if do not in DECISIONS:
        return _page(proposed, why=why, trying=True)
    mistakes = _mistakes(proposed, do, number, why)
    if mistakes:
        return _page(proposed, why=why, mistakes=mistakes), 422
    user = me()
    try:
        parts().commands.send(
            operation, proposed.tariff, who=user.name, role=user.role, transaction=number, proposal=id, why=why
        )
    except NotSent:
        mistakes["form"] = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(proposed, why=why, mistakes=mistakes, number=number), 503
    except Conflict:
        mistakes["form"] = t("This form was already used for something else. Check the state, then send it once more.")
        return _page(proposed, why=why, mistakes=mistakes), 409
    return go("prices.page", answer=number)


def _mistakes(proposed: Proposed, do: str, number: str, why: str) -> dict[str, str]:
    found = {}
    if not is_transaction(number):  # Without its number a double click would be two decisions.
        found["form"] = t("This form lost its number on the way. Nothing was done; send it once more.")
    if do == "approve" and same_person(me().name, proposed.row.who):
        found["form"] = t("You proposed this, and nobody approves their own. Ask somebody else (R32).")
    if do == "reject" and not why:
        found["why"] = t("A reason is needed; it stands in the book.")
    elif len(why) > 200:
        found["why"] = t("At most 200 characters.")
    elif not is_plain(why):
        found["why"] = t("There are characters in it that cannot be shown; type it anew.")
    return found
