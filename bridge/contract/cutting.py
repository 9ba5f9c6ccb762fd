"""When supply may be cut, and what people say about it (R1-R5, R9): the policy as a fact, protections, who was told.

Windows are left-closed and right-open; instants carry their offset.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from bridge.contract.fields import Plain
from bridge.contract.message import Message, Part
from bridge.contract.request import Request

Protecting = Literal["keep-power", "dispute"]
"""Why nobody cuts a tenant, whatever the balance: power is kept on (保电), or the bill is disputed (R3)."""

Closing = Literal["direct", "permit"]
"""How a relay is closed (R6): at once, or by a person at the meter's button, to whom it is permitted."""

WHY = Field(min_length=1, max_length=200)


class ProtectionFacts(Part):
    """A person's word that a tenant is not cut until an instant (R3)."""

    kind: Protecting
    why: str
    by: str
    since: str
    until: str


class KeptFacts(Part):
    """Since when people have protected a tenant without a break of a day, for whatever reason: for a second look."""

    since: str
    renewed: int = Field(description="how often a protection was given again since then")
    by: list[str] = Field(description="who gave them, each once; a single name is a person who renews alone")


class OpenSpan(Part):
    """A window in which a cut is not forbidden by R2."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    from_: str = Field(alias="from")
    to: str


class PolicyDay(Part):
    """A local day: what kind it is, and its windows; none on a day that is protected as a whole."""

    date: str
    kind: Literal["workday", "weekend", "holiday", "make-up", "protected"] = Field(
        description="holiday: also a day that may be one, in a year of `unknown_years`; make-up: a weekend day that is "
        "worked; protected: the site file says so"
    )
    why: str | None = Field(default=None, description="of a protected day, in the site file's words")
    open: list[OpenSpan]


class Policy(Message):
    """The rules by which tenants are warned, cut and restored, and the days ahead as they stand against a cut."""

    topic = "policy"
    retained = True
    at: str
    lead_s: int = Field(description="powered seconds between the delivered final warning and a cut (R1)")
    cut_limit_nano: int
    restore_above_nano: int
    levels_nano: list[int] = Field(description="the three low-balance levels, from high to low (R9)")
    level_repeats: list[int] = Field(description="how often each level is told again, once a day")
    quiet_from: str | None = Field(default=None, description="wall time: from then levels 1 and 2 wait")
    quiet_to: str | None = None
    stale_s: int = Field(description="nobody is cut on a reading older than this (R3)")
    warning_counts: Literal["delivered", "attempted"]
    brake_meters: int = Field(description="cuts within an hour after which a named person must agree (R4)")
    days: list[PolicyDay] = Field(description="today and the thirteen days after it")
    unknown_years: list[int] = Field(
        default_factory=list,
        description="this year, and in December the next, where their official calendar is not known: each day that "
        "may be a holiday has the kind `holiday`, and nobody is cut on it (R2)",
    )


class Protect(Request):
    """Nobody cuts this tenant until an instant (R3): the power of one who is cut comes back. Done with `until`."""

    operation = "protect"
    account: str
    protection: Protecting
    until: str = Field(description="instant with offset, at most 92 days ahead; an alarm is raised before it")
    why: Plain = WHY


class Unprotect(Request):
    """Lift a protection before its time."""

    operation = "unprotect"
    account: str
    protection: Protecting
    why: Plain = WHY


class Told(Request):
    """The tenant was told of the final warning that stands, so it counts as delivered from now on (R1): by a person; by
    a notice, once its channel has accepted it (role `notices`); or by their page, once they see it (role `tenant`)."""

    operation = "told"
    account: str
    how: Literal["in-person", "phone", "message", "note", "notice", "page"]
    reference: Plain = Field(default="", max_length=64, description="of a notice: the channel's own number of it")
    why: Plain = Field(default="", max_length=200, description="whom, and what was said")
    episode: int | None = Field(
        default=None,
        description="of the warning that was told, as `account/<id>` had it; refused once it is over; a program must"
        " say it",
    )


class SetClose(Request):
    """How this tenant's supply comes back from now on (R6): by itself, or once somebody has pressed the meter's button.
    A valve has no button and opens by itself."""

    operation = "set-close"
    account: str
    close: Closing
    why: Plain = WHY


CUTTING_REQUESTS: tuple[type[Request], ...] = (Protect, Unprotect, Told, SetClose)
