"""A form as a browser would send it: every field with what stands in it, and what somebody types over it."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from panel_stage import Visitor
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse


class Form(HTMLParser):
    """The fields of the form with this id, or of the first one that has `data-once` or an id."""

    def __init__(self, page: str):
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self._inside = False
        self._select: list[str] | None = None
        self._text: list[str] | None = None
        self.feed(page[page.index('<main id="main">') :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name, value = said.get("name") or "", said.get("value") or ""
        if tag == "form":
            self._inside = "id" in said or "data-once" in said
        elif not self._inside:
            return
        elif tag == "input" and name:
            if said.get("type") not in ("radio", "checkbox") or "checked" in said:
                self.pairs.append((name, value))
        elif tag == "select":
            self._select = [name]
        elif tag == "option" and self._select is not None and ("selected" in said or len(self._select) == 1):
            self._select[1:] = [value]
        elif tag == "textarea":
            self._text = [name, ""]

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text[1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select is not None:
            self.pairs.append((self._select[0], "".join(self._select[1:])))
            self._select = None
        elif tag == "textarea" and self._text is not None:
            self.pairs.append((self._text[0], self._text[1].lstrip("\n")))
            self._text = None
        elif tag == "form":
            self._inside = False


def typed(page: str, **changes: Any) -> MultiDict[str, str]:
    """What stands in the form, with changes: a text for a field, a list for the rows of one, None for an unticked box.
    Two underscores in a name are its hyphen."""
    form: MultiDict[str, str] = MultiDict(Form(page).pairs)
    for key, value in changes.items():
        name = key.replace("__", "-").removesuffix("_")
        if value is None:
            form.poplist(name)
        else:
            form.setlist(name, value if isinstance(value, list) else [value])
    return form


def send(visitor: Visitor, path: str, form: MultiDict[str, str], do: str) -> TestResponse:
    """Press the button `do`."""
    return visitor.client.post(path, data=MultiDict([*form.items(multi=True), ("do", do)]))


def mistakes(page: str) -> dict[str, str]:
    """The sentences beside fields, by the field's id."""
    found = re.findall(r'role="alert" id="([\w-]+)-mistake">.*?<span>(.*?)</span>', page, re.S)
    return {name: unescape(words) for name, words in found}
