"""A tenant moves in while the book runs: one proposes, another approves (R32), and an account/1 stands in the book.

The fields are those of an `[[accounts]]` table of the site file, without `opening`: a balance of before comes in by
`bring`. An account id is a tenancy's for ever, so a new tenant has a new one.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.contract.cutting import Closing
from bridge.contract.fields import Plain
from bridge.contract.request import Approve, Reject, Request
from bridge.contract.site_words import Id, Phone, Word

Named = Annotated[Plain, Field(min_length=1, max_length=64)]


class MoveIn(Request):
    """A tenant moves into rooms whose meters have none (R33). Nothing changes before another person has approved it.
    Done with `proposal`, `until`, `account` and `meters`."""

    operation = "move-in"
    account: Id = Field(description="a new id, never one that a tenancy had here: 1 to 32 of a-z, 0-9 and -")
    name: Named = Field(description="the tenant's name")
    room: Named
    phone: Phone = ""
    tariff: Id | None = Field(default=None, description="what a kWh costs; needed where a meter counts electricity")
    water_tariff: Id | None = Field(default=None, description="what a m3 costs; needed where a meter counts water")
    meters: list[Id] = Field(min_length=1, max_length=64, description="metering points that have no tenant now")
    category: Word | None = Field(
        default=None, description="which surcharges it pays: a word that one of them names, or `home` or `shop`"
    )
    household: bool | None = Field(
        default=None, description="only households have steps (R29); absent: one of category `home` is"
    )
    close: Closing | None = Field(
        default=None, description="how its supply comes back (R6), by `direct` or `permit`; absent: as its meters say"
    )
    papers: Annotated[Plain, Field(min_length=1, max_length=200)] = Field(
        description="the contract: its number, or where it lies"
    )


class ApproveMoveIn(Approve):
    """Approve another person's proposal: the account begins now, each of its meters is read twice, and what was used
    until then stays charged to nobody (R19). Done with `account` and `seq`."""

    operation = "approve-move-in"


class RejectMoveIn(Reject):
    """Reject a proposal, or take one's own back. It stays in the book with the reason."""

    operation = "reject-move-in"


TENANCY_REQUESTS: tuple[type[Request], ...] = (MoveIn, ApproveMoveIn, RejectMoveIn)
