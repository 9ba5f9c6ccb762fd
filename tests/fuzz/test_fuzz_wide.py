"""1.4 million made-up inputs over everything that reads bytes of a line; 0.6 million more in `test_fuzz_guided.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import growing, targets
from tests.fuzz.fuzzing import ROOT, fuzz

WIDE = 700_000


@pytest.mark.timeout(900)
@pytest.mark.parametrize("words", [("--seed", "645"), ()], ids=["the same every time", "new every time"])
def test_no_input_breaks_a_reader(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whatever a line brings: no exception, no hang, no growing memory, and the same frames however they are cut."""
    fuzz(WIDE, tmp_path, *words)


def test_every_published_frame_is_where_fuzzing_begins() -> None:
    """The corpus reaches every reader with whole frames, so that what grows from it is not stopped at the door."""
    reached = [0] * len(targets.TARGETS)
    for data in growing.corpus():
        number, frames = targets.one(data)
        reached[number] += frames > 0
    assert all(reached) and len(growing.corpus()) > 300


def test_a_failing_input_can_be_replayed() -> None:
    """What a failure prints is typed to see it again; an input that holds says so."""
    data = growing.corpus()[0].hex()
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--replay", data], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "every promise holds, 1 frames" in done.stdout


def test_a_broken_promise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ear that invents a frame, or takes a byte twice, does not pass."""
    with pytest.raises(AssertionError, match="cut from what came"):
        targets.heard(lambda buffer, final: b"\x01\x02", [b"h"])
    with pytest.raises(AssertionError, match="from the front"):
        targets.heard(lambda buffer, final: buffer.append(0), [b"h"])  # type: ignore[arg-type, func-returns-value]


def test_what_fuzzing_found_stays_mended() -> None:
    """What is kept: a question with bytes too many, a time that is none, whatever once led into new code."""
    kept = growing.found()
    assert len(kept) > 100 and all(targets.one(data)[0] < len(targets.TARGETS) for data in kept)


def test_what_was_found_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New inputs join the old ones, once each; published frames are not written down a second time."""
    monkeypatch.setattr(growing, "FOUND", tmp_path / "found.hex")
    growing.FOUND.write_text("0607\n")
    growing.keep([b"\x06\x08", b"\x06\x07", growing.published()[0]])
    assert growing.found() == [b"\x06\x07", b"\x06\x08"]


def test_every_kind_of_frame_is_explained() -> None:
    """Whatever the function and the length: each byte has its words."""
    for function in range(0x20):
        for length in range(20):
            raw = targets.dlt645.encode(targets.dlt645.Frame("1" * 12, function, b"\xcc" * length), 0)
            targets.explained(0, 0, raw)
            targets.explained(
                0, 0, targets.dlt645.encode(targets.dlt645.Frame("1" * 12, function | 0x80, b"\x01" * length))
            )
