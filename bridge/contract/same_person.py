"""One person or two (R32): the edge refuses by it, and the panel says it before anybody presses the button."""

from __future__ import annotations

import unicodedata


def same_person(one: str, other: str) -> bool:
    """True for one name however it was typed: capitals, full-width letters and spaces make no second person."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
