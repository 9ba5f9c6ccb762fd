"""The site file: a whole one is read, and a wrong one is refused with every mistake and its place."""

from pathlib import Path

import pytest

from bridge.contract.site import wall_minutes
from bridge.contract.site_file import BadSite, load

WHOLE = """
[site]
name = "南楼"
gateway = "shaft-a"

[[ports]]
id = "line-1"
device = "/dev/ttyUSB0"
protocol = "dlt645-2007"

[[ports]]
id = "line-2"
device = "/dev/ttyUSB1"
protocol = "modbus-rtu"
parity = "N"

[[tariffs]]
id = "shop"
name = "商铺"
kind = "tou"
prices = {peak = "1.2", valley = "0.4"}
windows = [{from = "08:00", to = "22:00", rate = "peak"},
           {from = "00:00", to = "08:00", rate = "valley"},
           {from = "22:00", to = "24:00", rate = "valley"}]

[[meters]]
id = "m301"
model = "dlt645-1p"
port = "line-1"
address = "000000000301"
room = "301"

[[meters]]
id = "m302"
model = "eastron-sdm630"
port = "line-2"
address = "12"
room = "302"

[[accounts]]
id = "301"
name = "张三"
room = "301"
tariff = "shop"
meters = ["m301", "m302"]
"""


def mistakes_of(directory: Path, text: str) -> list[str]:
    path = directory / "site.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSite) as refusal:
        load(path)
    assert str(refusal.value) == "; ".join(refusal.value.mistakes)
    return refusal.value.mistakes


def test_a_whole_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    """Addresses keep their zeros, the zone and every policy have defaults, loopback is the default to listen on."""
    path = tmp_path / "site.toml"
    path.write_text(WHOLE, encoding="utf-8")
    site = load(path)
    assert site.meters[0].address == "000000000301"
    assert (site.zone.key, site.policy.lead_min, site.policy.cut_window.from_) == ("Asia/Shanghai", 30, "09:00")
    assert (site.broker.listen, site.panel.listen, site.bridge.archive) == ("127.0.0.1", "127.0.0.1", "sqlite")


def test_all_wrong_settings_are_told_at_once_with_their_place(tmp_path: Path) -> None:
    """Six mistakes in one file give six sentences, each with the path of the setting; nobody repairs one at a time."""
    text = WHOLE.replace('gateway = "shaft-a"', 'gateway = "Shaft A"\nzone = "Mars/Olympus"\nnme = "x"')
    text = text.replace('peak = "1.2"', "peak = 1.2")
    text = text.replace('protocol = "dlt645-2007"', 'protocol = "dlt645-2007"\nbaud = 4801')
    text += "\n[policy]\nlead_min = 29\n"
    found = mistakes_of(tmp_path, text)
    for place in ("site.gateway: an id", "site.zone: 'Mars/Olympus' is no time zone", "ports[1] (line-1).baud",
                  "tariffs[1] (shop).prices.peak", "policy.lead_min"):  # fmt: skip
        assert any(each.startswith(place) for each in found), (place, found)
    assert "site.nme: there is no such setting; is it misspelt?" in found
    assert len(found) == 6


def test_all_wrong_references_are_told_at_once(tmp_path: Path) -> None:
    """Names that point nowhere, ids and addresses used twice, a device on two ports, another protocol's address."""
    text = WHOLE.replace('device = "/dev/ttyUSB1"', 'device = "/dev/ttyUSB0"').replace('"12"', '"012"')
    text = text.replace('tariff = "shop"', 'tariff = "home"').replace(
        'meters = ["m301", "m302"]', 'meters = ["m301", "m9"]'
    )
    text += """
[[meters]]
id = "m301"
model = "dlt645-1p"
port = "line-1"
address = "000000000301"
room = "303"

[[meters]]
id = "m304"
model = "dlt645-1p"
port = "line-9"
address = "000000000304"
room = "304"

[[meters]]
id = "m305"
model = "dlt645-1p"
port = "line-1"
address = "999999999999"
room = "305"

[[accounts]]
id = "302"
name = "李四"
room = "302"
tariff = "shop"
meters = ["m301"]
"""
    found = mistakes_of(tmp_path, text)
    assert found == [
        "meters[3].id: 'm301' stands already at meters[1]",
        "ports[2] (line-2).device: /dev/ttyUSB0 is already port line-1",
        'meters[2] (m302).address: a Modbus address is "1" to "247", in quotes',
        "meters[3] (m301).address: 000000000301 on line-1 is already meter m301",
        "meters[4] (m304).port: there is no port 'line-9'",
        "meters[5] (m305).address: 999999999999 is the broadcast address",
        "accounts[1] (301).tariff: there is no tariff 'home'",
        "accounts[1] (301).meters: there is no meter 'm9'",
        "accounts[2] (302).meters: meter m301 already belongs to account 301",
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('to = "22:00"', 'to = "21:00"', "windows leave a gap or overlap at 21:00"),
        ('to = "24:00"', 'to = "23:00"', "windows do not reach 24:00"),
        ('rate = "peak"', 'rate = "sharp"', "windows name rates without a price: ['sharp']"),
        ('kind = "tou"', 'kind = "single"', "a single price has `price`"),
        ('peak = "1.2"', 'noon = "1.2", peak = "1.2"', "unknown rates ['noon']"),
        ('peak = "1.2"', 'peak = "1.2345678"', "is not a price"),
        ('address = "000000000301"', "address = 301", 'write it in quotes: "301"'),
        ('room = "301"\ntariff', 'room = "301"\nphone = "evil<b>"\ntariff', "a phone number has digits"),
        ('tariff = "shop"\nmeters', 'tariff = "shop"\nopening = "9000000.01"\nmeters', "9 million"),
        ("[site]", '[policy]\nlevels = ["10.00", "20.00", "50.00"]\n[site]', "from high to low"),
        ("[site]", '[policy]\nrestore_above = "-1.00"\n[site]', "supply would chatter"),
        ("[site]", '[policy.cut_window]\nfrom = "16:00"\nto = "09:00"\n[site]', "ends before it begins"),
        ("[site]", '[broker]\nurl = "mqtt://user:secret@host"\n[site]', "write mqtt://host:port or"),
        ("[site]", "[site", "is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_what_is_wrong(tmp_path: Path, old: str, new: str, words: str) -> None:
    """Prices, windows, policies and texts that cannot be meant are refused in words that say what to write."""
    assert old in WHOLE
    found = mistakes_of(tmp_path, WHOLE.replace(old, new, 1))
    assert len(found) == 1 and words in found[0], found


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a directory and a file in another encoding each give one sentence with the path."""
    (tmp_path / "gbk.toml").write_bytes("[site]\nname = '南楼'".encode("gbk"))
    for name, words in (("none.toml", "no such file"), ("gbk.toml", "cannot be read"), ("", "cannot be read")):
        with pytest.raises(BadSite, match=words):
            load(tmp_path / name)


def test_wall_times_are_written_one_way() -> None:
    """00:00 to 24:00 with two digits each; nothing else is a time of a tariff."""
    assert [wall_minutes(text) for text in ("00:00", "08:30", "24:00")] == [0, 510, 1440]
    for text in ("24:01", "8:30", "08:60", "0830", "08:3", "０8:30", "-1:00", ""):
        with pytest.raises(ValueError, match="no wall time"):
            wall_minutes(text)
