"""The lists of planted bugs: what each breaks, where, how, and which tests are to notice."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]


@dataclass(frozen=True)
class Bug:
    """One mistake somebody could make. `find` stands exactly once in `file`, and `put` takes its place."""

    list: str
    name: str
    rule: str
    file: str
    find: str
    put: str
    tests: tuple[str, ...]


def bugs(*lists: str) -> list[Bug]:
    """Those of the named lists, of all without a name. Raises KeyError or ValueError for a list that is not one."""
    found = []
    for path in sorted(HERE.glob("*.toml")):
        if lists and path.stem not in lists:
            continue
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["bug"]:
            tests = tuple(f"tests/{each}" for each in row.pop("tests"))
            found.append(Bug(list=path.stem, tests=tests, **row))
    if missing := set(lists) - {bug.list for bug in found}:
        raise ValueError(f"there is no list {', '.join(sorted(missing))} of planted bugs")
    return found


def planted(bug: Bug, root: Path) -> str:
    """The text of the bug's file under `root` with the bug in it. Raises ValueError when its place is not there."""
    text = (root / bug.file).read_text(encoding="utf-8")
    if (count := text.count(bug.find)) != 1:
        raise ValueError(f"{bug.list}: {bug.name}: its text stands {count} times in {bug.file}, not once")
    return text.replace(bug.find, bug.put)
