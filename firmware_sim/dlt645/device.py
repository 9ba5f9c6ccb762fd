"""What is inside a DL/T 645 meter whatever its dialect: registers, relay, events, parameters, and its memory.

It is brought forward to an instant that it is told; the dialects put their frames around it.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..covers import Cover
from ..dlt645_frame import address_bytes, digits_of
from ..electrics import Mains
from ..instants import us_of
from ..loads import Load
from ..metrology import ALL_FLAT, DayTable, Metrology
from ..relay import Relay
from .demand import Demand
from .events import NOBODY, SPANS, Events, forward_only
from .parameters import PARAMETERS

MOST_DATA = 200
"""DATA bytes of one frame, DL/T 645-2007 §5.2."""
SETTLE_DAYS = range(0x04000B01, 0x04000B04)


class Device:
    """One meter. address, serial: 12 digits; start: the instant at which `registers` (0.01 kWh steps) are true.

    password is six digits, P2 P1 P0 as written; level is PA. lead is the number of FEH before each reply,
    needs_preamble the number it must hear before a question. serr_bytes is 1 or 2: makers differ in the length of
    the error of 1CH. most_data is the largest DATA of one of its frames.
    """

    parameters = PARAMETERS

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
        needs_preamble: int = 0,
        most_data: int = MOST_DATA,
    ):
        self.address, self.wire, self.serial = address, address_bytes(address), serial
        self._installed = address
        address_bytes(serial)
        if not 16 <= most_data <= MOST_DATA:
            raise ValueError(f"a frame of a meter carries 16 to 200 data bytes, not {most_data}")
        self.meter_id, self.model = meter_id or address, model
        self.asset: str = asset or serial
        self.mains = Mains(zlib.crc32(self.wire), phases)
        self.start_us = self.demand_since_us = us_of(start)
        self.metrology: Metrology = Metrology(
            load, self.start_us, zone or load.zone, registers, day_table, offset_s, drift_ppm
        )
        self.relay, self.events = Relay(delay_s=relay_delay_s), Events(cover_openings)
        self.demand = Demand(self.metrology.history, load, self.metrology.zone)
        self.passwords = {level: bytes.fromhex(password)[::-1]}
        self.settings: dict[int, bytes] = {}
        """Parameters that were written, as they go onto the line."""
        self.speed = 0
        """Bit/s after a change by 17H; 0 for the line's."""
        self.operator, self.battery_low = NOBODY, False
        self.restore_at: tuple[int, bool] | None = None
        self._lead, self._serr_bytes, self._needs, self._most_data = lead, serr_bytes, needs_preamble, most_data
        self._more: tuple[bytes, bytes] = (b"", b"")
        self._clock_set_on = ""
        self.settings_seq = 0
        """Grows with every change that a restart must not lose: relay, alarm, keep power, clock, parameters."""

    def advance(self, now: datetime, mono: float | None = None) -> None:
        """Bring the meter forward to `now`, a relay contact on its way included."""
        now_us = us_of(now)
        if self.relay.order is not None:
            arrived_us = self.relay.arrival_us(now_us, mono)
            if arrived_us is not None:
                self.run(arrived_us)
                self.settle_relay(arrive=True)
        if self.restore_at is not None and now_us >= self.restore_at[0]:
            self._restore_power(*self.restore_at)
        self.run(now_us)

    def run(self, to_us: int) -> None:
        """Count up to the true instant `to_us`, with the contact where it is."""
        self.metrology.advance(to_us)

    def press_button(self, now: datetime, mono: float | None = None) -> bool:
        """A person presses the meter's button. Closes the relay where closing is permitted; tells whether it did."""
        self.advance(now, mono)
        if not self.relay.permitted:
            return False
        self.operator = NOBODY
        self.relay.close(self.metrology.at_us, mono)
        self.settle_relay()
        return True

    @property
    def covers(self) -> dict[str, Cover]:
        """Events that last, by what is open or present."""
        return self.events.spans

    # -- what happens to a meter -------------------------------------------------------------------------------

    def suffer(self, kind: str, present: bool) -> None:
        """A fault of the shaft begins or ends: stuck, battery, power, or one of the covers or a magnet."""
        if kind == "stuck":
            self.set_stuck(present)
        elif kind == "battery":
            self.battery_low = present
        else:
            if kind == "power":
                self.metrology.powered = not present
            self.set_cover(kind, present)

    def set_stuck(self, stuck: bool) -> None:
        """A fault of the shaft: the contact no longer moves."""
        self.relay.stuck = stuck

    def set_cover(self, which: str, opened: bool) -> None:
        """Somebody opens or shuts the meter's `cover` or its `terminal` cover: counted, with its own time."""
        if self.covers[which].set(opened, self.metrology.own_wall(), self.metrology.registers()[0]):
            self.settings_seq += 1

    def status_word(self, number: int) -> int:
        """Status word 1 to 7 (DL/T 645-2007 annex C)."""
        relay, tables = self.relay, self.metrology.tables
        if number == 1:
            return self.battery_low << 2
        if number != 3:
            return 0
        sets = (tables.day_set | tables.zone_set << 5) if tables is not None else 0
        return sets | relay.open << 4 | relay.commanded_open << 6 | self.lamp << 7 | relay.keep_power << 12

    @property
    def lamp(self) -> bool:
        """The pre-trip alarm."""
        return self.relay.alarm

    # -- effects -----------------------------------------------------------------------------------------------

    def own_value(self, di: int) -> bytes | None:
        """The value of an identifier that only this kind of meter has."""
        return None

    def guarded(self, di: int, level: int) -> bool:
        """Whether a write of `di` with this PA is refused because it needs more than a password."""
        return False

    def take(self, di: int, value: bytes) -> None:
        """A parameter was written and is right: keep it, and let it count."""
        self.settings[di] = value
        if di == 0x04000103:
            self._measure_demand()
        if di in SETTLE_DAYS:
            texts = [self.settings.get(each) or b"\x99\x99" for each in SETTLE_DAYS]
            if SETTLE_DAYS[0] not in self.settings:
                texts[0] = bytes.fromhex("0001")
            days = [(int(digits_of(text[1:])), int(digits_of(text[:1]))) for text in texts]
            self.metrology.settle_days = tuple(each for each in days if each[0] <= 28)
            self.metrology.plan()

    def _measure_demand(self) -> None:
        minutes = int(digits_of(self.settings.get(0x04000103, b"\x15")))
        self.demand = Demand(self.metrology.history, self.metrology.load, self.metrology.zone, minutes)

    def set_clock(self, wall: datetime) -> None:
        """Set the own clock to a wall time."""
        self.metrology.set_clock(us_of(wall.replace(tzinfo=self.metrology.zone).astimezone(UTC)))
        self.settings_seq += 1

    def settle_relay(self, arrive: bool = False) -> None:
        """Let the load follow the contact. Energy up to this instant must have been counted before."""
        if arrive:
            self.relay.arrive()
        wall, steps = self.metrology.own_wall(), self.metrology.registers()[0]
        if self.metrology.closed == self.relay.open:
            self.metrology.closed = not self.relay.open
            self.events.note("trips" if self.relay.open else "closings", wall, self.operator, forward_only(steps))
        # A contact that stays where it was although it was told to move, and no longer is on its way, does not follow.
        astray = self.relay.stuck and self.relay.order is None and self.relay.commanded_open != self.relay.open
        if not self.relay.permitted:
            self.events.spans["relay"].set(astray, wall, steps)
        self.settings_seq += 1

    def _restore_power(self, at_us: int, directly: bool) -> None:
        self.run(at_us)
        self.restore_at, self.operator = None, NOBODY
        if directly:
            self.relay.close(at_us, None)
        else:
            self.relay.permit()
        self.settle_relay()

    # -- memory ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything a restart must not lose, as JSON values."""
        return {
            "address": self._installed,
            "metrology": self.metrology.state(),
            "relay": self.relay.state(),
            "clock_set_on": self._clock_set_on,
            "covers": {which: self.events.spans[which].state() for which in SPANS},
            "events": self.events.state(),
            "settings": {f"{di:08X}": value.hex() for di, value in self.settings.items()},
            "passwords": {str(level): value.hex() for level, value in self.passwords.items()},
            "own": [self.address, self.speed, self.start_us, self.demand_since_us, self.restore_at],
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave; raises KeyError where something is missing."""
        self.metrology.restore(kept["metrology"])
        self.relay.restore(kept["relay"])
        self._clock_set_on = kept["clock_set_on"]
        for which, cover in kept.get("covers", {}).items():
            self.events.spans[which].restore(cover)
        if "own" in kept:  # Older memories know registers, relay and covers only.
            self.events.restore(kept["events"])
            self.settings = {int(di, 16): bytes.fromhex(value) for di, value in kept["settings"].items()}
            self.passwords = {int(level): bytes.fromhex(value) for level, value in kept["passwords"].items()}
            self.address, self.speed, self.start_us, self.demand_since_us, restore_at = kept["own"]
            self.wire, self.restore_at = address_bytes(self.address), None if restore_at is None else tuple(restore_at)
        self._measure_demand()
