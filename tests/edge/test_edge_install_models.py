"""What a site file says of boxes, water and purses: told before the first byte, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import install

SITE = """
[site]
name = "East"
gateway = "east"

[[ports]]
id = "box"
device = "box"
protocol = "modbus-rtu"

[[ports]]
id = "water"
device = "water"
protocol = "cjt188"

[[ports]]
id = "old"
device = "old"
protocol = "dlt645-1997"

[[ports]]
id = "new"
device = "new"
protocol = "dlt645-2007"

[[tariffs]]
id = "home"
name = "Home"
kind = "single"
price = "0.5"

[[meters]]
id = "c1"
model = "acrel-adf300l"
port = "box"
address = "5"
circuit = 1
room = "1"

[[meters]]
id = "c2"
model = "acrel-adf300l"
port = "box"
address = "5"
circuit = 2
room = "2"

[[meters]]
id = "w1"
model = "cjt188-water-valve"
port = "water"
address = "78330011223344"
serial = "78330011223344"
room = "1"

[[meters]]
id = "o1"
model = "dlt645-1997"
port = "old"
address = "000003430163"
relay = "none"
room = "3"

[[meters]]
id = "p1"
model = "dlt645-1p-purse"
port = "new"
address = "202611000101"
purse = "off"
room = "4"

[[accounts]]
id = "a"
name = "A"
room = "1"
tariff = "home"
meters = ["c1", "o1", "p1"]
"""


def told(directory: Path, old: str = "", new: str = "") -> list[str]:
    assert old in SITE
    path = directory / "site.toml"
    path.write_text(SITE.replace(old, new, 1) if old else SITE, encoding="utf-8")
    return [words for _, words in install.look(path).found]


def test_all_four_protocols_a_box_and_a_purse_that_is_off_are_a_good_site(tmp_path: Path) -> None:
    """Two meters share an address by their circuits; water has no account; the purse in the meter is switched off."""
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("circuit = 2", "circuit = 1", "meters[2] (c2).circuit: circuit 1 of 5 on box is already meter c1"),
        ("circuit = 2", "circuit = 37", "acrel-adf300l has circuits 1 to 36"),
        ("circuit = 2", "", "meters[2] (c2).address: 5 on box is already meter c1"),
        ("circuit = 1\n", "", "5 on box is already meter c1"),
        ('"cjt188-water-valve"\nport = "water"', '"cjt188-water-valve"\ncircuit = 1\nport = "water"',
         "(w1).circuit: cjt188-water-valve is one meter with an address of its own; leave `circuit` out"),
        ('"78330011223344"\nserial', '"783300112233"\nserial', "a CJ/T 188 address has 14 digits, in quotes"),
        ('"78330011223344"\nserial', f'"{"9" * 14}"\nserial', "is the broadcast address"),
        ('"000003430163"', '"3430163"', "(o1).address: a DL/T 645 address has 12 digits, in quotes"),
        ('serial = "78330011223344"', 'serial = "7833001122"', "(w1).serial: is '7833001122'; a meter's number has"),
        ('relay = "none"\nroom = "3"', 'room = "3"', '(o1).relay: dlt645-1997 is read only here; write relay = "none"'),
        ('room = "1"\n\n[[meters]]\nid = "c2"', 'room = "1"\nrelay = "permit"\n\n[[meters]]\nid = "c2"',
         "(c1).relay: acrel-adf300l has no button that waits for a permission (R6)"),
        ('name = "A"\n', 'name = "A"\nclose = "permit"\n',
         '(a).close: meter c1 (acrel-adf300l) has no button that waits for a permission (R6); write close = "direct"'),
        ('name = "A"\n', 'name = "A"\nclose = "sometimes"\n', "accounts[1] (a).close"),
        ('purse = "off"\n', "", "accounts[1] (a).meters: meter p1 (dlt645-1p-purse) keeps a balance of its own"),
        ('"c1", "o1"', '"c1", "w1"', "accounts[1] (a).meters: meter w1 (cjt188-water-valve) counts water"),
        ('tariff = "home"\n', 'water_tariff = "home"\n', "(a).meters: meter c1 (acrel-adf300l) counts electricity"),
        ('protocol = "cjt188"', 'protocol = "cjt189"', "ports[2] (water).protocol"),
        ('protocol = "cjt188"', 'protocol = "dlt645-2007"', "cjt188-water-valve speaks cjt188, water does not"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_path(tmp_path: Path, old: str, new: str, words: str) -> None:
    """A wrong circuit, a short address, a meter that must not be billed: the sentence says what to write instead."""
    found = told(tmp_path, old, new)
    assert any(words in each for each in found), found


def test_a_box_without_its_circuit_is_told(tmp_path: Path) -> None:
    """Nobody's bill may come from circuit 1 because a line was forgotten."""
    found = told(tmp_path, 'model = "acrel-adf300l"\nport = "box"\naddress = "5"\ncircuit = 2', 
                 'model = "acrel-adf300l"\nport = "box"\naddress = "6"')  # fmt: skip
    assert found == ["meters[2] (c2): acrel-adf300l has many circuits behind one address; add circuit = 1 to 36"]
