"""Where a final warning stands: delivered, when and by what; or not yet, and how it can be.

A warning that nobody got starts no time to pay (R1), so what is missing is told with what to do about it.
"""

from __future__ import annotations

from bridge.contract.messages import Account
from panel.formats import Wall
from panel.words import later, t

CHANNELS = {
    "lamp": later("the meter's lamp"),
    "person": later("a person who told the tenant"),
    "notice": later("a notice that its channel accepted"),
    "page": later("the tenant's own page"),
    "attempted": later("an attempt that counts here; the lamp did not answer"),
}

HOWS = {
    "in-person": later("in person|told"),
    "phone": later("by phone|told"),
    "message": later("by message|told"),
    "note": later("by a note|told"),
}
"""How a person told the tenant."""


def channel(name: str) -> str:
    """What delivered a warning; a name we have no word for as it is."""
    return t(CHANNELS[name]) if name in CHANNELS else name


def how_words(name: str) -> str:
    return t(HOWS[name]) if name in HOWS else name


def undelivered(account: Account | None) -> bool:
    """True while a final warning stands that reached nobody yet: a person may tell the tenant."""
    return account is not None and bool(account.final_warning_at) and not account.delivered_at


def must_be_told(account: Account | None) -> bool:
    """True where it can reach the tenant only by a person."""
    return account is not None and undelivered(account) and account.needs_telling


def warning_words(account: Account, wall: Wall) -> list[str]:
    """When the final warning went out and how it was delivered; nothing where none stands."""
    if account.delivered_at:
        time = wall.stamp(account.delivered_at)
        if account.delivered_by is None:
            return [t("final warning delivered {time}", time=time)]
        return [t("final warning delivered {time} by {channel}", time=time, channel=channel(account.delivered_by))]
    if account.final_warning_at:
        return [t("final warning sent {time}, not delivered yet", time=wall.stamp(account.final_warning_at))]
    return []


def way_words(account: Account, phone: str) -> str:
    """How a warning that is not delivered yet can be."""
    if not account.needs_telling:
        return t("The meter's lamp is asked again and again; a person may also tell the tenant.")
    if phone:
        return t("No meter here has a lamp: call the tenant, {phone}, and record it.", phone=phone)
    return t("No meter here has a lamp: tell the tenant and record it.")
