"""Reading a site file: all mistakes are told at once, each with its line and path; a file with one is not used.

How the text is written, what stands in a field, and what the tables say of each other is looked at in one go: a row
with a mistake in it is still known by its id, so that nobody is told of a meter that is missing because its address
is wrong.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.contract import mistakes as complaints
from bridge.contract.escapes import sentence
from bridge.contract.os_words import in_words
from bridge.contract.site import Site
from bridge.contract.site_references import references_of
from bridge.contract.toml_text import line_of, path_at, read

LARGEST_FILE_BYTES = 4_000_000
"""A thousand meters with their accounts have some 300 kB."""

LONGEST_NAME = 40
"""Characters of a setting's name in a sentence; none of ours is as long."""

Tables = dict[str, Any]


class BadSite(ValueError):
    """The site file cannot be used; `mistakes` lists every one of them with its path, `lines` with its line too."""

    def __init__(self, mistakes: list[str], lines: list[int | None] | None = None):
        self.mistakes = mistakes = [sentence(each) for each in mistakes]
        numbers = lines or [None] * len(mistakes)
        told = [f"line {n}: {each}" if n else each for n, each in zip(numbers, mistakes, strict=True)]
        # From the top of the file down, as they are mended.
        order = sorted(range(len(told)), key=lambda i: (numbers[i] is None, numbers[i] or 0))
        self.lines = [told[i] for i in order]
        super().__init__("; ".join(mistakes))


@dataclass
class Sheet:
    """A site file as far as it could be read. `site` is None where there are mistakes."""

    text: str
    tables: Tables
    site: Site | None = None
    found: list[tuple[int | None, str]] = field(default_factory=list)

    def note(self, mistakes: Iterator[tuple[tuple[Any, ...], str]] | list[tuple[tuple[Any, ...], str]]) -> None:
        """Add mistakes, given as (path, words)."""
        for path, words in mistakes:
            self.found.append((line_of(self.text, path) if path else None, f"{self.named(path)}: {words}"))

    def named(self, path: tuple[Any, ...]) -> str:
        """A path as people read it: `meters[3] (a103).address`, counted from one."""
        told = ""
        for number, step in enumerate(path):
            name = str(step)[:LONGEST_NAME]
            told += f"[{step + 1}]" if isinstance(step, int) else f".{name}" if told else name
            if number == 1 and isinstance(step, int) and path[2:] != ("id",) and (id := self._id(path)):
                told += f" ({id})"
        return told

    def _id(self, path: tuple[Any, ...]) -> str | None:
        rows = self.tables.get(path[0])
        row = rows[path[1]] if isinstance(rows, list) and path[1] < len(rows) else None
        id = row.get("id") if isinstance(row, dict) else None
        return id[:32] if isinstance(id, str) and id.isprintable() else None

    def refuse(self) -> BadSite:
        return BadSite([words for _, words in self.found], [line for line, _ in self.found])


def load(path: Path) -> Site:
    """Read and check a site file. Raises BadSite with every mistake found."""
    sheet = look(path)
    if sheet.found or sheet.site is None:
        raise sheet.refuse()
    return sheet.site


def look(path: Path) -> Sheet:
    """Read a site file and note every mistake. Raises BadSite where there is nothing to look at."""
    sheet = Sheet(text := text_of(path), {})
    sheet.tables, wrongly_written = read(text)
    for line, words in wrongly_written:
        at = sheet.named(path_at(text, line))
        sheet.found.append((line, f"{at}: {words}" if at else words))
    if wrongly_written and not sheet.tables:
        return sheet
    try:
        sheet.site = Site.model_validate(sheet.tables)
    except ValidationError as error:
        sheet.note([(each["loc"], complaints.words(each)) for each in error.errors()])
    sheet.note(references_of(sheet.tables))
    return sheet


def references(site: Site) -> list[str]:
    """The mistakes between the tables of a site whose fields are right."""
    sheet = Sheet("", site.model_dump(by_alias=True))
    sheet.note(references_of(sheet.tables))
    return [words for _, words in sheet.found]


def text_of(path: Path) -> str:
    """The text of the file. Raises BadSite in words."""
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise BadSite([f"{path}: cannot be read: it is a directory; name the file in it"])
        if not stat.S_ISREG(about.st_mode):
            raise BadSite([f"{path}: cannot be read: it is no file"])
        if about.st_size > LARGEST_FILE_BYTES:
            raise BadSite(
                [f"{path}: has {about.st_size // 1_000_000} MB; a site file has at most 4. Is it the right one?"]
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadSite([f"{path}: there is no such file"]) from None
    except PermissionError:
        raise BadSite([f"{path}: cannot be read by this user; give it the right with chmod or chown"]) from None
    except OSError as error:
        raise BadSite([f"{path}: cannot be read: {in_words(error)}"]) from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadSite([f"{path}: cannot be read: it is saved as UTF-16; save it as UTF-8"])
    try:
        text = raw.decode("utf-8-sig")  # Windows' editor marks its UTF-8; the mark is no part of the text.
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadSite([f"{path}: cannot be read: line {line} is not UTF-8; save it as UTF-8"]) from None
    if "\x00" in text:
        raise BadSite([f"{path}: cannot be read: it is no text. Is it the right file?"])
    return text.replace("\r\n", "\n")
