"""What a line does to bytes: noise, and flipped bits; the same dice give the same accidents.

DL/T 645 guards a frame with a one-byte sum: of two flipped bits one pair in 29 passes it. `sly` flips such pairs only.
"""

from __future__ import annotations

from random import Random

from .faults import SLY

TRIES = 2000
"""One pair in 29 fits, so this many tries miss only where hardly a pair exists."""

START, PLACE_OF_SECOND_START, FIRST_DATA = 0x68, 7, 10


def disturb(reply: bytes, dice: Random) -> bytes:
    """One accident of the line: a byte flipped, lost or added, rubbish before the reply, or its end cut off."""
    spot = int(dice.random() * len(reply))
    byte = int(dice.random() * 256)
    accident = int(dice.random() * 5)
    if accident == 0:
        return reply[:spot] + bytes((reply[spot] ^ (byte or 0x10),)) + reply[spot + 1 :]
    if accident == 1:
        return reply[:spot] + reply[spot + 1 :]
    if accident == 2:
        return reply[:spot] + bytes((byte,)) + reply[spot:]
    if accident == 3:
        return bytes(int(dice.random() * 256) for _ in range(1 + byte % 5)) + reply
    return reply[:spot]


def flip(reply: bytes, how: str, dice: Random) -> bytes:
    """A reply with flipped bits: `how` is a number of bits, a chance for each bit, or `sly`."""
    if how == SLY:
        return flip_slyly(reply, dice)
    bits = range(8 * len(reply))
    if how.isdigit():
        return _flipped(reply, dice.sample(bits, min(int(how), len(bits))))
    return _flipped(reply, [bit for bit in bits if dice.random() < float(how)])


def flip_slyly(reply: bytes, dice: Random) -> bytes:
    """Two bits flipped behind the length byte so that the sum still fits; two of any kind in another protocol's frame.

    A frame without DATA has no such pair but those that turn its sum, and is left as it is.
    """
    lead = len(reply) - len(reply.lstrip(b"\xfe"))
    body = reply[lead:]
    if len(body) <= PLACE_OF_SECOND_START or body[0] != START or body[PLACE_OF_SECOND_START] != START:
        return flip(reply, "2", dice)
    bits = range(8 * (lead + FIRST_DATA), 8 * (len(reply) - 1))
    for _ in range(TRIES):
        damaged = _flipped(reply, dice.sample(bits, 2))
        if _sum_fits(damaged[lead:]):
            return damaged
    return reply


def _sum_fits(body: bytes) -> bool:
    return sum(body[:-2]) & 0xFF == body[-2]


def _flipped(reply: bytes, bits: list[int] | tuple[int, ...]) -> bytes:
    damaged = bytearray(reply)
    for bit in bits:
        damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)
