"""DL/T 645 value formats: BCD, low byte first, sign in the top bit; FF bytes mean "not available", never a number."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from edge.codec.errors import BadValue


def digits(raw: bytes) -> int | None:
    """An unsigned BCD number, low byte first; None where the meter says FF. Raises BadValue for other hex digits."""
    if raw.count(0xFF) == len(raw):
        return None
    text = raw[::-1].hex()
    if not text.isdigit():
        raise BadValue(f"{text} is not a decimal number")
    return int(text)


def signed(raw: bytes) -> int | None:
    """A signed BCD number: the top bit of the last byte is the sign."""
    if all(byte == 0xFF for byte in raw):
        return None
    number = digits(raw[:-1] + bytes([raw[-1] & 0x7F]))
    assert number is not None or raw[-1] == 0xFF
    return -number if number is not None and raw[-1] & 0x80 else number


def energies_wh(raw: bytes) -> list[int | None]:
    """A block of registers XXXXXX.XX kWh, four bytes each, as Wh: total, then the rates the meter has."""
    if len(raw) < 4 or len(raw) % 4:
        raise BadValue(f"{len(raw)} bytes are not a block of registers")
    found = [digits(raw[at : at + 4]) for at in range(0, len(raw), 4)]
    return [None if number is None else number * 10 for number in found]


def local_instant(raw: bytes, zone: tzinfo) -> datetime:
    """YYMMDDhhmm or YYMMDD(WW)hhmmss, sent in reverse, as an instant in `zone`. Raises BadValue."""
    text = raw[::-1].hex()
    if not text.isdigit():
        raise BadValue(f"{text} is not a date and time")
    if len(text) == 14:
        text = text[:6] + text[8:]  # Without the weekday.
    try:
        naive = datetime.strptime(text, "%y%m%d%H%M" if len(text) == 10 else "%y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError:
        raise BadValue(f"{text} is not a date and time") from None
    return naive.replace(tzinfo=zone)


def nearest(told: datetime, to: datetime) -> datetime:
    """A wall time of the hour that comes twice, where summer time ends, says not which: the one nearer to `to`."""
    return min((told.replace(fold=fold) for fold in (0, 1)), key=lambda each: abs(each.astimezone(UTC) - to))


def instant_or_none(raw: bytes, zone: tzinfo) -> datetime | None:
    """YYMMDDhhmmss as an instant; None where no time stands, as in the end of an event that is not over."""
    try:
        return local_instant(raw, zone)
    except BadValue:
        return None
