"""The relay of a prepaid meter: what it was told, where its contact is, and the second between the two.

Status word 3 shows both (DL/T 645-2007 annex C): bit 6 the command, bit 4 the contact. They differ while the
contact travels, when it is stuck, and after "permit close" until somebody presses the button.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Order:
    """A contact on its way: whereto, and ordered when by the calendar and by the line's own time."""

    opens: bool
    ordered_us: int
    ordered_mono_s: float


@dataclass
class Relay:
    """Contact and commands of one meter. `delay_s` is real time, as everything that happens on a line."""

    delay_s: float = 0.15
    open: bool = False
    commanded_open: bool = False
    permitted: bool = False
    alarm: bool = False
    keep_power: bool = False
    trips: int = 0
    closings: int = 0
    stuck: bool = False
    order: Order | None = None

    def trip(self, at_us: int, mono_s: float | None) -> None:
        """Command open; the contact follows after the delay."""
        self.commanded_open, self.permitted = True, False
        self._send(True, at_us, mono_s)

    def close(self, at_us: int, mono_s: float | None) -> None:
        """Command closed; the contact follows after the delay."""
        self.commanded_open, self.permitted = False, False
        self._send(False, at_us, mono_s)

    def permit(self) -> None:
        """Command closed, but an open contact waits for the button."""
        self.commanded_open = False
        if self.order is not None and self.order.opens:
            self.order = None
        self.permitted = self.open

    def arrival_us(self, at_us: int, mono_s: float | None) -> int | None:
        """The calendar instant at which the contact on its way arrived, or None while none has.

        The delay is real time and the calendar may be scaled, so the instant is found between the order and now.
        """
        order = self.order
        if order is None:
            return None
        if mono_s is None or mono_s < order.ordered_mono_s:
            # Either nobody counts real time, or it began anew with a restart: the contact arrived long ago.
            return max(at_us, order.ordered_us) if mono_s is None else order.ordered_us
        passed_us, delay_us = round((mono_s - order.ordered_mono_s) * 1e6), round(self.delay_s * 1e6)
        if passed_us < delay_us:
            return None
        return order.ordered_us + max(0, at_us - order.ordered_us) * delay_us // passed_us

    def arrive(self) -> None:
        """The contact on its way is there."""
        if self.order is not None:
            self._move(self.order.opens)
            self.order = None

    def _send(self, opens: bool, at_us: int, mono_s: float | None) -> None:
        if mono_s is None or self.delay_s <= 0:
            self.order = None
            self._move(opens)
        else:
            self.order = Order(opens, at_us, mono_s)

    def _move(self, opens: bool) -> None:
        if self.stuck or opens == self.open:
            return
        self.open = opens
        if opens:
            self.trips += 1
        else:
            self.closings += 1

    def state(self) -> dict[str, Any]:
        """What survives a restart. A fault of the shaft (`stuck`) is not the meter's own memory."""
        kept = asdict(self)
        del kept["stuck"], kept["delay_s"]
        return kept

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        for name, value in kept.items():
            setattr(self, name, Order(**value) if name == "order" and value is not None else value)
