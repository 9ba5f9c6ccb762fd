"""Requests that switch a supply by a person's word: a hold is set or lifted, and the relay or valve follows it (R5)."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from bridge.contract.fields import Plain
from bridge.contract.request import Request

Reason = Literal["manual", "contract", "malignant"]
"""Holds by which a person switches off: by hand for whatever reason, the contract has ended, a forbidden load."""

REASONS: tuple[Reason, ...] = get_args(Reason)


class Off(Request):
    """Set the hold `manual`, `contract` (it has ended) or `malignant` (a forbidden load): supply goes off, the relay
    opens or the valve closes, and it stays off until each hold is lifted. Done when read back."""

    operation = "off"
    meter: str
    hold: Reason = "manual"
    why: Plain = Field(min_length=1, max_length=200)


class On(Request):
    """Lift the hold that is named; of a meter without a tenant `arrears` as well. Supply returns, the relay closes or
    the valve opens, when no other hold remains (R5). Refused while it is locked for work. Done when read back."""

    operation = "on"
    meter: str
    hold: Reason = "manual"
    why: Plain = Field(min_length=1, max_length=200)


class Trip(Off):
    """`off` in a relay's own word: the relay opens. Refused for a meter with a valve."""

    operation = "trip"


class Close(On):
    """`on` in a relay's own word: the relay closes. Refused for a meter with a valve, where closing is the opposite."""

    operation = "close"


SWITCH_REQUESTS: tuple[type[Request], ...] = (Off, On, Trip, Close)
