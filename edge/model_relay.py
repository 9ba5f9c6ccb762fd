"""What a model says of its relay or valve: the orders that move it, and what its status must say for on, off, fault.

Every frame goes through the one door of its codec and only to a registered meter's own address (I13). Which order is
right is decided elsewhere; here stands only how this kind of meter is told, and how its answer is read (I11).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from edge.codec import cjt188, dlt645, dlt645_orders, modbus
from edge.codec.dlt645_orders import Password
from edge.codec.errors import CodecError
from edge.model_values import Values

VALVE = {"trip": "close", "direct": "open", "permit": "open"}
"""Supply is off where a relay is open and a valve is closed."""


MOVES_S = 60
"""A valve whose model does not say how long it turns has so many seconds: small ball valves need 5 to 30."""


@dataclass(frozen=True)
class Condition:
    """A value of the status row, under a mask, is this number."""

    key: str
    equals: int
    mask: int = 0xFFFF

    def holds(self, values: Values) -> bool:
        found = values.get(self.key)
        if found is None:
            return False
        return (int(found, 16) if isinstance(found, str) else int(found)) & self.mask == self.equals


@dataclass(frozen=True)
class Seen:
    """What a status said: `supply` is on, off, fault, or unknown where the meter decides and does not say what."""

    supply: Literal["on", "off", "fault", "unknown"]
    lamp: bool = False
    keep_power: bool = False
    word_3: int | None = None

    def decides_as(self, other: Seen) -> bool:
        """Both say the same of everything on which a cut, a warning or its delivery rests."""
        return replace(self, word_3=None) == replace(other, word_3=None)


@dataclass(frozen=True)
class Relay:
    """The `[relay]` of a model. The conditions of a state must hold all together; a state without any never holds."""

    kind: Literal["dlt645", "modbus", "valve"]
    row: str
    on: tuple[Condition, ...]
    off: tuple[Condition, ...]
    fault: tuple[Condition, ...] = ()
    lamp: tuple[Condition, ...] = ()
    keep: tuple[Condition, ...] = ()
    closing_code: int = 0x1C
    trip: modbus.Act | None = None
    close: modbus.Act | None = None
    release: modbus.Act | None = None
    settle_s: float = 10.0
    error_bytes: int = 2
    valve_kind: int = 0x10

    @property
    def is_valve(self) -> bool:
        return self.kind == "valve"

    @property
    def has_button(self) -> bool:
        """Closing it can be permitted, and a person presses the meter's button (R6)."""
        return self.kind == "dlt645"

    def seen(self, values: Values) -> Seen | None:
        """The state that a status row's values tell; None where the meter said that it has none."""
        if not any(values.get(each.key) is not None for each in (*self.on, *self.off)):
            return None
        supply: Literal["on", "off", "fault", "unknown"] = "unknown"
        for name, conditions in (("fault", self.fault), ("off", self.off), ("on", self.on)):
            if _all(conditions, values):
                supply = name  # type: ignore[assignment]
                break
        word = values.get("status_word_3")
        return Seen(supply, _all(self.lamp, values), _all(self.keep, values), None if word is None else int(word, 16))

    def shifted(self, by: int) -> Relay:
        """The same relay of another circuit, whose registers stand `by` further on."""
        trip, close, release = (
            act and replace(act, start=act.start + by) for act in (self.trip, self.close, self.release)
        )
        return replace(self, trip=trip, close=close, release=release)

    def frame(
        self,
        command: str,
        address: str,
        registered: Collection[str],
        password: Password,
        until: datetime | None,
        preamble: int,
    ) -> bytes:
        """The bytes of an order: `trip`, `direct`, `permit`, `alarm` or `alarm-off`, and `release` on Modbus.

        `until` is the meter's local time after which a DL/T 645 order is void. Raises Forbidden (I13), and CodecError
        for an order that this kind of meter does not know.
        """
        if self.kind == "dlt645":
            code = {0x1B: "permit", 0x1C: "direct"}[self.closing_code]
            act = dlt645_orders.relay(code if command == "direct" else command, password, until)
            return dlt645_orders.order(act, address, registered, preamble)
        if self.kind == "valve":
            if command not in VALVE:
                raise CodecError(f"a valve knows no order {command!r}")
            return cjt188.valve(VALVE[command], self.valve_kind, address, registered, preamble=preamble)
        written = {"trip": self.trip, "direct": self.close, "permit": self.close, "release": self.release}.get(command)
        if written is None:
            raise CodecError(f"this meter knows no order {command!r}")
        return modbus.order(written, int(address), {int(each) for each in registered})

    def obeyed(self, reply: bytes) -> None:
        """The meter's answer to an order. Raises Refused with its reason; only the status tells what really moved."""
        if self.kind == "dlt645":
            dlt645.value_of(reply, error_bytes=self.error_bytes)
        elif self.kind == "valve":
            cjt188.value_of(reply)
        else:
            modbus.registers_of(reply)


def _all(conditions: tuple[Condition, ...], values: Values) -> bool:
    return bool(conditions) and all(each.holds(values) for each in conditions)


def relay_of(table: dict[str, Any], coding: dict[str, Any]) -> Relay:
    """The relay that a model's checked `[relay]` and `[coding]` describe."""

    def conditions(name: str) -> tuple[Condition, ...]:
        return tuple(Condition(each["key"], each["is"], each.get("mask", 0xFFFF)) for each in table.get(name, ()))

    def act(name: str) -> modbus.Act | None:
        found = table.get(name)
        return None if found is None else modbus.Act(found["function"], found["start"], tuple(found["values"]))

    return Relay(
        kind=table["kind"],
        row=table.get("row", "status"),
        on=conditions("on"),
        off=conditions("off"),
        fault=conditions("fault"),
        lamp=conditions("lamp"),
        keep=conditions("keep"),
        closing_code=table.get("closing_code", 0x1C),
        trip=act("trip"),
        close=act("close"),
        release=act("release"),
        settle_s=table.get("moves_s") or table.get("settle_s", MOVES_S if table["kind"] == "valve" else 10),
        error_bytes=coding.get("error_bytes", 2),
        valve_kind=int(coding.get("kind", "10"), 16),
    )
