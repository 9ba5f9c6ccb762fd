"""A DL/T 645-2007 meter with a relay, remote cost control (远程费控): one request frame in, one reply or None out.

Each answer first brings the meter forward to the instant it is asked at. The same calls give the same bytes.

    request  68 A0..A5 68 C      L DATA CS 16
    reply    68 A0..A5 68 C+80H  L DATA CS 16      D5 of C: more follows, asked for with 12H
                                                   refused: C+C0H, one error byte
"""

from __future__ import annotations

from datetime import datetime

from ..dlt645_frame import ANYBODY, EVERYBODY, build, matches, parse
from .device import Device
from .errors import NO_DATA, OTHER, Refusal
from .orders import ORDERS
from .reads import answer as read_value
from .times import broadcast_wall

READ, READ_ON, ADDRESS, NEW_ADDRESS, FREEZE, CONTROL, SECURITY = 0x11, 0x12, 0x13, 0x15, 0x16, 0x1C, 0x03
FOR_ANYBODY = (READ, READ_ON, ADDRESS, NEW_ADDRESS)
"""Wildcards are for reading and for finding an address; a command to "anybody" is obeyed by nobody."""


class Dlt645Meter(Device):
    """One meter of 2007."""

    protocol = "dlt645-2007"
    functions = ORDERS

    # -- the line ----------------------------------------------------------------------------------------------

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        """The reply to one whole request frame (any number of FEH before it) at `now`; None where the meter is silent.

        mono: real seconds, for the relay's delay; without it the relay moves at once.
        """
        body = frame.lstrip(b"\xfe")
        if body[1:7] != self.wire and body[6:7] not in (b"\xaa", b"\x99"):
            return None  # Somebody else's, seen without counting the checksum: most frames on a line are.
        request = parse(body) if len(frame) - len(body) >= self._needs else None
        if request is None:
            return None
        address, control, payload = request
        if address == EVERYBODY:
            if control in (0x08, FREEZE):
                self.advance(now, mono)
                self._obey_everybody(control, payload)
            return None
        if not matches(address, self.wire) or control & 0xE0:
            return None
        if address != self.wire and control not in FOR_ANYBODY:
            return None
        self.advance(now, mono)
        return self._reply(address, control, payload, mono)

    # -- requests ----------------------------------------------------------------------------------------------

    def _reply(self, address: bytes, control: int, payload: bytes, mono: float | None) -> bytes | None:
        try:
            if control == READ:
                return self._first(payload)
            if control == READ_ON:
                return self._next(payload)
            if control in (ADDRESS, NEW_ADDRESS) and address not in (ANYBODY, self.wire):
                return None
            if control == ADDRESS:
                return None if payload else build(self.wire, 0x93, self.wire, self._lead)
            if control == 0x08:
                self._obey_everybody(control, payload)
                return None
            order = self.functions.get(control)
            if order is None:
                raise Refusal(OTHER)
            answer = order(self, payload, mono)
        except Refusal as refusal:
            if control == NEW_ADDRESS:
                return None  # 15H has no abnormal answer.
            size = self._serr_bytes if control in (CONTROL, SECURITY) else 1
            return build(self.wire, control | 0xC0, refusal.error.to_bytes(size, "little"), self._lead)
        return build(self.wire, control | 0x80, answer, self._lead)

    def has(self, di: int) -> bool:
        """Whether the meter answers a read of `di`."""
        try:
            return bool(read_value(self, di))
        except (LookupError, Refusal, ValueError):
            return False

    def _first(self, payload: bytes) -> bytes:
        """11H: the value, or as much of it as one frame carries."""
        if len(payload) < 4 or (len(payload) > 4 and payload[3] != 0x06):
            raise Refusal(NO_DATA)
        di = payload[:4]
        try:
            value = read_value(self, int.from_bytes(di, "little"), payload[4:])
        except (LookupError, ValueError):
            # A freeze slot that is empty is, to the reader, an identifier the meter does not have.
            raise Refusal(NO_DATA) from None
        room = self._most_data - 4
        self._more = (di, value[room:])
        return build(self.wire, 0xB1 if len(value) > room else 0x91, di + value[:room], self._lead)

    def _next(self, payload: bytes) -> bytes:
        """12H: DI, SEQ from 1 on. The same SEQ again gives the same part again."""
        di, rest = self._more
        room = self._most_data - 5
        begin = (payload[-1] - 1) * room if len(payload) == 5 else -1
        if payload[:4] != di or not 0 <= begin < len(rest):
            raise Refusal(NO_DATA)
        more = len(rest) > begin + room
        return build(self.wire, 0xB2 if more else 0x92, di + rest[begin : begin + room] + payload[-1:], self._lead)

    def _obey_everybody(self, control: int, payload: bytes) -> None:
        """08H and 16H to all, which nobody answers: obeyed where the standard allows it, else left alone."""
        if control == FREEZE:
            try:
                ORDERS[FREEZE](self, payload, None)
            except Refusal:
                return
            return
        own = self.metrology.own_wall()
        wall = broadcast_wall(payload, own)
        if wall is not None and self._clock_set_on != own.date().isoformat():
            self._clock_set_on = own.date().isoformat()
            self.set_clock(wall)
