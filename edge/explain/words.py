"""Payloads of DL/T 645-2007 that are no plain identifier and value: each as (how many bytes, what they say)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge.explain import formats
from edge.explain.status import sentences

FUNCTIONS = {
    0x03: "security and cost control", 0x08: "broadcast time", 0x11: "read", 0x12: "read the next part",
    0x13: "read the address", 0x14: "write", 0x15: "write the address", 0x16: "freeze", 0x17: "change the speed",
    0x18: "change a password", 0x19: "clear demand", 0x1A: "clear the meter", 0x1B: "clear events",
    0x1C: "trip, close, alarm, keep power", 0x1D: "output of the multi-function terminal",
}  # fmt: skip
FUNCTIONS_1997 = {
    0x01: "read", 0x02: "read the next part", 0x03: "read again", 0x04: "write", 0x08: "broadcast time",
    0x0A: "write the address", 0x0C: "change the speed", 0x0F: "change a password", 0x10: "clear demand",
}  # fmt: skip

ONLY_1997 = frozenset(FUNCTIONS_1997) - frozenset(FUNCTIONS)
"""Functions by which a frame is told to be of 1997; the frames are alike otherwise."""

Told = list[tuple[int, str]]

ERROR_NAMES = (
    "other_error", "no_requested_data", "password_or_unauthorised", "speed_cannot_change", "too_many_year_zones",
    "too_many_day_periods", "too_many_tariffs", "reserved",
)  # fmt: skip
"""Bits of the error byte as words for programs, bit 0 first (§7)."""

COMMANDS = {
    0x1A: "trip", 0x1B: "permit close", 0x1C: "direct close", 0x1D: "trip, restore later", 0x1E: "trip, restore later",
    0x2A: "alarm", 0x2B: "release alarm", 0x3A: "keep power", 0x3B: "release keep power",
}  # fmt: skip

SPEEDS = {0x02: 600, 0x04: 1200, 0x08: 2400, 0x10: 4800, 0x20: 9600, 0x40: 19200}

SECURITY = {
    "070000FF": "authenticate", "070001FF": "how long an authentication holds", "070002FF": "end the authentication",
    "070101FF": "open the account", "070102FF": "recharge", "070103FF": "set up the wallet",
    "070104FF": "a maker's block of parameters", "070108FF": "refund, a maker's own", "078102FF": "state of the wallet",
}  # fmt: skip

TEXTS = {"04000401": "communication address", "04000402": "meter number", "0400040E": "customer number"}


def address(text: str) -> str:
    """What an address means beside its digits."""
    if text == "9" * 12:
        return " (everybody; no reply)"
    if text.startswith("aa"):
        return " (any meter)" if text == "aa" * 6 else " (any meter that ends so)"
    return ""


def word_3(raw: bytes) -> tuple[dict[str, Any], str]:
    """Status word 3: fields, and every set bit in words."""
    bits = int.from_bytes(raw, "little")
    supply = ("main", "auxiliary", "battery", "unknown")[bits >> 1 & 3]
    found = {"relay_open": bool(bits >> 4 & 1), "prealarm": bool(bits >> 7 & 1), "supply": supply}
    return found, "; ".join(sentences(3, bits))


def _instant(raw: bytes, format: str = "YYMMDDhhmmss") -> str | None:
    """An instant of the meter; None for zeros, which stand for no limit."""
    return None if not any(raw) else formats.read(format, raw).text


def _control(data: bytes, found: dict[str, Any]) -> Told:
    if len(data) < 16:
        return [(len(data), "too short for an order")]
    order = COMMANDS.get(data[8], f"order {data[8]:02X}, not known")
    try:
        expiry = _instant(data[10:16])
    except ValueError:
        expiry = data[10:16][::-1].hex()
    found |= {
        "password": data[:4].hex(), "operator": data[4:8].hex(), "command": order, "n1": f"{data[8]:02X}",
        "n2": f"{data[9]:02X}", "expiry": expiry,
    }  # fmt: skip
    until = "no limit in time" if expiry is None else f"void after {expiry}"
    told = [(4, "password: level and digits"), (4, "operator"), (1, order), (1, f"N2 {data[9]:02X}"), (6, until)]
    return [*told, (len(data) - 16, "more, sealed by a maker's key")] if data[16:] else told


def _security(data: bytes, found: dict[str, Any]) -> Told:
    if len(data) < 4:
        return [(len(data), "too short for an identifier")]
    identifier = data[3::-1].hex().upper()
    found["di"] = identifier
    told = [(4, f"identifier {identifier}: {SECURITY.get(identifier, 'not in our table')}")]
    if len(data) < 8:
        return told
    found["operator"] = data[4:8].hex()
    told.append((4, "operator"))
    return [*told, (len(data) - 8, "fields of this act, some of them sealed")] if data[8:] else told


def _time(data: bytes, found: dict[str, Any]) -> Told:
    found["time_set"] = formats.read("YYMMDDhhmmss", data).text
    return [(len(data), f"set the clock to {found['time_set']}")]


def _own_address(data: bytes, found: dict[str, Any]) -> Told:
    found["meter_address"] = data[::-1].hex()
    return [(len(data), f"the meter's address is {found['meter_address']}")]


def _new_address(data: bytes, found: dict[str, Any]) -> Told:
    found["new_address"] = data[::-1].hex()
    return [(len(data), f"the new address is {found['new_address']}")]


def _freeze(data: bytes, found: dict[str, Any]) -> Told:
    if len(data) < 4:
        raise ValueError("minute, hour, day and month are needed")
    minute, hour, day, month = (f"{byte:02x}" for byte in data[:4])
    if (hour, day, month) == ("99", "99", "99"):
        when = "now" if minute == "99" else f"every hour at minute {minute}"
    elif (day, month) == ("99", "99"):
        when = f"every day {hour}:{minute}"
    else:
        when = f"every month on day {day}, {hour}:{minute}" if month == "99" else f"{month}-{day} {hour}:{minute}"
    found["freeze"] = when
    return [(len(data), f"freeze {when}")]


def _speed(data: bytes, found: dict[str, Any]) -> Told:
    found["baud_word"] = f"{data[0]:02X}"
    speed = SPEEDS.get(data[0])
    return [(len(data), f"{speed} bit/s" if speed else "a speed that is not known")]


def _password(data: bytes, found: dict[str, Any]) -> Told:
    if len(data) == 12:
        return [(4, f"identifier {data[3::-1].hex().upper()}"), (4, "password until now"), (4, "new password")]
    return [(len(data), "the new password, repeated")]


def _clear(data: bytes, found: dict[str, Any]) -> Told:
    told = [(4, "password: level and digits"), (4, "operator")]
    return [*told, (len(data) - 8, "which events; FFFFFFFF all")] if data[8:] else told


SPECIAL: dict[tuple[int, bool], Callable[[bytes, dict[str, Any]], Told]] = {
    (0x03, False): _security, (0x03, True): _security, (0x08, False): _time, (0x13, True): _own_address,
    (0x15, False): _new_address, (0x16, False): _freeze, (0x17, False): _speed, (0x17, True): _speed,
    (0x18, False): _password, (0x18, True): _password, (0x19, False): _clear, (0x1A, False): _clear,
    (0x1B, False): _clear, (0x1C, False): _control,
}  # fmt: skip
"""By function, and whether the meter speaks."""
