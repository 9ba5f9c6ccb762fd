"""The reply to a question among what a line brought: the one search that all protocols with a start byte share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

NAMED = 4
"""So many neighbouring bytes of a head are no chance."""

Frame = TypeVar("Frame")


def find(
    asked: Frame,
    buffer: bytearray,
    final: bool,
    take_raw: Callable[[bytearray, bool], bytes | None],
    decode: Callable[[bytes], Frame],
    answers: Callable[[Frame, Frame], bool],
) -> bytes | None:
    """The raw reply to `asked` if `buffer` holds it, else None; frames that answer something else are dropped."""
    while (raw := take_raw(buffer, final)) is not None:
        if answers(asked, decode(raw)):
            return raw
    return None


def speaks(head: bytes, heard: bytes, take_raw: Callable[[bytearray, bool], bytes | None]) -> bool:
    """True when a stretch of `head`, with which the answer begins, was heard, though other bytes be damaged or lost.

    What stands before the end of a whole frame does not count: that was a late answer to something else.
    """
    left = bytearray(heard)
    while take_raw(left, False) is not None:
        heard = bytes(left)  # What follows on that frame, before a next one is looked for.
    return any(head[at : at + NAMED] in heard for at in range(len(head) - NAMED + 1))
