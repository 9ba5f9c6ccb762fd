"""Two doors: a site file and a model file, as somebody has written them at night. Each mistake is one sentence with its
place; a file without mistakes can be used."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

from bridge.contract.site_file import BadSite
from edge import install, model_file
from edge.model_text import Unreadable
from edge.settings import lines_of, terms_of
from tests.fuzz.doors import odd
from tests.fuzz.doors.door import Door, Input

ROOT = Path(__file__).parents[3]
SITES = ("site.example.toml", "firmware_sim/demo/site.toml")
LONGEST = 400
"""Characters of a sentence about one mistake."""


def sentences(told: list[str]) -> None:
    """What is told of a file is for people."""
    for each in told:
        for_people = each.replace("\t", " ").isprintable() and 0 < len(each) <= LONGEST
        assert for_people, f"no sentence for people: {each!r}"
        assert "Traceback" not in each and "pydantic" not in each, each


class Files(Door):
    """What serves both kinds of file."""

    def __init__(self, scratch: Path, names: list[str]):
        self._file = scratch / "hostile.toml"
        self.corpus = [(ROOT / name).read_text(encoding="utf-8") for name in names]

    def make(self, dice: Random) -> Input:
        text = odd.written(dice, dice.choice(self.corpus))
        raw = text.encode("utf-8", "surrogatepass")
        return Input(raw if dice.random() < 0.9 else odd.damaged(dice, raw))

    def write(self, given: Input) -> Path:
        self._file.write_bytes(given.raw)
        return self._file


class SiteFiles(Files):
    """`riser site check`, and what a start makes of a file that it passes."""

    name = "site"

    def __init__(self, scratch: Path):
        super().__init__(scratch, list(SITES))

    def try_(self, given: Input) -> bool:
        try:
            sheet = install.look(self.write(given))
        except BadSite as bad:
            sentences(bad.lines)
            return False
        if sheet.found or sheet.site is None:
            assert sheet.found, "what cannot be used has a mistake"
            sentences(sheet.refuse().lines)
            return False
        terms_of(sheet.site, (frozenset(), frozenset()))
        lines_of(sheet.site, self._file.parent)
        return True


class ModelFiles(Files):
    """`riser model check`."""

    name = "model"

    def __init__(self, scratch: Path):
        super().__init__(scratch, [str(each) for each in sorted((ROOT / "edge/models").glob("*.toml"))])
        # A model is called as its file is.
        self.corpus = [re.sub('^id = ".*"', 'id = "hostile"', text, count=1, flags=re.MULTILINE)
                       for text in self.corpus]  # fmt: skip

    def try_(self, given: Input) -> bool:
        try:
            look = model_file.looked_at(self.write(given))
        except Unreadable as trouble:
            sentences([str(trouble)])
            return False
        sentences(look.mistakes + look.contradictions)
        return not (look.mistakes or look.contradictions)
