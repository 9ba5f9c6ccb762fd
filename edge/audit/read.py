"""A row as an entry whose hash was proven and whose body was parsed, each once; integers only (I6)."""

from __future__ import annotations

import json
from typing import Any

from edge.audit.lie import Wrong
from edge.audit.opened import Row
from edge.book import Entry

Fields = dict[str, Any]


def _no_float(text: str) -> Any:
    raise Wrong(f"it holds the number {text}", "integers only (I6)")


_scan = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float).scan_once  # type: ignore[attr-defined]


class Read(Entry):
    """An entry whose hash was proven and whose body was parsed, each once."""

    fields: Fields  # type: ignore[assignment,misc]
    computed_hash: str  # type: ignore[assignment,misc]

    def __init__(self, row: Row):
        seq, id, at, boot, mono, trusted, kind, body, prev, digest = row[:10]
        text = body.decode()
        self.__dict__.update(
            seq=seq, id=id.decode(), at=at, boot=boot.decode(), mono_ns=mono, trusted=bool(trusted),
            kind=kind.decode(), body=text, prev_hash=prev.decode(), hash=digest.decode(),
        )  # fmt: skip
        try:
            parsed, end = _scan(text, 0)
        except (ValueError, RecursionError, StopIteration) as error:
            raise Wrong(f"its body is no JSON: {error}", "a JSON object") from None
        if not isinstance(parsed, dict) or end != len(text):
            raise Wrong("its body is not one JSON object", "a JSON object")
        self.__dict__.update(fields=parsed, computed_hash=self.hash)


Read.fields = Read.computed_hash = None  # type: ignore[assignment]
