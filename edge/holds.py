"""What keeps a supply off, or a meter from being switched: each hold with who set it, and why (R5)."""

from __future__ import annotations

from dataclasses import dataclass

LOCKOUT = "lockout"
"""The hold of who works at the wires behind a meter."""


@dataclass(frozen=True)
class Hold:
    """A reason to keep a relay open, and who set it (R5)."""

    kind: str
    why: str
    by: str
    since: int
    seq: int
    off: bool = True
    """False of a lock that was set while supply stood on: it blocks and switches nothing."""
