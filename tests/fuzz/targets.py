"""What is fuzzed and what must hold for any bytes; no atheris here, so that a failing input can be replayed anywhere.

    input    target, chunk, question, stream ...        the first three bytes choose, the rest is what the line brings

Each target returns how many whole frames it found. AssertionError is a broken promise, any other exception a defect.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from edge import model
from edge.codec import PROTOCOLS, cjt188, dlt645, dlt1997, modbus
from edge.codec.errors import CodecError
from edge.explain.__main__ import EXPLAIN, explain, frames_of, lines_of
from firmware_sim import wire
from tests.edge.vectors import VECTORS, Ear

ZONE = ZoneInfo("Asia/Shanghai")
QUESTIONS = {name: sorted({v.question for v in VECTORS if v.protocol == name and v.is_reply}) for name in PROTOCOLS}
MODELS = [(kind, row) for kind in map(model.load, model.known()) for row in kind.rows]
ROWS = {
    protocol: [(kind, row) for kind, row in MODELS if kind.protocol == protocol]
    for protocol in ("dlt645-2007", "modbus-rtu")
}
Target = Callable[[int, int, bytes], int]


def heard(ear: Ear, pieces: list[bytes]) -> tuple[list[bytes], bytes]:
    """The frames in what comes piece by piece; nothing is invented, no byte is used twice, and the end comes."""
    buffer, found = bytearray(), []
    for final, piece in [*((False, piece) for piece in pieces), (True, b"")]:
        buffer += piece
        while True:
            had = bytes(buffer)
            raw = ear(buffer, final)
            assert had.endswith(bytes(buffer)), "an ear only takes from the front"
            if raw is None:
                break
            assert raw and raw in had and len(buffer) + len(raw) <= len(had), "a frame is cut from what came"
            found.append(raw)
    return found, bytes(buffer)


def both_ways(ear: Ear, chunk: int, stream: bytes) -> list[bytes]:
    """The frames of a stream, which are the same however it is cut into pieces; every fourth one is cut."""
    whole, left = heard(ear, [stream])
    if chunk & 0xC0:
        return whole
    size = 1 + chunk % 31
    pieces, left_of_pieces = heard(ear, [stream[at : at + size] for at in range(0, len(stream), size)])
    assert (pieces, left_of_pieces) == (whole, left), "in pieces as in one"
    return whole


def refuses_or(read: Callable[..., object], *words: object) -> None:
    """Reading gives a value or a CodecError, and nothing else."""
    try:
        read(*words)
    except CodecError:
        return


def asked(protocol: str, number: int) -> bytes:
    questions = QUESTIONS[protocol]
    return questions[number % len(questions)]


def values_of(protocol: str, number: int, raw: bytes) -> None:
    kind, row = ROWS[protocol][number % len(ROWS[protocol])]
    refuses_or(kind.values, row, raw, ZONE)


def waited_for(protocol: str, question: bytes, stream: bytes) -> None:
    """Is somebody speaking, is an answer spoiled: told of any bytes, also where a line brings all of them twice."""
    for bytes_heard in (stream, stream + stream):
        for tell in (PROTOCOLS[protocol].begun, PROTOCOLS[protocol].spoiled):
            assert tell(question, bytes_heard) in (True, False)


def dlt645_2007(chunk: int, number: int, stream: bytes) -> int:
    frames, question = both_ways(dlt645.take_raw, chunk, stream), asked("dlt645-2007", number)
    for raw in frames:
        frame = dlt645.decode(raw)
        assert dlt645.encode(frame, 0) == raw
        refuses_or(dlt645.value_of, raw)
        values_of("dlt645-2007", number, raw)
    heard(lambda buffer, final: dlt645.find_reply(question, buffer, final), [stream])
    waited_for("dlt645-2007", question, stream)
    if frames:
        refuses_or(dlt645.next_part, question, frames)
        refuses_or(dlt645.value_of, *frames)
    refuses_or(dlt645.decode, stream)
    return len(frames)


def dlt645_1997(chunk: int, number: int, stream: bytes) -> int:
    question = asked("dlt645-1997", number)
    found = both_ways(lambda buffer, final: dlt1997.find_reply(question, buffer, final), chunk, stream)
    frames, _ = heard(dlt645.take_raw, [stream])
    assert set(found) <= set(frames)
    waited_for("dlt645-1997", question, stream)
    for raw in frames:
        dlt1997.identifier_of(dlt645.decode(raw))
        refuses_or(dlt1997.value_of, raw)
    return len(frames)


def cjt(chunk: int, number: int, stream: bytes) -> int:
    frames, question = both_ways(cjt188.take_raw, chunk, stream), asked("cjt188", number)
    for raw in frames:
        assert cjt188.encode(cjt188.decode(raw), 0) == raw
        refuses_or(cjt188.value_of, raw)
    heard(lambda buffer, final: cjt188.find_reply(question, buffer, final), [stream])
    waited_for("cjt188", question, stream)
    refuses_or(cjt188.decode, stream)
    return len(frames)


def modbus_reply(chunk: int, number: int, stream: bytes) -> int:
    """A short refusal inside a long answer may be seen first where the answer comes in pieces, so only its being found
    is compared."""
    question = asked("modbus-rtu", number)

    def ear(buffer: bytearray, final: bool) -> bytes | None:
        return modbus.find_reply(question, buffer, final)

    found, _ = heard(ear, [stream])
    waited_for("modbus-rtu", question, stream)
    if chunk & 0xC0:
        return modbus_read(number, found)
    pieces, _ = heard(ear, [stream[at : at + 1 + chunk % 31] for at in range(0, len(stream), 1 + chunk % 31)])
    assert bool(found) == bool(pieces)
    return modbus_read(number, [*found, *(raw for raw in pieces if raw not in found)])


def modbus_read(number: int, frames: list[bytes]) -> int:
    for raw in frames:
        refuses_or(modbus.registers_of, raw)
        refuses_or(modbus.bits_of, raw)
        values_of("modbus-rtu", number, raw)
    return len(frames)


def meters_ear(chunk: int, number: int, stream: bytes) -> int:
    return len(both_ways(wire.take_dlt645, chunk, stream))


def slaves_ear(chunk: int, number: int, stream: bytes) -> int:
    return len(both_ways(wire.take_modbus, chunk, stream))


def explained(chunk: int, number: int, stream: bytes) -> int:
    whole = 0
    for raw in frames_of(stream) if stream else []:
        protocol = sorted(EXPLAIN)[number % len(EXPLAIN)] if chunk % 2 else None
        told = explain(raw, protocol)
        assert b"".join(piece.raw for piece in told.pieces) == raw and lines_of(told)
        assert told.valid or told.fields["reason"], "what is wrong has a name"
        whole += told.valid
    return whole


TARGETS: tuple[Target, ...] = (
    dlt645_2007, dlt645_1997, cjt, modbus_reply, meters_ear, slaves_ear, explained,
)  # fmt: skip


def one(data: bytes) -> tuple[int, int]:
    """(number of the target, whole frames found in it)"""
    if len(data) < 3:
        return 0, 0
    number = data[0] % len(TARGETS)
    return number, TARGETS[number](data[1], data[2], data[3:])
