"""Protections that people gave a tenant, in words: keep-power or a disputed bill, by whom, why and until when (R3).

One that has run out protects nobody, whatever the newest fact still says of it.
"""

from __future__ import annotations

from bridge.contract.messages import Account, ProtectionFacts
from bridge.contract.units import instant_of
from panel.formats import Wall, span
from panel.words import later, t

KINDS = {"keep-power": later("power is kept on|protection"), "dispute": later("the bill is disputed")}

OF_WATER = {"keep-power": later("water is kept on|protection")}
"""In place of the words above, where a tenant has water alone."""


LONG_S = 7 * 86_400
"""Protected and renewed for a week: it is shown where things wait for a second person."""


def standing(account: Account | None, wall: Wall) -> list[ProtectionFacts]:
    """The protections that count at this moment, the longest first."""
    given = account.protections if account else []
    counting = [each for each in given if instant_of(each.until) > wall.instant]
    return sorted(counting, key=lambda each: instant_of(each.until), reverse=True)


def until_of(account: Account | None, wall: Wall) -> str | None:
    """Until when a person's word protects this tenant; None where none does."""
    found = standing(account, wall)
    return found[0].until if found else None


def renewed_words(account: Account | None, wall: Wall) -> str | None:
    """Since when a tenant is protected without a break, how often that was renewed and by whom; None where it never
    was, or nothing stands."""
    if account is None or account.kept is None or not account.kept.renewed or not standing(account, wall):
        return None
    kept = account.kept
    by = t("{name} alone", name=kept.by[0]) if len(kept.by) == 1 else t(", |between words").join(kept.by)
    return t(
        "Protected without a break since {time} ({span}); renewed {n} ×, by {people}", time=wall.stamp(kept.since),
        span=span(wall.age_s(kept.since)), n=kept.renewed, people=by,
    )  # fmt: skip


def long_kept(account: Account | None, wall: Wall) -> bool:
    """Renewed, and for so long that somebody else should have a look."""
    if account is None or account.kept is None or renewed_words(account, wall) is None:
        return False
    return wall.age_s(account.kept.since) >= LONG_S


def kind_words(kind: str, water: bool = False) -> str:
    words = KINDS | OF_WATER if water else KINDS
    return t(words[kind]) if kind in words else kind
