"""Each published frame with the question that leads to it and with the ears that must hear it: all four protocols.

A `Vector` is a frame that is right, a damaged one, or a stream of several; what it holds stands in `frames`, in order
and without wake-up bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU

from edge.codec import PROTOCOLS, cjt188, dlt645, modbus
from firmware_sim import wire
from tests.edge.published import Sample, samples

Ear = Callable[[bytearray, bool], bytes | None]

CLIENT, SERVER = FramerRTU(DecodePDU(is_server=False)), FramerRTU(DecodePDU(is_server=True))


@dataclass(frozen=True)
class Vector:
    """`question` is the request that `sample` answers; a request's own bytes where it is one itself."""

    protocol: str
    sample: Sample
    frames: tuple[bytes, ...]
    question: bytes
    ears: tuple[Ear, ...]

    def __str__(self) -> str:
        return self.sample.id

    @property
    def raw(self) -> bytes:
        return self.sample.raw

    @property
    def valid(self) -> bool:
        return bool(self.sample.expect.get("valid"))

    @property
    def is_reply(self) -> bool:
        return self.valid and self.sample.direction == "response"

    @property
    def preamble(self) -> int:
        return int(self.sample.expect.get("preamble", 0))

    @property
    def start(self) -> bytes:
        """The byte with which such a frame begins: 68H, or for Modbus the slave's number."""
        return self.frames[0][:1] if self.frames else b"\x68"

    def again(self) -> bytes:
        """The frame decoded and written anew."""
        if self.protocol == "cjt188":
            return cjt188.encode(cjt188.decode(self.raw), self.preamble)
        if self.protocol != "modbus-rtu":
            return dlt645.encode(dlt645.decode(self.raw), self.preamble)
        _, pdu = (CLIENT if self.is_reply else SERVER).handleFrame(self.raw, 0, 0)
        assert pdu is not None, "a foreign reader takes it"
        body = bytes([pdu.dev_id, pdu.function_code]) + pdu.encode()
        return body + modbus.crc(body)


def _modbus_question(each: Sample) -> bytes:
    expect = each.expect
    if each.direction == "request" or not expect["valid"]:
        return each.raw if expect["valid"] else modbus.read(each.raw[0], each.raw[1], 0, 2)
    slave, function = expect["slave"], int(expect.get("exception_of", expect["function"]), 16)
    if function == 0x10:
        act = modbus.registers(int(expect.get("start", "0"), 16), [0] * expect.get("count", 1))
        return modbus.order(act, slave, {slave})
    return modbus.read(slave, function, 0, each.raw[2] // 2 if "exception" not in expect else 2)


def _question(protocol: str, each: Sample) -> bytes:
    """The question that a published reply answers."""
    if protocol == "modbus-rtu":
        return _modbus_question(each)
    if each.direction == "request":
        return each.raw
    if not each.expect.get("valid"):  # Its head is whole; a stream is answered by the first of its frames.
        named = bytes((byte - 0x33) & 0xFF for byte in each.raw[10:14])
        return dlt645.encode(dlt645.Frame(each.raw[6:0:-1].hex(), dlt645.READ, named))
    if protocol == "cjt188":
        meter = cjt188.decode(each.raw)
        return cjt188.encode(cjt188.Frame(meter.kind, meter.address, meter.function, meter.data[:3]))
    reply = dlt645.decode(each.raw)
    if protocol == "dlt645-1997":
        return dlt645.encode(dlt645.Frame(reply.address, reply.function, reply.data[:2]))
    named = reply.data[:4] if reply.identifier and reply.function != dlt645.WRITE else b""
    named += reply.data[-1:] if reply.function == dlt645.READ_ON else b""
    return dlt645.encode(dlt645.Frame(reply.address, reply.function, named))


def _ears(protocol: str, each: Sample, question: bytes) -> tuple[Ear, ...]:
    """Who must hear the frame: the edge's splitter, the simulated meter's, or both."""
    if protocol == "cjt188":
        return (cjt188.take_raw,)
    if protocol != "modbus-rtu":
        return dlt645.take_raw, wire.take_dlt645
    if each.direction == "request":
        return (wire.take_modbus,)
    return (lambda buffer, final: modbus.find_reply(question, buffer, final),)


def _vector(protocol: str, each: Sample) -> Vector:
    if each.expect.get("stream"):
        frames = tuple(bytes.fromhex(text) for text in each.expect["frames"])
    else:
        frames = (each.raw[each.expect.get("preamble", 0) :],) if each.expect["valid"] else ()
    question = _question(protocol, each)
    return Vector(protocol, each, frames, question, _ears(protocol, each, question))


VECTORS = [_vector(protocol, each) for protocol in PROTOCOLS for each in samples(protocol)]
