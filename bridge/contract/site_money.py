"""What a site allows with money (R15, R16): keys of `[policy]` whose defaults hold nobody back who pays today."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, model_validator

from bridge.contract.site_words import STRICT, Yuan
from bridge.contract.units import nano_of_yuan


def _not_below_zero(text: str) -> str:
    if nano_of_yuan(text) < 0:
        raise ValueError("an amount below zero says nothing here")
    return text


Amount = Annotated[Yuan, AfterValidator(_not_below_zero)]


class MoneyPolicy(BaseModel):
    """Smallest and largest top-up, hoarding ceiling, a person's day, overdraft, emergency credit."""

    model_config = STRICT
    topup_min: Yuan = "1.00"
    topup_max: Yuan = "50000.00"
    balance_max: Amount | None = None
    """No top-up may bring the available balance above this (囤积)."""
    operator_day_max: Amount | None = None
    """What one person may take in a local day; payments that come without a person are not counted."""
    overdraft: Amount = "0.00"
    """How far below zero a reversal, a deduction or a correction may bring the available balance."""
    emergency_credit: Amount = "0.00"
    """The fixed amount that is lent, once until repaid; zero lends nothing."""

    @model_validator(mode="after")
    def _room_for_a_top_up(self) -> MoneyPolicy:
        if self.balance_max is not None and nano_of_yuan(self.balance_max) < nano_of_yuan(self.topup_min):
            raise ValueError("balance_max lies below topup_min: nobody could ever top up")
        return self
