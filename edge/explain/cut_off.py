"""A DL/T 645 or CJ/T 188 frame that was cut off, explained as far as it goes, and what is missing of it in a sentence.

Both have a head of fixed parts whose last byte is the number of DATA bytes, then DATA, a sum and 16H. Nothing of a
frame without its sum is proved, so `valid` stays false whatever it says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.explain.explanation import KEYS, Explanation, Piece, preamble_of


@dataclass(frozen=True)
class Part:
    """A part of a head: how many bytes, what it is called where it is missing, and what its bytes say."""

    size: int
    name: str
    words: Callable[[bytes], str]


Tell = Callable[[bytes, dict[str, Any]], list[tuple[int, str]]]
"""DATA as far as it goes, and fields to fill in: (how many bytes, what they say)."""


def explain_cut(protocol: str, raw: bytes, head: Sequence[Part], tell: Tell) -> Explanation:
    """Explain a frame whose start is right and whose end is not there."""
    body = raw.lstrip(b"\xfe")
    pieces = [Piece(raw[: preamble_of(raw)], "wake-up bytes")] if preamble_of(raw) else []
    found: dict[str, Any] = {}
    missing: list[str] = []
    at = 0
    for part in head:
        piece = body[at : at + part.size]
        at += part.size
        if len(piece) == part.size:
            pieces.append(Piece(piece, part.words(piece)))
            continue
        missing.append(part.name if not piece else f"{part.size - len(piece)} of {part.size} bytes of the {part.name}")
        if piece:
            pieces.append(Piece(piece, f"the beginning of the {part.name}"))
    wanted = at + 2
    if len(body) >= at:
        wanted += body[at - 1]
        missing += _behind(body, at, pieces, tell, found)
    else:
        missing += ["DATA", "sum", "end byte"]
    least = "" if len(body) >= at else "at least "
    words = f"the frame is cut off: {len(body)} bytes, and {least}{wanted} are needed; missing: {', '.join(missing)}"
    words += "; without its sum nothing of it is certain" if "sum" in missing else ""
    pieces.append(Piece(b"", words))
    fields = {**dict.fromkeys(KEYS), "protocol": protocol, "preamble": preamble_of(raw), **found}
    return Explanation(fields | {"valid": False, "reason": "incomplete", "error": words, "missing": missing}, pieces)


def _behind(body: bytes, at: int, pieces: list[Piece], tell: Tell, found: dict[str, Any]) -> list[str]:
    """Tell DATA and sum as far as they are there; what is missing of them."""
    length, data = body[at - 1], body[at : at + body[at - 1]]
    for taken, about in tell(data, found) if data else ():
        pieces.append(Piece(body[at : at + taken], f"DATA: {about}"))
        at += taken
    if len(data) < length:
        return [f"{length - len(data)} of {length} bytes of DATA", "sum", "end byte"]
    if body[at : at + 1]:
        right = sum(body[:at]) & 0xFF
        about = "right" if body[at] == right else f"should be {right:02X}: a bit was damaged"
        pieces.append(Piece(body[at : at + 1], f"sum of all bytes before, modulo 256: {about}"))
        return ["end byte"]
    return ["sum", "end byte"]
