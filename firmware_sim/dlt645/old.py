"""A DL/T 645-1997 meter: the frame of 2007, identifiers of two bytes, functions of its own. It measures; no relay.

01H read DI 2      81H DI 2, value (A1H: more follows)     02H further data DI 2      03H repeat the last answer
04H write DI 2, password 4, value                          08H broadcast time         0AH new address
refused: C + C0H, one error byte, bits as in 2007. There is no wildcard; a read sent to 99…99 is answered.

90 / 91 energy active / reactive, 94 and 98 of the last settlement periods (C)   B6 momentary   C0 clock, numbers
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..dlt645_frame import EVERYBODY, bcd, build, digits_of, parse
from . import freezes, reads, values
from .device import Device
from .errors import NO_DATA, OTHER, PASSWORD, Refusal
from .times import DATE, TIME, broadcast_wall, written_wall
from .values import Moment

READ, MORE, REPEAT, WRITE, TIME_TO_ALL, NEW_ADDRESS = 0x01, 0x02, 0x03, 0x04, 0x08, 0x0A
PERIODS = {0x90: 0, 0x94: 1, 0x98: 2}
"""Active energy: now, the last settlement period, the one before; reactive is the next number up."""
CLOCK = {0xC010: DATE, 0xC011: TIME}


class OldMeter(Device):
    """One meter of 1997."""

    protocol = "dlt645-1997"

    def __init__(self, *given: Any, **more: Any):
        super().__init__(*given, **more)
        self._rest = (b"", b"")
        self._last: bytes | None = None

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        """The reply to one whole request frame at `now`; None where the meter is silent."""
        body = frame.lstrip(b"\xfe")
        request = parse(body) if len(frame) - len(body) >= self._needs else None
        if request is None or request[0] not in (self.wire, EVERYBODY):
            return None
        address, control, payload = request
        if control & 0xE0 or (address == EVERYBODY and control not in (READ, TIME_TO_ALL)):
            return None
        self.advance(now, mono)
        if control == TIME_TO_ALL:
            wall = broadcast_wall(payload, self.metrology.own_wall())
            if wall is not None:
                self.set_clock(wall)
            return None
        if control == REPEAT:
            return self._last
        try:
            self._last = self._do(control, payload)
        except Refusal as refusal:
            self._last = build(self.wire, control | 0xC0, bytes((refusal.error,)), self._lead)
        return self._last

    def _do(self, control: int, payload: bytes) -> bytes:
        if control == READ and len(payload) == 2:
            return self._parts(0x81, payload, self._value(int.from_bytes(payload, "little")))
        if control == MORE and payload == self._rest[0] and self._rest[1]:
            return self._parts(0x82, payload, self._rest[1])
        if control == WRITE and len(payload) > 6:
            return self._write(int.from_bytes(payload[:2], "little"), payload[2:6], payload[6:])
        if control == NEW_ADDRESS and len(payload) == 6:
            try:
                self.address, self.wire = digits_of(payload), payload
            except ValueError:
                raise Refusal(OTHER) from None
            self.settings_seq += 1
            return build(self.wire, 0x8A, b"", self._lead)
        raise Refusal(NO_DATA if control in (READ, MORE) else OTHER)

    def _parts(self, control: int, di: bytes, value: bytes) -> bytes:
        room = self._most_data - 2
        self._rest = (di, value[room:])
        return build(self.wire, control | (0x20 if value[room:] else 0), di + value[:room], self._lead)

    def _write(self, di: int, key: bytes, value: bytes) -> bytes:
        if self.passwords.get(key[0]) != key[1:]:
            raise Refusal(PASSWORD)
        if di not in CLOCK:
            raise Refusal(OTHER if self._known(di) else NO_DATA)
        try:
            self.set_clock(written_wall(CLOCK[di], value, self.metrology.own_wall()))
        except ValueError:
            raise Refusal(OTHER) from None
        return build(self.wire, 0x84, b"", self._lead)

    def _known(self, di: int) -> bool:
        try:
            return bool(self._value(di))
        except Refusal:
            return False

    def _value(self, di: int) -> bytes:
        group, kind, item = di >> 8, di >> 4 & 0xF, di & 0xF
        if group & 0xFE in PERIODS and kind in (1, 2, 0xF):
            return self._energy(PERIODS[group & 0xFE], bool(group & 1), kind, item)
        now = Moment.now(self)
        if group == 0xB6 and 1 <= item <= self.mains.phases and kind in (1, 2, 3):
            phase = item - 1
            volts, amps = self.mains.volts_d(now.at_us, phase) // 10, self.mains.milliamps(now.at_us, now.watts, phase)
            return {1: bcd(volts, 2), 2: bcd(min(amps // 10, 9999), 2), 3: values.power(now, phase)}[kind]
        if di in (0xB630, 0xB650):
            return values.power(now, "total") if di == 0xB630 else values.factor(now, "total")
        rows = {0xC010: 0x04000101, 0xC011: 0x04000102, 0xC030: 0x04000409, 0xC032: 0x04000402, 0xC117: 0x04000B01}
        if di in rows:
            return reads.answer(self, rows[di])
        raise Refusal(NO_DATA)

    def _energy(self, back: int, reactive: bool, kind: int, item: int) -> bytes:
        """9010 forward total, 9011 to 9014 rates, 901F all; 902x reverse; 90FF both."""
        try:
            forward = freezes.settled(self, back).steps
        except LookupError:
            raise Refusal(NO_DATA) from None
        if reactive:
            forward = tuple(values.kvarh(each) for each in forward)
        if (kind == 0xF and item != 0xF) or (item > 4 and item != 0xF):
            raise Refusal(NO_DATA)
        both = {1: forward, 2: (0,) * 5, 0xF: forward + (0,) * 5}[kind]
        return freezes.energies(both) if item == 0xF else bcd(both[item], 4)
