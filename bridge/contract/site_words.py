"""What stands in a field of the site file: ids, money, prices, wall times, labels; each checked where it is read."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field

from bridge.contract.units import BALANCE_LIMIT_NANO, is_id, micro_of_change, micro_of_price, nano_of_yuan


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("an id is 1 to 32 of a-z, 0-9 and -, and begins with a letter or digit")
    return text


def _money(text: str) -> str:
    if abs(nano_of_yuan(text)) > BALANCE_LIMIT_NANO:
        raise ValueError("more than 9 million yuan")
    return text


def _price(text: str) -> str:
    micro_of_price(text)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is no time zone; write for example Asia/Shanghai") from None
    return text


def _wall(text: str) -> str:
    wall_minutes(text)
    return text


def _gateway(text: str) -> str:
    if text in ("bridge", "panel"):
        raise ValueError(f"{text!r} is a topic of its own below the base; name the gateway otherwise")
    return _id(text)


def _fee(text: str) -> str:
    if nano_of_yuan(text) < 0:
        raise ValueError("a fee is not below zero")
    return _money(text)


def _change(text: str) -> str:
    micro_of_change(text)
    return text


Id = Annotated[str, AfterValidator(_id)]
Gateway = Annotated[str, AfterValidator(_gateway)]
Zone = Annotated[str, AfterValidator(_zone)]
Fee = Annotated[str, AfterValidator(_fee)]
Change = Annotated[str, AfterValidator(_change)]
"""What is added to a price, or with a minus taken off it."""
Yuan = Annotated[str, AfterValidator(_money)]
Price = Annotated[str, AfterValidator(_price)]
Wall = Annotated[str, AfterValidator(_wall)]
Label = Annotated[str, Field(max_length=64)]
Phone = Annotated[str, Field(pattern=r"^[0-9+ -]{0,20}$")]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


def wall_minutes(text: str) -> int:
    """Minutes after midnight of a local wall time `HH:MM`; `24:00` is the day's end. Raises ValueError."""
    hours, colon, minutes = text.partition(":")
    if not (
        colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    ):
        raise ValueError(f"{text!r} is no wall time; write HH:MM")
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > 1440:
        raise ValueError(f"{text!r} is no wall time; write 00:00 to 24:00")
    return total


STRICT = ConfigDict(extra="forbid", frozen=True)
"""Of every table: a setting that is misspelt is told, and nothing changes once it is read."""
