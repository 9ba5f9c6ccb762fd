"""One protocol, one file: pure functions, bytes in, values out; "not yet" is an answer. No port, no clock, no log.

Each protocol answers the same questions for the bus:

    find_reply(request, buffer, final)   the raw reply to `request`, cut from `buffer`, or None for "not yet"
    next_part(request, parts)            the question for the next part of a long answer, None when it is whole
    reply_bytes(request)                 how many bytes the longest plausible reply has
    FRAMING_BITS                         bits on the line per byte
"""

from __future__ import annotations

from types import ModuleType

from edge.codec import cjt188, dlt645, dlt1997, modbus

PROTOCOLS: dict[str, ModuleType] = {
    "dlt645-2007": dlt645,
    "dlt645-1997": dlt1997,
    "cjt188": cjt188,
    "modbus-rtu": modbus,
}
