"""The money taken on a day, by method and by person: what a clerk counts the drawer against.

Sums of the book's own amounts; nothing is corrected here.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request

from panel.bill_words import METHOD_WORDS
from panel.edge_words import person
from panel.guard import need_history
from panel.history import Line
from panel.parts import parts
from panel.words import t

blueprint = Blueprint("takings", __name__)

SHOWN = 200
"""Top-ups on one page; the sums are those of the whole day."""


@blueprint.get("/takings")
def takings() -> str:
    """The page; `day` is a local date, `who` one of the people who took money on it."""
    stand = parts()
    wall = stand.wall()
    today = wall.now.date()
    day = min(_day(request.args.get("day", ""), today), today)
    start, end = (datetime(at.year, at.month, at.day, tzinfo=stand.site.zone) for at in (day, day + timedelta(days=1)))
    lines = stand.history.topups(start, end)
    need_history()
    people = _sums(lines, "who")
    who = request.args.get("who", "")
    chosen = [line for line in lines if line.body.get("who") == who] if who in people else lines
    pages = max(1, -(-len(chosen) // SHOWN))
    page = min(max(1, request.args.get("page", 1, int)), pages)
    return render_template(
        "takings.html", day=day, today=today, before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < today else None, lines=chosen, count=len(lines), who=who, wall=wall,
        people=[(each, person(each) or each, nano) for each, nano in people.items()],
        methods=[(method_word(each), nano) for each, nano in _sums(chosen, "method").items()],
        total_nano=sum(line.amount_nano or 0 for line in chosen), tenants=stand.mirror.view().accounts,
        method_word=method_word, page=page, pages=pages, shown=chosen[(page - 1) * SHOWN : page * SHOWN],
    )  # fmt: skip


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return today
    return day if day.year > 2000 else today


def _sums(lines: list[Line], field: str) -> dict[str, int]:
    """What `field` says to the sum of its amounts in nano-yuan, the largest first."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums[str(line.body.get(field, ""))] += line.amount_nano or 0
    return dict(sums.most_common())


def method_word(method: Any) -> str:
    return t(METHOD_WORDS[method]) if method in METHOD_WORDS else str(method or "—")
