"""A site file with mistakes in every table: all told in one go, each with its line, its path and what to write."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bridge.contract import site_file
from bridge.contract.site_file import BadSite, load
from bridge.contract.toml_text import line_of, path_at
from edge import model, site_check
from tests.bridge.test_bridge_site_file import WHOLE

GOOD = WHOLE.replace('room = "302"', 'room = "302"\nrelay = "none"').replace('["m301", "m302"]', '["m301"]')
"""A file that the edge accepts."""

MANY = """
[site]
name = "East"
gateway = "East Shaft"
zone = "Mars/Olympus"
nmae = "x"

[broker]
url = "http://me:secret@host"
port = "1883"

[panel]
port = 80800

[clock]
trust = "maybe"

[policy]
lead_min = 29
levels = ["10.00", "20.00", "50.00"]
cut_at = 0.00
rest_days = ["2026-10-01"]
stale_min = true

[policy.cut_window]
from = "9:00"

[bridge]
home_assistant = "perhaps"

[[ports]]
id = "line-1"
device = "/dev/ttyUSB0"
protocol = "dlt645-2007"
baud = "9600"

[[ports]]
id = "line-2"
device = "/dev/ttyUSB0"
protocol = "modbus-rtu"

[[tariffs]]
id = "shop"
name = "Shop"
kind = "single"
price = 0.85

[[tariffs]]
id = "hours"
name = "Hours"
kind = "tou"
prices = {peak = "1.2", valley = "0.4"}
windows = [{from = "00:00", to = "08:00", rate = "valley"},
           {from = "08:00", to = "24:00", rate = "peek"}]

[[meters]]
id = "m1"
model = "dlt645-9p"
port = "line-1"
address = 000000000301
room = "301"

[[meters]]
id = "m2"
model = "eastron-sdm630"
port = "line-1"
address = "12"
room = 302
relay = "none"

[[meters]]
id = "m1"
model = "dlt645-1p"
port = "line-9"
address = "000000000303"
multiplier = 0

[[meters]]
id = "m4"
model = "eastron-sdm120"
port = "line-2"
address = "248"
room = "304"

[[accounts]]
id = "a1"
name = "Li"
room = "301"
tariff = "home"
meters = ["m1", "m9"]
phone = "call me"
opening = "5 yuan"

[[accounts]]
id = "a2"
name = "Wang"
room = "302"
tariff = "hours"
meters = ["m2", "m1"]
extra = 1
category = "shpo"
"""

TOLD = [
    "line 4: site.gateway: an id is 1 to 32 of a-z, 0-9 and -, and begins with a letter or digit",
    "line 5: site.zone: 'Mars/Olympus' is no time zone; write for example Asia/Shanghai",
    "line 6: site.nmae: there is no such setting; is it misspelt?",
    "line 9: broker.url: write mqtt://host:port or mqtts://host:port; `user` and `password_file` "
    "are settings of their own",
    "line 10: broker.port: write it without quotes: 1883",
    "line 13: panel.port: is 80800; at most 65535",
    "line 16: clock.trust: is 'maybe'; write auto or always",
    "line 19: policy.lead_min: is 29; at least 30",
    'line 21: policy.cut_at: write it in quotes: "0.00"',
    "line 23: policy.stale_min: is a whole number, not true",
    "line 26: policy.cut_window.from: '9:00' is no wall time; write HH:MM",
    "line 29: bridge.home_assistant: write true or false, without quotes",
    "line 35: ports[1] (line-1).baud: write 9600 without quotes",
    "line 39: ports[2] (line-2).device: /dev/ttyUSB0 is already port line-1",
    'line 46: tariffs[1] (shop).price: write it in quotes: "0.85"',
    "line 53: tariffs[2] (hours).windows[2].rate: is 'peek'; write sharp, peak, flat, valley or deep",
    f"line 58: meters[1] (m1).model: there is no model 'dlt645-9p'; there are {', '.join(model.known())}",
    'line 60: meters[1] (m1).address: write it in quotes: "000000000301"',
    "line 66: meters[2] (m2).port: eastron-sdm630 speaks modbus-rtu, line-1 does not",
    "line 67: meters[2] (m2).address: a DL/T 645 address has 12 digits, in quotes",
    'line 68: meters[2] (m2).room: write it in quotes: "302"',
    "line 71: meters[3] (m1).room: is missing",
    "line 72: meters[3].id: 'm1' stands already at meters[1]",
    "line 74: meters[3] (m1).port: there is no port 'line-9'",
    "line 76: meters[3] (m1).multiplier: is 0; at least 1",
    'line 78: meters[4] (m4).relay: eastron-sdm120 is read only here; write relay = "none"',
    'line 82: meters[4] (m4).address: a Modbus address is "1" to "247", in quotes',
    "line 89: accounts[1] (a1).tariff: there is no tariff 'home'",
    "line 90: accounts[1] (a1).meters: there is no meter 'm9'",
    "line 91: accounts[1] (a1).phone: is 'call me'; a phone number has digits, spaces, + and -, at most 20 of them",
    "line 92: accounts[1] (a1).opening: '5 yuan' is not an amount: write yuan with at most two "
    "decimals, such as 200 or 200.50",
    "line 99: accounts[2] (a2).meters: meter m1 already belongs to account a1",
    "line 100: accounts[2] (a2).extra: there is no such setting; is it misspelt?",
    "line 101: accounts[2] (a2).category: no surcharge is for category 'shpo'; there are home, shop",
]  # fmt: skip


def written(directory: Path, text: str | bytes) -> Path:
    path = directory / "site.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def told(path: Path) -> list[str]:
    found: list[str] = site_check.looked_at(path)["mistakes"]
    return found


def test_mistakes_in_every_table_are_told_in_one_go(tmp_path: Path) -> None:
    """Thirty-four mistakes: how it is written, what stands in a field, names that point nowhere, models that do not
    exist, categories that no price knows. The person mends them from the top down, once."""
    assert told(written(tmp_path, MANY)) == TOLD


def test_every_told_line_is_the_line_of_the_mistake(tmp_path: Path) -> None:
    """The line that is told holds the setting that is told, or the heading of the row in which it is missing."""
    lines = MANY.splitlines()
    for mistake in told(written(tmp_path, MANY)):
        number, path = re.match(r"line (\d+): ([^:]+):", mistake).groups()  # type: ignore[union-attr]
        key = path.replace(".windows[2].rate", ".windows").rpartition(".")[2]
        line = lines[int(number) - 1]
        assert line.startswith((key, "[[")) or "peek" in line, (mistake, line)


def test_each_mistake_is_found_when_it_is_the_only_one(tmp_path: Path) -> None:
    """None of them is only found because of another: one mistake in a good file is one sentence."""
    for old, new, words in ALONE:
        assert old in GOOD, old
        found = told(written(tmp_path, GOOD.replace(old, new, 1)))
        assert len(found) == 1 and words in found[0], (new, found)


ALONE = (
    ('parity = "N"', 'parity = "none"', "ports[2] (line-2).parity: is 'none'; write E, N or O"),
    ('parity = "N"', "poll_s = 1.5", "ports[2] (line-2).poll_s: is a whole number, not 1.5"),
    ('parity = "N"', 'poll_s = "5"', "ports[2] (line-2).poll_s: write it without quotes: 5"),
    ('parity = "N"', "poll_s = true", "ports[2] (line-2).poll_s: is a whole number, not true"),
    ('parity = "N"', "poll_s = -1", "is -1; at least 0"),
    ('parity = "N"', "poll_s = 10000000000000000000000", "at most 3600"),
    ('room = "301"\n\n[[meters', "room = 301\n\n[[meters", 'meters[1] (m301).room: write it in quotes: "301"'),
    ('room = "301"\n\n[[meters', 'room = ["301"]\n\n[[meters', "is a text in quotes, not a list"),
    ('room = "301"\n\n[[meters', 'room = "' + "x" * 65 + '"\n\n[[meters', "at most 64 characters"),
    ('room = "301"\n\n[[meters', "\n[[meters", "meters[1] (m301).room: is missing"),
    ('room = "301"\n\n[[meters', 'room = "301"\nserial = "12"\n[[meters', "a meter's number has 12 digits"),
    (
        'address = "000000000301"',
        "address = 000000000301",
        'line 30: meters[1] (m301).address: write it in quotes: "0000',
    ),
    ('address = "12"', "address = 12", 'meters[2] (m302).address: write it in quotes: "12"'),
    ('address = "12"', 'address = "１２"', 'a Modbus address is "1" to "247"'),
    ('model = "dlt645-1p"', "model = dlt645-1p", 'meters[1] (m301).model: write it in quotes: "dlt645-1p"'),
    ('model = "dlt645-1p"', 'model = "../../etc/passwd"', "1 to 32 of a-z"),
    ('model = "dlt645-1p"', 'model = "dlt645-2p"', "there is no model 'dlt645-2p'"),
    ('meters = ["m301"]', 'meters = "m301"', "is a list; write it in [ ]"),
    ('meters = ["m301"]', "meters = []", "name at least 1"),
    ('meters = ["m301"]', "meters = [m301]", "is not TOML"),
)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "南楼"', "name = 南楼", 'line 3: site.name: write it in quotes: "南楼"'),
        ('name = "南楼"', 'name = "南楼', "line 3: site.name: is not TOML"),
        ('name = "南楼"', 'name "南楼"', "line 3: is not TOML"),
        ('name = "南楼"', 'name = "南楼"\nname = "x"', "line 4: site.name: is not TOML (Cannot overwrite a value): "
         'name = "x"; it stands twice; leave one'),
        ("[site]", "[site", "line 2: is not TOML"),
        ("[site]", "[site]\n[site]", "it stands twice; leave one"),
        ("[[ports]]", "[ports]", "[[ports]]; write [[ports]] wherever it stands"),
        ('gateway = "shaft-a"', 'gateway = "shaft-a" # \x07', "line 4: site.gateway: is not TOML"),
        ("[site]", "a = " + "[" * 5000 + "\n[site]", "is not TOML"),
    ],
)  # fmt: skip
def test_what_is_not_toml_is_told_with_its_line_and_what_to_do(tmp_path: Path, old: str, new: str, words: str) -> None:
    """A missing quote, a bracket, a heading that stands twice: the line, the line's text, and the remedy."""
    found = told(written(tmp_path, GOOD.replace(old, new, 1)))
    assert any(words in each for each in found), found
    assert "What follows this line was not looked at" in found[-1] or "in quotes" in found[0]


def test_values_without_quotes_do_not_hide_the_rest(tmp_path: Path) -> None:
    """The reader of TOML stops at the first of them; here all three are told, and the wrong price behind them too."""
    text = GOOD.replace('"000000000301"', "000000000301").replace('"南楼"', "南楼").replace('"dlt645-1p"', "dlt645-1p")
    found = told(written(tmp_path, text.replace('peak = "1.2"', "peak = 1.2")))
    assert [each.partition(":")[0] for each in found] == ["line 3", "line 21", "line 28", "line 30"], found


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("[site]\nname = '南楼'".encode("utf-16"), "it is saved as UTF-16; save it as UTF-8"),
        ("[site]\nname = '南楼'".encode("gbk"), "line 2 is not UTF-8; save it as UTF-8"),
        (b"\x7fELF\x02\x01\x00\x00" + bytes(range(128)), "it is no text. Is it the right file?"),
        (b"#" * 4_000_001, "has 4 MB; a site file has at most 4"),
        (b"", "site: is missing"),
        (b"\n\n", "site: is missing"),
    ],
)
def test_a_file_that_is_none_is_told_in_words(tmp_path: Path, raw: bytes, words: str) -> None:
    """Another editor's encoding, a program, a film, nothing at all."""
    (mistake,) = told(written(tmp_path, raw))
    assert words in mistake


def test_an_editor_on_windows_is_welcome(tmp_path: Path) -> None:
    """A mark before the text and two characters at each line's end are no mistake."""
    text = "\ufeff" + GOOD.replace("\n", "\r\n")
    assert load(written(tmp_path, text)).site.name == "南楼"
    assert told(written(tmp_path, text.replace("baud", "bad").replace('"12"', "12")))[0].startswith("line 37: ")


def test_places_that_are_no_file_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory, a device that never ends, a pipe nobody writes to, a file of somebody else, a hundred megabytes."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "film").open("wb") as film:
        film.truncate(100_000_000)
    for path, words in ((tmp_path, "it is a directory; name the file in it"), (Path("/dev/zero"), "it is no file"),
                        (tmp_path / "pipe", "it is no file"), (tmp_path / "none", "there is no such file"),
                        (tmp_path / "film", "has 100 MB"), (tmp_path / "film" / "x", "cannot be read")):  # fmt: skip
        with pytest.raises(BadSite, match=re.escape(words)):
            load(path)

    def locked(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, GOOD)
    monkeypatch.setattr(Path, "read_bytes", locked)  # Tests run as root, who may read everything.
    with pytest.raises(BadSite, match="cannot be read by this user; give it the right with chmod or chown"):
        load(path)


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    """The complaint about a broker's address with a password in it shows neither (I24)."""
    found = told(written(tmp_path, GOOD + '\n[broker]\nurl = "mqtt://me:secret@host"\n'))
    assert len(found) == 1 and "secret" not in found[0] and "me" not in found[0].split(":")[2]


def test_lines_and_paths_lead_to_each_other() -> None:
    """Each setting that stands on a line of its own is found again by its path."""
    for number, line in enumerate(GOOD.splitlines(), 1):
        if "=" in line and not line.startswith((" ", "prices", "windows")):
            assert line_of(GOOD, path_at(GOOD, number)) == number, line
    assert line_of(GOOD, ("meters", 7, "address")) is None and line_of(GOOD, ("nothing",)) is None
    assert path_at("", 1) == () and site_file.Sheet("", {}).named(("meters", 0, "x")) == "meters[1].x"
