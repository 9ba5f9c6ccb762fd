"""When a site warns and cuts (R1-R4, R9): keys of `[policy]` whose defaults are the mildest that still work."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from bridge.contract.fields import Plain
from bridge.contract.mistakes import shown
from bridge.contract.site_words import STRICT, Wall, Yuan, wall_minutes
from bridge.contract.units import nano_of_yuan, yuan_text

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _days(found: object) -> object:
    """One sentence for whatever is wrong with the days of a window."""
    known = isinstance(found, list) and found and all(each in WEEKDAYS for each in found)
    if not known and (not isinstance(found, str) or found not in ("workdays", "all")):
        names = ", ".join(WEEKDAYS)
        raise ValueError(f'is {shown(found)}; write "workdays", "all", or names of {names} such as ["mon", "sat"]')
    if isinstance(found, list) and (twice := [each for each in WEEKDAYS if found.count(each) > 1]):
        raise ValueError(f"{twice[0]} is named twice")
    return found


def _day(found: object) -> object:
    """A number would be read as seconds since 1970."""
    if isinstance(found, int | float):
        raise ValueError("write a date such as 2026-10-01, without quotes")
    return found


Days = Annotated[Literal["workdays", "all"] | list[Weekday], BeforeValidator(_days)]
Day = Annotated[date, BeforeValidator(_day)]
Repeats = Annotated[int, Field(strict=True, ge=0, le=30)]

LEAST_LEAD_MIN = 30
"""Between a delivered final warning and a cut there is always so much powered time (R1)."""

LONGEST_DAYS = 92
"""A protected season, or a person's protection, is at most so long: longer ones are renewed by somebody who looks."""


class CutWindow(BaseModel):
    """When a cut for arrears may happen (R2): left-closed, right-open, on workdays, every day, or weekdays by name."""

    model_config = STRICT
    days: Days = "workdays"
    from_: Wall = Field("09:00", alias="from")
    to: Wall = "16:00"

    @model_validator(mode="after")
    def _forward(self) -> CutWindow:
        if wall_minutes(self.from_) >= wall_minutes(self.to):
            raise ValueError(
                "the cut window ends before it begins; write one over midnight as two: to 24:00, and from 00:00"
            )
        return self


class Season(BaseModel):
    """Days, both included, on which nobody is cut for arrears, whatever the windows say (R2)."""

    model_config = STRICT
    from_: Day = Field(alias="from")
    to: Day
    why: Annotated[Plain, Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _forward(self) -> Season:
        if not 0 <= (self.to - self.from_).days < LONGEST_DAYS:
            raise ValueError(f"a protected season ends on the day it begins or later, at most {LONGEST_DAYS} days long")
        return self


class QuietHours(BaseModel):
    """From when to when levels 1 and 2 wait (R9); the same time twice is never."""

    model_config = STRICT
    from_: Wall = Field("22:00", alias="from")
    to: Wall = "07:00"


RESTORE_ABOVE = "1.00"
"""So far above the limit of a cut supply returns, where the site says nothing (R6)."""


class CuttingPolicy(BaseModel):
    """Every number of R1-R9 that a site may set."""

    model_config = STRICT
    lead_min: Annotated[int, Field(strict=True, ge=LEAST_LEAD_MIN, le=10_080)] = LEAST_LEAD_MIN
    cut_at: Yuan = "0.00"
    restore_above: Yuan = RESTORE_ABOVE
    levels: list[Yuan] = ["50.00", "20.00", "10.00"]
    level_margin: Yuan = "1.00"
    level_repeats: Annotated[list[Repeats], Field(min_length=3, max_length=3)] = [0, 0, 0]
    """How often each level is told again, once a day, while the balance stays below it."""
    quiet_hours: QuietHours = QuietHours.model_validate({})
    cut_window: CutWindow = CutWindow.model_validate({})
    more_cut_windows: list[CutWindow] = []
    protected: list[Season] = []
    rest_days: list[Day] = []
    work_days: list[Day] = []
    stale_min: Annotated[int, Field(strict=True, ge=1, le=1440)] = 15
    warning_counts: Literal["delivered", "attempted"] = "delivered"
    brake_meters: Annotated[int, Field(strict=True, ge=1)] = 5
    brake_percent: Annotated[int, Field(strict=True, ge=1, le=100)] = 10
    stagger_s: Annotated[int, Field(strict=True, ge=0, le=600)] = 10
    """Between two cuts for arrears, so that a window that opens does not drop the load of a building at once."""

    @model_validator(mode="after")
    def _order(self) -> CuttingPolicy:
        levels = [nano_of_yuan(text) for text in self.levels]
        if len(levels) != 3 or levels != sorted(levels, reverse=True) or len(set(levels)) != 3:
            raise ValueError("levels are three amounts from high to low")
        if nano_of_yuan(self.restore_above) < nano_of_yuan(self.cut_at):
            raise ValueError(
                "restore_above lies below cut_at: supply would chatter (R6). Write an amount above cut_at, "
                f'such as restore_above = "{self.well_above}"'
            )
        if nano_of_yuan(self.level_margin) < 0:
            raise ValueError(
                "level_margin is below zero; a level warns again only after the balance stood above it (R9)"
            )
        if both := sorted(set(self.rest_days) & set(self.work_days)):
            raise ValueError(f"{both[0]} stands in rest_days and in work_days; take it out of one of them")
        return self

    @property
    def well_above(self) -> str:
        """The usual distance above the cut limit."""
        return yuan_text(nano_of_yuan(self.cut_at) + nano_of_yuan(RESTORE_ABOVE))

    @property
    def returns_above(self) -> str:
        """Above which supply returns. Files of before this was asked may say `cut_at` twice: there it is well above."""
        return self.well_above if self.chatters else self.restore_above

    @property
    def chatters(self) -> str | None:
        """What is wrong with a file that says the same amount twice, and what to write; None where it does not."""
        if nano_of_yuan(self.restore_above) != nano_of_yuan(self.cut_at):
            return None
        return (
            f"policy.restore_above is the same as cut_at, {self.cut_at} yuan: a payment of one fen would bring supply "
            "back, and the next watt-hour would call for the next cut (R6). Write an amount above cut_at, such as "
            f'restore_above = "{self.well_above}"; until then the gateway goes by that amount'
        )
