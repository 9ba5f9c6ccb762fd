"""A restored copy's final warnings end with it: who was warned may have paid since, and must be warned anew (R1, I5).

A lamp is lit again after every start, so it says again what stands; a tenant who was told by a person heard it once,
in a past that the copy does not know.
"""

from __future__ import annotations

from edge.core import Core, Draft

WHY = "this is a restored copy: who was warned before may have paid since"


def taken_back(core: Core) -> list[Draft]:
    """What takes back the warnings of the copy, nothing where that was done. To be asked while the copy is not yet, or
    still, in recovery."""
    state = core.state
    drafts: list[Draft] = []
    for account in state.accounts.values():
        if account.final is None:
            continue
        if state.recovering is not None and (state.restored is None or account.final.seq > state.restored.seq):
            continue  # It was given since: what this copy does not know was before.
        fields = {
            "account": account.id,
            "episode": account.episode,
            "why": WHY,
            "available_nano": core.balances.available_nano(account),
        }
        drafts.append(("cancelled/1", f"cancelled:{account.id}:{account.episode}", fields))
    return drafts
