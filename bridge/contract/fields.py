"""Kinds of fields that need no second look: an instant is one, a number fits in 64 bits, a text stands on one line."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from bridge.contract.units import instant_of, is_plain


def _instant(text: str) -> str:
    instant_of(text)
    return text


def _plain(text: str) -> str:
    if not is_plain(text):
        raise ValueError("it holds characters that cannot be shown, such as a line break or NUL")
    return text


Instant = Annotated[str, AfterValidator(_instant)]
"""ISO 8601 with offset."""

Plain = Annotated[str, AfterValidator(_plain)]
"""What a person typed."""

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""An integer that a book, an archive and a reader in another language can hold."""
