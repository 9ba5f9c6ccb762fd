"""What a codec may say about bytes it does not like; `retry` tells whether asking again can help."""

from __future__ import annotations


class CodecError(Exception):
    """The bytes or the question are not usable."""

    retry = False


class Refused(CodecError):
    """The meter answered that it will not; asking the same again will not help."""


class BadValue(CodecError):
    """The frame is right and its contents are not; a second read will likely differ."""

    retry = True


class Forbidden(CodecError):
    """A write or control frame that may not exist (I13): wildcard, broadcast or unregistered address."""
