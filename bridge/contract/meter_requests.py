"""A meter replaced, a current transformer changed: one proposes what was read, another approves it (R22, R23, R32).

Registers are the meter's own, before the multiplier: Wh, or litres where it counts water.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.contract.fields import Plain
from bridge.contract.request import Approve, Reject, Request

PAPERS = Field(min_length=1, max_length=200, description="where the photo or the form is")
WHY = Field(min_length=1, max_length=200)
REGISTER = Annotated[int, Field(ge=0, le=10**12)]


class ReplaceMeter(Request):
    """The meter of a metering point was replaced (R22): the edge reads the new one, its number and its registers twice,
    and proposes. Answered `accepted`, then done with `proposal`, `until`, `closing`, `opening` and `serial`."""

    operation = "replace-meter"
    meter: str = Field(description="the metering point, whose id stays")
    address: str = Field(description="the new meter's address, on the same port; it may be the old one's")
    serial: str | None = Field(
        default=None, pattern=r"^(\d{12}|\d{14})$",
        description="the number on the new meter's plate; needed where it can tell it itself",
    )  # fmt: skip
    model: str | None = Field(default=None, description="of the new meter; absent: the old one's")
    closing: dict[str, REGISTER] | None = Field(
        default=None,
        description="the old meter's last registers, Wh or litres, as a person read them off its display, such as "
        '{"total": 88129650}; absent: the last ones it said itself',
    )
    removed_at: str | None = Field(default=None, description="instant with offset of taking it off; absent: now")
    papers: Plain = PAPERS
    why: Plain = WHY


class ChangeMultiplier(Request):
    """The current transformer was changed (R23): the edge reads the meter twice, and the multiplier that is proposed
    counts from that reading on. Answered `accepted`, then done with `proposal`, `until` and `register_wh`."""

    operation = "change-multiplier"
    meter: str
    multiplier: int = Field(ge=1, le=10_000)
    papers: Plain = PAPERS
    why: Plain = WHY


class ApproveMeter(Approve):
    """Approve another person's proposal: the old meter is charged to its last register and the new one counts, or the
    new multiplier does. Done with `meter`."""

    operation = "approve-meter"


class RejectMeter(Reject):
    """Reject a proposal, or take one's own back. It stays in the book with the reason."""

    operation = "reject-meter"


METER_REQUESTS: tuple[type[Request], ...] = (ReplaceMeter, ChangeMultiplier, ApproveMeter, RejectMeter)
