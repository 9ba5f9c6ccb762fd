"""Setting a price: one proposes a version, another approves it (R27, R32); anybody may ask what it would cost."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from bridge.contract.fields import Plain
from bridge.contract.request import Approve, Reject, Request

PRICE = Field(description="a `[[tariffs]]` table of the site file, whole: its `id` says which price it is a version of")
MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


class ProposePrice(Request):
    """A new version of a price. Nothing changes before another person has approved it. Done with `proposal`, `until`,
    `version`, `effective_at` (absent: from its approval on) and `markup_percent`."""

    operation = "propose-price"
    price: dict[str, Any] = PRICE
    version: int | None = Field(default=None, ge=1, le=100_000, description="the next one; another number is refused")
    effective_at: str | None = Field(
        default=None,
        description="instant with offset, not past, at most 400 days ahead; absent: when it is approved",
    )
    accept_markup: bool = Field(default=False, description="a mark-up above the site's limit is meant (R30)")
    why: Plain = Field(default="", max_length=200)


class ApprovePrice(Approve):
    """Approve another person's proposal: the version stands in the book and never changes. Done with `version`."""

    operation = "approve-price"


class RejectPrice(Reject):
    """Reject a proposal, or take one's own back. It stays in the book with the reason."""

    operation = "reject-price"


class PreviewPrice(BaseModel):
    """What a price would have cost: applied to the registers of last month's charges. Needs no signature. Done with
    one row for each account: `old_nano`, `new_nano`, `difference_nano`, and the sums."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    operation: ClassVar[str] = "preview-price"
    transaction: str
    price: dict[str, Any] = PRICE
    month: str | None = Field(default=None, pattern=MONTH, description="local month such as 2026-10; absent: the last")
