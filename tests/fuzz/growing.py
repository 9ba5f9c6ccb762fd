"""New inputs that get deep: pieces of published frames, joined, damaged, and mostly with a sum or CRC that is right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random

from edge.codec import modbus
from tests.edge.vectors import VECTORS
from tests.fuzz.targets import QUESTIONS, TARGETS

LONGEST = 290
"""Bytes of one input: the longest frame there can be, or several of the usual length."""

PROTOCOL = ("dlt645-2007", "dlt645-1997", "cjt188", "modbus-rtu", "dlt645-2007", "modbus-rtu", "")
"""By target, whose frames lead deep into it."""

FRAMES = [(each.protocol, each.raw, each.question) for each in VECTORS]
BY_TARGET = [[each for each in FRAMES if each[0] == name or not name] for name in PROTOCOL]
assert len(BY_TARGET) == len(TARGETS)


FOUND = Path(__file__).with_name("found.hex")
"""Inputs that once reached code which none before them had reached, or broke a promise: one a line, kept for ever."""


def published() -> list[bytes]:
    """The published frames, one input for each target they belong to, each with its own question."""
    return [
        bytes([number, 7, number_of(protocol, question)]) + raw
        for number, frames in enumerate(BY_TARGET)
        for protocol, raw, question in frames
    ]


def found() -> list[bytes]:
    """What earlier runs have found."""
    return [bytes.fromhex(line) for line in FOUND.read_text(encoding="ascii").split()]


def corpus() -> list[bytes]:
    """What a run begins with."""
    return published() + found()


def keep(inputs: Iterable[bytes]) -> None:
    """Add what was found to what is kept."""
    kept = set(found()) | (set(inputs) - set(published()))
    FOUND.write_text("".join(f"{each.hex()}\n" for each in sorted(kept)), encoding="ascii")


def number_of(protocol: str, question: bytes) -> int:
    """The byte by which an input names its question."""
    return QUESTIONS[protocol].index(question) if question in QUESTIONS[protocol] else 0


def repaired(protocol: str, raw: bytes) -> bytes:
    """A frame after damage, with its end put right."""
    if protocol == "modbus-rtu":
        return raw[:-2] + modbus.crc(raw[:-2])
    body = raw.lstrip(b"\xfe")
    return raw[: len(raw) - len(body)] + body[:-2] + bytes([sum(body[:-2]) & 0xFF, 0x16])


def grown(data: bytes, seed: int) -> bytes:
    """An input made of `data` and of published frames; the same for the same seed."""
    dice = Random(seed)
    number = dice.randrange(len(TARGETS))
    protocol, raw, question = dice.choice(BY_TARGET[number])
    parts = [data[3 : 3 + dice.randrange(40)]] if dice.random() < 0.3 else []
    for _ in range(dice.choice((1, 1, 2, 3))):
        piece = bytearray(raw)
        for _ in range(dice.choice((0, 1, 1, 2, 4))):
            piece[dice.randrange(len(piece))] = dice.choice((0x68, 0x16, 0xFE, 0xFF, 0x33, dice.getrandbits(8)))
        if dice.random() < 0.2:
            at = dice.randrange(len(piece))
            piece[at : at + dice.randrange(3)] = dice.randbytes(dice.randrange(6))
            if protocol != "modbus-rtu" and (start := piece.find(0x68)) >= 0:
                place = start + (10 if protocol == "cjt188" else 9)
                if place < len(piece):
                    piece[place] = max(0, len(piece) - place - 3) & 0xFF
        parts.append(repaired(protocol, bytes(piece)) if dice.random() < 0.8 else bytes(piece))
        if dice.random() < 0.3:
            parts.append(dice.choice((b"\x68", b"\xfe\xfe", question, dice.randbytes(dice.randrange(9)), raw[:-3])))
        if dice.random() < 0.3:
            protocol, raw, question = dice.choice(BY_TARGET[number])
    return (bytes([number, dice.getrandbits(8), number_of(protocol, question)]) + b"".join(parts))[:LONGEST]
