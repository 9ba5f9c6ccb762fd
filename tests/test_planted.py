"""The lists of planted bugs fit the program: each bug's place is there, so that none is planted into thin air."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.planted import __main__ as planting
from tests.planted import trees
from tests.planted.__main__ import drawn, told
from tests.planted.bugs import ROOT, Bug, bugs, planted
from tests.planted.trees import Found


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: f"{bug.list}: {bug.name}")
def test_each_bug_has_its_place(bug: Bug) -> None:
    """Its text stands once in its file, what takes its place differs and can be read, and its tests exist."""
    text = planted(bug, ROOT)
    assert text != (ROOT / bug.file).read_text(encoding="utf-8")
    if bug.file.endswith(".toml"):
        tomllib.loads(text)
    else:
        compile(text, bug.file, "exec")
    assert bug.tests and all(_is_there(test) for test in bug.tests)


def _is_there(test: str) -> bool:
    """The file, and where one is named, the function in it."""
    file, _, name = test.partition("::")
    place = ROOT / file
    return place.is_file() and (not name or f"def {name.partition('[')[0]}(" in place.read_text(encoding="utf-8"))


def test_no_bug_is_told_twice() -> None:
    """Names are what a report says."""
    names = [bug.name for bug in bugs()]
    assert len(names) == len(set(names))


def test_a_seed_draws_the_same_bugs_again() -> None:
    """A run that failed somewhere else can be made here; without a number all are planted."""
    found = bugs()
    assert drawn(found, 5, 3) == drawn(found, 5, 3) != drawn(found, 5, 4)
    assert len(set(drawn(found, 5, 3))) == 5
    assert drawn(found, None, 3) == drawn(found, 10**6, 3) == found


def test_a_bug_that_is_found_late_is_told() -> None:
    """Caught, and late: nobody waits so long for a test."""
    chosen, found = bugs("codec")[:3], [Found("test_x", 59.9), Found("test_x", 60.1), Found(None, 61.0)]
    names = [bug.name for bug in chosen]
    assert told(chosen, found, 60.0) == {
        "planted": 3, "caught": 2, "late": [names[1]], "survivors": [names[2]],
        "seconds": dict(zip(names, (59.9, 60.1, 61.0), strict=True)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("within", "seconds", "test", "code"),
    [((), 3.0, "test_x", 0), ((), 70.0, "test_x", 0), (("--within", "60"), 70.0, "test_x", 1), ((), 3.0, None, 1)],
)
def test_a_sample_asks_only_its_own_tests(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    within: tuple[str, ...],
    seconds: float,
    test: str | None,
    code: int,
) -> None:
    """First that the sample's tests pass without any bug, then each bug. Alive ends with code 1, and late does where it
    was asked for; a small machine with other work is slower than it is blind."""
    sound: list[tuple[str, ...]] = []
    asked: list[tuple[str, str]] = []

    class Copies:
        def __enter__(self) -> Copies:
            return self

        def __exit__(self, *_: Any) -> None: ...

        def sound(self, tests: tuple[str, ...], timeout_s: float) -> str | None:
            sound.append(tests)
            return None

        def said_to(self, file: str, text: str, tests: tuple[str, ...], timeout_s: float) -> Found:
            asked.append((file, text))
            return Found(test, seconds)

    monkeypatch.setattr(planting, "trees", Copies)
    assert planting.main(["codec", "book", "--sample", "3", "--seed", "5", "--json", *within]) == code
    chosen = drawn(bugs("codec", "book"), 3, 5)
    assert sound == [tuple(sorted({each for bug in chosen for each in bug.tests}))]
    assert sorted(asked) == sorted((bug.file, planted(bug, ROOT)) for bug in chosen)
    assert set(json.loads(capsys.readouterr().out)["seconds"]) == {bug.name for bug in chosen}


def test_a_copy_is_whole_again_after_a_bug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bug stands in the copy while its tests run, never in the tree, and is gone for the next one."""
    seen: list[str] = []
    monkeypatch.setattr(trees, "copy_of_the_program", lambda into: copied(into))

    def copied(into: Path) -> Path:
        into.mkdir(parents=True)
        (into / "f.py").write_text("good\n", encoding="utf-8")
        return into

    def fails(tree: Path, tests: tuple[str, ...], timeout_s: float) -> str | None:
        seen.append((tree / "f.py").read_text(encoding="utf-8"))
        if len(seen) == 2:
            raise OSError("the disk is full")
        return "test_x"

    monkeypatch.setattr(trees, "fails", fails)
    copies = trees.Trees(tmp_path, 1)
    assert copies.said_to("f.py", "bad\n", ("test_x",), 1.0).test == "test_x"
    with pytest.raises(OSError, match="full"):
        copies.said_to("f.py", "worse\n", ("test_x",), 1.0)
    copies.sound(("test_x",), 1.0)
    assert seen == ["bad\n", "worse\n", "good\n"]


def test_tests_that_hang_have_noticed(tmp_path: Path) -> None:
    """And the first test that fails is named; no failure is None."""
    tests = """
import logging, time
def test_good(): pass
def test_bad():
    logging.error("x")
    assert 0
def test_ugly(): time.sleep(60)
"""
    (tmp_path / "test_it.py").write_text(tests, "utf-8")
    assert trees.fails(tmp_path, ("test_it.py::test_good",), 30.0) is None
    assert trees.fails(tmp_path, ("test_it.py",), 30.0) == "test_it.py::test_bad"
    assert trees.fails(tmp_path, ("test_it.py::test_ugly",), 1.5) == "they do not end"
