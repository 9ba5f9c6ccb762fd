"""What a checker must know of a gateway beside its book: orders on its lines, devices that hung on its walls, what was
forged, what was agreed, and copies of the book that were kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulate.house import House


@dataclass(frozen=True)
class Order:
    """A frame that is no read: when it left, of which start, to whom, control byte and command."""

    mono: float
    boot: str
    address: str
    control: int
    code: int
    disk: bool
    """The disk took no entries then."""
    seq: int
    """The newest entry of the book when it left."""


@dataclass(frozen=True)
class Press:
    """Somebody pressed the button of a meter, and its contact closed."""

    mono: float
    boot: str
    meter: str


@dataclass
class Hung:
    """A device on the wall of a metering point, from an instant on. `bent_us`: from then on its registers do not tell
    what the load used."""

    since_us: int
    device: Any
    bent_us: int | None = None


@dataclass
class Copy:
    """A copy of the book that somebody keeps."""

    seq: int
    agreed: int
    held: set[str]
    made_us: int


@dataclass
class Memory:
    """All of it for one gateway."""

    orders: list[Order] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    hung: dict[str, list[Hung]] = field(default_factory=dict)
    forged: dict[str, str] = field(default_factory=dict)
    """By transaction, what was wrong with a message that must have no effect."""
    copy: Copy | None = None
    agreed: int = 0
    """Counts what people agreed on that a copy from before does not know: prices, meters, multipliers."""
    broker_gone: bool = False
    recovering: bool = False
    addresses: set[str] = field(default_factory=set)
    """Every address that a meter of this gateway ever had."""
    rolled: set[str] = field(default_factory=set)
    """Meters whose total has begun anew."""

    def began(self, house: House, start_us: int) -> None:
        for seen in house.judge.by_id.values():
            self.hung[seen.meter.id] = [Hung(start_us, seen.device)]
            self.addresses.add(seen.meter.address)

    def bend(self, meter: str, at_us: int) -> None:
        """From now on this device's registers are not to be compared with its load."""
        newest = self.hung[meter][-1]
        newest.bent_us = at_us if newest.bent_us is None else newest.bent_us
