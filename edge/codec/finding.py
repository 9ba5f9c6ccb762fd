"""The reply to a question among what a line brought: the one search that all protocols with a start byte share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

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
