"""Where a tenancy stands, in words to the tenant: no name, no phone, no reason that is between people and the staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.contract.messages import Account
from panel.formats import Wall, yuan
from panel.protections import standing, until_of
from panel.words import t

if TYPE_CHECKING:
    from panel.pages.account import Tenancy


@dataclass(frozen=True)
class Standing:
    """`state` paints it and has its icon; `until` is counted down to."""

    state: str
    title: str
    text: str
    until: str | None = None


def standing_of(found: Tenancy, least: int | None, wall: Wall) -> Standing:
    """The most urgent thing that a tenant should know. `least`: what brings supply back or keeps it, in nano-yuan."""
    account, room = found.account, found.rooms[0] if found.rooms else None
    if found.ended:
        return Standing("none", t("Settled"), t("The tenancy has ended. For what is left ask the site's staff."))
    if account is None:
        return Standing("none", t("Nothing is known yet"), t("Look again in a minute, or ask the site's staff."))
    if room is not None and room.state == "cut":
        return _cut(found, account, least)
    if room is not None and room.state == "held" and room.relay and room.relay.observed == "open":
        return Standing("held", _off(found), t("The site's staff have switched it off, not for money. Ask them."))
    if standing(account, wall):
        until = wall.when(until_of(account, wall) or "")
        return Standing(
            "keep", t("Nobody cuts you off until {when}", when=until), t("What you use is charged as ever.")
        )
    if account.final_warning_at or account.cut_at or account.protected_until:
        return _warned(found, account, least, wall)
    if account.level:
        return Standing(f"w{account.level}", t("Your balance is low"), _pay(least) or t("Please pay in time."))
    return Standing("on", t("Water is on") if found.water else t("Supply is on"), "")


def _off(found: Tenancy) -> str:
    return t("Your water is off") if found.water else t("Your supply is off")


def _pay(least: int | None) -> str:
    return t("Pay at least {amount} yuan.", amount=yuan(least)) if least else ""


def _cut(found: Tenancy, account: Account, least: int | None) -> Standing:
    relay = found.rooms[0].relay
    if relay is not None and relay.desired == "closed":
        return Standing(
            "cut", _off(found), t("It is being switched on again; this takes seconds, at most ten minutes.")
        )
    limit = yuan(account.restore_above_nano)
    back = t("It returns by itself once the balance is above {limit} yuan.", limit=limit)
    if found.rooms[0].meter.relay == "permit":
        back = t("Once the balance is above {limit} yuan, press the button at the meter.", limit=limit)
    return Standing("cut", _off(found), f"{_pay(least)} {back}".strip())


def _warned(found: Tenancy, account: Account, least: int | None, wall: Wall) -> Standing:
    if account.protected_until:
        when = wall.when(account.protected_until)
        return Standing("final", t("The balance is used up; nobody is cut before {when}", when=when), _pay(least))
    if account.cut_at:
        when = wall.when(account.cut_at)
        title = t("Water is shut off {when} unless you pay", when=when)
        title = title if found.water else t("Supply is cut {when} unless you pay", when=when)
        return Standing("final", title, _pay(least), account.cut_at)
    return Standing("final", t("Final warning: the balance is nearly used up"), _pay(least))
