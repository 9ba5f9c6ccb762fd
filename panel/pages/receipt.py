"""A receipt on paper: 58 or 80 mm of a counter printer, or A4. The first paper is the receipt, every further one 补打.

Looking is free and prints as a preview; the button notes who printed and when, then the paper is drawn.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template

from bridge.contract.units import NANO_PER_FEN
from panel.bill_words import METHOD_WORDS
from panel.capitals import capitals
from panel.edge_words import person
from panel.guard import me, require
from panel.history import Line
from panel.money_topups import TopUps
from panel.pages import papers
from panel.pages.papers import entry_of, number_of_address, size_of
from panel.parts import parts
from panel.receipts import Print
from panel.words import language_now, t

blueprint = Blueprint("receipt", __name__)

PAPERS = {"58": "58", "80": "80", "a4": "A4"}
PAPER_COOKIE = "riser-paper"


@blueprint.get("/receipt/<seq>")
def receipt(seq: str) -> Response:
    """The receipt of the top-up that is entry `seq`; `paper` chooses its width, and the browser remembers it."""
    return _page(number_of_address(seq), None)


@blueprint.post("/receipt/<seq>")
def print_(seq: str) -> Response:
    """Note one more paper and show it for the printer."""
    require("topup")
    number = number_of_address(seq)
    return _page(number, parts().receipts.print(number, me().name) if _topup(number) else None)


def _topup(seq: int) -> Line | None:
    return entry_of(seq, lambda line: line.kind == "topup/1")


def _page(seq: int, paper: Print | None) -> Response:
    stand, line = parts(), _topup(seq)
    width = size_of(PAPERS, PAPER_COOKIE, "80")
    shown = _words(line) if line else {}
    page = render_template(
        "receipt.html", seq=seq, line=line, paper=paper, width=width, papers=PAPERS, wall=stand.wall(),
        printed=stand.receipts.printed(seq), **shown,
    )  # fmt: skip
    return papers.shown(page, PAPERS, PAPER_COOKIE, width)


def _words(line: Line) -> dict[str, Any]:
    """What stands on the paper, from the entry; names are those of today's list of tenants."""
    body, view, moved_nano = line.body, parts().mirror.view(), line.amount_nano or 0
    tenant = view.accounts.get(line.account or "")
    method = str(body.get("method", ""))
    return {
        "tenant": tenant,
        "numbers": [meter.serial or meter.address for meter in view.meters_of(tenant)] if tenant else [],
        "method": t(METHOD_WORDS[method]) if method in METHOD_WORDS else method,
        "reversed": line.seq in TopUps(parts().history, line.account or "").reversed,
        "repaid": _repaid(body),
        "cashier": person(str(body.get("who", ""))),
        # Of the money that moved, as the figures above them; what the body says of it besides is not asked.
        "capitals": capitals(moved_nano // NANO_PER_FEN) if moved_nano > 0 and language_now() == "zh" else None,
    }


def _repaid(body: dict[str, Any]) -> list[tuple[str, int]]:
    """(word, nano-yuan) of what this top-up repaid (R16)."""
    repaid = body.get("repaid")
    found = repaid if isinstance(repaid, dict) else {}
    words = (("credit_nano", t("Of it to the emergency credit")), ("debt_nano", t("Of it to the deferred debt")))
    return [(word, found[key]) for key, word in words if type(found.get(key)) is int and found[key] > 0]
