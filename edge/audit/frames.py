"""Registers read again from the raw frames that an entry keeps, by the installed meter's model (I2).

A frame is kept as [question, part, part ...] in hex. What a reading was by its meter, it still is years later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from bridge.contract.units import instant_of
from edge import model
from edge.audit import quick
from edge.audit.lie import Wrong, must
from edge.codec.errors import CodecError
from edge.live import registers_of
from edge.load_record import record
from edge.midnights import FREEZE_DRIFT_S
from edge.model import Question
from edge.state import Registers

FREEZE = "freeze"

BY_THE_REGISTERS = ("border", "opening", "read", "quarantine")
"""Sources whose last exchange asks for the registers of that moment."""

Exchange = Sequence[str]


def registers(row: dict[str, Any], source: str, exchange: Exchange, zone: tzinfo) -> Registers:
    """What a kept exchange says. Raises CodecError or ValueError where it says nothing."""
    kind = model.of_row(row)
    if len(exchange) == 2:
        name = "freeze-energy" if source == FREEZE else kind.registers
        if (found := quick.registers(kind.id, name, exchange[1])) is not None:
            return found
    question, *parts = (bytes.fromhex(text) for text in exchange)
    if source == FREEZE:
        return registers_of(kind.values("freeze-energy", parts, zone))
    name = kind.registers
    if kind.protocol != "modbus-rtu":
        return registers_of(kind.values(name, parts, zone))
    values = Question(kind, (kind.rows[name],), int.from_bytes(question[2:4], "big")).values(parts, zone)[name]
    if isinstance(values, CodecError):
        raise values
    return registers_of(values)


def recorded(row: dict[str, Any], mark: dict[str, Any], zone: tzinfo, what: str) -> None:
    """Compare a mark with the load records it was taken from: two answers that say the same, of that very minute (R24).
    Raises Wrong."""
    if len(mark["frames"]) != 2:
        raise Wrong(f"{what} keeps {len(mark['frames'])} load records", "the two that were read")
    for exchange in mark["frames"]:
        try:
            said = record(model.of_row(row), [bytes.fromhex(text) for text in exchange[1:]], zone)
            own = answers_for(row, exchange)
        except (CodecError, ValueError, KeyError, IndexError) as trouble:
            raise Wrong(f"the load record of {what} cannot be read: {trouble}", "frames of its model") from None
        if said is None:
            raise Wrong(f"the load record of {what} is not whole", "one record with its own sum")
        if not own:
            raise Wrong(f"the load record of {what} does not come from meter {row['meter']}", "its own address in it")
        must(instant(mark["at"]), said["freeze"].astimezone(UTC), f"the instant of {what}, by its load record,")
        must(mark["registers_wh"], registers_of(said), f"{what}, by its load record,")


def answers_for(row: dict[str, Any], exchange: Exchange) -> bool:
    """True when every part of an answer carries the address of this meter."""
    protocol, address = row["protocol"], str(row["address"])
    for text in exchange[1:]:
        raw = bytes.fromhex(text)
        if protocol == "modbus-rtu":
            own = raw[0] == int(address)
        else:
            first, digits = (2, 14) if protocol == "cjt188" else (1, 12)
            body = raw.lstrip(b"\xfe")
            own = body[first : first + digits // 2][::-1].hex() == address.lower().zfill(digits)
        if not own:
            return False
    return True


def frozen_at(row: dict[str, Any], exchange: Exchange, zone: tzinfo) -> datetime | None:
    """The instant that a meter said it had frozen its registers."""
    kind = model.of_row(row)
    raw = quick.contents(exchange[1]) if len(exchange) == 2 and kind.protocol == "dlt645-2007" else None
    if raw is None:
        raw = kind.contents([bytes.fromhex(text) for text in exchange[1:]])
    return _instant(kind.id, raw, zone)


@lru_cache(maxsize=256)  # A midnight is that of all meters of the site.
def _instant(kind: str, raw: bytes, zone: tzinfo) -> datetime | None:
    found: datetime | None = model.load(kind).read(model.load(kind).rows["freeze-time"], raw, zone).get("freeze")
    return found


def check(row: dict[str, Any], mark: dict[str, Any], zone: tzinfo, what: str) -> bool:
    """Compare a mark with its frames. False where it keeps none and needs none, or of a kind that only a person can
    read. Raises Wrong."""
    source, frames = mark["source"], mark.get("frames")
    if source != FREEZE and (source not in BY_THE_REGISTERS or (source == "quarantine" and not frames)):
        return False
    if not frames:
        raise Wrong(f"{what} keeps no raw frames", "the frames it was read from")
    try:
        said = registers(row, source, frames[-1], zone)
        if source == FREEZE and len(frames) > 1:
            _that_midnight(row, mark, frames[0], zone, what)
        own = all(answers_for(row, exchange) for exchange in frames)
    except (CodecError, ValueError, KeyError, IndexError) as trouble:
        raise Wrong(f"the raw frames of {what} cannot be read: {trouble}", "frames of this meter's model") from None
    if not own:
        raise Wrong(f"the frames of {what} do not come from meter {row['meter']}", f"address {row['address']} in them")
    must(mark["registers_wh"], said, f"{what}, by its registers,")
    return True


@lru_cache(maxsize=1024)
def instant(text: str) -> datetime:
    """`instant_of`, which most marks of a day ask for with the same text."""
    return instant_of(text)


def _that_midnight(row: dict[str, Any], mark: dict[str, Any], exchange: Exchange, zone: tzinfo, what: str) -> None:
    frozen = frozen_at(row, exchange, zone)
    if frozen is None or abs((frozen - instant(mark["at"])).total_seconds()) > FREEZE_DRIFT_S:
        raise Wrong(f"the meter froze the registers of {what} at {frozen}", f"the midnight {mark['at']}")
