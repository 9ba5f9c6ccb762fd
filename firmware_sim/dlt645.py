"""A DL/T 645-2007 meter with a relay, remote cost control (远程费控): one request frame in, one reply or None out.

Its only state is its own: registers, relay, alarm, freeze memory, clock. Each answer first brings that state
forward to the instant it is asked at. The same calls give the same bytes.

    request  68 A0..A5 68 C      L DATA CS 16
    reply    68 A0..A5 68 C+80H  L DATA CS 16      refused: C+C0H, one error byte
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from .covers import Cover
from .dlt645_frame import ANYBODY, EVERYBODY, address_bytes, build, matches, parse
from .dlt645_read import answer_for
from .dlt645_time import WRITABLE, broadcast_wall, expired, written_wall
from .electrics import Mains
from .instants import us_of
from .loads import Load
from .metrology import ALL_FLAT, DayTable, Metrology
from .relay import Relay

# Error byte, DL/T 645-2007 §7: bit 0 other, bit 1 no such data, bit 2 password. For 1CH the low byte of SERR.
OTHER, NO_DATA, PASSWORD, TOO_LATE, POWER_KEPT = 0x01, 0x02, 0x04, 0x10, 0x20


class Refusal(Exception):
    """The meter says no; `error` is the byte it says it with. Asking the same again gives the same."""

    def __init__(self, error: int):
        super().__init__(f"error byte {error:02X}")
        self.error = error


class Dlt645Meter:
    """One meter. address, serial: 12 digits; start: the instant at which `registers` (0.01 kWh steps) are true.

    password is six digits, P2 P1 P0 as written; level is PA. lead is the number of FEH before each reply.
    serr_bytes is 1 or 2: makers differ in the length of the error of 1CH.
    """

    protocol = "dlt645-2007"

    def __init__(
        self,
        address: str,
        serial: str,
        load: Load,
        start: datetime,
        *,
        meter_id: str = "",
        phases: int = 1,
        zone: ZoneInfo | None = None,
        registers: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0),
        day_table: DayTable = ALL_FLAT,
        offset_s: int = 0,
        drift_ppm: int = 0,
        password: str = "000000",
        level: int = 2,
        lead: int = 4,
        model: str = "DDZY-SIM",
        asset: str = "",
        relay_delay_s: float = 0.15,
        cover_openings: int = 0,
        serr_bytes: int = 1,
    ):
        self.address, self.wire, self.serial = address, address_bytes(address), serial
        address_bytes(serial)
        self.meter_id, self.model, self.asset = meter_id or address, model, asset or serial
        self.mains = Mains(zlib.crc32(self.wire), phases)
        self.metrology = Metrology(load, us_of(start), zone or load.zone, registers, day_table, offset_s, drift_ppm)
        self.relay = Relay(delay_s=relay_delay_s)
        self.covers = {"cover": Cover(cover_openings), "terminal": Cover()}
        self._key = bytes((int(f"{level:02d}", 16),)) + bytes.fromhex(password)[::-1]
        self._lead, self._serr_bytes = lead, serr_bytes
        self._clock_set_on = ""
        self.settings_seq = 0
        """Grows with every change that a restart must not lose: relay, alarm, keep power, clock."""

    # -- the line ----------------------------------------------------------------------------------------------

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        """The reply to one whole request frame (any number of FEH before it) at `now`; None where the meter is silent.

        mono: real seconds, for the relay's delay; without it the relay moves at once.
        """
        body = frame.lstrip(b"\xfe")
        if body[1:7] != self.wire and body[6:7] not in (b"\xaa", b"\x99"):
            return None  # Somebody else's, seen without counting the checksum: most frames on a line are.
        request = parse(body)
        if request is None:
            return None
        address, control, payload = request
        if address == EVERYBODY:
            if control == 0x08:
                self.advance(now, mono)
                self._broadcast_time(payload)
            return None
        if not matches(address, self.wire) or control & 0xE0:
            return None
        if address != self.wire and control not in (0x11, 0x13):
            return None  # Wildcards are for reading; a command to "anybody" is obeyed by nobody.
        self.advance(now, mono)
        return self._reply(address, control, payload, mono)

    def advance(self, now: datetime, mono: float | None = None) -> None:
        """Bring the meter forward to `now`, a relay contact on its way included."""
        now_us = us_of(now)
        if self.relay.order is not None:
            arrived_us = self.relay.arrival_us(now_us, mono)
            if arrived_us is not None:
                self.metrology.advance(arrived_us)
                self._settle_relay(arrive=True)
        self.metrology.advance(now_us)

    def press_button(self, now: datetime, mono: float | None = None) -> bool:
        """A person presses the meter's button. Closes the relay where closing is permitted; tells whether it did."""
        self.advance(now, mono)
        if not self.relay.permitted:
            return False
        self.relay.close(self.metrology.at_us, mono)
        self._settle_relay()
        return True

    def set_stuck(self, stuck: bool) -> None:
        """A fault of the shaft: the contact no longer moves."""
        self.relay.stuck = stuck

    def set_cover(self, which: str, opened: bool) -> None:
        """Somebody opens or shuts the meter's `cover` or its `terminal` cover: counted, with its own time."""
        if self.covers[which].set(opened, self.metrology.own_wall(), self.metrology.registers()[0]):
            self.settings_seq += 1

    def status_word(self, number: int) -> int:
        """Status word 1 to 7 (DL/T 645-2007 annex C). Only word 3 has anything to say in this meter."""
        if number != 3:
            return 0
        relay = self.relay
        return relay.open << 4 | relay.commanded_open << 6 | relay.alarm << 7 | relay.keep_power << 12

    # -- requests ----------------------------------------------------------------------------------------------

    def _reply(self, address: bytes, control: int, payload: bytes, mono: float | None) -> bytes | None:
        try:
            if control == 0x11:
                answer = self._read(payload)
            elif control == 0x13:
                if address not in (ANYBODY, self.wire) or payload:
                    return None
                answer = self.wire
            elif control == 0x14:
                answer = self._write(payload)
            elif control == 0x1C:
                answer = self._control(payload, mono)
            elif control == 0x08:
                self._broadcast_time(payload)
                return None
            else:
                raise Refusal(OTHER)
        except Refusal as refusal:
            size = self._serr_bytes if control == 0x1C else 1
            return build(self.wire, control | 0xC0, refusal.error.to_bytes(size, "little"), self._lead)
        return build(self.wire, control | 0x80, answer, self._lead)

    def _read(self, payload: bytes) -> bytes:
        if len(payload) != 4:
            raise Refusal(NO_DATA)
        row = answer_for(int.from_bytes(payload, "little"))
        try:
            if row is not None:
                return payload + row(self)
        except LookupError:
            pass  # A freeze slot that is empty is, to the reader, an identifier the meter does not have.
        raise Refusal(NO_DATA)

    def _control(self, payload: bytes, mono: float | None) -> bytes:
        """1CH: PA P0 P1 P2, C0 to C3, N1 what, N2, N3 to N8 the second after which the command is void."""
        if len(payload) != 16:
            raise Refusal(OTHER)
        if payload[:4] != self._key:
            raise Refusal(PASSWORD)
        if expired(payload[10:16], self.metrology.own_wall()):
            raise Refusal(TOO_LATE)
        what, relay, at_us = payload[8], self.relay, self.metrology.at_us
        if what == 0x1A:
            if relay.keep_power:
                raise Refusal(POWER_KEPT)
            relay.trip(at_us, mono)
        elif what == 0x1B:
            relay.permit()
        elif what == 0x1C:
            relay.close(at_us, mono)
        elif what in (0x2A, 0x2B):
            relay.alarm = what == 0x2A
        elif what in (0x3A, 0x3B):
            relay.keep_power = what == 0x3A
        else:
            raise Refusal(OTHER)
        self._settle_relay()
        return b""

    def _write(self, payload: bytes) -> bytes:
        """14H: DI, PA P0 P1 P2, C0 to C3, value. Only the clock can be written: 0400010C, 04000101, 04000102."""
        if len(payload) < 12:
            raise Refusal(OTHER)
        di, value = int.from_bytes(payload[:4], "little"), payload[12:]
        if payload[4:8] != self._key:
            raise Refusal(PASSWORD)
        if di not in WRITABLE:
            raise Refusal(NO_DATA)
        try:
            wall = written_wall(di, value, self.metrology.own_wall())
        except ValueError:
            raise Refusal(OTHER) from None
        self._set_clock(wall)
        return b""

    def _broadcast_time(self, payload: bytes) -> None:
        """08H, which nobody answers: obeyed where the standard allows it, else left alone."""
        own = self.metrology.own_wall()
        wall = broadcast_wall(payload, own)
        if wall is not None and self._clock_set_on != own.date().isoformat():
            self._clock_set_on = own.date().isoformat()
            self._set_clock(wall)

    def _set_clock(self, wall: datetime) -> None:
        self.metrology.set_clock(us_of(wall.replace(tzinfo=self.metrology.zone).astimezone(UTC)))
        self.settings_seq += 1

    def _settle_relay(self, arrive: bool = False) -> None:
        """Let the load follow the contact. Energy up to this instant must have been counted before."""
        if arrive:
            self.relay.arrive()
        self.metrology.closed = not self.relay.open
        self.settings_seq += 1

    # -- memory ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything a restart must not lose, as JSON values."""
        return {
            "address": self.address,
            "metrology": self.metrology.state(),
            "relay": self.relay.state(),
            "clock_set_on": self._clock_set_on,
            "covers": {which: cover.state() for which, cover in self.covers.items()},
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave; raises KeyError where something is missing."""
        self.metrology.restore(kept["metrology"])
        self.relay.restore(kept["relay"])
        self._clock_set_on = kept["clock_set_on"]
        for which, cover in self.covers.items():
            if "covers" in kept:  # Older memories have no record of covers, only a count that the shaft file tells.
                cover.restore(kept["covers"][which])
