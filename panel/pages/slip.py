"""The slip of a refund or of a settled tenancy, on A4 or A5: what was paid, why, who agreed, and where to sign.

It follows the receipt: looking is free and prints as a preview, the first paper is the slip, every further one 补打.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template

from bridge.contract.units import NANO_PER_FEN
from panel.capitals import capitals
from panel.edge_words import person
from panel.guard import me, require
from panel.history import Line
from panel.money_acts import METHODS
from panel.pages import papers
from panel.pages.papers import entry_of, number_of_address, size_of
from panel.parts import parts
from panel.receipts import Print
from panel.slip_bodies import Paid, paid_of
from panel.switches import meter_number
from panel.words import language_now, t

blueprint = Blueprint("slip", __name__)

PAPERS = {"a4": "A4", "a5": "A5"}
PAPER_COOKIE = "riser-slip-paper"


@blueprint.get("/slip/<seq>")
def slip(seq: str) -> Response:
    """The slip of the refund or settlement that is entry `seq`; `paper` chooses its size."""
    require("approve-money")
    return _page(number_of_address(seq), None)


@blueprint.post("/slip/<seq>")
def print_(seq: str) -> Response:
    """Note one more paper and show it for the printer."""
    require("approve-money")
    number = number_of_address(seq)
    return _page(number, parts().receipts.print(number, me().name) if _line(number) else None)


def _line(seq: int) -> Line | None:
    return entry_of(seq, lambda line: paid_of(line) is not None)


def _page(seq: int, paper: Print | None) -> Response:
    stand, line = parts(), _line(seq)
    size = size_of(PAPERS, PAPER_COOKIE, "a4")
    body = paid_of(line) if line else None
    shown = _words(line, body) if line and body else {}
    page = render_template(
        "slip.html", seq=seq, line=line, paper=paper, size=size, papers=PAPERS, wall=stand.wall(), body=body,
        printed=stand.receipts.printed(seq), **shown,
    )  # fmt: skip
    return papers.shown(page, PAPERS, PAPER_COOKIE, size)


def _words(line: Line, body: Paid) -> dict[str, Any]:
    view = parts().mirror.view()
    fen = body.paid_nano // NANO_PER_FEN
    return {
        "settled": line.kind == "exit/1",
        "tenant": view.accounts.get(body.account),
        "method": t(METHODS[body.method]) if body.method in METHODS else body.method,
        "capitals": capitals(fen) if fen > 0 and language_now() == "zh" else None,
        "people": (person(body.who), person(body.approved_by)),
        "charges": [each for each in map(_charge, body.charges[:50]) if each],
    }


def _charge(id: str) -> dict[str, Any] | None:
    """One final charge: the meter, its two registers, what it came to; None where the archive lacks it."""
    stand = parts()
    line = stand.history.by_id(id)
    if line is None or line.kind not in ("charge/1", "charge/2"):
        return None
    body = line.body
    row = stand.mirror.view().meters.get(line.meter or "")
    start, end = (body[side]["registers_wh"].get("total") for side in ("start", "end"))
    water = body.get("unit") == "m3"
    return {
        "number": meter_number(row) if row else line.meter or "", "room": row.room if row else "", "start": start,
        "end": end, "at": body["end"]["at"], "wh": body["wh"], "amount_nano": body["amount_nano"], "water": water,
        "multiplier": body.get("multiplier", 1),
    }  # fmt: skip
