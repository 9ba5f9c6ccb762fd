"""The machine that changes the program: it changes one place, another each time, the same ones for the same seed."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.planted.bugs import ROOT
from tests.planted.mutants import __main__ as mutants
from tests.planted.mutants.layers import Equivalent, Layer, all_places, drawn, equivalents, layers
from tests.planted.mutants.mutating import Mutant, places
from tests.planted.trees import Found

SOURCE = '''"""A file."""
LIMIT: int = 60
"""What it is."""


@cache(1)
def due(now: int, 名: str = "ä1") -> int | None:
    """When."""
    assert now > 1, "never"
    if now < LIMIT and not 名:
        raise ValueError(f"{now + 1} is early")
    log.warning("late %d", 3)
    self.seen = now
    return now + 1
'''


def changes(source: str) -> set[tuple[str, str]]:
    """(what stood there, what stands there now) of every change."""
    return {(each.was, each.put) for place in places("f.py", source) for each in place}


def test_each_kind_of_slip_is_made() -> None:
    """Bounds, off by one, and for or, a lost not, plus for minus, a lost raise or assignment, an answer lost."""
    assert changes(SOURCE) == {
        ("60", "61"), ("60", "(59)"),
        ("now < LIMIT and not 名", "(now < LIMIT or not 名)"),
        ("now < LIMIT", "(now <= LIMIT)"),
        ("not 名", "(名)"),
        ('raise ValueError(f"{now + 1} is early")', "pass"),
        ("self.seen = now", "pass"),
        ("return now + 1", "return None"),
        ("now + 1", "(now - 1)"),
        ("1", "2"), ("1", "(0)"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "put"),
    [
        ("x = a[1:]", "x = a[2:]"), ("y = a is None", "y = (a is not None)"), ("y = a in b", "y = (a not in b)"),
        ("y = a * b", "y = (a + b)"), ("y = a // b", "y = (a * b)"), ("y = p if q else r", "y = (r if q else p)"),
        ("f(True)", "f(False)"), ("f(x)", "pass"), ("y = -a", "y = (a)"), ("while q:\n    break", "while q:\n    pass"),
        ("y = a < b < c", "y = (a < b <= c)"),
    ],
)  # fmt: skip
def test_a_change_stands_where_it_belongs(text: str, put: str) -> None:
    """The rest of the file is left to the letter, and what comes out is Python."""
    found = [each.made_in(text) for place in places("f.py", text) for each in place]
    assert put in found
    assert all(each is not None and ast.parse(each) for each in found)


def test_what_is_no_python_is_not_made() -> None:
    """A change that the compiler already refuses measures nothing."""
    text = "match x:\n    case 5:\n        y = x\n"
    found = {each.put: each.made_in(text) for place in places("f.py", text) for each in place}
    assert found["(4)"] == text.replace("5", "(4)") and found["6"] == text.replace("5", "6")
    assert Mutant("f.py", 1, "module", "x", "x +", (6, 7)).made_in(text) is None


def test_the_same_words_are_told_apart_by_their_number() -> None:
    """A word about one of two noughts says nothing of the other."""
    first, second = (place[0] for place in places("f.py", "while (0, 0):\n    pass"))
    meant = Equivalent("f.py", "module", "0", "1", "nobody looks at it", nth=2)
    assert (meant.is_meant(first), meant.is_meant(second)) == (False, True)


def test_one_line_changes_and_no_other() -> None:
    """Also behind letters of several bytes; the line that is named is the line that differs."""
    for mutant in (each for place in places("f.py", SOURCE) for each in place):
        before, after = SOURCE.splitlines(), str(mutant.made_in(SOURCE)).splitlines()
        differ = [n for n, (old, new) in enumerate(zip(before, after, strict=True), 1) if old != new]
        assert differ == [mutant.line], mutant
        assert mutant.where == ("module" if mutant.line == 2 else "due")


@pytest.mark.parametrize("layer", layers(), ids=lambda layer: layer.name)
def test_a_layer_is_there(layer: Layer) -> None:
    """Its files and tests exist, and it has enough places to draw from."""
    assert len(layer.sources()) > 1 and all((ROOT / test).is_file() for test in layer.tests)
    assert all(list(ROOT.glob(pattern)) for pattern in (*layer.files, *layer.without))
    assert len(all_places(layer)) > 200


def test_a_seed_draws_the_same_again() -> None:
    """A score can be measured once more; another seed looks elsewhere."""
    found = all_places(layers("codec")[0], only="bcd")
    assert drawn(found, 5, 7) == drawn(found, 5, 7) != drawn(found, 5, 8)
    assert len(drawn(found, 5, 7)) == 5 and len(drawn(found, 10**6, 7)) == len(found)


@pytest.mark.parametrize("each", equivalents(), ids=lambda each: f"{each.file}: {each.was}")
def test_what_was_called_no_change_still_stands_there(each: Equivalent) -> None:
    """A word of a person about a line that is gone is removed; and it says why."""
    found = [mutant for place in places(each.file, (ROOT / each.file).read_text("utf-8")) for mutant in place]
    assert any(each.is_meant(mutant) for mutant in found) and len(each.why) > 10


def test_a_score_is_what_was_killed_of_what_changes_something() -> None:
    """What was called no change counts on neither side; a survivor is named with its line."""
    made = [Mutant("f.py", n, "due", "1", "2") for n in (3, 4, 5)]
    found = [Found("test_x", 1.0), Found(None, 1.0), Found("they do not end", 120.0)]
    told = mutants.told(Layer("book", (), ()), made, found, made[:1])
    assert told == {
        "layer": "book", "killed": 2, "survived": 1, "equivalent": 1, "score_percent": 67,
        "survivors": ["f.py:4 due: '1' -> '2'"],
    }  # fmt: skip


def test_from_draw_to_score(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tests are asked about the changed file; one that nobody notices is told as a survivor."""
    asked: list[str] = []

    class Copies:
        def __enter__(self) -> Copies:
            return self

        def __exit__(self, *_: Any) -> None: ...

        def sound(self, tests: tuple[str, ...], timeout_s: float) -> str | None:
            return None

        def said_to(self, file: str, text: str, tests: tuple[str, ...], timeout_s: float) -> Found:
            asked.append(text)
            return Found(None if len(asked) == 1 else tests[0], 0.1)

    monkeypatch.setattr(mutants, "trees", Copies)
    monkeypatch.setattr(mutants.os, "cpu_count", lambda: 1)
    assert mutants.main(["codec", "--only", "bcd", "--sample", "4", "--seed", "3", "--json"]) == 0
    (layer,) = json.loads(capsys.readouterr().out)["layers"]
    whole = (ROOT / "edge/codec/bcd.py").read_text("utf-8")
    assert len(asked) == 4 and all(text != whole for text in asked)
    assert (layer["killed"], layer["survived"], layer["score_percent"]) == (3, 1, 75)
    assert layer["survivors"][0].startswith("edge/codec/bcd.py:")


def test_a_layer_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Code 2, and which there are."""
    assert mutants.main(["nonsense"]) == 2
    assert "there is no layer nonsense; there are codec, billing, policy, book" in capsys.readouterr().err
