"""A door: it makes an input from dice, takes it, and knows what must not have come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True)
class Input:
    """What is tried. `raw` is what arrives; `about` is what the door needs to judge it and to tell of it."""

    raw: bytes
    about: dict[str, Any] = field(default_factory=dict)


class Door:
    """AssertionError is a broken promise, any other exception a crash."""

    name: str

    def make(self, dice: Random) -> Input:
        raise NotImplementedError

    def try_(self, given: Input) -> bool:
        """True when the input was taken for what it says, False where it was refused."""
        raise NotImplementedError

    def close(self) -> None:
        """Look at all that came of it, and let go."""
