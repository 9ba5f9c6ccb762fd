"""What receipt and slip do alike: the entry of an address, the size of paper that this browser chose last."""

from __future__ import annotations

from collections.abc import Callable, Collection

from flask import Response, abort, make_response, request

from panel.guard import need_history
from panel.history import Line
from panel.parts import parts

KEPT_S = 365 * 86_400


def number_of_address(text: str) -> int:
    """A seq from the address; 404 for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        abort(404)
    return int(text)


def entry_of(seq: int, fits: Callable[[Line], bool]) -> Line | None:
    """The entry; None while the archive has not got as far; 404 when it is another one than the paper is for."""
    history = parts().history
    line = history.entry(seq)
    need_history()
    if not fits(line) if line is not None else seq <= history.newest_seq():
        abort(404)
    return line


def size_of(papers: Collection[str], cookie: str, usual: str) -> str:
    """The size that the address or else the browser's memory names."""
    wanted = request.args.get("paper") or request.cookies.get(cookie, "")
    return wanted if wanted in papers else usual


def shown(page: str, papers: Collection[str], cookie: str, size: str) -> Response:
    """The page; a size that was chosen just now is remembered by the browser."""
    answer = make_response(page)
    if request.args.get("paper") in papers:
        answer.set_cookie(cookie, size, max_age=KEPT_S, httponly=True, samesite="Lax")
    return answer
