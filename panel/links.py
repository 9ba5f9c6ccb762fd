"""Every address is relative, so the panel works under any prefix: a port, a proxy's path, Home Assistant's ingress.

A relative address depends on how deep the page lies. A fragment that refreshes a page lies as deep as the page, since
the browser resolves the fragment's addresses against the page's.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

_NEXT = re.compile(r"[a-z]+(?:[-/][A-Za-z0-9_-]+)*(?:\?[A-Za-z0-9_=&%.-]*)?\Z")


def up() -> str:
    """The way from this page to the panel's root: ``, `../`, ..."""
    return "../" * (request.path.count("/") - 1)


def link(endpoint: str, **values: object) -> str:
    """The relative address of a page."""
    path = url_for(endpoint, **values)  # type: ignore[arg-type]
    return (up() + path[len(request.script_root) :].lstrip("/")) or "./"


def asset(name: str) -> str:
    """The relative address of a static file, with its checksum, so that a new version is fetched at once."""
    return link("static", filename=name, v=_checksum(name))


@cache
def _checksum(name: str) -> str:
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]


def go(endpoint: str, **values: object) -> Response:
    """See Other: after a form, the browser gets a page that can be reloaded."""
    return redirect(link(endpoint, **values), 303)


def here() -> str:
    """This page as a `next` argument: its path and question below the panel's root."""
    question = request.query_string.decode("ascii", "ignore")
    return request.path.lstrip("/") + (f"?{question}" if question else "")


def safe_next(wanted: str | None) -> str | None:
    """The relative address of a page somebody wanted before signing in; None when it is not one of ours."""
    return up() + wanted if wanted and _NEXT.match(wanted) else None
