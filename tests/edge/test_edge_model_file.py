"""`riser model check`: somebody writes a model's file from a manual; every mistake is told with its line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge import model
from edge.model_file import check, main, proven

GOOD = model.DIRECTORY / "eastron-sdm120.toml"


def changed(directory: Path, old: str, new: str, source: Path = GOOD) -> Path:
    """A copy of a good file with one thing changed."""
    path = directory / source.name
    text = source.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "eastron-sdm120"', 'id = "eastron-sdm121"', "the file is called eastron-sdm120.toml"),
        ("phases = 1", "phases = 2", "model.phases: is 2; write 1 or 3"),
        ("max_amps = 45", 'max_amps = "45"', "model.max_amps"),
        ("full_scale_wh = 10_000_000_000", "", "model.full_scale_wh: is missing"),
        ("step_wh = 10", "step_wh = 10\ncolour = 1", "there is no such setting; is it misspelt?"),
        ('every = "round"', 'every = "often"', "read.1.every"),
        ("function = 4", "function = 6", "read.1.function"),
        ("count = 2", "count = 1", "it ends after byte 4, and 2 bytes are asked for"),
        ('key = "energy_wh"', 'key = "energy_kwh"', "there is no quantity 'energy_kwh'"),
        ('type = "f32-kwh"', 'type = "float"', "there is no type 'float'; there are"),
        ('name = "power"', 'name = "energy"', "'energy' stands already in row 1"),
        ("reply = ", "answer = ", "read.1.proof.reply: is missing"),
        ("function = 4\nstart = 0x0048", 'di = "00010000"\nstart = 0x0048', "a Modbus row has `function`, `start`"),
        ('protocol = "modbus-rtu"', "protocol = modbus", "write it in quotes"),
    ],
)
def test_every_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    """The line is the one that must be changed, or its table's; the sentence says what to write."""
    path = changed(tmp_path, old, new)
    found = check(path)
    assert any(told in each for each in found), found
    assert all(each.startswith("line ") for each in found)


def test_the_line_is_the_one_that_was_changed(tmp_path: Path) -> None:
    """A mistake deep in the file names its own line."""
    path = changed(tmp_path, 'key = "power_factor"', 'key = "cos_phi"')
    number = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if "cos_phi" in line)
    (told,) = check(path)
    assert told.startswith(f"line {number}: ")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("start = 0x0048", "start = 0x004A", "it asks"),
        ('type = "f32-kwh"', 'type = "f32-whole"', "the reply gives {'energy_wh': 1234}"),
        ("energy_wh = 1234560", "energy_wh = 1234561", "and the proof says {'energy_wh': 1234561}"),
        ('reply = "0104044', 'reply = "0104045', "does not answer this question"),
    ],
)
def test_a_row_that_its_frame_contradicts_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """One register off, one unit off, a damaged capture: the proof finds what no schema can."""
    path = changed(tmp_path, old, new)
    assert check(path) == []
    (found,) = proven(path)
    assert found.startswith('row "energy"') and told in found


def test_a_meter_with_a_relay_needs_its_status_and_number(tmp_path: Path) -> None:
    """Nobody is cut by a meter whose relay or number cannot be read back."""
    says = '[{ key = "status_word_3", is = 1 }]'
    table = f'[relay]\nkind = "modbus"\non = {says}\noff = {says}\n'
    path = changed(tmp_path, "[line]", f"{table}[line]")
    found = " ".join(check(path))
    assert 'a row named "status" is needed' in found and 'a row named "serial" is needed' in found


def test_what_a_person_types(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Good is 0 and a sentence, mistakes are 2 and one a line, JSON is one object, no file is one sentence."""
    shutil.copy(GOOD, tmp_path)
    assert main([str(tmp_path / GOOD.name)]) == 0 and "is good" in capsys.readouterr().out
    bad = changed(tmp_path, "phases = 1", "phases = 2")
    assert main([str(bad), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["mistakes"] == ["line 8: model.phases: is 2; write 1 or 3"]
    assert main([str(tmp_path / "none.toml")]) == 2 and "cannot be read" in capsys.readouterr().err


def test_a_wrong_id_hides_no_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file under another name is a mistake, and its rows are held against their frames all the same."""
    path = changed(tmp_path, 'id = "eastron-sdm120"', 'id = "eastron-sdm121"')
    path.write_text(path.read_text(encoding="utf-8").replace("energy_wh = 1234560", "energy_wh = 1"), encoding="utf-8")
    assert main([str(path)]) == 2
    told = capsys.readouterr().out
    assert "make them one" in told and 'row "energy": the reply gives' in told
    rows = len(model.load("eastron-sdm120").rows)
    assert f"{rows - 1} of {rows} rows give the values of their proof" in told
    assert main([str(path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["proofs_that_hold"] == rows - 1


def test_a_proof_of_another_identifier_is_told_with_what_it_is_of(tmp_path: Path) -> None:
    """The row asks one identifier and its frame answers another: both are named, and the row that asks the other."""
    source = model.DIRECTORY / "dlt645-1p.toml"
    text = source.read_text(encoding="utf-8")
    rows = model.load("dlt645-1p").rows
    one, other = (name for name in rows if name in ("clock", "serial"))
    first, second = rows[one].di, rows[other].di
    assert first and second
    path = tmp_path / source.name
    path.write_text(text.replace(f'di = "{first}"', f'di = "{second}"', 1), encoding="utf-8")
    found = [each for each in proven(path) if f'row "{one}"' in each]
    assert found and f"it is of {first}, and this row asks {second}" in found[0]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "it is a directory; name the file in it"),
        (lambda path: path.write_bytes(b"\x7fELF\0\0"), "no model's file but a binary one"),
        (lambda path: path.write_bytes("id = 1\n名".encode("gbk")), "line 2 is not UTF-8 text; save it as UTF-8"),
        (lambda path: os.mkfifo(path), "it is a device or a pipe"),
        (lambda path: path.symlink_to(path), "it is a link that leads to itself"),
        (lambda path: (path.touch(), os.truncate(path, 100_000_000)), "it has 100000000 bytes"),
    ],
)
def test_what_is_no_model_at_all_is_refused_in_words(
    tmp_path: Path, make: Callable[[Path], None], told: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """One sentence, exit code 2, no error number; nothing of it is parsed, however long it is."""
    monkeypatch.setattr("edge.model_file.toml_text.read", lambda text: pytest.fail("it was parsed"))
    path = tmp_path / "some.toml"
    make(path)
    assert main([str(path)]) == 2
    said = capsys.readouterr().err
    assert told in said and "Errno" not in said and said.count("\n") == 1
