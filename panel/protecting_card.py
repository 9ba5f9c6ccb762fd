"""The place *Cut-off* on an account's page: what protects it, and what this person may do about that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.contract.messages import Account
from panel.final_warning import undelivered
from panel.formats import Wall
from panel.guard import i_may
from panel.protecting import ACTS, Act, worded
from panel.protections import KINDS, renewed_words, standing
from panel.telling import protection_words

if TYPE_CHECKING:
    from panel.pages.account import Tenancy


def card_of(found: Tenancy, wall: Wall) -> dict[str, Any]:
    """{protecting, protections, renewed}: acts that can be done now; what stands, each with the act that lifts it; and
    how long that goes on."""
    account, water = found.account, found.water
    if found.ended:
        return {"protecting": [], "protections": [], "renewed": None}
    lifts = {kind: worded(ACTS[f"lift-{kind}"], water) for kind in KINDS} if i_may("unprotect") else {}
    return {
        "protecting": [worded(act, water) for act in ACTS.values() if _offered(act, account)],
        "protections": [
            (one, protection_words(one, wall, water), lifts.get(one.kind)) for one in standing(account, wall)
        ],
        "renewed": renewed_words(account, wall),
    }


def _offered(act: Act, account: Account | None) -> bool:
    """Lifting stands beside what is lifted; telling is recorded while a final warning waits for it."""
    if act.operation == "unprotect" or not i_may(act.operation):
        return False
    return act.operation != "told" or undelivered(account)
