"""Text from a file or a person as it may stand on a terminal: nothing in it is obeyed."""

from __future__ import annotations


def escaped(text: str) -> str:
    r"""The text with control characters and marks that turn it around written as escapes, such as `\x07`."""
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)
