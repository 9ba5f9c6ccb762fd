"""What the rules would do to a tenant today, from published facts: the one answer for the grid and the policy page.

The kinds stand in order of urgency. Nothing is decided here; who is dark already, or far from it, has no outlook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.contract.messages import Account, Info
from bridge.contract.units import instant_of
from panel.edge_words import MODES, said
from panel.final_warning import must_be_told, undelivered, warning_words, way_words
from panel.formats import Wall
from panel.locking import locks_of, words_of_lock
from panel.paying_words import all_water, paying_for
from panel.protections import renewed_words, standing, until_of
from panel.states import Room, other_holds
from panel.telling import hold_words, protection_words, rule_words
from panel.words import later, t

KINDS = {
    "due": ("final", later("Will be cut unless paid")),
    "untold": ("w3", later("Final warning not delivered")),
    "waits": ("stale", later("Due, and waits")),
    "soon": ("w1", later("Will be warned today")),
    "kept": ("keep", later("Protected by a person")),
    "never": ("none", later("Cannot be cut")),
}
"""The state that paints it, and its words; the most urgent first."""


@dataclass(frozen=True)
class Outlook:
    """`text` is the sentence, `at` the instant it is about, `more` what to know besides."""

    kind: str
    text: str
    at: str | None = None
    more: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        return KINDS[self.kind][0]

    def key(self) -> tuple[bool, float]:
        """Within a kind: by time, and what has none after what has one."""
        return self.at is None, instant_of(self.at).timestamp() if self.at else 0.0


def outlook_of(
    account: Account | None, rooms: Sequence[Room], phone: str, gateway: Info | None, wall: Wall
) -> Outlook | None:
    """What lies ahead of the account whose meters are `rooms`; None where it is nothing."""
    if account is None or account.ended_at is not None or _dark(account, rooms):
        return None
    if not account.can_cut:
        return Outlook("never", t("No meter of this tenant can switch supply off."), more=_balance(account))
    more = [*warning_words(account, wall)]
    if undelivered(account):
        more.append(way_words(account, phone))
    if (locks := locks_of(list(rooms))) and _warned(account):
        first, *others = (words_of_lock(lock, wall) for _, lock in locks)
        return Outlook("waits", first, None, (*others, *more))
    if holds := [hold for room in rooms for hold in other_holds(room.relay)]:
        more.append(t("A hold remains that money does not lift: {holds}.", holds=hold_words(holds)))
    if kept := standing(account, wall):
        first, *others = (protection_words(one, wall, all_water(rooms)) for one in kept)
        again = renewed_words(account, wall)
        return Outlook("kept", first, until_of(account, wall), (*others, *([again] if again else []), *more))
    if _warned(account):
        return _ahead(account, rooms, gateway, wall, tuple(more))
    if account.zero_at and instant_of(account.zero_at) < wall.midnight(-1):
        when = wall.when(account.zero_at)
        words = t("Used up {when} at the load of now; the final warning goes out before.", when=when)
        return Outlook("soon", words, account.zero_at, tuple(more))
    return None


def _dark(account: Account, rooms: Sequence[Room]) -> bool:
    """True where nothing is left to be cut."""
    if rooms and all(room.relay is not None and room.relay.observed == "open" for room in rooms):
        return True
    return account.state == "cut" and not account.cut_at


def _warned(account: Account) -> bool:
    return account.state == "final" or bool(
        account.cut_at or account.protected_until or account.blocked or account.final_warning_at
    )


def _ahead(account: Account, rooms: Sequence[Room], gateway: Info | None, wall: Wall, more: tuple[str, ...]) -> Outlook:
    """Warned: not told of it yet; else cut at an instant, or what stands against that."""
    if undelivered(account):
        return _untold(account, wall, more)
    if account.protected_until:
        words = t("Protected until {when}, then a fresh read.", when=wall.when(account.protected_until))
        return Outlook("waits", words, account.protected_until, more)
    if account.blocked:
        return Outlook("waits", _blocked(account), None, more)
    if against := against_all(gateway):
        return Outlook("waits", against, None, more)
    if account.cut_at is None:
        return Outlook("waits", t("No time of a cut-off is known."), None, more)
    paying = paying_for(rooms)
    return Outlook("due", t(paying.will_be_cut, when=wall.when(account.cut_at)), account.cut_at, more)


def _untold(account: Account, wall: Wall, more: tuple[str, ...]) -> Outlook:
    """Nobody got the warning, so the time to pay has not begun; whatever else stands against a cut is told besides."""
    words = t("The cut-off waits until the final warning has been delivered.")
    if account.protected_until:
        more = (*more, t("Protected until {when}, then a fresh read.", when=wall.when(account.protected_until)))
    elif account.cut_at and not must_be_told(account):
        words = t("Cut {when} at the earliest, if the final warning is delivered now.", when=wall.when(account.cut_at))
    if account.blocked and account.blocked != "R1":
        more = (*more, _blocked(account))
    return Outlook("untold", words, account.final_warning_at, more)


def _blocked(account: Account) -> str:
    why = said(account.blocked_why) or rule_words(account.blocked)
    return t("Not cut now ({rule}): {why}", rule=account.blocked, why=why)


def against_all(gateway: Info | None) -> str | None:
    """What keeps everybody from being cut at this moment, in words; None where nothing does."""
    if gateway is None:
        return None
    if gateway.mode != "normal":
        return t("The gateway is careful and cuts nobody: {mode}.", mode=t(MODES[gateway.mode]))
    if gateway.brake:
        return t("The brake has caught: {why}", why=said(gateway.brake))
    return None


def _balance(account: Account) -> tuple[str, ...]:
    """Of one that cannot be cut the low balance is all there is to say."""
    return (t("The balance is used up: talk with the tenant."),) if account.available_nano <= 0 else ()
