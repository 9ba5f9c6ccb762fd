"""The money taken and paid out on a day, by method and by person: what a clerk counts the drawer against.

Sums of the book's own moves; nothing is corrected here.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request

from panel.bill_words import METHOD_WORDS
from panel.drawer import ONE, TOPUP, WORDS, Through, by_kind, by_method, drawer
from panel.edge_words import person
from panel.guard import need_history
from panel.parts import parts
from panel.words import t

blueprint = Blueprint("takings", __name__)

SHOWN = 200
"""Lines on one page; the sums are those of the whole day."""


@blueprint.get("/takings")
def takings() -> str:
    """The page; `day` is a local date, `who` one of the people who took or paid money on it."""
    stand = parts()
    wall = stand.wall()
    today = wall.now.date()
    day = min(_day(request.args.get("day", ""), today), today)
    start, end = (datetime(at.year, at.month, at.day, tzinfo=stand.site.zone) for at in (day, day + timedelta(days=1)))
    found = drawer(stand.history.through_till(start, end))
    need_history()
    people = _people(found)
    who = request.args.get("who", "")
    chosen = [each for each in found if each.who == who] if who in people else found
    pages = max(1, -(-len(chosen) // SHOWN))
    page = min(max(1, request.args.get("page", 1, int)), pages)
    return render_template(
        "takings.html", day=day, today=today, before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < today else None, count=len(found), who=who, wall=wall,
        people=[(each, person(each) or each, nano) for each, nano in people.items()],
        methods=by_method(chosen), kinds=by_kind(chosen), words=WORDS, one=ONE,
        taken=sum(each.kind == TOPUP for each in chosen), paid_out=sum(each.kind != TOPUP for each in chosen),
        total_nano=sum(each.nano for each in chosen), tenants=stand.mirror.view().accounts,
        method_word=method_word, page=page, pages=pages, shown=chosen[(page - 1) * SHOWN : page * SHOWN],
    )  # fmt: skip


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return today
    return day if day.year > 2000 else today


def _people(found: list[Through]) -> dict[str, int]:
    """Who took or paid, to what that comes to, the largest first."""
    sums: Counter[str] = Counter()
    for each in found:
        sums[each.who] += each.nano
    return dict(sums.most_common())


def method_word(method: Any) -> str:
    return t(METHOD_WORDS[method]) if method in METHOD_WORDS else str(method or "—")
