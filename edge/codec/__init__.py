"""One protocol, one file: pure functions, bytes in, values out; "not yet" is an answer. No port, no clock, no log.

Each protocol answers the same questions for the bus:

    find_reply(request, buffer, final)   the raw reply to `request`, cut from `buffer`, or None for "not yet"
    next_part(request, parts)            the question for the next part of a long answer, None when it is whole
    spoiled(request, buffer)             a whole answer has come and is damaged: more waiting is in vain
    begun(request, heard)                some bytes of its answer have come: whoever was asked speaks
    reply_bytes(request)                 how many bytes the longest plausible reply has
    FRAMING_BITS                         bits on the line per byte
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

_FILES = {
    "dlt645-2007": "edge.codec.dlt645",
    "dlt645-1997": "edge.codec.dlt1997",
    "cjt188": "edge.codec.cjt188",
    "modbus-rtu": "edge.codec.modbus",
}


_loaded = cache(import_module)
"""Asked for at every exchange."""


class _Protocols(Mapping[str, ModuleType]):
    """Protocols by name, each loaded when a line first speaks it: pymodbus alone takes 10 MB of a small computer."""

    def __getitem__(self, name: str) -> ModuleType:
        return _loaded(_FILES[name])

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)


PROTOCOLS: Mapping[str, ModuleType] = _Protocols()
