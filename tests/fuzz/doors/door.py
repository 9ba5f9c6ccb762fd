"""A door: it makes an input from dice, takes it, and knows what must not have come of it.

`kept.jsonl` holds inputs that once broke something, or that get deep: one JSON object a line, with the input itself in
words that people can read, as `kept` tells it and `again` makes it, so that no change of the dice loses it. Every run
begins with them. Where a new input breaks a promise, the run prints its line: write into `why` what it did, mend the
program, and add the line. `taken` says whether the mended program takes the input for what it says.
"""

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

    def kept(self, given: Input) -> dict[str, Any]:
        """The input in words, for `kept.jsonl`."""
        return {"raw": given.raw.decode("utf-8", "surrogateescape"), **given.about}

    def again(self, words: dict[str, Any]) -> list[Input]:
        """The input that was told so, at the end; before it such as must not be taken where it is."""
        about = {name: each for name, each in words.items() if name != "raw"}
        return [Input(words["raw"].encode("utf-8", "surrogateescape"), about)]

    def try_(self, given: Input) -> bool:
        """True when the input was taken for what it says, False where it was refused."""
        raise NotImplementedError

    def close(self) -> None:
        """Look at all that came of it, and let go."""
