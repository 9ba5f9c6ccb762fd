"""What an explained frame is: fields for programs, and its bytes in order with words for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KEYS = (
    "protocol", "valid", "preamble", "address", "control", "length", "response", "abnormal", "follow",
    "function", "data", "di", "value", "unit", "error",
)  # fmt: skip
"""Keys that every explanation has, null where a protocol or frame has no such thing; others may follow."""


@dataclass(frozen=True)
class Piece:
    """Bytes that belong together, and what they say."""

    raw: bytes
    words: str


@dataclass
class Explanation:
    """One frame. `fields` as in KEYS and more; `pieces` cover its bytes without a gap."""

    fields: dict[str, Any]
    pieces: list[Piece] = field(default_factory=list)

    @classmethod
    def invalid(cls, protocol: str, raw: bytes, reason: str, words: str) -> Explanation:
        """Bytes that are not a frame: `reason` in a word for programs, `words` as a sentence for people."""
        fields = {**dict.fromkeys(KEYS), "protocol": protocol, "valid": False, "reason": reason, "error": words}
        return cls(fields, [Piece(raw, words)])

    def over(self, fields: dict[str, Any]) -> Explanation:
        """The same with fields that were found elsewhere, where it has none of its own."""
        own = {key: value for key, value in self.fields.items() if value is not None}
        return Explanation({**self.fields, **fields, **own}, self.pieces)

    @property
    def valid(self) -> bool:
        return bool(self.fields["valid"])


def preamble_of(raw: bytes) -> int:
    """How many wake-up bytes FEH stand in front."""
    return len(raw) - len(raw.lstrip(b"\xfe"))


def common(protocol: str, raw: bytes, **found: Any) -> dict[str, Any]:
    """The fields of a good frame, absent ones null."""
    return {**dict.fromkeys(KEYS), "protocol": protocol, "valid": True, "preamble": preamble_of(raw), **found}
