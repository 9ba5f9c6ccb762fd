"""A request is words plus a seal: HMAC-SHA256 over topic, NUL and the exact text (R7, I12).

    {"signed": "<the request as JSON text>", "key": "panel", "mac": "<64 hex digits>"}

The text travels as text, so both sides hash the same bytes and no two JSON writers need to agree.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from typing import Any

LARGEST_BODY_BYTES = 16_384
"""A request is a few hundred bytes; what is larger is refused before it is parsed."""

DEEPEST_JSON = 8


class BadEnvelope(ValueError):
    """The message is not a request that can be read; sending the same bytes again cannot help."""


class BadSeal(BadEnvelope):
    """The message is a request, but its seal is wrong or its key unknown: it was not made by a known writer."""


def seal(topic: str, text: str, secret: bytes) -> str:
    """The seal of `text` under `topic`, as 64 hex digits."""
    return hmac.new(secret, topic.encode() + b"\0" + text.encode(), hashlib.sha256).hexdigest()


def envelope(topic: str, body: dict[str, Any], key: str, secret: bytes) -> bytes:
    """A signed request, ready to publish on `topic`."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return json.dumps({"signed": text, "key": key, "mac": seal(topic, text, secret)}, ensure_ascii=False).encode()


def open_envelope(topic: str, payload: bytes, secrets: dict[str, bytes]) -> tuple[dict[str, Any], str, str]:
    """Return (the request, the key's name, the signed text) of a message that came on `topic`.

    Raises BadEnvelope for what is not a request and BadSeal for a wrong seal.
    """
    outer = strict_json(payload)
    text, key, mac = outer.get("signed"), outer.get("key"), outer.get("mac")
    if not (isinstance(text, str) and isinstance(key, str) and isinstance(mac, str)):
        raise BadEnvelope('a request reads {"signed": text, "key": name, "mac": hex}')
    secret = secrets.get(key)
    if secret is None or not hmac.compare_digest(seal(topic, text, secret).encode(), mac.encode()):
        raise BadSeal("the seal does not fit: the key is unknown, or the request was changed or made for another topic")
    return strict_json(text.encode()), key, text


def strict_json(payload: bytes) -> dict[str, Any]:
    """Read one JSON object; refuse what the standard reader lets through.

    Raises BadEnvelope for more than 16 KiB, broken UTF-8, deep nesting, NaN and infinities, floats out
    of range, doubled keys, huge integers, and anything that is not an object.
    """
    if len(payload) > LARGEST_BODY_BYTES:
        raise BadEnvelope(f"the message has {len(payload)} bytes; at most {LARGEST_BODY_BYTES} are read")
    try:
        text = payload.decode("utf-8")
        _check_depth(text)
        found = json.loads(
            text, object_pairs_hook=_single_keys, parse_constant=_no_constant, parse_int=_small_int, parse_float=_finite
        )
    except BadEnvelope:
        raise
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadEnvelope(f"the message is not JSON in UTF-8: {error}") from None
    if not isinstance(found, dict):
        raise BadEnvelope("the message is JSON, but not an object")
    try:
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BadEnvelope("the message holds half of a character pair, which no text can keep") from None
    return found


def _check_depth(text: str) -> None:
    depth, inside, escaped = 0, False, False
    for char in text:
        if inside:
            escaped, inside = (char == "\\" and not escaped), (char != '"' or escaped)
        elif char == '"':
            inside = True
        elif char in "[{":
            depth += 1
            if depth > DEEPEST_JSON:
                raise BadEnvelope(f"the message is nested deeper than {DEEPEST_JSON}")
        elif char in "]}":
            depth -= 1


def _single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadEnvelope("a key stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise BadEnvelope(f"{name} is not a number that a request may carry")


def _small_int(digits: str) -> int:
    if len(digits) > 19:
        raise BadEnvelope(f"a number of {len(digits)} digits is not read")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise BadEnvelope(f"{digits[:20]} is too large for a number")
    return number
