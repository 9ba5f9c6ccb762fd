"""Identifiers of DL/T 645-2007 that `write` leaves to a command of their own, also where a block holds them.

A byte FF in an identifier stands for every value of that byte: 040004FF holds the address as 04000401 does. Each of
these commands proves what it did, or keeps unseen what must not be seen; a bare write would do neither.
"""

from __future__ import annotations

OWN_WAYS = {
    "04000401": "set-address",
    "04000CFF": "set-password",
    "04000101": "clock --set", "04000102": "clock --set", "0400010C": "clock --set",
    "04000703": "set-speed", "04000704": "set-speed", "04000705": "set-speed",
}  # fmt: skip
"""By identifier: the command. The infrared ports 04000701 and 04000702 are written: 17H reaches only its own port."""


def own_way(identifier: str) -> str | None:
    """The command that an identifier, or a part of the block it stands for, is left to; None where it is written."""
    asked = _bytes(identifier)
    for own, command in OWN_WAYS.items():
        if all(one == other or "FF" in (one, other) for one, other in zip(asked, _bytes(own), strict=True)):
            return command
    return None


def _bytes(identifier: str) -> list[str]:
    return [identifier[at : at + 2].upper() for at in range(0, 8, 2)]
