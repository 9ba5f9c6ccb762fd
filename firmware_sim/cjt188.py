"""A CJ/T 188 water meter with a valve: one request frame in, one reply or None out. No + 33H here, and one 68H.

    [FE …] 68 T A0..A6 C L DATA CS 16        DATA = DI 2, SER 1, fields; CS is the sum from 68H to the last DATA byte

    01 read 901F (81: flow 4, unit, flow at settlement 4, unit, time 7, ST 2), D120 to D12B the months before
    03 read address 810A (83: nothing more, the frame carries it)      15 write address A018
    04 write A017 valve 55 opens, 99 shuts (84: ST 2), A015 clock 7     refused: C + C0H, DI, SER, error byte

Both orders of the DI bytes are taken, and the reply repeats the one of the request. Litres an hour stand where an
electricity meter has watts, so ten litres are one step of the register.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from .dlt645_frame import bcd, date_time_bytes, digits_of
from .instants import us_of
from .loads import Load
from .metrology import ALL_FLAT, DayTable, Metrology
from .relay import Relay

READ, READ_ADDRESS, WRITE, WRITE_ADDRESS = 0x01, 0x03, 0x04, 0x15
FLOW, ADDRESS, SETTLE_DAY, VALVE, CLOCK, NEW_ADDRESS, MONTHS = 0x901F, 0x810A, 0x8103, 0xA017, 0xA015, 0xA018, 0xD120
OPEN, SHUT = 0x55, 0x99
ANYBODY = b"\xaa" * 7
UNITS = {"m3": (0x2C, 1), "litre": (0x29, 10)}
"""Code of the unit, and how many of its smallest digits ten litres are: 0.01 m3 once, litres ten."""
UNKNOWN_DI, ILLEGAL = 0x02, 0x01


class Unable(Exception):
    """The meter says no; `error` is its byte."""

    def __init__(self, error: int):
        super().__init__(f"error {error:02X}")
        self.error = error


def wire_address(address: str) -> bytes:
    """Fourteen decimal digits as seven bytes, low pair first. Raises ValueError for anything else."""
    if len(address) != 14 or not address.isascii() or not address.isdigit():
        raise ValueError(f"a CJ/T 188 address has 14 digits; {address!r} has not")
    return bytes.fromhex(address)[::-1]


def build(kind: int, address: bytes, control: int, data: bytes, lead: int = 0) -> bytes:
    """A frame after `lead` × FEH."""
    body = bytes((0x68, kind)) + address + bytes((control, len(data))) + data
    return b"\xfe" * lead + body + bytes((sum(body) & 0xFF, 0x16))


def parse(frame: bytes) -> tuple[int, bytes, int, bytes] | None:
    """T, address, control byte and DATA; None unless this is one whole right frame."""
    body = frame.lstrip(b"\xfe")
    if len(body) < 13 or body[0] != 0x68 or body[-1] != 0x16 or len(body) != 13 + body[10]:
        return None
    return (body[1], body[2:9], body[9], body[11:-2]) if sum(body[:-2]) & 0xFF == body[-2] else None


class WaterMeter:
    """address: 14 digits; registers: total in steps of 0.01 m³; settled: the same at the last settlement day.

    turn_s: real seconds the valve turns; turning: what ST shows meanwhile, "abnormal" or the "old" state.
    """

    protocol = "cjt188"
    speed = 0

    def __init__(self, address: str, serial: str, load: Load, start: datetime, *, meter_id: str = "",
                 zone: ZoneInfo | None = None, registers: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0),
                 day_table: DayTable = ALL_FLAT, offset_s: int = 0, drift_ppm: int = 0, settled: int = 0,
                 kind: int = 0x10, unit: str = "m3", turn_s: float = 6.0, turning: str = "abnormal", lead: int = 4,
                 needs_preamble: int = 0, status_extra: str = "0000"):  # fmt: skip
        if unit not in UNITS or turning not in ("abnormal", "old"):
            raise ValueError(f"unit is m3 or litre and turning is abnormal or old, not {unit!r} and {turning!r}")
        self.address, self.wire, self.serial, self._installed = address, wire_address(address), serial, address
        self.meter_id, self.kind = meter_id or address, kind
        self.metrology = Metrology(load, us_of(start), zone or load.zone, registers, day_table, offset_s, drift_ppm)
        self.valve = Relay(delay_s=turn_s)
        """Its contact is open where the valve is shut."""
        self._settled, self._unit, self._turning = settled, unit, turning
        self._lead, self._needs, self._extra = (
            lead,
            needs_preamble,
            int.from_bytes(bytes.fromhex(status_extra), "little"),
        )
        self.battery_low, self.settings_seq = False, 0

    # -- the line ----------------------------------------------------------------------------------------------

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        """The reply to one whole request frame at `now`; None where the meter is silent."""
        request = parse(frame) if len(frame) - len(frame.lstrip(b"\xfe")) >= self._needs else None
        if request is None:
            return None
        kind, address, control, data = request
        if kind not in (self.kind, 0xAA) or address not in (self.wire, ANYBODY) or control & 0xC0 or len(data) < 3:
            return None
        self.advance(now, mono)
        try:
            fields = self._do(control, int.from_bytes(data[:2], "big"), data[3:], mono)
        except Unable as unable:
            return build(self.kind, self.wire, control | 0xC0, data[:3] + bytes((unable.error,)), self._lead)
        return build(self.kind, self.wire, control | 0x80, data[:3] + fields, self._lead)

    def advance(self, now: datetime, mono: float | None = None) -> None:
        """Bring the meter forward to `now`, a valve that turns included."""
        now_us = us_of(now)
        arrived_us = self.valve.arrival_us(now_us, mono)
        if arrived_us is not None:
            self.metrology.advance(arrived_us)
            self.valve.arrive()
            self._settle()
        self.metrology.advance(now_us)

    def suffer(self, kind: str, present: bool) -> None:
        """A fault of the shaft: a valve that is stuck, a battery that is low or, for `power`, empty."""
        if kind == "stuck":
            self.valve.stuck = present
        elif kind == "battery":
            self.battery_low = present
        elif kind == "power":
            self.metrology.powered = not present

    # -- requests ----------------------------------------------------------------------------------------------

    def _do(self, control: int, di: int, fields: bytes, mono: float | None) -> bytes:
        swapped = (di & 0xFF) << 8 | di >> 8
        known = {READ: (FLOW, SETTLE_DAY, *range(MONTHS, MONTHS + 12)), READ_ADDRESS: (ADDRESS,),
                 WRITE: (VALVE, CLOCK), WRITE_ADDRESS: (NEW_ADDRESS,)}.get(control)  # fmt: skip
        if known is None:
            raise Unable(ILLEGAL)
        di = di if di in known else swapped
        if di not in known:
            raise Unable(UNKNOWN_DI)
        if control == READ_ADDRESS:
            return b""
        if control == READ:
            return bcd(self.metrology.settle_days[0][0], 1) if di == SETTLE_DAY else self._flow(di)
        if di == VALVE:
            return self._turn(fields, mono)
        self._write(di, fields)
        return b""

    def _flow(self, di: int) -> bytes:
        back = 0 if di == FLOW else di - MONTHS + 1
        kept = self.metrology.settlements
        if back > len(kept):
            raise Unable(UNKNOWN_DI)
        steps = kept[-back].steps[0] if back else self.metrology.registers()[0]
        settled = kept[-back - 1].steps[0] if back < len(kept) else self._settled
        code, times = UNITS[self._unit]
        rows = b"".join(bcd(each * times % 10**8, 4) + bytes((code,)) for each in (steps, settled))
        return rows + date_time_bytes(self.metrology.own_wall(), "%Y%m%d%H%M%S") + self.status()

    def status(self) -> bytes:
        """ST: bits 0-1 valve 00 open, 01 shut, 11 abnormal; bit 2 battery low; the rest is the maker's."""
        valve = self.valve
        turning = valve.order is not None and self._turning == "abnormal"
        astray = valve.order is None and valve.commanded_open != valve.open
        bits = 0b11 if turning or astray else int(valve.open)
        return (bits | self.battery_low << 2 | self._extra & 0xFFF8).to_bytes(2, "little")

    def _turn(self, fields: bytes, mono: float | None) -> bytes:
        if len(fields) != 1 or fields[0] not in (OPEN, SHUT):
            raise Unable(ILLEGAL)
        move = self.valve.close if fields[0] == OPEN else self.valve.trip
        move(self.metrology.at_us, mono)
        self._settle()
        return self.status()

    def _write(self, di: int, fields: bytes) -> None:
        try:
            if di == NEW_ADDRESS and len(fields) == 7:
                self.address, self.wire = digits_of(fields), fields
            elif di == CLOCK and len(fields) == 7:
                wall = datetime.strptime(digits_of(fields), "%Y%m%d%H%M%S").replace(tzinfo=self.metrology.zone)
                self.metrology.set_clock(us_of(wall.astimezone(UTC)))
            else:
                raise Unable(ILLEGAL)
        except ValueError:
            raise Unable(ILLEGAL) from None
        self.settings_seq += 1

    def _settle(self) -> None:
        """Water follows the valve."""
        if self.metrology.closed == self.valve.open:
            self.metrology.closed = not self.valve.open
        self.settings_seq += 1

    # -- memory ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything a restart must not lose, as JSON values."""
        return {"address": self._installed, "now": self.address, "metrology": self.metrology.state(),
                "valve": self.valve.state()}  # fmt: skip

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave; raises KeyError where something is missing."""
        self.metrology.restore(kept["metrology"])
        self.valve.restore(kept["valve"])
        self.address, self.wire = kept["now"], wire_address(kept["now"])
