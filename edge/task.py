"""One thing that is being done at a meter: to trip it, to close it, to set its lamp."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Task:
    """What is being done about one relay or lamp: `wish` is trip, close or lamp."""

    wish: str
    busy: bool = False
    attempts: int = 0
    not_before: float = 0.0
    until: float = 0.0
    """Until then it may be on its way."""
    look_at: float | None = None
    step: str | None = None
    alarmed: bool = False
    missing: list[str] = field(default_factory=list)
    command: str = ""
    """The newest order of it, such as `direct` or `permit` of a close, the number that its port knows it by, and the
    entry that says why it left."""
    number: int | None = None
    reason: int | None = None
    obeyed: int = 0
    """How often the meter said yes."""
