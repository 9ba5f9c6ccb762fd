"""A long form whose session has ended while it was filled in: packed into the address of the page after signing in.

A form of a few kilobytes becomes some hundred characters. One that does not fit is lost, as a closed window would be.
"""

from __future__ import annotations

import base64
import json
import zlib

from werkzeug.datastructures import MultiDict

LONGEST = 2_800
"""Characters; an address of four kilobytes is refused by the server, and this one is quoted within another."""

LARGEST = 64 * 1024
"""Bytes when it is unpacked: a form's limit."""

NOT_KEPT = {"csrf_token", "transaction", "do"}


def pack(form: MultiDict[str, str]) -> str | None:
    """Letters, digits, - and _; None where it is too long."""
    pairs = [pair for pair in form.items(multi=True) if pair[0] not in NOT_KEPT]
    text = base64.urlsafe_b64encode(zlib.compress(json.dumps(pairs, ensure_ascii=False).encode(), 9)).rstrip(b"=")
    return text.decode() if len(text) <= LONGEST else None


def unpack(text: str) -> MultiDict[str, str] | None:
    """The form again; None for what is none. Whoever made it up has typed it: it is judged like any other."""
    try:
        raw = base64.b64decode(text[:LONGEST] + "=" * (-len(text) % 4), b"-_", validate=True)
        pairs = json.loads(zlib.decompressobj().decompress(raw, LARGEST))
        return MultiDict([(str(name), str(value)) for name, value in pairs])
    except (ValueError, TypeError, zlib.error, RecursionError):
        return None
