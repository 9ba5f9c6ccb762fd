"""What the edge knows of a meter only because it just looked: gone with the process, read again in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bridge.contract.switching import VALVE_IS
from edge.courtesy import Courtesy
from edge.model import Model, Seen, Values
from edge.state import Registers

MISSED_ROUNDS = 3
"""A meter is off line after this many missed rounds, not after the first (availability)."""

LOAD_TIME_CONSTANT_S = 600
"""The load that the forecast uses forgets with this time constant, in calendar seconds."""


COMMANDED_OPEN = 6
"""The bit of status word 3 that says how its relay was commanded last (DL/T 645-2007 annex C); 4 is its contact."""


@dataclass(frozen=True)
class Sample:
    """Registers read at an instant; `mono` is the line's own time of it."""

    registers_wh: Registers
    read_at: datetime
    mono: float
    frames: tuple[tuple[str, ...], ...]
    """Each exchange behind it: the question, and the answer in all its parts, in hex."""
    elapsed_s: float | None = None
    """Calendar seconds of this run, which no clock setting moves; None for a reading of an earlier run."""
    believed: bool = True
    """`read_at` was taken from a calendar that was believed."""

    @property
    def told(self) -> bool:
        """Something says when it was read; False for one of an earlier run that knew no time."""
        return self.believed or self.elapsed_s is not None


@dataclass
class Live:
    """The newest observations of one meter."""

    model: Model
    sample: Sample | None = None
    floor: Sample | None = None
    """The newest saved reading of an earlier run: what was used is not forgotten. Never fresh enough to cut."""
    before: Sample | None = None
    """The accepted reading before the newest: what both of them say was read twice."""
    suspect: Sample | None = None
    rereads: int = 0
    confirming: Sample | None = None
    """The reading that was asked for a second time because something would follow from it."""
    trusted_anew: bool = False
    unproven: bool = False
    """The newest reading was accepted while nobody knew how much time had passed; judged again when that is known."""
    quality: str = "unread"
    quality_why: str | None = None
    values: Values = field(default_factory=dict)
    read_at: dict[str, datetime] = field(default_factory=dict)
    online: bool | None = None
    online_since: datetime | None = None
    off_mono: float | None = None
    """Line seconds at which it was last found off line."""
    apart_until: float = -1e9
    missed: int = 0
    missed_how: str | None = None
    probed_mono: float = -1e9
    probes: int = 0
    courtesy: Courtesy = field(default_factory=Courtesy)
    serial: str | None = None
    serial_proven: bool = False
    """Read twice, the same each time."""
    unnamed: bool = False
    """It answers again after a silence, and has not said since that it is the meter that was installed."""
    unnamed_mono: float = -1e9
    """Line seconds since when that is so."""
    serial_mono: float | None = None
    serial_frames: tuple[str, ...] | None = None
    seen: Seen | None = None
    """What its status said of its relay or valve, once that was believed (I11)."""
    seen_doubt: Seen | None = None
    """The newest status, which says otherwise and waits for a second one."""
    relooks: int = 0
    seen_began: float = -1e9
    seen_at: datetime | None = None
    """Line seconds at which the question for `seen` began, and when its answer came."""
    tripped_mono: float = -1e9
    closed_mono: float = -1e9
    """When the bytes of the newest trip and of the newest close left."""
    dark_told_s: float | None = None
    """Line second of the gateway's life at which this run told last that it is paid and dark."""
    clock_offset_s: int | None = None
    clock_doubt_s: int | None = None
    load_w: int | None = None
    load_at: datetime | None = None
    powers_w: tuple[int, ...] = ()
    lamp_obeyed: int | None = None
    """The newest final warning, by its entry, for which it answered that it lights its lamp."""
    lamp_says: int | None = None
    """The same, once a status that was read after that answer showed the lamp lit."""
    lamp_tried: int | None = None
    """The newest one for which the order to light the lamp left, answered or not."""
    asked_mono: dict[str, float] = field(default_factory=dict)
    well_doubt: dict[str, bool] = field(default_factory=dict)
    """A battery or valve that was found otherwise than before, by one look."""
    lacks: set[str] = field(default_factory=set)
    """Optional questions that this meter refused."""

    @property
    def relay_open(self) -> bool | None:
        """True: no supply, the relay is open or the valve shut. None: not read, out of order, or nobody can tell."""
        return {"off": True, "on": False}.get(self.seen.supply) if self.seen else None

    @property
    def is_itself(self) -> bool:
        """It answers, and nothing says that another one may stand in its place."""
        return self.online is True and not self.unnamed

    @property
    def stands(self) -> Literal["open", "closed", "unknown"]:
        """The same in a relay's words, also of a valve."""
        return "unknown" if self.relay_open is None else "open" if self.relay_open else "closed"

    @property
    def valve_stands(self) -> Literal["open", "closed", "unknown", "fault"]:
        """The same of a valve in its own words; it may say that it is out of order."""
        return "fault" if self.seen is not None and self.seen.supply == "fault" else VALVE_IS[self.stands]

    @property
    def word_3(self) -> int | None:
        """Status word 3 of a DL/T 645-2007 meter."""
        return self.seen.word_3 if self.seen else None

    @property
    def permitted(self) -> bool | None:
        """True where its button would close it: commanded on while the contact is open. None where nothing tells."""
        return None if self.word_3 is None else not self.word_3 >> COMMANDED_OPEN & 1

    @property
    def lamp_on(self) -> bool:
        return self.seen is not None and self.seen.lamp

    @property
    def keep_power(self) -> bool:
        return self.seen is not None and self.seen.keep_power

    def read_age_s(self, now: datetime) -> float | None:
        """Calendar seconds since the registers were read; None where nobody knows: the machine may have slept since."""
        if self.sample is None or not self.sample.believed:
            return None
        return (now - self.sample.read_at).total_seconds()

    @property
    def tells_load(self) -> bool:
        """It says how many W go through it; not a water meter, nor one that refused the question."""
        return bool(self.model.load_rows - self.lacks)

    @property
    def has_clock(self) -> bool:
        """It keeps a clock, and did not refuse to tell it."""
        return "clock" in self.model.rows.keys() - self.lacks

    @property
    def tells_time(self) -> bool:
        """It has a clock, and is not known to be silent or to keep it to itself."""
        return self.has_clock and self.online is not False

    def smooth_load(self, power_w: int, at: datetime) -> None:
        """Take a power reading into the smoothed load; integers, so that a replay gives the same.

        What counts is the middle one of the newest three, so that no forecast and no warning rests on one wrong frame.
        """
        self.powers_w = (*self.powers_w[-2:], max(power_w, 0))
        if len(self.powers_w) < 2:
            return
        power_w = sorted(self.powers_w)[1 if len(self.powers_w) == 3 else 0]
        if self.load_w is None or self.load_at is None:
            self.load_w = power_w
        else:
            past_s = max(int((at - self.load_at).total_seconds()), 0)
            self.load_w += (power_w - self.load_w) * past_s // (past_s + LOAD_TIME_CONSTANT_S)
        self.load_at = at


def registers_of(values: Values) -> Registers:
    """The registers among a reply's values, by rate: `energy_wh` or `volume_l` is `total`, `energy_peak_wh` is
    `peak`."""
    found = {"total": values["volume_l"]} if "volume_l" in values else {}
    for key, value in values.items():
        if key.startswith("energy_") and key.endswith("wh"):
            found[key.removeprefix("energy_").removesuffix("wh").rstrip("_") or "total"] = value
    return found
