"""A register that was charged and is wrong, put right: each typed anew beside the wrong one, then looked at, then
proposed; another person decides (R12, R32).

Only the newest register of a meter has the form; of any other the page says why not, and which one has it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.messages import MeterRow
from panel.commands import Conflict, NotSent
from panel.guard import me, require
from panel.links import go
from panel.money_acts import ACTS, LONGEST, approval_words, told_label
from panel.money_typed import read
from panel.pages.account import Tenancy, tenancy
from panel.parts import parts
from panel.right_reading import OPERATION, Booked, NotNow, booked, mistakes, pairs
from panel.switches import meter_number, words_of
from panel.typed import Typed, fresh
from panel.words import t

blueprint = Blueprint("right_reading", __name__)


@blueprint.get("/right-reading/<id>")
def meters(id: str) -> str | Response:
    """Which meter of an account: asked only where there are several."""
    require(OPERATION)
    found = tenancy(id)
    if len(found.rooms) == 1:
        return go("right_reading.form", id=id, meter=found.rooms[0].meter.id)
    return _shown(found, None, rooms=found.rooms, sentence="" if found.rooms else _settled(found))


@blueprint.get("/right-reading/<id>/<meter>")
def form(id: str, meter: str) -> str:
    """The form. `entry` is the number of the entry that somebody has before them; registers, `why` and `papers` fill
    the fields."""
    found, row = _of(id, meter)
    try:
        known = _booked(found, row, request.args.get("entry", ""))
    except NotNow as told:
        return _told(found, row, told)
    return _page(found, row, known, fresh(known.act, request.args))


@blueprint.post("/right-reading/<id>/<meter>")
def step(id: str, meter: str) -> str | tuple[str, int] | Response:
    """`step`: `look` shows wrong beside right, `edit` goes back to the form, `send` proposes it."""
    found, row = _of(id, meter)
    try:
        known = _booked(found, row, request.form.get("entry", ""))
    except NotNow as told:
        return _answer(id) if _sent(id) else (_told(found, row, told), 409)
    typed = read(known.act, id, request.form, parts().mirror.view())
    wanted = request.form.get("step", "look")
    if wanted == "edit":
        return _page(found, row, known, replace(typed, mistakes={}))
    if wrong := typed.mistakes or mistakes(known, typed.words):
        return _page(found, row, known, replace(typed, mistakes=wrong)), 422
    if wanted != "send":
        return _confirm(found, row, known, typed)
    if request.form.get("seen") != str(known.holder.seq) and not _sent(id):
        words = t("The book has gone on since; look at both registers once more.")
        return _confirm(found, row, known, replace(typed, mistakes={"form": words})), 409
    return _send(found, row, known, typed)


def _of(id: str, meter: str) -> tuple[Tenancy, MeterRow]:
    """The account and its meter; 404 where it has none of this name, or had it once."""
    require(OPERATION)
    found = tenancy(id)
    row = parts().mirror.view().meters.get(meter)
    if row is None or meter not in found.row.meters:
        abort(404)
    return found, row


def _booked(found: Tenancy, row: MeterRow, number: str) -> Booked:
    if found.ended:
        raise NotNow(_settled(found))
    seq = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
    return booked(parts().history, row, seq)


def _settled(found: Tenancy) -> str:
    if found.ended:
        return t("This account is settled; it takes and gives no money any more (R33).")
    return t("This account has no meter.")


def _sent(id: str) -> bool:
    """Whether this very form left before: a second click, or a page that is loaded again."""
    asked = parts().commands.find(request.form.get("transaction", ""))
    return asked is not None and (asked.operation, asked.subject) == (OPERATION, id)


def _answer(id: str) -> Response:
    return go("account.account", id=id, answer=request.form["transaction"])


def _send(found: Tenancy, row: MeterRow, known: Booked, typed: Typed) -> tuple[str, int] | Response:
    user, id = me(), found.row.id
    try:
        parts().commands.send(
            OPERATION, id, who=user.name, role=user.role, transaction=typed.transaction, meter=row.id,
            entry=known.entry.id, **typed.words,
        )  # fmt: skip
    except NotSent:
        words = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(found, row, known, replace(typed, mistakes={"form": words})), 503
    except Conflict:
        words = t("This form was already used for something else. Check the state, then send it once more.")
        again = replace(typed, transaction=new_transaction(), mistakes={"form": words})
        return _page(found, row, known, again), 409
    return _answer(id)


def _told(found: Tenancy, row: MeterRow, told: NotNow) -> str:
    return _shown(found, row, sentence=told.sentence, newest=told.newest)


def _page(found: Tenancy, row: MeterRow, known: Booked, typed: Typed) -> str:
    return _shown(found, row, known=known, form=typed, pairs=pairs(known), longest=LONGEST)


def _shown(found: Tenancy, row: MeterRow | None, **more: Any) -> str:
    empty: dict[str, Any] = {"known": None, "form": None, "rooms": [], "sentence": "", "newest": None}
    return render_template("right_reading.html", **{**_shared(found, row), **empty, **more})


def _confirm(found: Tenancy, row: MeterRow, known: Booked, typed: Typed) -> str:
    shown = {"known": known, "form": typed, "pairs": pairs(known, typed.words)}
    return render_template("right_reading_confirm.html", **_shared(found, row), **shown)


def _shared(found: Tenancy, row: MeterRow | None) -> dict[str, Any]:
    act = ACTS[OPERATION]
    number = "" if row is None else t(words_of(row).meter_number, number=meter_number(row))
    return {
        "it": found.row, "row": row, "act": act, "approval": approval_words(act), "wall": parts().wall(),
        "meter_word": number, "told_label": told_label,
    }  # fmt: skip
