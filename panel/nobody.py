"""Whether anybody can be cut before midnight, and if nobody can, why: said only where it is sure.

A warning that somebody hands over now, a reading that comes back, a lock that is taken off may each lead to a cut
within the day; whoever waits for one of those is not counted as safe.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.contract.cutting import Policy
from bridge.contract.messages import Info
from bridge.contract.units import instant_of
from panel.formats import Wall
from panel.outlook import Outlook, against_all
from panel.words import t


def nobody_today(policy: Policy | None, found: Sequence[Outlook], gateway: Info | None, wall: Wall) -> str | None:
    """Why nobody is cut for arrears today, in a sentence; None where somebody may be, or nothing is known."""
    if gateway is None:
        return None
    if (closed := _no_hour(policy, wall)) is not None:
        return closed
    if not any(_may_be_today(one, wall) for one in found):
        later = [one.at for one in found if one.kind in ("due", "waits") and one.at is not None]
        if later:
            return t("The next cut-off is possible {when} at the earliest.", when=wall.when(min(later, key=instant_of)))
        return t("Nobody has a final warning, and no balance runs out today at the load of now.")
    if gateway.mode != "normal":
        return t("{why} That lasts until its cause is gone.", why=against_all(gateway))
    if gateway.brake:
        return t("{why}; so it stays until a named person releases it.", why=against_all(gateway))
    return None


def _no_hour(policy: Policy | None, wall: Wall) -> str | None:
    """Today has no hour left that is open to cuts. None where it has one, or where that is not known."""
    today = next((day for day in policy.days if day.date == wall.now.date().isoformat()), None) if policy else None
    if today is None or any(instant_of(span.to) > wall.instant for span in today.open):
        return None
    if today.open:
        return t("The last hour of today that is open to cuts has passed.")
    return t("No hour of today is open to cuts: the whole day is protected.")


def _may_be_today(one: Outlook, wall: Wall) -> bool:
    """Cut by itself within the day, or once something is done that can be done within it."""
    if one.kind == "never":
        return False
    return one.at is None or one.kind in ("untold", "soon") or instant_of(one.at) < wall.midnight(-1)
