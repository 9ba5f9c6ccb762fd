"""DL/T 645-1997: the frame of 2007 with identifiers of two bytes and functions of its own. Read only.

    [FE ...] 68 A0 A1 A2 A3 A4 A5 68 C L DATA(L bytes) CS 16      DATA: DI0 DI1, value; each byte + 33H

There is no wildcard AA; some meters answer a read that is sent to 99...99. The master reads with 01H, asks for further
data with 02H (A2H and 82H answer), and error replies are C1H with one byte whose bits are those of 2007.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.codec import dlt645
from edge.codec.dlt645 import FRAMING_BITS, LARGEST_REPLY, Frame, begun, decode, encode, spoiled, take_raw
from edge.codec.errors import CodecError, Refused
from edge.codec.finding import find

__all__ = ["FRAMING_BITS", "begun", "find_reply", "identifier_of", "read", "reply_bytes", "spoiled", "value_of"]

READ, READ_ON, WRITE = 0x01, 0x02, 0x04
EVERYBODY = "9" * 12


def identifier_of(frame: Frame) -> str | None:
    """DI1 DI0 as four hex digits, where the frame carries one."""
    carries = frame.function in (READ, READ_ON, WRITE) and not frame.abnormal and len(frame.data) >= 2
    return frame.data[1::-1].hex().upper() if carries else None


def read(address: str, identifier: str, preamble: int = 4) -> bytes:
    """The request that reads one identifier, such as `9010`."""
    return encode(Frame(address, READ, bytes.fromhex(identifier)[::-1]), preamble)


def answers(request: Frame, reply: Frame) -> bool:
    """True when `reply` can be the answer to `request`."""
    if not reply.is_reply or request.is_reply or reply.function != request.function:
        return False
    if request.address not in (EVERYBODY, reply.address):
        return False
    return reply.abnormal or identifier_of(reply) == identifier_of(request)


def find_reply(request: bytes, buffer: bytearray, final: bool = False) -> bytes | None:
    """The raw reply to `request` if `buffer` holds it; frames that answer something else are dropped."""
    return find(decode(request), buffer, final, take_raw, decode, answers)


def next_part(request: bytes, parts: Sequence[bytes]) -> bytes | None:
    """None: an answer has one part."""
    return None


def reply_bytes(request: bytes) -> int:
    return LARGEST_REPLY


def value_of(reply: bytes) -> bytes:
    """The bytes behind the identifier of a read's reply. Raises Refused with the meter's reason."""
    frame = decode(reply)
    if frame.abnormal:
        raise Refused(dlt645.error_sentence(frame.function, frame.data))
    if frame.follows:
        raise CodecError("the answer has more parts than this question can take")
    return frame.data[2:]
