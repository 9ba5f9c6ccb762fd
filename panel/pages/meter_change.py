"""A meter replaced, a multiplier changed: two forms of the engineer, and the decision of somebody else (R22, R23, R32).

Nothing is computed here: the gateway reads the meter, judges every figure, and looks at each rule again on approval.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.units import is_plain, is_transaction
from panel import meter_typed
from panel.commands import Conflict, NotSent
from panel.guard import me, require
from panel.links import link
from panel.meter_proposals import RATIO, REPLACE, waiting_for
from panel.meter_typed import LONGEST, Typed, registers_of
from panel.pages.meter import one_room, page_with
from panel.parts import parts
from panel.states import Room
from panel.words import t

blueprint = Blueprint("meter_change", __name__)

PAGES = {REPLACE: "meter_replace.html", RATIO: "meter_ratio.html"}


@blueprint.get("/meter/<id>/replace")
def replace(id: str) -> str:
    """The form for a meter that was replaced."""
    return _form(id, REPLACE)


@blueprint.get("/meter/<id>/multiplier")
def ratio(id: str) -> str:
    """The form for a changed current transformer."""
    return _form(id, RATIO)


def _form(id: str, operation: str) -> str:
    room = one_room(id)
    _possible(room, operation)
    return _page(room, operation, Typed(dict(request.args.to_dict())), new_transaction())


def _possible(room: Room, operation: str) -> None:
    require(operation)
    if room.meter.circuit is not None and operation == REPLACE:
        abort(404)  # A circuit of a box is not replaced alone.
    if operation == RATIO and room.is_water:
        abort(404)  # Water runs through no transformer.


def _page(room: Room, operation: str, form: Typed, transaction: str) -> str:
    stand = parts()
    wall = stand.wall()
    return render_template(
        PAGES[operation], room=room, form=form, transaction=transaction, wall=wall, longest=LONGEST,
        registers=registers_of(room.meter),
        waits=waiting_for(stand.mirror.view(), room.meter.id, room.meter.multiplier, wall),
    )  # fmt: skip


@blueprint.post("/meter/<id>/replace")
def send_replacement(id: str) -> str | tuple[str, int] | Response:
    room = one_room(id)
    _possible(room, REPLACE)
    return _send(room, REPLACE, meter_typed.replacement(request.form, room.meter, parts().wall()))


@blueprint.post("/meter/<id>/multiplier")
def send_ratio(id: str) -> str | tuple[str, int] | Response:
    room = one_room(id)
    _possible(room, RATIO)
    return _send(room, RATIO, meter_typed.multiplier(request.form))


def _send(room: Room, operation: str, form: Typed) -> str | tuple[str, int] | Response:
    transaction = request.form.get("transaction", "")
    if not is_transaction(transaction):  # Without its number a double click would be two proposals.
        transaction = new_transaction()
        form.mistakes["form"] = t("This form lost its number on the way. Nothing was done; send it once more.")
    if form.mistakes:
        return _page(room, operation, form, transaction), 422
    wrong = _sent(room, operation, transaction, form.fields | {"meter": room.meter.id})
    if wrong is not None:
        words, code, fresh = wrong
        form.mistakes["form"] = words
        return _page(room, operation, form, fresh), code
    return redirect(link("meter.meter", id=room.meter.id, answer=transaction), 303)


def _sent(room: Room, operation: str, transaction: str, fields: dict[str, Any]) -> tuple[str, int, str] | None:
    """Send it. None when it has left, else (sentence, code, the form's number from now on)."""
    user = me()
    try:
        parts().commands.send(
            operation, room.meter.id, who=user.name, role=user.role, transaction=transaction, **fields
        )
    except NotSent:
        return t("Not sent: the connection to the gateway is lost. Nothing was done."), 503, transaction
    except Conflict:
        words = t("This form was already used for something else. Check the state, then send it once more.")
        return words, 409, new_transaction()
    return None


@blueprint.post("/meter/<id>/decide")
def decide(id: str) -> str | tuple[str, int] | Response:
    """Approve, or reject with a reason. What cannot be decided is told on the meter's page."""
    room, typed = one_room(id), request.form
    operation = "approve-meter" if typed.get("do") == "approve" else "reject-meter"
    require(operation)
    transaction, why = typed.get("transaction", ""), typed.get("why", "").strip()
    waits = waiting_for(parts().mirror.view(), id, room.meter.multiplier, parts().wall())
    known = parts().commands.find(transaction) if is_transaction(transaction) else None
    if known is None:
        mistake, code = None, 422
        if not is_transaction(transaction):
            transaction = new_transaction()
            mistake = t("This form lost its number on the way. Nothing was done; send it once more.")
        elif waits is None or waits.row.id != typed.get("proposal"):
            mistake, code = t("This proposal does not wait any more; look at what became of it."), 409
        elif operation == "approve-meter" and waits.mine:
            mistake = t("You have proposed this, and nobody approves their own (R32). Ask somebody else.")
        elif operation == "approve-meter" and not waits.told:
            mistake = t("This proposal cannot be read here, so it is not approved here.")
        elif operation == "reject-meter" and not why:
            mistake = t("A reason is needed; it stands in the book.")
        elif len(why) > LONGEST["why"]:
            mistake = t("At most 200 characters.")
        elif not is_plain(why):
            mistake = t("There are characters in it that cannot be shown; type it anew.")
        if mistake is not None:
            return page_with(room, mistake, why[: LONGEST["why"]]), code
    wrong = _sent(room, operation, transaction, {"proposal": typed.get("proposal", ""), "why": why})
    if wrong is not None:
        return page_with(room, wrong[0], why[: LONGEST["why"]]), wrong[1]
    return redirect(link("meter.meter", id=id, answer=transaction), 303)
