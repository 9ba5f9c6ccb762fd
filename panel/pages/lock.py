"""Locking a meter for work at its wires, and unlocking it (R5): one form, which is the other one while a lock stands.

Whose lock it is stands in the form that was looked at: one that somebody else has set meanwhile is not lifted by it.
"""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.people import same_person
from panel.commands import Conflict, NotSent
from panel.guard import me, require
from panel.links import link
from panel.locking import CHOICES, LONGEST, LockForm, fresh, operation_for, read, words_of_lock
from panel.pages.meter import one_room
from panel.parts import parts
from panel.states import Room, lock_of
from panel.words import t

blueprint = Blueprint("lock", __name__)


def _room(id: str) -> Room:
    """A room whose meter can be switched; 404 for others, 403 for a role that may not lock."""
    room = one_room(id)
    if room.meter.relay == "none":
        abort(404)
    require("lock")
    return room


@blueprint.get("/meter/<id>/lock")
def form(id: str) -> str:
    """The form, by how the meter stands now."""
    room = _room(id)
    return _page(room, fresh(room, request.args))


@blueprint.post("/meter/<id>/lock")
def send(id: str) -> str | tuple[str, int] | Response:
    """`do` is `lock` or `unlock`, as the form was looked at."""
    room, user = _room(id), me()
    typed = read(room, request.form, user.name)
    if typed.operation not in ("lock", "unlock"):
        abort(404)
    if parts().commands.find(typed.transaction) is None and typed.operation != operation_for(room):
        typed.operation = operation_for(room)
        typed.mistakes["form"] = t("Somebody has locked or unlocked it meanwhile. Look at it again.")
    if typed.mistakes:
        return _page(room, typed), 422
    try:
        parts().commands.send(
            typed.operation, id, who=user.name, role=user.role, transaction=typed.transaction, **typed.fields
        )
    except NotSent:
        typed.mistakes["form"] = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(room, typed), 503
    except Conflict:
        typed.transaction = new_transaction()
        typed.mistakes["form"] = t(
            "This form was already used for something else. Check the state, then send it once more."
        )
        return _page(room, typed), 409
    return redirect(link("meter.meter", id=id, answer=typed.transaction), 303)


def _page(room: Room, typed: LockForm) -> str:
    lock, wall = lock_of(room.relay), parts().wall()
    return render_template(
        "meter_lock.html", room=room, form=typed, lock=lock, choices=CHOICES, longest=LONGEST, wall=wall,
        mine=lock is not None and same_person(lock.by, me().name),
        locked=words_of_lock(lock, wall) if lock is not None else "",
    )  # fmt: skip
