"""Units are integers: Wh, micro-yuan per kWh, nano-yuan. Wh x micro-yuan/kWh = nano-yuan, exactly (R11).

Money is rounded in one place, `fen_floor`, and only to be shown or posted to accounting. The ids of
gateways, meters and accounts, and the transaction ids of people, are checked here as well.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

NANO_PER_YUAN = 10**9
NANO_PER_FEN = 10**7
MICRO_PER_YUAN = 10**6
WH_PER_KWH = 1000

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BALANCE_LIMIT_NANO = 9 * 10**15
"""Largest magnitude of a balance: 9 million yuan, so that sums stay far inside 64 bits (R15)."""

RATES = ("sharp", "peak", "flat", "valley", "deep")
"""尖 峰 平 谷 深谷, in the order in which DL/T 645 numbers its tariffs."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
_TRANSACTION = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
_TURNS_OR_LOST = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffd"
_YUAN = re.compile(r"(-?)(\d{1,7})(?:\.(\d{1,2}))?\Z", re.ASCII)
_PRICE = re.compile(r"(\d{1,4})(?:\.(\d{1,6}))?\Z", re.ASCII)


class BadAmount(ValueError):
    """A person's amount or price that is not understood; trying again with the same text cannot help."""


def is_id(text: object) -> bool:
    """True for a gateway, meter, account, port or tariff id: `[a-z0-9][a-z0-9-]{0,31}`."""
    return isinstance(text, str) and _ID.match(text) is not None


def is_transaction(text: object) -> bool:
    """True for a transaction id, made by the one who asks: `[A-Za-z0-9_-]{8,64}`."""
    return isinstance(text, str) and _TRANSACTION.match(text) is not None


def is_plain(text: str) -> bool:
    """True for a person's text that can be shown as it is: no control characters, line breaks, halves of pairs, no
    mark that turns the direction of what follows, and no sign of bytes that were lost on the way (U+FFFD).
    """
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _TURNS_OR_LOST for c in text)


def fen_of(text: str) -> int:
    """Read a person's amount in yuan, `"200"`, `"200.5"` or `"200.50"`, as integer fen. Raises BadAmount."""
    found = _YUAN.match(text.strip())
    if not found:
        raise BadAmount(f"{text[:24]!r} is not an amount: write yuan with at most two decimals, such as 200 or 200.50")
    sign, whole, decimals = found.groups()
    fen = int(whole) * 100 + int((decimals or "").ljust(2, "0"))
    return -fen if sign else fen


def nano_of_yuan(text: str) -> int:
    """Read an amount in yuan as nano-yuan. Raises BadAmount."""
    return fen_of(text) * NANO_PER_FEN


def micro_of_price(text: str) -> int:
    """Read a price in yuan per kWh (or m3), at most six decimals, as micro-yuan. Raises BadAmount."""
    found = _PRICE.match(text.strip())
    if not found:
        raise BadAmount(f"{text[:24]!r} is not a price: write yuan per kWh with at most six decimals, such as 0.8512")
    whole, decimals = found.groups()
    return int(whole) * MICRO_PER_YUAN + int((decimals or "").ljust(6, "0"))


def micro_of_change(text: str) -> int:
    """Read what is added to a price, or with a minus taken off it. Raises BadAmount."""
    found = text.strip()
    return -micro_of_price(found[1:]) if found.startswith("-") else micro_of_price(found)


def price_text(micro: int) -> str:
    """A price for people: at least four decimals, no zeros after them. `851200` is `0.8512`."""
    whole, rest = divmod(abs(micro), MICRO_PER_YUAN)
    decimals = f"{rest:06d}".rstrip("0").ljust(4, "0")
    return f"{'-' if micro < 0 else ''}{whole}.{decimals}"


def fen_floor(nano: int) -> int:
    """Whole fen, rounded down: the one place where money is rounded (R11). -1 nano is -1 fen."""
    return nano // NANO_PER_FEN


def yuan_text(nano: int) -> str:
    """Money for people, floored to fen: `3.18`, `-12.06`."""
    fen = fen_floor(nano)
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def yuan_exact(nano: int) -> str:
    """Money in full, for explanations: at least two decimals, no zeros after them. `54.839616`."""
    sign = "-" if nano < 0 else ""
    whole, rest = divmod(abs(nano), NANO_PER_YUAN)
    return f"{sign}{whole}.{f'{rest:09d}'.rstrip('0').ljust(2, '0')}"


def kwh_text(wh: int) -> str:
    """Energy for people: kWh with two decimals, and a third where the register has it."""
    sign = "-" if wh < 0 else ""
    whole, rest = divmod(abs(wh), WH_PER_KWH)
    decimals = f"{rest:03d}"
    return f"{sign}{whole}.{decimals[:2] if decimals.endswith('0') else decimals}"


def instant_text(at: datetime) -> str:
    """An instant on the wire: ISO 8601 in UTC with offset, whole milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def instant_exact(at: datetime) -> str:
    """An instant inside the book: ISO 8601 in UTC with offset, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def wall_time(at: datetime, zone: tzinfo) -> str:
    """An instant in a sentence for people: the site's wall time, its seconds where there are any."""
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def instant_of(text: str) -> datetime:
    """Read an instant that names its offset. Raises ValueError when it does not."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"the instant {text[:40]!r} lacks its offset, such as +08:00")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"the instant {text[:40]!r} lies outside the calendar") from None


def micros_of(at: datetime) -> int:
    """An instant as integer microseconds since 1970 UTC, as the book stores it."""
    whole = (at if at.tzinfo is UTC else at.astimezone(UTC)) - EPOCH
    return (whole.days * 86_400 + whole.seconds) * 1_000_000 + whole.microseconds


@lru_cache(maxsize=1024)  # A midnight is that of every meter.
def instant_of_micros(micros: int) -> datetime:
    """The reverse of `micros_of`."""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


@lru_cache(maxsize=1024)
def exact_of_micros(micros: int) -> str:
    """Microseconds since 1970 UTC as an instant inside the book."""
    return instant_exact(instant_of_micros(micros))


@lru_cache(maxsize=1024)
def micros_of_text(text: str) -> int:
    """The reverse of `exact_of_micros`, for any instant that names its offset. Raises ValueError."""
    return micros_of(instant_of(text))


def text_of(at: int | None) -> str | None:
    """Microseconds since 1970 UTC as an instant on the wire; absent stays absent."""
    return None if at is None else instant_text(instant_of_micros(at))
