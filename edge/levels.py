"""The low-balance levels put to work: crossed, told again, armed anew (R9). Which one stands is decided in
`billing/policy.py`."""

from __future__ import annotations

from bridge.contract.units import instant_of_micros
from edge.billing import policy
from edge.core import Core, Draft
from edge.state import AccountState


def due(core: Core, account: AccountState, available: int, surely: int) -> list[Draft]:
    """Up as the newest reading has it, down as two readings have it."""
    terms = core.terms
    level = policy.level_now(account.level, available, terms)
    if level > account.level:
        level = max(account.level, policy.level_now(account.level, surely, terms))
    next_seq = core.book.seq + 1
    if level < account.level:
        fields = {"account": account.id, "level": level, "available_nano": available}
        return [("rearm/1", f"rearm:{next_seq}", fields)]
    if level == account.level:
        return _repeat(core, account, available)
    drafts: list[Draft] = []
    if level < len(terms.levels_nano) and policy.is_quiet(core.now(), terms):
        return drafts  # It is told when the quiet hours are over, if it is still so.
    for crossed in range(account.level + 1, level + 1):
        threshold = core.terms.levels_nano[crossed - 1]
        fields = {"account": account.id, "level": crossed, "threshold_nano": threshold, "available_nano": available}
        drafts.append(("level/1", f"level:{account.id}:{next_seq + len(drafts)}", fields))
    return drafts


def _repeat(core: Core, account: AccountState, available: int) -> list[Draft]:
    level, repeats = account.level, account.level_repeats
    told_at = instant_of_micros(account.level_at)
    if not core.book.trusted or not policy.repeat_is_due(level, repeats, told_at, core.now(), core.terms):
        return []
    threshold = core.terms.levels_nano[level - 1]
    if available >= threshold:
        return []  # It stands within the margin: not low, and not armed anew.
    fields = {"account": account.id, "level": level, "threshold_nano": threshold, "available_nano": available}
    return [("level/1", f"level:{account.id}:{core.book.seq + 1}", {**fields, "repeat": repeats + 1})]
