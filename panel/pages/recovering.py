"""After a restore: what came back, what a person must look at, and the word that the book is complete (I5)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.archive.tables import ENTRY
from bridge.contract.asking import new_transaction
from bridge.contract.messages import Info
from bridge.contract.units import is_plain, is_transaction
from panel.commands import Conflict, NotSent
from panel.guard import me, require
from panel.links import link
from panel.pages.answers import answer_to
from panel.parts import parts
from panel.words import later, t

blueprint = Blueprint("recovering", __name__)

SHOWN_AT_MOST = 200

KINDS = {
    "topup/1": later("Top-up"),
    "reversal/1": later("Top-up taken back"),
    "credit/1": later("Emergency credit"),
    "hold/1": later("Hold"),
    "protection/1": later("Protection|entry"),
    "close-way/1": later("How supply returns"),
    "refund/1": later("Refund"),
    "compensation/1": later("Compensation"),
    "deduction/1": later("Deduction"),
    "correction/1": later("Moved between accounts"),
    "opening-balance/1": later("Balance brought in"),
    "debt/1": later("Agreed debt"),
    "exit/1": later("Moved out"),
    "account/1": later("Tenancy|entry"),
    "tariff/1": later("New price"),
    "tariff/2": later("New price"),
    "meter/1": later("Installed"),
    "replacement/1": later("Meter replaced"),
    "ratio/1": later("Multiplier changed"),
    "reading-correction/1": later("Reading put right"),
    "release/1": later("Reading released"),
    "proposal/1": later("Proposal|entry"),
}
"""What a former entry was, in words."""


@blueprint.get("/lines/recovery")
def recovery() -> str:
    """The page."""
    return _page()


def _page(mistake: str | None = None, why: str = "") -> str:
    stand = parts()
    gateway = stand.mirror.view().get(Info)
    return render_template(
        "recovery.html", gateway=gateway, wall=stand.wall(), mistake=mistake, why=why, fresh=new_transaction(),
        answer=answer_to(request.args.get("answer")), missed=_missed(gateway), kinds=KINDS, most=SHOWN_AT_MOST,
    )  # fmt: skip


def _missed(gateway: Info | None) -> list[Any]:
    """The entries of the former book that a person must look at, oldest first."""
    if gateway is None or gateway.restored is None or not gateway.restored.missed:
        return []
    where = (ENTRY.c.kind == "missed/1", ENTRY.c.seq > gateway.restored.seq)
    lines = parts().history.lines(*where, limit=SHOWN_AT_MOST, newest_first=False)
    return [line for line in lines if isinstance(line.body.get("former"), dict)]


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


@blueprint.post("/lines/recovery")
def recovered() -> str | tuple[str, int] | Response:
    """A named person says that every payment since the backup stands in the book."""
    require("recovered")
    why, transaction = request.form.get("why", "").strip(), request.form.get("transaction", "")
    if mistake := _mistake(why, transaction):
        return _page(mistake, why[:200]), 422
    user, without = me(), request.form.get("without_archive") == "yes"
    try:
        parts().commands.send(
            "recovered", "recovered", who=user.name, role=user.role, transaction=transaction, why=why,
            without_archive=without,
        )  # fmt: skip
    except NotSent:
        return _page(t("Not sent: the connection to the gateway is lost. Nothing was done."), why), 503
    except Conflict:
        return _page(
            t("This form was already used for something else. Check the state, then send it once more."), why
        ), 409
    return redirect(link("recovering.recovery", answer=transaction), 303)
