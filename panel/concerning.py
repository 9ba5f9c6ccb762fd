"""Which entries of the book concern an account, as conditions on the archive's table: its own, those that only name it,
its meters', its prices', and what two people decide about it.

What a column does not say stands in the body, in the very characters of the book: `"to_account":"102"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, false, or_

from bridge.archive.tables import ENTRY
from bridge.contract.entries import PRICED, REPLACED, TARIFFS
from bridge.contract.messages import AccountRow
from bridge.contract.units import instant_of, micros_of

MONEY = (
    "topup/1", "reversal/1", "refund/1", "compensation/1", "deduction/1", "correction/1", "credit/1", "debt/1",
    "exit/1", "opening-balance/1",
)  # fmt: skip
"""Acts with money."""

FOR_PEOPLE = (
    *MONEY, *PRICED, *REPLACED, "fee/1", "account/1", "level/1", "final/1", "delivered/1", "cancelled/1", "trip/1",
    "protection/1", "close-way/1", "alarm/1",
)  # fmt: skip
"""Kinds of an account's entries that matter to people; closings only where a day was deferred."""

OF_ITS_METERS = ("relay/1", "hold/1", "opening/1")


def says(**words: str) -> Any:
    """The body says each of these keys with that word."""
    return and_(*(ENTRY.c.body.contains(f'"{key}":"{word}"', autoescape=True) for key, word in words.items()))


def given_to(account: str) -> Any:
    """An amount was moved here from another account."""
    return and_(ENTRY.c.kind == "correction/1", says(to_account=account))


def decided(proposals: Sequence[str]) -> Any:
    """Proposals that came to nothing; of one that was approved, what it brought about is told."""
    if not proposals:
        return false()
    said = or_(*(says(proposal=id) for id in proposals))
    return and_(ENTRY.c.kind == "decision/1", ENTRY.c.body.contains('"approved":false'), said)


@dataclass(frozen=True)
class Concerning:
    """An account, its meters and the prices it pays, from the day on which it began."""

    account: str
    meters: Sequence[str] = ()
    tariffs: Sequence[str] = ()
    since: datetime | None = None

    def condition(self) -> Any:
        """Everything about it but decisions."""
        own = and_(
            ENTRY.c.account == self.account,
            or_(
                ENTRY.c.kind.in_(FOR_PEOPLE),
                # A day that could not be closed with a register is told; the other closings repeat their charges.
                and_(ENTRY.c.kind == "closing/1", ENTRY.c.body.not_like('%"deferred":[]%')),
            ),
        )
        return or_(own, given_to(self.account), self.proposed(), *(self._later(each) for each in self._around()))

    def _around(self) -> list[Any]:
        """What happens to its meters and prices."""
        of_meters = and_(
            ENTRY.c.meter.in_(self.meters),
            ENTRY.c.kind.in_(OF_ITS_METERS),
            # A relay that was merely looked at for the first time is no news to anybody.
            ENTRY.c.body.not_like('%"why":"first look"%'),
        )
        of_prices = and_(ENTRY.c.kind.in_(TARIFFS), or_(false(), *(says(tariff=id) for id in self.tariffs)))
        return [of_meters, of_prices]

    def _later(self, condition: Any) -> Any:
        """A meter's past, and a price's, before this tenancy belong to somebody else."""
        return condition if self.since is None else and_(condition, ENTRY.c.at_us >= micros_of(self.since))

    def proposed(self) -> Any:
        """What somebody wants done with its money, or with a price it pays."""
        price = and_(says(what="price"), or_(false(), *(says(tariff=id) for id in self.tariffs)))
        own = (says(account=self.account), says(to_account=self.account), *(says(meter=id) for id in self.meters))
        return and_(ENTRY.c.kind == "proposal/1", or_(*own, price))


def concerning_of(row: AccountRow, ended: bool) -> Concerning:
    """What of the book concerns this account; its meters no more, once it is settled."""
    tariffs = [tariff for tariff in (row.tariff, row.water_tariff) if tariff]
    return Concerning(row.id, [] if ended else row.meters, tariffs, instant_of(row.since))
