"""A person practises with their own site file: the simulator stands up exactly the meters it names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_sim.from_site import described
from firmware_sim.shaft import load

NOW = datetime(2026, 11, 26, 2, tzinfo=UTC)

SITE = """
[site]
name = "楼"
gateway = "g"
[[ports]]
id = "line-1"
device = "/dev/ttyUSB0"
protocol = "dlt645-2007"
[[meters]]
id = "a1"
model = "dlt645-3p"
port = "line-1"
address = "000000000301"
serial = "000000009999"
room = "1"
[[meters]]
id = "a2"
model = "dlt645-1p"
port = "line-1"
address = "000000000302"
room = "2"
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_meters_stand_on_their_lines_with_their_numbers(tmp_path: Path) -> None:
    """Address, number and line are the site file's; a meter without a number has its address for one."""
    shaft = load(written(tmp_path, SITE), NOW, tables=described)
    assert [(w.line_id, w.protocol, w.baud, w.parity) for w in shaft.wirings] == [("line-1", "dlt645-2007", 2400, "E")]
    assert [(m.meter_id, m.address, m.serial) for m in shaft.lines["line-1"].meters] == [
        ("a1", "000000000301", "000000009999"),
        ("a2", "000000000302", "000000000302"),
    ]


def test_the_same_file_gives_the_same_meters(tmp_path: Path) -> None:
    """Registers are invented once and for all: practising twice shows the same shaft, with rates that add up."""
    path = written(tmp_path, SITE)
    first, second = (load(path, NOW, tables=described).state() for _ in range(2))
    assert first == second
    for row in described({"site": {"name": "x"}, "ports": [], "meters": [{"id": "a", "address": "1", "port": "p",
                          "model": "m"}]})["meters"]:  # fmt: skip
        total, *rates = (round(float(text) * 100) for text in row["registers"])
        assert total == sum(rates)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('model = "dlt645-3p"', 'model = "abacus"', "no meter is built like 'abacus'"),
        ('port = "line-1"\naddress = "000000000301"', 'port = "line-9"\naddress = "1"', "on a line that is not there"),
        ('address = "000000000302"', "", "'address' is missing"),
    ],
)
def test_what_cannot_be_simulated_is_said(tmp_path: Path, old: str, new: str, words: str) -> None:
    """A site file with a mistake gives one sentence with the file's name, and no shaft."""
    path = written(tmp_path, SITE.replace(old, new, 1))
    with pytest.raises(ValueError, match=words):
        load(path, NOW, tables=described)


def test_a_purse_that_the_site_file_calls_off_is_off_in_practice(tmp_path: Path) -> None:
    """Who practises is not billed twice: the simulated meter's purse counts only where the site file leaves it on."""
    text = SITE.replace("dlt645-3p", "dlt645-3p-purse").replace("dlt645-1p", "dlt645-1p-purse")
    text = text.replace('room = "1"', 'room = "1"\npurse = "off"')
    off, on = load(written(tmp_path, text), NOW, tables=described).lines["line-1"].meters
    assert (off.status_word(3) & 0x0300, on.status_word(3) & 0x0300) == (0, 0x0200)  # type: ignore[attr-defined]
    plain = SITE.replace('room = "1"', 'room = "1"\npurse = "off"')
    assert len(load(written(tmp_path, plain), NOW, tables=described).meters) == 2, "a plain meter has none to switch"
