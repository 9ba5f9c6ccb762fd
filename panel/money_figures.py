"""The figures an act depends on, as the form shows them: what there is, what is lent or owed, and the limits."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.contract.messages import Account
from panel.formats import cubic_metres, kwh, yuan
from panel.money_acts import Act
from panel.money_effects import Sight
from panel.words import t


@dataclass(frozen=True)
class Figure:
    title: str
    text: str
    below: str = ""


def figures_of(sight: Sight, act: Act) -> list[Figure]:
    """The available balance first, then what this act depends on."""
    account = sight.account
    if account is None:
        return []
    found = [Figure(t("Available"), yuan(account.available_nano), _read(sight))]
    match act.operation:
        case "refund":
            found += [Figure(t("Refundable"), yuan(account.refundable_nano), t("at most")), *owed_of(account)]
        case "reverse":
            found.append(Figure(t("Must remain"), yuan(sight.floor_nano), t("at least")))
        case "deduct" | "correct":
            found += [Figure(t("Must remain"), yuan(sight.stays_nano), t("at least")), *owed_of(account)]
        case "lend":
            found.append(Figure(t("Lent each time"), yuan(sight.emergency_nano), t("fixed by the site")))
            found += owed_of(account)
        case "defer":
            found += [Figure(t("Arrears"), yuan(sight.owed_nano), t("at most so much")), *owed_of(account)]
        case "settle":
            through = account.billed_through
            closed = t("closed through {day}", day=through) if through else t("no day is closed yet")
            found += [Figure(t("Posted"), yuan(account.posted_nano), closed), *owed_of(account)]
            for room in sight.rooms:
                at = room.facts.read_at if room.facts else None
                found.append(Figure(t("{place} read", place=room.place), sight.wall.ago(at)))
    return found


def owed_of(account: Account) -> list[Figure]:
    """Emergency credit and debt that are not repaid."""
    found = []
    if account.credit_nano:
        found.append(Figure(t("Emergency credit owed"), yuan(account.credit_nano), t("repaid first")))
    if account.debt_nano:
        found.append(Figure(t("Deferred debt"), yuan(account.debt_nano), share_words(account)))
    return found


def share_words(account: Account) -> str:
    """How the debt is paid off: the share of each top-up, the weekly cap and what it still allows."""
    if account.debt_share_percent is None:
        return ""
    told = [t("{n} % of each top-up", n=account.debt_share_percent)]
    if account.debt_weekly_cap_nano is not None:
        told.append(t("at most {amount} a week", amount=yuan(account.debt_weekly_cap_nano)))
    if account.debt_left_nano is not None:
        told.append(t("{amount} left this week", amount=yuan(account.debt_left_nano)))
    return " · ".join(told)


def _read(sight: Sight) -> str:
    at = next((room.facts.read_at for room in sight.rooms if room.facts and room.facts.read_at), None)
    return t("read {time}, {ago}", time=sight.wall.clock(at, True), ago=sight.wall.ago(at)) if at else ""


def beside_of(account: Account) -> list[Figure]:
    """What stands beside the balance on an account's page: what is owed, and the steps of electricity and water."""
    found = owed_of(account)
    if found:
        found.append(Figure(t("Refundable"), yuan(account.refundable_nano)))
    if account.step is not None and account.step_used_wh is not None:
        used = t("{used} kWh used since {day}", used=kwh(account.step_used_wh), day=(account.step_began_on or "")[5:])
        upper = account.step_next_wh
        more = t("the next from {kwh} kWh", kwh=kwh(upper)) if upper is not None else t("the last one")
        found.append(Figure(t("Step|tariff"), str(account.step), f"{used} · {more}"))
    if account.water_price_now is not None:
        below = t("{price} yuan/m³", price=account.water_price_now)
        found.append(Figure(t("Water not posted yet"), t("{n} m³", n=cubic_metres(account.provisional_l)), below))
    if account.water_step is not None and account.water_step_used_l is not None:
        used, upper = t("{n} m³ used", n=cubic_metres(account.water_step_used_l)), account.water_step_next_l
        more = t("the next from {n} m³", n=cubic_metres(upper)) if upper is not None else t("the last one")
        found.append(Figure(t("Step|water"), str(account.water_step), f"{used} · {more}"))
    return found
