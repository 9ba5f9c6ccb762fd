"""Where a tenancy stands, in words to the tenant: no name, no phone, no reason that is between people and the staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.contract.messages import Account
from panel.formats import Wall, yuan
from panel.protections import until_of
from panel.situation import situation_of
from panel.states import other_holds
from panel.words import t

if TYPE_CHECKING:
    from panel.pages.account import Tenancy


@dataclass(frozen=True)
class Standing:
    """`state` paints it and has its icon; `until` is counted down to."""

    state: str
    title: str
    text: str = ""
    until: str | None = None

    @property
    def warns(self) -> bool:
        """It tells of the final warning."""
        return self.state == "final"


def standing_of(found: Tenancy, least: int | None, wall: Wall) -> Standing:
    """The most urgent thing that a tenant should know. `least`: the smallest payment that brings supply back, nano."""
    account, situation = found.account, situation_of(found.rooms, found.account, wall)
    if account is None:
        return Standing("none", t("Nothing is known yet"), t("Look again in a minute, or ask the site's staff."))
    match situation:
        case "ended":
            return Standing("none", t("Settled"), t("The tenancy has ended. For what is left ask the site's staff."))
        case "by-itself" | "by-purse":
            return Standing("cut", _off(found), t("The meter did that by itself. Ask the site's staff to look at it."))
        case "returning":
            return _returning(found)
        case "cut":
            return _cut(found, account, least)
        case "off":
            return Standing("held", _off(found), t("The site's staff have switched it off, not for money. Ask them."))
        case "locked":
            return Standing("held", t("The site's staff are at work on your meter"), t("For more ask them."))
        case "held":
            return Standing("held", t("The site's staff switch your supply off"), t("Not for money. Ask them."))
        case "kept":
            until = wall.when(until_of(account, wall) or "")
            return Standing("keep", t("Nobody cuts you off until {when}", when=until), _charged())
        case "meter-keeps":
            return Standing("keep", t("You are not cut off"), _charged())
        case "waits":
            when = wall.when(account.protected_until or "")
            return Standing("final", _used_up(account), t("Nobody is cut before {when}. Pay before then.", when=when))
        case "blocked" | "uncuttable":
            return Standing("final", _used_up(account), t("You are not cut off now. Pay in time."))
        case "due":
            title = _due(found, wall.when(account.cut_at or ""))
            return Standing("final", title, t("Pay before then, and nothing is cut."), account.cut_at)
        case "untold" | "undelivered":
            return Standing("final", _used_up(account), t("You will be cut off unless you pay."))
        case "silent" | "stale":
            return Standing("stale", t("Your meter is not heard at present"), t("Nobody is cut on old readings."))
    if account.level:
        return Standing(f"w{account.level}", t("Your balance is low"), t("Please pay in time."))
    return Standing("on", _fine(found))


def _due(found: Tenancy, when: str) -> str:
    if found.water:
        return t("Water is shut off {when} unless you pay", when=when)
    return t("Supply is cut {when} unless you pay", when=when)


def _off(found: Tenancy) -> str:
    return t("Your water is off") if found.water else t("Your supply is off")


def _fine(found: Tenancy) -> str:
    """What was not read back is not said to be on."""
    if not found.rooms or any(room.relay is None or room.relay.observed != "closed" for room in found.rooms):
        return t("All is well with your balance")
    return t("Water is on") if found.water else t("Supply is on")


def _used_up(account: Account) -> str:
    if account.available_nano <= 0:
        return t("The balance is used up")
    return t("Final warning: the balance is nearly used up")


def _charged() -> str:
    return t("What you use is charged as ever.")


def _returning(found: Tenancy) -> Standing:
    if found.rooms[0].meter.relay == "permit":
        return Standing("keep", t("Press the button at your meter"), t("Switching on is permitted; it waits for you."))
    return Standing("keep", _off(found), t("It is being switched on again; this takes seconds, at most ten minutes."))


def _cut(found: Tenancy, account: Account, least: int | None) -> Standing:
    if other_holds(found.rooms[0].relay):
        more = t("The balance is used up, and a payment alone does not bring it back: ask the site's staff.")
        return Standing("cut", _off(found), more)
    limit = yuan(account.restore_above_nano)
    back = t("It returns by itself once the balance is above {limit} yuan.", limit=limit)
    if found.rooms[0].meter.relay == "permit":
        back = t("Once the balance is above {limit} yuan, press the button at the meter.", limit=limit)
    pay = t("Pay at least {amount} yuan.", amount=yuan(least)) if least else ""
    return Standing("cut", _off(found), f"{pay} {back}".strip())
