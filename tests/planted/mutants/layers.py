"""Which files a layer is, which tests are asked about it (the fast ones first), and what people said is no change."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.planted.bugs import ROOT
from tests.planted.mutants.mutating import Mutant, Place, places

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Layer:
    """`files` may hold patterns, all but those of `without`."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()

    def sources(self) -> list[str]:
        left_out = {path for pattern in self.without for path in ROOT.glob(pattern)}
        found = {path for pattern in self.files for path in ROOT.glob(pattern)} - left_out
        return sorted(path.relative_to(ROOT).as_posix() for path in found)


@dataclass(frozen=True)
class Equivalent:
    """A change of which a person said that nobody can tell the program apart with it, and why."""

    file: str
    where: str
    was: str
    put: str
    why: str
    nth: int = 1

    def is_meant(self, mutant: Mutant) -> bool:
        mine = (self.file, self.where, self.was, self.put, self.nth)
        return mine == (mutant.file, mutant.where, mutant.was, mutant.put, mutant.nth)


def layers(*names: str) -> list[Layer]:
    """The named layers, all without a name. Raises ValueError for one that is none."""
    rows = tomllib.loads((HERE / "layers.toml").read_text(encoding="utf-8"))
    if missing := set(names) - set(rows):
        raise ValueError(f"there is no layer {', '.join(sorted(missing))}; there are {', '.join(rows)}")
    return [
        Layer(name, tuple(row["files"]), tuple(f"tests/{each}" for each in row["tests"]), tuple(row.get("without", ())))
        for name, row in rows.items()
        if not names or name in names
    ]


def equivalents() -> list[Equivalent]:
    rows = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))
    return [Equivalent(**row) for row in rows.get("equivalent", ())]


def all_places(layer: Layer, only: str = "") -> list[Place]:
    """Every place of a layer's files, or of those whose name has `only` in it."""
    return [
        place
        for file in layer.sources()
        if only in file
        for place in places(file, (ROOT / file).read_text(encoding="utf-8"))
    ]


def drawn(found: list[Place], sample: int | None, seed: int) -> list[tuple[Mutant, str]]:
    """One change each of so many places, as the seed draws them, with the text that its file becomes; in the order of
    the files. A change that is no Python gives its turn to the next."""
    lot, made = random.Random(seed), dict[int, tuple[Mutant, str]]()
    for at in lot.sample(range(len(found)), len(found)):
        if len(made) == sample:
            break
        for mutant in lot.sample(found[at], len(found[at])):
            if (text := mutant.made_in((ROOT / mutant.file).read_text(encoding="utf-8"))) is not None:
                made[at] = mutant, text
                break
    return [made[at] for at in sorted(made)]
