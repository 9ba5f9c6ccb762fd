"""A Modbus meter by its model's file: rows read by name, all of them surveyed, and its relay moved where it has one.

An order goes the way of all orders: the meter answers first, the person confirms, the codec's one door builds the frame
for the address that answered (I13), it is said once, and only the status row read back calls it done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from edge import model as models
from edge.by_hand.desk import Desk, NotDone, Stopped
from edge.by_hand.reading import SILENT_AT_MOST
from edge.by_hand.talk import NoAnswer, Talk
from edge.codec.dlt645_orders import Password
from edge.codec.errors import CodecError
from edge.model import Model, Values, unit_of

OFF = ("trip", "off", "cut the supply behind this meter: its relay opens")
ON = ("direct", "on", "close the relay: the supply comes back at once")

MOVES = {
    "off": OFF,
    "on": ON,
    "trip": OFF,
    "close": ON,
    "release": ("release", "unknown", "take back what was forced: the meter decides by itself from now on"),
}
"""By command: the model's word, what the status must say afterwards, and what the person is told."""


@dataclass(frozen=True)
class Told:
    """What became of a row: its values, or why there are none."""

    row: str
    values: Values
    refused: str | None = None

    def lines(self) -> list[str]:
        """For people."""
        if self.refused is not None:
            return [f"{self.row}: {self.refused}"]
        if not self.values:
            return [f"{self.row}: not available"]
        return [f"{self.row}: {', '.join(shown(key, value) for key, value in self.values.items())}"]

    def fields(self) -> dict[str, Any]:
        """For programs."""
        values = {key: v if isinstance(v, (int, float, str)) else str(v) for key, v in self.values.items()}
        return {"name": self.row, "values": values, "refused": self.refused}


def shown(key: str, value: object) -> str:
    """A value with its unit, as a plate or a bill writes it: Wh and litres in thousands, without rounding."""
    unit = unit_of(key) if "_" in key else ""
    name = key if key.startswith("amps") or not unit else key.rpartition("_")[0]
    if key.endswith(("_wh", "_l")) and isinstance(value, int):
        sign, much = "-" if value < 0 else "", abs(value)
        return f"{name.replace('_', ' ')} {sign}{much // 1000}.{much % 1000:03d} {'kWh' if unit == 'Wh' else 'm3'}"
    return f"{name.replace('_', ' ')} {value} {unit}".rstrip()


def model_of(model_id: str, circuit: int | None, listing: bool = False) -> Model:
    """The Modbus model that was named, at its circuit; to list its rows none is needed. Raises Stopped."""
    try:
        found = models.load(model_id)
    except models.UnknownModel:
        ids = [each for each in models.known() if models.load(each).protocol == "modbus-rtu"]
        raise Stopped(
            f"nothing was sent: there is no model {model_id[:40]!r}; of Modbus there are {', '.join(ids)}"
        ) from None
    if found.protocol != "modbus-rtu":
        raise Stopped(
            f"nothing was sent: {model_id} is a meter of {found.protocol}; --model is for Modbus, the others are read "
            "by the names of their protocol, see `list`"
        )
    box = found.circuits
    if box is None and circuit is not None:
        raise Stopped(f"nothing was sent: {model_id} has no circuits; leave out --circuit")
    if box is not None and not (listing and circuit is None) and not 1 <= (circuit or 0) <= box.most:
        raise Stopped(f"nothing was sent: {model_id} is a box; name the circuit with --circuit 1 to {box.most}")
    return found.at_circuit(circuit)


class Modelled:
    """A meter at an address, read and moved as its model's file says."""

    def __init__(self, talk: Talk, desk: Desk, kind: Model, address: str, zone: ZoneInfo, circuit: int | None = None):
        self._talk, self._desk, self._kind, self._zone = talk, desk, kind, zone
        self._address, self._circuit = str(int(address)), circuit
        talk.manner = kind.manner

    def read(self, names: list[str], tell: Callable[[Told], None]) -> list[Told]:
        """Rows by name, one question each. Raises Stopped for a name that is no row, NoAnswer, OSError."""
        unknown = [name for name in names if name not in self._kind.rows]
        if unknown:
            rows = ", ".join(self._kind.rows)
            raise Stopped(f"nothing was sent: {self._kind.id} has no row {unknown[0][:40]!r}; it has {rows}")
        found: list[Told] = []
        silent = SILENT_AT_MOST
        for name in names:
            try:
                told, silent = self._row(name), 0
            except NoAnswer as trouble:
                silent += 1
                if silent > SILENT_AT_MOST:
                    raise
                told = Told(name, {}, f"no answer ({trouble.short})")
            tell(told)
            found.append(told)
        return found

    def _row(self, name: str) -> Told:
        question = self._kind.plan([name], self._talk.line.baud)[0]
        values = question.values(self._talk.ask(question.frame(self._address)), self._zone)[name]
        return Told(name, {}, str(values)) if isinstance(values, CodecError) else Told(name, values)

    def move(self, command: str) -> str:
        """Switch its relay off or on, or release it. Raises Stopped, NotDone, NoAnswer, OSError."""
        word, wanted, says = MOVES[command]
        relay = self._kind.relay
        if relay is None:
            raise Stopped(f"nothing was sent: {self._kind.id} has no relay in its model's file")
        before, own = self._supply()
        at = f", circuit {self._circuit}," if self._circuit else ""
        self._desk.say(f"slave {own}{at} answers; its number is {self._number()}; its supply is {before}")
        self._desk.say(f"this will {says}")
        self._desk.confirm(self._address, self._circuit)
        try:
            frame = self._kind.order(word, self._address, {own}, Password(), None)
        except CodecError as trouble:
            raise Stopped(f"nothing was sent: {trouble}") from None
        lost = ""
        try:
            relay.obeyed(self._talk.ask(frame, tries=1)[0])
        except NoAnswer:
            lost = "the order was not answered; it may have been heard, and "  # The status tells.
        except CodecError as refusal:
            raise NotDone(f"{refusal}; nothing was changed, says the meter") from None
        stands = self._until(wanted, relay.settle_s)
        if stands != wanted:
            raise NotDone(f"{lost}the supply is {stands} after {relay.settle_s:.0f} s")
        return f"read back: the supply is {stands}" if wanted != "unknown" else "read back: nothing is forced any more"

    def _supply(self) -> tuple[str, str]:
        """(on, off, fault or unknown by its status, the address that said so). Raises NotDone, NoAnswer, OSError."""
        relay = self._kind.relay
        assert relay is not None
        question = self._kind.plan([relay.row], self._talk.line.baud)[0]
        parts = self._talk.ask(question.frame(self._address))
        values = question.values(parts, self._zone)[relay.row]
        seen = None if isinstance(values, CodecError) else relay.seen(values)
        if seen is None:
            why = f": {values}" if isinstance(values, CodecError) else ""
            raise NotDone(f"how its relay stands cannot be read, so nothing more is sent{why}")
        return seen.supply, str(parts[0][0])

    def _number(self) -> str:
        told = self._row("serial") if "serial" in self._kind.rows else None
        return str(told.values.get("serial", "not told")) if told else "not told"

    def _until(self, wanted: str, patience_s: float) -> str:
        over = self._talk.clock.monotonic() + patience_s
        while (stands := self._supply()[0]) != wanted and self._talk.clock.monotonic() < over:
            self._talk.clock.wait(0.5)
        return stands
