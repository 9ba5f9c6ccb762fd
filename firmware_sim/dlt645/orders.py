"""What a DL/T 645-2007 meter does when it is told to: functions 14H to 1CH and the broadcast time.

Each order is a function of the meter and the payload before + 33H. It returns the DATA of the acknowledgement, or
raises `Refusal`, and then nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..dlt645_frame import digits_of
from . import zones
from .errors import NO_DATA, NO_RESTORE_TIME, OTHER, PASSWORD, POWER_KEPT, SPEED, TOO_LATE, Refusal
from .parameters import PARAMETERS
from .times import WRITABLE, expired, written_wall

if TYPE_CHECKING:
    from .meter import Dlt645Meter

Order = Callable[["Dlt645Meter", bytes, "float | None"], bytes]

SPEEDS = {0x02: 600, 0x04: 1200, 0x08: 2400, 0x10: 4800, 0x20: 9600, 0x40: 19200}
"""The characteristic byte of 17H: one bit, one speed."""
RESTORE_STEP_US = 5 * 60_000_000
NOW = b"\x99" * 4


def know(meter: Dlt645Meter, key: bytes) -> None:
    """PA P0 P1 P2 must be a level the meter has, with its password."""
    if meter.passwords.get(key[0]) != key[1:4]:
        raise Refusal(PASSWORD)


def write(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """14H."""
    if len(payload) < 12:
        raise Refusal(OTHER)
    di, value, operator = int.from_bytes(payload[:4], "little"), payload[12:], payload[8:12]
    know(meter, payload[4:8])
    if di >> 24 != 0x04:
        raise Refusal(PASSWORD)  # What was measured is nobody's to write.
    if meter.guarded(di, payload[4]):
        raise Refusal(PASSWORD)
    before = meter.metrology.own_wall()
    if di in WRITABLE:
        try:
            wall = written_wall(di, value, before)
        except ValueError:
            raise Refusal(OTHER) from None
        meter.set_clock(wall)
        meter.events.note("clock", operator, before, wall)
    elif zones.is_table(di):
        zones.write(meter.metrology, di, value)
    else:
        _parameter(meter, di, value)
    meter.events.note("programmed", before, operator, payload[:4] + b"\xff" * 36)
    meter.settings_seq += 1
    return b""


def _parameter(meter: Dlt645Meter, di: int, value: bytes) -> None:
    row = meter.parameters.get(di)
    if row is None:
        raise Refusal(OTHER if meter.has(di) else NO_DATA)
    if len(value) != row.size:
        raise Refusal(OTHER)
    row.check(value)
    meter.take(di, value)


def control(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """1CH: PA P0 P1 P2, C0 to C3, N1 what, N2, N3 to N8 the second after which the command is void."""
    if len(payload) != 16:
        raise Refusal(OTHER)
    know(meter, payload)
    if expired(payload[10:16], meter.metrology.own_wall()):
        raise Refusal(TOO_LATE)
    what, relay, at_us = payload[8], meter.relay, meter.metrology.at_us
    meter.operator = payload[4:8]
    if what in (0x1A, 0x1D, 0x1E):
        if relay.keep_power:
            raise Refusal(POWER_KEPT)
        if what != 0x1A and not payload[9]:
            raise Refusal(NO_RESTORE_TIME)
        relay.trip(at_us, mono)
        meter.restore_at = None if what == 0x1A else (at_us + payload[9] * RESTORE_STEP_US, what == 0x1D)
    elif what in (0x1B, 0x1C):
        meter.restore_at = None
        if what == 0x1B:
            relay.permit()
        else:
            relay.close(at_us, mono)
    elif what in (0x2A, 0x2B):
        relay.alarm = what == 0x2A
    elif what in (0x3A, 0x3B):
        relay.keep_power = what == 0x3A
    else:
        raise Refusal(OTHER)
    meter.settle_relay()
    return b""


def new_address(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """15H: six address bytes, low pair first; the acknowledgement comes from the new address."""
    try:
        if len(payload) != 6 or int(digits_of(payload)) == 999999999999:
            raise Refusal(OTHER)
    except ValueError:
        raise Refusal(OTHER) from None
    meter.wire, meter.address = payload, digits_of(payload)
    meter.settings_seq += 1
    return b""


def freeze(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """16H: mm hh DD MM, 99 for any. All 99 is at once; a month that is named is one the meter has no timer for."""
    try:
        minute, hour, day, month = (digits_of(payload[spot : spot + 1]) for spot in range(4))
    except ValueError:
        raise Refusal(OTHER) from None
    if payload == NOW:
        meter.metrology.freeze_now()
    elif len(payload) == 4 and month == "99" and minute <= "59" and (hour == "99" or hour <= "23") and (
        day == "99" or ("01" <= day <= "28" and hour != "99")
    ):  # fmt: skip
        meter.metrology.timer = minute + hour + day
        meter.metrology.plan()
    else:
        raise Refusal(OTHER)
    meter.settings_seq += 1
    return b""


def speed(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """17H: the acknowledgement still goes at the old speed; what is heard next must come at the new one."""
    if len(payload) != 1 or payload[0] not in SPEEDS:
        raise Refusal(SPEED)
    meter.speed = SPEEDS[payload[0]]
    meter.settings_seq += 1
    return payload


def password(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """18H: 04000C01 to 0A, old PA P0 P1 P2, new PA P0 P1 P2. Who has more power (a lower PA) may set it too."""
    if len(payload) != 12:
        raise Refusal(OTHER)
    di, old, new = int.from_bytes(payload[:4], "little"), payload[4:8], payload[8:12]
    level = di - 0x04000C01
    if not 0 <= level <= 9 or level not in meter.passwords:
        raise Refusal(NO_DATA)
    know(meter, old)
    if old[0] > level or new[0] != level:
        raise Refusal(PASSWORD)
    try:
        digits_of(new[1:])
    except ValueError:
        raise Refusal(OTHER) from None
    meter.passwords[level] = new[1:]
    meter.settings_seq += 1
    return new


def clear_demand(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """19H: PA P0 P1 P2, C0 to C3. The maxima begin anew."""
    if len(payload) != 8:
        raise Refusal(OTHER)
    know(meter, payload)
    meter.events.note("demand_cleared", meter.metrology.own_wall(), payload[4:8])
    meter.demand_since_us = meter.metrology.at_us
    meter.settings_seq += 1
    return b""


def clear_meter(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """1AH: registers by which people are billed are nobody's to clear from afar."""
    raise Refusal(PASSWORD if len(payload) == 8 else OTHER)


def clear_events(meter: Dlt645Meter, payload: bytes, mono: float | None) -> bytes:
    """1BH: PA P0 P1 P2, C0 to C3, DI with FF as its last byte, FFFFFFFF for all."""
    if len(payload) != 12:
        raise Refusal(OTHER)
    know(meter, payload)
    if not meter.events.clear(int.from_bytes(payload[8:], "little")):
        raise Refusal(NO_DATA)
    meter.events.note("events_cleared", meter.metrology.own_wall(), payload[4:8], payload[8:])
    meter.settings_seq += 1
    return b""


ORDERS: dict[int, Order] = {
    0x14: write, 0x15: new_address, 0x16: freeze, 0x17: speed, 0x18: password,
    0x19: clear_demand, 0x1A: clear_meter, 0x1B: clear_events, 0x1C: control,
}  # fmt: skip

__all__ = ["ORDERS", "PARAMETERS", "SPEEDS", "know"]
