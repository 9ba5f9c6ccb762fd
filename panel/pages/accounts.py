"""Who will soon be without power: every account by urgency, for the clerk who calls people in the morning.

Nothing is decided here: states, balances and times are the gateway's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from bridge.contract.messages import Account
from panel.guard import quiet
from panel.pages.account import Tenancy, tenancy_of
from panel.pages.rooms import natural
from panel.parts import Parts, parts
from panel.telling import Banner, banner_of
from panel.words import later

blueprint = Blueprint("accounts", __name__)
quiet("accounts.now")

RANKS = {"final": 0, "cut": 1, "low3": 2, "low2": 3, "low1": 4}
"""Order of what an account is in; everything else comes after."""

NOT_LOW = len(RANKS)

LISTS: dict[str, tuple[str, Callable[[Owing], bool]]] = {
    "low": (later("Low or cut off"), lambda one: one.rank < NOT_LOW),
    "owing": (later("In arrears"), lambda one: one.account is not None and one.account.available_nano < 0),
    "all": (later("All accounts"), lambda one: True),
}
"""Lists by name in the address: word, and who stands on it."""


@dataclass(frozen=True)
class Owing:
    """An account on the list."""

    tenancy: Tenancy
    banner: Banner | None

    @property
    def account(self) -> Account | None:
        return self.tenancy.account

    @property
    def rank(self) -> int:
        """Final warnings first, then who is cut, then by level."""
        if self.account is None:
            return NOT_LOW
        told = "cut" if self.tenancy.state == "cut" else self.account.state
        return RANKS.get(told, NOT_LOW)

    def key(self) -> tuple[Any, ...]:
        """The sooner somebody is needed the higher; without a forecast the smaller balance first."""
        account = self.account
        if account is None:
            return NOT_LOW + 1, 0.0, 0, natural(self.tenancy.row.room)
        days = account.days_left if account.days_left is not None else float("inf")
        return self.rank, days, account.available_nano, natural(self.tenancy.row.room)


def by_urgency(stand: Parts) -> list[Owing]:
    """Every account, the most urgent first."""
    view, wall = stand.mirror.view(), stand.wall()
    found = []
    for row in view.accounts.values():
        one = tenancy_of(stand, view, row)
        found.append(Owing(one, banner_of(one.rooms, one.account, wall)))
    return sorted(found, key=Owing.key)


@blueprint.get("/accounts")
def accounts() -> str:
    """The page; `list` chooses who stands on it."""
    return render_template("accounts.html", **_now())


@blueprint.get("/accounts-now")
def now() -> str:
    """The list, which refreshes itself."""
    return render_template("parts/accounts_now.html", **_now())


def _now() -> dict[str, Any]:
    stand = parts()
    everybody = by_urgency(stand)
    name = request.args.get("list", "")
    name = name if name in LISTS else "low"
    chosen = [one for one in everybody if LISTS[name][1](one)]
    balances = [one.account.available_nano for one in chosen if one.account]
    return {
        "name": name,
        "lists": [(each, word, sum(map(stands, everybody))) for each, (word, stands) in LISTS.items()],
        "chosen": chosen,
        "known": bool(everybody),
        "owed_nano": sum(nano for nano in balances if nano < 0),
        "prepaid_nano": sum(nano for nano in balances if nano > 0),
        "wall": stand.wall(),
    }
