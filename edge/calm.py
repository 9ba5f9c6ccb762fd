"""Accounts of which nothing can follow until something happens are not worked out again and again.

An account is calm when no warning stands or is near, it is neither cut nor protected, and its level is told. It stays
so while the book, the terms and its meters' readings are the very same, its load brings zero no nearer, and
the instants have not come at which time alone changes something. Nobody is cut without a warning, so nobody is cut by
what stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.contract.units import instant_of_micros
from edge.billing import policy
from edge.core import Core
from edge.state import AccountState

FAR = timedelta(days=1)
"""An account is worked out at least once a day."""


@dataclass(frozen=True)
class Look:
    """What an account was found calm by, from when until when that holds, and how much load it bears."""

    basis: tuple[Any, ...]
    since: datetime
    until: datetime
    spare_nano: int
    nano_per_w: int


class Calm:
    """The newest look at each account that was found calm."""

    def __init__(self, core: Core):
        self._core = core
        self._looks: dict[str, Look] = {}

    def holds(self, account: AccountState, load_w: int) -> bool:
        """True while nothing can follow from another look at the account; at this load."""
        look = self._looks.get(account.id)
        return (
            look is not None
            and look.since <= self._core.now() < look.until
            and look.spare_nano > load_w * look.nano_per_w // 3600
            and look.basis == self._basis(account)
        )

    def _basis(self, account: AccountState) -> tuple[Any, ...]:
        """All but time and load that a look rests on: every entry, the terms, and the newest readings."""
        core, lives = self._core, self._core.lives
        found: list[Any] = [core.state.seq, core.terms, core.book.trusted]
        for id in account.meters:
            live = lives[id]
            found += (live.sample, live.before, live.floor)
        return tuple(found)

    def well_off(self, account: AccountState, available_nano: int, load_nano: int) -> bool:
        """At a glance: so much is left by the newest reading that nothing follows, whatever the one before it said.
        `load_nano` is the load times `nano_per_w`."""
        terms = self._core.terms
        return (
            not account.level
            and not policy.level_now(0, available_nano, terms)
            and available_nano - terms.cut_limit_nano > load_nano // 3600
            and self._untouched(account)
        )

    def _untouched(self, account: AccountState) -> bool:
        """Neither warned, nor protected, nor cut."""
        if account.final is not None or account.protections:
            return False
        return not any("arrears" in self._core.state.meters[id].holds for id in account.meters)

    def nano_per_w(self, account: AccountState) -> int:
        """What a load costs at most within the lead, at any price that will count: nano-yuan x 3600 per W."""
        core = self._core
        known = core.pricing.to_come(account, core.balances.version_now(account), core.now())
        return max(core.pricing.dearest_micro(account, each) for each in known) * core.terms.lead_s

    def note(self, account: AccountState, available_nano: int, nano_per_w: int) -> None:
        """An account was looked at and nothing followed: is it calm from now on?"""
        core, now = self._core, self._core.now()
        self._looks.pop(account.id, None)
        until = self._until(account, available_nano, now)
        if until is not None and now < until:
            spare_nano = available_nano - core.terms.cut_limit_nano
            self._looks[account.id] = Look(self._basis(account), now, until, spare_nano, nano_per_w)

    def _until(self, account: AccountState, available_nano: int, now: datetime) -> datetime | None:
        """Until when time alone brings nothing; None for an account that is not calm."""
        core, terms, level = self._core, self._core.terms, account.level
        if not core.book.trusted or not self._untouched(account):
            return None
        if policy.level_now(level, available_nano, terms) != level:
            return None  # Told when the quiet hours are over, or when a second reading says so too.
        until = min(now + FAR, core.pricing.next_change(account, now) or now + FAR)
        if level and account.level_repeats < terms.level_repeats[level - 1]:
            until = min(until, instant_of_micros(account.level_at) + policy.TOLD_AGAIN_AFTER)
        return until
