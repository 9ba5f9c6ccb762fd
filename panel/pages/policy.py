"""The policy: when somebody may be cut in the two weeks ahead, by which numbers, and what it would do to whom today.

Everybody on the staff may read it. All of it is the gateway's own word; an older gateway publishes no windows, and the
page says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from bridge.contract.cutting import Policy
from bridge.contract.messages import Info
from panel.guard import quiet
from panel.locking import locks_of, words_of_lock
from panel.nobody import nobody_today
from panel.outlook import KINDS, Outlook, outlook_of
from panel.pages.account import Tenancy, tenancy_of
from panel.pages.lines import GOES_ON, MODES
from panel.pages.rooms import all_rooms, natural
from panel.parts import Parts, parts
from panel.policy_days import days_of, unknown_of
from panel.policy_words import numbers_of

blueprint = Blueprint("policy", __name__)
quiet("policy.now")

IN_MENU = ("manager", "finance", "engineer")
"""Whose menu has the page; the others come to it by its address."""


@dataclass(frozen=True)
class Concerned:
    """A tenant the rules would do something to."""

    tenancy: Tenancy
    outlook: Outlook

    def key(self) -> tuple[Any, ...]:
        return *self.outlook.key(), natural(self.tenancy.row.room)


@blueprint.get("/policy")
def page() -> str:
    """The page."""
    return render_template("policy.html", **_now())


@blueprint.get("/policy-now")
def now() -> str:
    """All of it refreshes itself: the mark of now moves, and tenants pay."""
    return render_template("parts/policy_now.html", **_now())


def _now() -> dict[str, Any]:
    stand = parts()
    view, wall = stand.mirror.view(), stand.wall()
    policy, found = view.get(Policy), concerned(stand)
    by_kind = [(kind, [one for one in found if one.outlook.kind == kind]) for kind in KINDS]
    return {
        "wall": wall,
        "gateway": view.get(Info),
        "modes": MODES,
        "goes_on": GOES_ON,
        "policy": policy,
        "nobody": nobody_today(policy, [one.outlook for one in found], view.get(Info), wall) if view.accounts else None,
        "days": days_of(policy, wall) if policy else [],
        "unknown": unknown_of(policy) if policy else None,
        "numbers": numbers_of(policy) if policy else [],
        "locks": [(room, words_of_lock(lock, wall)) for room, lock in locks_of(all_rooms(stand))],
        "groups": [(kind, *KINDS[kind], some) for kind, some in by_kind if some],
    }  # fmt: skip


def concerned(stand: Parts) -> list[Concerned]:
    """Everybody the rules would do something to today, the soonest first."""
    view, wall = stand.mirror.view(), stand.wall()
    gateway, found = view.get(Info), []
    for row in view.accounts.values():
        one = tenancy_of(stand, view, row)
        outlook = outlook_of(one.account, one.rooms, row.phone, gateway, wall)
        if outlook is not None:
            found.append(Concerned(one, outlook))
    return sorted(found, key=Concerned.key)
