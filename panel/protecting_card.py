"""The place *Cut-off* on an account's page: what protects it, and what this person may do about that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.final_warning import undelivered
from panel.formats import Wall
from panel.guard import i_may
from panel.protecting import ACTS, Act, worded
from panel.protections import KINDS, renewed_words, standing
from panel.telling import protection_words

if TYPE_CHECKING:
    from panel.pages.account import Tenancy


def card_of(found: Tenancy, wall: Wall) -> dict[str, Any]:
    """{protecting, protections, renewed, by_button}: acts that can be done now; what stands, each with the act that
    lifts it; how long that goes on; and whether supply returns by the meter's button."""
    account, water = found.account, found.water
    if found.ended:
        return {"protecting": [], "protections": [], "renewed": None, "by_button": False}
    lifts = {kind: worded(ACTS[f"lift-{kind}"], water) for kind in KINDS} if i_may("unprotect") else {}
    return {
        "protecting": [worded(act, water) for act in ACTS.values() if _offered(act, found)],
        "protections": [
            (one, protection_words(one, wall, water), lifts.get(one.kind)) for one in standing(account, wall)
        ],
        "renewed": renewed_words(account, wall),
        "by_button": "permit" in returns(found),
    }


def _offered(act: Act, found: Tenancy) -> bool:
    """Lifting stands beside what is lifted; telling is recorded while a final warning waits for it; and of the two ways
    in which supply returns the other one is offered."""
    if act.operation == "unprotect" or not i_may(act.operation):
        return False
    if act.operation == "set-close":
        return not already(act, found)
    return act.operation != "told" or undelivered(found.account)


def returns(found: Tenancy) -> set[str]:
    """How the supply of its meters returns after a cut: direct, permit; of those alone that wait for a button."""
    return {room.meter.relay for room in found.rooms if room.meter.relay != "none" and room.meter.button}


def already(act: Act, found: Tenancy) -> bool:
    """Supply returns in the act's way, or it has nothing that could return in two ways."""
    return returns(found) <= {dict(act.fixed)["close"]}
