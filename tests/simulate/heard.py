"""What goes over a gateway's lines, kept for the checker: every order and the status words, of either protocol."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tests.bench.policy_judge import CONTROL, READ, STATUS
from tests.bench.policy_truth import opened
from tests.simulate import modbus_wire
from tests.simulate.memory import Order

if TYPE_CHECKING:
    from tests.simulate.house import House

STATUS_DI = bytes.fromhex(STATUS)[::-1]
WORDS_KEPT = 3
"""The newest may not be taken in yet, and the one before it, if it is another, waits to be confirmed."""


def passed(house: House, line: str, frame: bytes, reply: bytes, mono: float) -> None:
    """A question or order, and what came back."""
    house.events += 1
    house.digest.update(b"%f:%b>%b;" % (mono, frame, reply))
    if line in house.modbus_lines:
        _modbus(house, frame, reply, mono)
        return
    asked, told = opened(frame), opened(reply)
    if asked is None:
        return
    seen = house.judge.meters.get(asked[0])
    if asked[1] != READ:
        code = asked[2][8] if asked[1] == CONTROL and len(asked[2]) > 8 else -1
        _ordered(house, asked[0][::-1].hex(), asked[1], code, mono)
    elif seen is not None and told is not None and told[:2] == (asked[0], 0x91) and told[2][:4] == STATUS_DI:
        _status(house, seen.meter.id, int.from_bytes(told[2][4:6], "little"))


def _modbus(house: House, frame: bytes, reply: bytes, mono: float) -> None:
    """The same in the words of DL/T 645; also what goes to a slave that is not installed, or to all of them."""
    asked, seen = modbus_wire.question(frame), house.judge.meters.get(frame[:1])
    if asked is None:
        return
    if asked.order is not None:
        to = f"slave {asked.slave}" if seen is None else seen.meter.address
        _ordered(house, to, CONTROL, asked.order, mono)
    elif seen is not None and STATUS in (told := modbus_wire.told(asked, reply)):
        _status(house, seen.meter.id, told[STATUS])


def _ordered(house: House, address: str, control: int, code: int, mono: float) -> None:
    book = house.edge.core.book
    trouble = house.weather.disk is not None or house.edge.core.cannot_write is not None
    house.memory.orders.append(Order(mono, book.boot, address, control, code, trouble, book.seq))
    house.say(f"order {control:02X}/{code & 0xFF:02X} to {address}")


def _status(house: House, meter: str, word: int) -> None:
    house.ear.status_words.setdefault(meter, deque(maxlen=WORDS_KEPT)).append(word)
