"""Keeping power on, a disputed bill, lifting either, a tenant who was told, and how supply returns after a cut: the
acts, and what was typed for them.

Here is judged only the form of what was typed; whether it may be done is the gateway's to say. An end is typed as the
site's wall shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bridge.contract.site_cutting import LONGEST_DAYS
from bridge.contract.units import instant_text
from panel.final_warning import HOWS
from panel.formats import Wall
from panel.typed import Mistake, Typed, begun, unfit
from panel.words import later, t

DAYS = ("1", "3", "7")
"""Quick choices of how long; the form has "until" beside them, which is typed."""

_TYPED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)

LONGEST = 200
"""Characters of a reason."""


@dataclass(frozen=True)
class Act:
    """`fields` in the order of the form; what of the request the act itself says is `fixed`."""

    name: str
    operation: str
    button: str
    title: str
    says: str
    fields: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...] = ()


LIFTS = later(
    "The protection ends at once. If the balance calls for it, a final warning and its time to pay begin anew."
)

ACTS = {
    act.name: act
    for act in (
        Act(
            "keep-power", "protect", later("Keep power on…"), later("Keep power on"),
            later("Nobody cuts this tenant for arrears until then, whatever the balance; a cut for arrears comes back. "
                  "What is used is charged as ever."),
            ("for", "until", "why"), (("protection", "keep-power"),),
        ),
        Act(
            "dispute", "protect", later("Mark as disputed…"), later("Mark the bill as disputed"),
            later("While a bill is disputed nobody cuts this tenant for arrears; a cut for arrears comes back. What is "
                  "used is charged as ever."),
            ("for", "until", "why"), (("protection", "dispute"),),
        ),
        Act(
            "lift-keep-power", "unprotect", later("Lift…"), later("No longer keep power on"), LIFTS,
            ("why",), (("protection", "keep-power"),),
        ),
        Act(
            "lift-dispute", "unprotect", later("Lift…"), later("The bill is no longer disputed"), LIFTS,
            ("why",), (("protection", "dispute"),),
        ),
        Act(
            "told", "told", later("I have told the tenant…"), later("I have told the tenant"),
            later("The final warning counts as delivered from now on: the time to pay begins, and after it supply is "
                  "cut unless paid. Record it only when the tenant really knows."),
            ("how", "why", "episode"),
        ),
        Act(
            "by-button", "set-close", later("Return by the button…"), later("Supply returns by the meter's button"),
            later("From now on a payment after a cut permits switching on, and somebody at the meter presses its "
                  "button: for rooms in which something may have been left on."),
            ("why",), (("close", "permit"),),
        ),
        Act(
            "by-itself", "set-close", later("Return by itself…"), later("Supply returns by itself"),
            later("From now on supply returns by itself after a payment, whether somebody is there or not."),
            ("why",), (("close", "direct"),),
        ),
    )
}  # fmt: skip
"""By their name in the address."""


OF_WATER = {
    "keep-power": (
        later("Keep water on…"), later("Keep water on"),
        later("Nobody shuts off this tenant's water for arrears until then, whatever the balance; what was shut off "
              "for arrears is opened again. What is used is charged as ever."),
    ),
    "dispute": (
        ACTS["dispute"].button, ACTS["dispute"].title,
        later("While a bill is disputed nobody shuts off this tenant's water for arrears; what was shut off for "
              "arrears is opened again. What is used is charged as ever."),
    ),
    "lift-keep-power": (ACTS["lift-keep-power"].button, later("No longer keep water on"), LIFTS),
    "told": (
        ACTS["told"].button, ACTS["told"].title,
        later("The final warning counts as delivered from now on: the time to pay begins, and after it water is shut "
              "off unless paid. Record it only when the tenant really knows."),
    ),
}  # fmt: skip
"""Button, title and sentence where a tenant has water and no electricity."""


def worded(act: Act, water: bool) -> Act:
    """An act in the words of what the tenant has."""
    if not water or act.name not in OF_WATER:
        return act
    button, title, says = OF_WATER[act.name]
    return replace(act, button=button, title=title, says=says)


def read(act: Act, account: str, form: Mapping[str, str], wall: Wall) -> Typed[Act]:
    """Read a form that was sent."""
    typed = begun(act, form, {"account": account, **dict(act.fixed)})
    values, words, mistakes = typed.values, typed.words, typed.mistakes
    if "until" in act.fields:
        try:
            words["until"] = until_of(values["for"], values["until"], wall)
        except Mistake as mistake:
            mistakes["until" if values["for"] == "until" else "for"] = str(mistake)
    if "how" in act.fields:
        words["how"] = values["how"]
        if values["how"] not in HOWS:
            mistakes["how"] = t("Choose how the tenant was told.")
    if re.fullmatch(r"[0-9]{1,9}", values.get("episode", ""), re.ASCII):
        words["episode"] = int(values["episode"])
    words["why"] = values["why"]
    if wrong := _why_mistake(values["why"], act):
        mistakes["why"] = wrong
    return typed.shown()


def _why_mistake(text: str, act: Act) -> str | None:
    if not text and act.operation != "told":
        return t("A reason is needed; it stands in the book.")
    return unfit(text, LONGEST)


def until_of(choice: str, typed: str, wall: Wall) -> str:
    """The end that was chosen, as an instant. Raises Mistake."""
    if choice in DAYS:  # At the same time of the wall, some days from now.
        local = (wall.now.replace(tzinfo=None) + timedelta(days=int(choice))).replace(second=0, microsecond=0)
        while not _exists(local, wall):
            local += timedelta(minutes=30)
        return instant_text(local.replace(tzinfo=wall.zone))
    if choice != "until":
        raise Mistake(t("Choose how long."))
    try:
        if not _TYPED.fullmatch(typed):
            raise ValueError(typed)
        local = datetime.fromisoformat(typed)
        end = local.replace(tzinfo=wall.zone)
        ahead = end - wall.instant
    except (ValueError, OverflowError):
        raise Mistake(t("Write date and time like 2026-11-23 09:00.")) from None
    if ahead <= timedelta(0):
        raise Mistake(t("This time is over; a protection ends later than now (R3)."))
    if ahead > timedelta(days=LONGEST_DAYS):
        raise Mistake(t("At most {n} days ahead; renew it before it ends (R3).", n=LONGEST_DAYS))
    if not _exists(local, wall):  # Within reach of today, so that there is an instant to ask about.
        raise Mistake(t("The clock is put forward then: this time does not exist."))
    return instant_text(end)


def _exists(local: datetime, wall: Wall) -> bool:
    """False for an hour that a clock put forward leaves out."""
    there = datetime.fromtimestamp(local.replace(tzinfo=wall.zone).timestamp(), wall.zone)
    return there.replace(tzinfo=None) == local


def typed_from(words: Mapping[str, Any], wall: Wall) -> dict[str, str]:
    """The way back: the fields of a request as they stand in its form."""
    found = {name: str(words[name]) for name in ("why", "how") if words.get(name)}
    if isinstance(until := words.get("until"), str):
        found |= {"for": "until", "until": wall.typed(until)}
    return found
