"""What meters, files and fingers may say that nobody expects: one sentence back, never a traceback or a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import model, model_file, site_check
from edge.by_hand import __main__ as by_hand
from edge.codec import dlt645
from edge.explain.__main__ import explain
from edge.explain.values import read_value


@pytest.mark.parametrize("identifier", ["04800001", "0400040B", "0400040D"])
def test_a_meter_commands_no_terminal(identifier: str) -> None:
    """Escape sequences in a meter's texts come out as harmless characters."""
    texts = [value.text for value in read_value(identifier, b"\x1b]0;x\x07\x1b[2J\x0d"[::-1] * 3)]
    assert all(text.isprintable() for text in texts if text)


@pytest.mark.parametrize(("function", "count"), [(0x08, 50), (0x08, 1), (0x16, 1), (0x16, 3), (0x17, 9)])
def test_decode_survives_data_of_another_length(function: int, count: int) -> None:
    """A good frame whose DATA is too short or long for its function is shown, and said to be so."""
    found = explain(dlt645.encode(dlt645.Frame("1" * 12, function, b"\x11" * count), 0))
    assert found.valid and sum(len(piece.raw) for piece in found.pieces) == 12 + count


@pytest.mark.parametrize(
    "words",
    [
        ["1", "--zone", "Asia", "read", "energy"],
        ["1", "--zone", "A" * 5000, "read", "energy"],
        ["1", "--baud", "0", "read", "energy"],
        ["1", "--baud", "9" * 20, "read", "energy"],
        ["1" * 5000, "--protocol", "modbus-rtu", "read", "0", "2"],
    ],
)
def test_words_that_cannot_be_used_end_with_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before the port is opened the mistake is named."""
    with pytest.raises(SystemExit) as ended:
        by_hand.main(["/dev/none", *words])
    assert ended.value.code == 2 and "error:" in capsys.readouterr().err


def test_a_hostile_file_is_told_and_not_fallen_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A number of thousands of digits, and tables a thousand deep: a line each."""
    path = tmp_path / "a.toml"
    path.write_text("[model]\nid = " + "9" * 6000 + "\n")
    assert model_file.main([str(path)]) == 2 and site_check.looked_at(path)["mistakes"]
    path.write_text("[" + ".".join(["a"] * 3000) + "]\nb = 1\n")
    assert model_file.main([str(path)]) == 2
    assert "line" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("stride = 0x0100", "stride = 0x4000", "beyond register FFFF"),
        ("stride = 0x0100", "stride = 1", "stand in them"),
    ],
)
def test_no_circuit_of_a_box_stands_in_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    """A distance at which one circuit's order would move another's relay, or none at all, is a mistake of the model."""
    path = tmp_path / "acrel-adf300l.toml"
    path.write_text((model.DIRECTORY / path.name).read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert model_file.main([str(path)]) == 2 and told in capsys.readouterr().out
