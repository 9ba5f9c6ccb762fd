"""The checker's own reader of a Modbus line: Acrel's DTSY1352 by its maker's register list, and nothing of the edge.

read   slave 03 start(2) count(2) CRC     reply  slave 03 bytes words… CRC
order  slave 10 0057H 2 4 1 trip|close CRC
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from firmware_sim.modbus import crc
from tests.bench.policy_judge import DIRECT, ENERGY, NUMBER, OPEN, STATUS, TRIP

READS, WRITES = 0x03, 0x10
FORCED, FORCED_TRIP = 0x57, 0x58
ITEMS = {ENERGY: range(0x02), NUMBER: range(0x43, 0x46), STATUS: range(FORCED, FORCED_TRIP + 1)}
ORDERS = {(1, 1): TRIP, (1, 0): DIRECT}


@dataclass(frozen=True)
class Question:
    """A whole frame to a slave. `order` is what it does to the relay, as DL/T 645 calls it; -1 for another write."""

    slave: int
    function: int
    start: int
    count: int
    order: int | None


@lru_cache(maxsize=1024)
def question(frame: bytes) -> Question | None:
    """None for what is no whole frame."""
    if len(frame) < 8 or crc(frame[:-2]) != frame[-2:]:
        return None
    slave, function, start, count = struct.unpack(">BBHH", frame[:6])
    order = None
    if function == WRITES:
        values = struct.unpack(f">{count}H", frame[7:-2]) if len(frame) == 9 + 2 * count else ()
        order = ORDERS.get(values, -1) if start == FORCED else -1
    elif function != READS:
        order = -1
    return Question(slave, function, start, count, order)


def told(asked: Question, heard: bytes) -> dict[str, int]:
    """What an answer tells of the three things that matter; nothing where it is damaged or of another meter. Its status
    is told as the word of a DL/T 645 meter."""
    length = 5 + 2 * asked.count
    begin = heard.find(bytes((asked.slave, READS, 2 * asked.count)))
    reply = heard[begin : begin + length]
    if begin < 0 or len(reply) < length or crc(reply[:-2]) != reply[-2:] or asked.function != READS:
        return {}
    words = dict(enumerate(struct.unpack(f">{asked.count}H", reply[3:-2]), asked.start))
    found = {item: 0 for item, places in ITEMS.items() if all(place in words for place in places)}
    if STATUS in found:
        found[STATUS] = OPEN if words[FORCED] == 1 and words[FORCED_TRIP] == 1 else 0
    return found
