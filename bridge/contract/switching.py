"""What switches a supply, as it is published: a relay, or a valve, each in its own words.

A relay that is closed and a valve that is open give supply. The two never share a topic, so that no `closed` can be
taken for the other one's.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bridge.contract.message import Message, Part

VALVE_IS: dict[str, Literal["open", "closed", "unknown"]] = {"closed": "open", "open": "closed", "unknown": "unknown"}
"""How a valve stands where a relay would be called so, and how a relay where a valve would: the one place of it."""

OF_NO_KIND = ("open", "shut")
"""Words that mean one thing for a relay and the opposite for a valve, or that somebody may try for it: never taken."""


class HoldFacts(Part):
    kind: Literal["arrears", "lockout", "contract", "malignant", "manual"]
    why: str
    by: str
    since: str
    off: bool = Field(
        default=True,
        description="false: a `lockout` that was set while supply stood on; it blocks and switches nothing",
    )


class Relay(Message):
    """What the relay should be, what was read back, and every hold that keeps it open (R5, I11)."""

    topic = "meter/{id}/relay"
    retained = True
    desired: Literal["closed", "open"]
    observed: Literal["closed", "open", "unknown"]
    observed_at: str | None = None
    observed_since: str | None = None
    holds: list[HoldFacts]
    why: str = Field(description="one sentence")
    following: bool = Field(description="false: told several times and not moved, a person is needed")
    own_purse: Literal["empty", "low", "perhaps"] | None = Field(
        default=None,
        description="it stands open by the meter's own purse: empty, low (a warning that the meter's button ends), or "
        "perhaps, as nobody knows what is in it (R14); else absent",
    )
    keep_power: bool = Field(description="the meter itself is set to keep power on (保电)")
    alarm: bool = Field(description="the meter's own alarm lamp, read back")
    step: str | None = Field(default=None, description="sent, done, read back: where the newest relay command stands")


class Valve(Message):
    """A water meter's valve, where others have a relay: open means that water flows. What it should be, what was read
    back, whether it is on its way, and every hold that keeps it closed (R5, R35, I11)."""

    topic = "meter/{id}/valve"
    retained = True
    desired: Literal["open", "closed"]
    observed: Literal["open", "closed", "fault", "unknown"] = Field(
        description="as it was read back last; fault: the meter says that its valve is out of order"
    )
    moving: Literal["opening", "closing"] | None = Field(
        default=None, description="it was told and has time to arrive, as long as its model gives it; else absent"
    )
    observed_at: str | None = None
    observed_since: str | None = None
    holds: list[HoldFacts]
    why: str = Field(description="one sentence")
    following: bool = Field(description="false: told and not arrived in its time, a person is needed")
    step: str | None = Field(default=None, description="sent, done, read back: where the newest order stands")
