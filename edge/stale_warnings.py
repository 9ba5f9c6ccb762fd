"""A restored copy's final warnings end with it: who was warned may have paid since, and must be warned anew (R1, I5).

A lamp is lit again after every start, so it says again what stands; a tenant who was told by a person heard it once,
in a past that the copy does not know.
"""

from __future__ import annotations

from edge.core import Core, Draft

WHY = "this is a restored copy: who was warned before may have paid since"


def taken_back(core: Core, found: bool) -> list[Draft]:
    """What takes back the warnings of the copy, for a book in recovery. Where it was `found` just now that it is one,
    in recovery or not, these are all; else those that a restore has brought and that stand still."""
    state = core.state
    drafts: list[Draft] = []
    for account in state.accounts.values():
        if account.final is None:
            continue
        brought = state.restored is not None and account.final.seq <= state.restored.seq
        if not (found or brought):
            continue  # It was given since: what this copy does not know was before.
        fields = {
            "account": account.id,
            "episode": account.episode,
            "why": WHY,
            "available_nano": core.balances.available_nano(account),
        }
        drafts.append(("cancelled/1", f"cancelled:{account.id}:{account.episode}", fields))
    return drafts
