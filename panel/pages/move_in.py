"""A room without a tenant gets one: a form beside what the meter says now, sent once, for somebody else to approve."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.units import is_transaction
from panel import moving_in
from panel.commands import Conflict, NotSent
from panel.drafts import unpack
from panel.guard import me, require
from panel.links import link
from panel.moving_in import CLOSES, HOUSEHOLDS, LABELS, LONGEST, MOVE_IN, SAYS, Typed
from panel.pages.meter import one_room
from panel.parts import parts
from panel.states import Room
from panel.words import t

blueprint = Blueprint("move_in", __name__)


@blueprint.get("/meter/<id>/move-in")
def form(id: str) -> str | Response:
    """The form; `draft` is one that was typed already. A meter that has a tenant shows that tenant instead."""
    require(MOVE_IN)
    room = one_room(id)
    if room.tenant is not None:
        return redirect(link("account.account", id=room.tenant.id), 303)
    draft: MultiDict[str, str] = unpack(request.args.get("draft", "")) or MultiDict()
    view = parts().mirror.view()
    return _page(room, moving_in.begun(view, room.meter, draft, draft.getlist("meters")), new_transaction())


def _page(room: Room, form: Typed, transaction: str) -> str:
    stand = parts()
    view = stand.mirror.view()
    here, others = moving_in.vacant(view, room.meter)
    return render_template(
        "move_in.html", room=room, form=form, transaction=transaction, wall=stand.wall(), longest=LONGEST,
        labels=LABELS, says=SAYS, households=HOUSEHOLDS, here_free=here, others_free=others,
        closes={way: t(word) for way, word in CLOSES.items()},
        prices={kind: moving_in.prices(view, kind) for kind in ("tariff", "water_tariff")},
        categories=moving_in.categories(view), waits=moving_in.waiting_about(view, room.meter.id),
        before=moving_in.last_tenant(view, room.meter),
    )  # fmt: skip


@blueprint.post("/meter/<id>/move-in")
def send(id: str) -> str | tuple[str, int] | Response:
    """Propose it, once."""
    require(MOVE_IN)
    room, transaction = one_room(id), request.form.get("transaction", "")
    form = moving_in.read(request.form, request.form.getlist("meters"), parts().mirror.view())
    known = parts().commands.find(transaction) if is_transaction(transaction) else None
    if known is not None:  # A second click, perhaps after the tenant moved in.
        if (known.operation, known.fields) == (MOVE_IN, form.fields):
            return redirect(link("meter.meter", id=id, answer=transaction), 303)
        return _used(room, form)
    if not is_transaction(transaction):  # Without its number a double click would be two proposals.
        transaction = new_transaction()
        form.mistakes["form"] = t("This form lost its number on the way. Nothing was done; send it once more.")
    if form.mistakes:
        return _page(room, form, transaction), 422
    user = me()
    try:
        parts().commands.send(MOVE_IN, id, who=user.name, role=user.role, transaction=transaction, **form.fields)
    except NotSent:
        form.mistakes["form"] = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(room, form, transaction), 503
    except Conflict:
        return _used(room, form)
    return redirect(link("meter.meter", id=id, answer=transaction), 303)


def _used(room: Room, form: Typed) -> tuple[str, int]:
    words = t("This form was already used for something else. Check the state, then send it once more.")
    form.mistakes["form"] = words
    return _page(room, form, new_transaction()), 409
