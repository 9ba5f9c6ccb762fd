"""The lists of planted bugs fit the program: each bug's place is there, so that none is planted into thin air."""

from __future__ import annotations

import pytest

from tests.planted.bugs import ROOT, Bug, bugs, planted


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: f"{bug.list}: {bug.name}")
def test_each_bug_has_its_place(bug: Bug) -> None:
    """Its text stands once in its file, what takes its place differs and compiles, and its tests exist."""
    text = planted(bug, ROOT)
    assert text != (ROOT / bug.file).read_text(encoding="utf-8")
    compile(text, bug.file, "exec")
    assert bug.tests and all((ROOT / test.partition("::")[0]).is_file() for test in bug.tests)


def test_no_bug_is_told_twice() -> None:
    """Names are what a report says."""
    names = [bug.name for bug in bugs()]
    assert len(names) == len(set(names))
