"""Whether a reply is a refusal, by the one bit that says so: D6 of a control byte, D7 of a Modbus function."""

from __future__ import annotations

_BIT = {
    "dlt645-2007": (8, 0x40),  # DL/T 645-2007 §5.2.4: D6 of C, the slave answers abnormally.
    "dlt645-1997": (8, 0x40),
    "cjt188": (9, 0x40),  # Behind 68H, the meter's kind and seven bytes of address.
    "modbus-rtu": (1, 0x80),  # Modbus Application Protocol §7.
}


def is_refusal(protocol: str, reply: bytes) -> bool:
    """True for a meter's no. `reply` is a raw reply without wake-up bytes, as `find_reply` cuts it."""
    place, bit = _BIT[protocol]
    return len(reply) > place and bool(reply[place] & bit)
