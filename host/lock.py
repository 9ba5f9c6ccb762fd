"""Every package has one exact version: `python -m host.lock` writes the pins of everything that pyproject.toml needs.

pyproject.toml pins what Riser imports; what those packages bring along is taken as it is installed here.
`requirements.txt` is what the programs need, `requirements-test.txt` adds what the tests need.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
RUN, TEST = "requirements.txt", "requirements-test.txt"


def canonical(name: str) -> str:
    """A package's name as registries compare it: `Flask_WTF` is `flask-wtf`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(root: Path = ROOT) -> tuple[list[str], list[str]]:
    """The requirements that pyproject.toml itself names: (of the programs, of the tests)."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"], project["optional-dependencies"]["test"]


def closure(requirements: list[str]) -> dict[str, str]:
    """Name and installed version of these packages and of everything they need on this machine.

    Raises ValueError where one is not installed or installed in another version than pinned.
    """
    found: dict[str, str] = {}
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonical(wanted.name)
        try:
            package = distribution(name)
        except PackageNotFoundError:
            raise ValueError(f"{wanted} is not installed here") from None
        if not wanted.specifier.contains(package.version, prereleases=True):
            raise ValueError(f"{wanted} is asked for and {package.version} is installed")
        if name not in found:
            found[name] = package.version
            extras = sorted(wanted.extras) or [""]
            waiting += [(Requirement(text), each) for text in package.requires or () for each in extras]
    return found


def render(root: Path = ROOT) -> dict[str, str]:
    """The two files' texts by name."""
    run_direct, test_direct = direct(root)
    run, test = closure(run_direct), closure(test_direct)
    head = "# Written by `python -m host.lock` from pyproject.toml: every package in one exact version.\n"
    # What a machine without a wheel must do without says so where it is pinned, and here as well.
    only = {canonical(each.name): f" ; {each.marker}" for each in map(Requirement, test_direct) if each.marker}
    lines = {name: f"{name}=={version}{only.get(name, '')}\n" for name, version in sorted({**run, **test}.items())}
    return {
        RUN: head + "".join(lines[name] for name in sorted(run)),
        TEST: head + f"-r {RUN}\n" + "".join(lines[name] for name in sorted(set(test) - set(run))),
    }


if __name__ == "__main__":
    for file_name, text in render().items():
        (ROOT / file_name).write_text(text, encoding="utf-8")
