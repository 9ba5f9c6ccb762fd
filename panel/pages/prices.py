"""Prices: what counts now, what is to come and what counted before, in plain words; and what waits for a second person.

Everybody on the staff may read them. Who may set one proposes it here, and another person approves it (R32).
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_login import current_user

from bridge.contract.people import same_person
from panel.guard import i_may
from panel.pages.answers import answer_to
from panel.parts import parts
from panel.price_rejected import rejected
from panel.price_versions import Price, for_me, prices, waiting
from panel.price_words import changes, told_version, unit_word

blueprint = Blueprint("prices", __name__)

IN_MENU = ("manager", "finance", "engineer")
"""Whose menu has the page; the others come to it by its address."""


@blueprint.get("/prices")
def page() -> str:
    """The page; `answer` shows a request's outcome, `gone` names a proposal that waits no longer."""
    stand = parts()
    view, wall = stand.mirror.view(), stand.wall()
    found, odd = waiting(view, stand.site.policy.markup_limit_percent)
    every = prices(view, wall.instant)
    now = {price.id: price.newest for price in every}
    return render_template(
        "prices.html", prices=every, waiting=found, odd=odd, wall=wall, answer=answer_to(request.args.get("answer")),
        gone=request.args.get("gone", "")[:32], told_version=told_version, payers=payers, unit_word=unit_word,
        differing=lambda each: [one for one in changes(now.get(each.tariff), each.version) if one.differs],
        same_person=same_person, rejected=rejected(view, stand.history), limit=stand.site.policy.markup_limit_percent,
    )  # fmt: skip


def payers(price: Price) -> int:
    """How many accounts pay by it."""
    return sum(price.id in (row.tariff, row.water_tariff) for row in parts().mirror.view().accounts.values())


def menu() -> tuple[bool, int]:
    """(does this person's menu have the page, how many prices wait for this person's decision)."""
    if not current_user.is_authenticated or current_user.user.role not in IN_MENU:
        return False, 0
    count = for_me(parts().mirror.view(), current_user.user.name) if i_may("approve-price") else 0
    return True, count
