"""What a DL/T 645-2007 meter notes of what happened to it: a count for ever, and the newest ten records (annex A).

    033000    programmed: time 6, operator 4, 10 identifiers        033004  clock set: operator 4, before 6, after 6
    033002    demand cleared: time 6, operator 4                    033003  events cleared: time 6, operator 4, what 4
    1D00/1E00 trip/close: time 6, operator 4, 6 energies            031100  power down: begin 6, end 6
    03300D/0E cover, terminal cover; 0335 magnet; 0336 relay        begin 6, end 6, 12 energies

Counts are XXXXXX. The relay's own counts stand in `Relay`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..covers import KEPT, Cover
from ..dlt645_frame import bcd, date_time_bytes

NOBODY = b"\xff" * 4
"""The operator of what the meter did by itself."""
TIME = "%y%m%d%H%M%S"


def forward_only(steps: int) -> bytes:
    """Six energies of which all but the first, forward active, are zero."""
    return bcd(steps, 4) + bytes(20)


@dataclass
class Log:
    """Events of one kind that have no length: newest first, as they go onto the line."""

    count: int = 0
    records: list[bytes] = field(default_factory=list)

    def note(self, record: bytes) -> None:
        self.count = (self.count + 1) % 1_000_000
        self.records = [record, *self.records][:KEPT]

    def record(self, back: int) -> bytes:
        """The `back`-th last record. Raises LookupError where there is none."""
        if not 1 <= back <= len(self.records):
            raise LookupError(f"no event in slot {back}")
        return self.records[back - 1]

    def clear(self) -> None:
        self.count, self.records = 0, []

    def state(self) -> dict[str, Any]:
        """JSON values."""
        return {"count": self.count, "records": [each.hex() for each in self.records]}

    def restore(self, kept: dict[str, Any]) -> None:
        self.count, self.records = kept["count"], [bytes.fromhex(each) for each in kept["records"]]


LOGS = {"programmed": 0x033000, "demand_cleared": 0x033002, "events_cleared": 0x033003, "clock": 0x033004}
"""Events without length by what happened: the identifier's upper three bytes; its lowest is 00 for the count."""
SPANS = {"power": 0x031100, "cover": 0x03300D, "terminal": 0x03300E, "magnet": 0x033500, "relay": 0x033600}
"""Events that last. Each is a `Cover`, whatever it is that is open."""
SWITCHED = {"trips": 0x1D, "closings": 0x1E}


class Events:
    """All events of one meter."""

    def __init__(self, cover_openings: int = 0):
        self.logs = {name: Log() for name in (*LOGS, *SWITCHED)}
        self.spans = {name: Cover(cover_openings if name == "cover" else 0) for name in SPANS}

    def note(self, name: str, *fields: bytes | datetime) -> None:
        """Note an event: times in local time of the own clock, the rest as it goes onto the line."""
        self.logs[name].note(b"".join(f if isinstance(f, bytes) else date_time_bytes(f, TIME) for f in fields))

    def clear(self, di: int) -> bool:
        """Forget the events of an identifier with FF as its last byte, all for FFFFFFFF. False where there is none."""
        names = [name for name, above in (LOGS | SPANS).items() if di in (0xFFFFFFFF, above << 8 | 0xFF)]
        names += [name for name, above in SWITCHED.items() if di in (0xFFFFFFFF, above << 24 | 0xFF)]
        for name in names:
            if name in self.logs:
                self.logs[name].clear()
            else:
                self.spans[name].clear()
        return bool(names)

    def answer(self, di: int) -> bytes:
        """The count or a record of an identifier. Raises LookupError where the meter has none."""
        above, back = di >> 8, di & 0xFF
        for name, row in LOGS.items():
            if row == above:
                return self.logs[name].record(back) if back else bcd(self.logs[name].count, 3)
        for name, row in SPANS.items():
            if row == above and not back:
                return bcd(self.spans[name].count, 3)
            if row == above:
                return self.spans[name].record(back)[: 12 if name == "power" else 60]
        if di >> 24 in SWITCHED.values() and above & 0xFFFF == 1:
            return self.logs["trips" if di >> 24 == SWITCHED["trips"] else "closings"].record(back)
        raise LookupError(f"{di:08X} is no event")

    def state(self) -> dict[str, Any]:
        """JSON values."""
        return {name: each.state() for name, each in self.logs.items()}

    def restore(self, kept: dict[str, Any]) -> None:
        for name, each in self.logs.items():
            each.restore(kept[name])
