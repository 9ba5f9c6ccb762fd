"""The wires and the gateway: ports with their rounds and errors, the clock, the mode, and the brake on mass cuts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.messages import Info
from bridge.contract.units import is_plain, is_transaction
from panel.commands import Conflict, NotSent
from panel.guard import me, quiet, require
from panel.line_verdict import verdict_of
from panel.links import link
from panel.pages.answers import answer_to
from panel.parts import parts
from panel.rooms_of_port import meters_by_port
from panel.words import later, t

blueprint = Blueprint("lines", __name__)
quiet("lines.now")

MODES = {
    "normal": later("normal"),
    "time": later("the clock is not trusted: no cuts"),
    "recovery": later("the book is older than what was published: no cuts"),
    "version": later("the book holds entries this version does not know: no cuts"),
    "identity": later("another gateway uses this name: no cuts"),
    "disk": later("the disk does not take entries: no cuts"),
    "book": later("the book is not what the gateway goes by: no cuts"),
}

ALL_GO_ON = later("Reading, charging and restoring go on.")
GOES_ON = dict.fromkeys(MODES, ALL_GO_ON) | {
    "time": later("Reading, top-ups and restoring go on; days are closed once the clock is trusted again."),
    "disk": later("Reading and restoring go on; no payment is taken and no day is closed before there is room."),
}
"""What a careful gateway does all the same."""


@blueprint.get("/lines/ports")
def ports() -> str:
    """The page."""
    return _page()


def _page(mistake: str | None = None, why: str = "") -> str:
    return render_template(
        "lines.html", mistake=mistake, why=why, fresh=new_transaction(),
        answer=answer_to(request.args.get("answer")), **_now(),
    )  # fmt: skip


def _now() -> dict[str, Any]:
    stand = parts()
    view = stand.mirror.view()
    gateway = view.get(Info)
    return {
        "gateway": gateway,
        "verdicts": {port.id: verdict_of(port, view) for port in gateway.ports} if gateway is not None else {},
        "modes": MODES,
        "goes_on": GOES_ON,
        "wall": stand.line_wall(),
        "meters": meters_by_port(stand),
        "unreadable": stand.mirror.unreadable,
    }


@blueprint.get("/lines/now")
def now() -> str:
    """The changing part."""
    return render_template("parts/lines_now.html", **_now())


def _mistake(why: str, transaction: str) -> str | None:
    if not why:
        return t("A reason is needed; it stands in the book.")
    if len(why) > 200:
        return t("At most 200 characters.")
    if not is_plain(why):
        return t("There are characters in it that cannot be shown; type it anew.")
    if not is_transaction(transaction):
        return t("This form lost its number on the way. Nothing was done; send it once more.")
    return None


@blueprint.post("/lines/ports")
def release() -> str | tuple[str, int] | Response:
    """Release the brake on mass cuts, by name and with a reason (R4)."""
    require("brake")
    why, transaction = request.form.get("why", "").strip(), request.form.get("transaction", "")
    if mistake := _mistake(why, transaction):
        return _page(mistake, why[:200]), 422
    user = me()
    try:
        parts().commands.send("brake", "brake", who=user.name, role=user.role, transaction=transaction, why=why)
    except NotSent:
        return _page(t("Not sent: the connection to the gateway is lost. Nothing was done."), why), 503
    except Conflict:
        return _page(
            t("This form was already used for something else. Check the state, then send it once more."), why
        ), 409
    return redirect(link("lines.ports", answer=transaction), 303)
