"""Meters that do not speak DL/T 645: CJ/T 188 read and valve, Modbus read and write, with the same care.

A Modbus slave has no number to show: it answers with what stands in the registers before they are written. Its
answer to a write repeats the question, so only reading back tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.by_hand.desk import Desk, NotDone, Stopped
from edge.by_hand.talk import NoAnswer, Talk
from edge.codec import cjt188, modbus
from edge.codec.errors import CodecError
from edge.explain import cjt188 as explain_cjt188
from edge.explain import modbus as explain_modbus
from edge.explain.explanation import Explanation
from edge.model_relay import MOVES_S

VALVE_S = float(MOVES_S)
"""It is looked at until it stands as ordered, or as long as a valve may turn whose model says nothing else."""

SHUTS = "this will close its valve: no water flows"

MOST_REGISTERS = 120


class Water:
    """A water, gas or heat meter."""

    def __init__(self, talk: Talk, desk: Desk, kind: int, address: str):
        self._talk, self._desk, self._kind, self._address = talk, desk, kind, address

    def read(self, identifier: str = cjt188.METERING) -> Explanation:
        """What it answers to an identifier, explained. Raises NotDone, NoAnswer, OSError."""
        (raw, *_) = self._talk.ask(cjt188.read(self._kind, self._address, identifier))
        try:
            cjt188.value_of(raw)
        except CodecError as refusal:
            raise NotDone(str(refusal)) from None
        return explain_cjt188.explain(raw, "cjt188")

    def valve(self, order: str) -> str:
        """`open` or `close` the valve; done when its status says so."""
        if not self._address.isdigit():
            raise Stopped("nothing was sent: an order names its meter by all fourteen digits, not by a wildcard (I13)")
        before = self.read()
        own = str(before.fields["address"])
        self._desk.say(f"meter {own} answers; its valve is {before.fields.get('valve') or 'not told'}")
        self._desk.say("this will open its valve: water flows" if order == "open" else SHUTS)
        self._desk.confirm(own)
        frame = cjt188.valve(order, int(str(before.fields["meter_type"]), 16), self._address, {own})
        try:
            cjt188.value_of(self._talk.ask(frame, tries=1)[0])
        except NoAnswer:
            self._desk.say("the order was not answered; it may have been heard")
        except CodecError as refusal:
            raise NotDone(str(refusal)) from None
        return self._until("open" if order == "open" else "closed")

    def _until(self, wanted: str) -> str:
        over = self._talk.clock.monotonic() + VALVE_S
        while (stands := self.read().fields.get("valve")) != wanted and self._talk.clock.monotonic() < over:
            self._talk.clock.wait(2.0)
        if stands != wanted:
            raise NotDone(f"the valve is {stands or 'not told'} after {VALVE_S:.0f} s")
        return f"read back: the valve is {stands}"


class Slave:
    """A Modbus slave."""

    def __init__(self, talk: Talk, desk: Desk, slave: int):
        self._talk, self._desk, self._slave = talk, desk, slave

    def read(self, function: int, start: int, count: int) -> Explanation:
        """Registers or bits, explained. Raises NotDone, NoAnswer, OSError."""
        (raw, *_) = self._talk.ask(modbus.read(self._slave, function, start, count))
        found = explain_modbus.explain(raw)
        if found.fields["abnormal"]:
            raise NotDone(f"the meter refused: {found.pieces[-2].words}")
        return found

    def write(self, act: modbus.Act) -> str:
        """Write registers or bits, and read them back. Raises Stopped, NotDone, NoAnswer, OSError."""
        if not 1 <= self._slave <= 247:
            raise Stopped("nothing was sent: an order names its slave, 1 to 247; 0 is everybody (I13)")
        now = self._values(act)
        kind = "bits" if act.function in (5, 15) else "registers"
        self._desk.say(f"slave {self._slave} answers; {kind} from {act.start:04X} on are {_shown(now)}")
        self._desk.say(f"this will write {_shown(act.values)} to them")
        self._desk.confirm(str(self._slave))
        try:
            modbus.registers_of(self._talk.ask(modbus.order(act, self._slave, {self._slave}), tries=1)[0])
        except NoAnswer:
            self._desk.say("the order was not answered; it may have been heard")
        except CodecError as refusal:
            raise NotDone(str(refusal)) from None
        after = self._values(act)
        if after != act.values:
            raise NotDone(f"it reads back as {_shown(after)}")
        return f"read back: {_shown(after)}"

    def _values(self, act: modbus.Act) -> tuple[int, ...]:
        """What stands now where an act writes."""
        function = 1 if act.function in (5, 15) else 3
        (raw, *_) = self._talk.ask(modbus.read(self._slave, function, act.start, len(act.values)))
        try:
            if function == 1:
                return tuple(int(bit) for bit in modbus.bits_of(raw)[: len(act.values)])
            words = modbus.registers_of(raw)
        except CodecError as refusal:
            raise NotDone(f"what stands there now cannot be read, so nothing was written: {refusal}") from None
        return tuple(int.from_bytes(words[at : at + 2], "big") for at in range(0, len(words), 2))


def _shown(values: Sequence[int]) -> str:
    return " ".join(f"{value}" if value in (0, 1) else f"{value} ({value:04X})" for value in values)


def lines(found: Explanation) -> list[str]:
    """What an answer says, without the frame around it."""
    return [piece.words.removeprefix("DATA: ") for piece in found.pieces[1:-1] if piece.words != "start"]


def fields(found: Explanation) -> dict[str, Any]:
    return {key: value for key, value in found.fields.items() if value is not None}
