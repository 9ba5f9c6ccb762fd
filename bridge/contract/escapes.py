"""Text from a file or a person as it may stand on a terminal: nothing in it is obeyed, and it fills no screen."""

from __future__ import annotations

LONGEST = 360
"""Characters of a sentence about a mistake; what stands in its middle is then the file's own text."""


def escaped(text: str) -> str:
    r"""The text with control characters and marks that turn it around written as escapes, such as `\x07`."""
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)


def sentence(text: str) -> str:
    """The same of a mistake that repeats what stands in a file: its beginning and its end are what people need."""
    shown = escaped(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 123]} ... {shown[-118:]}"
