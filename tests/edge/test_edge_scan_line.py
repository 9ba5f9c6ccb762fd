"""A scan on a paced line with simulated meters: everybody is found in two minutes, and the section can be used."""

from __future__ import annotations

import errno
import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.site import Site
from edge import install
from edge.line.inline import InlineWire
from edge.line.wire import Line
from edge.scan import __main__ as program
from edge.scan.listening import listen
from edge.scan.search import Found, Outcome, Probe, dlt645_meters
from edge.scan.taken import NoSite, look
from edge.scan.telling import Setting, oddities, section
from firmware_sim import shaft
from firmware_sim.faults import gather

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
DEMO = Path(shaft.__file__).parent / "demo" / "shaft.toml"
PATIENCE_S = 0.2


class Paced(InlineWire):
    """A line on which a reply begins before it ends: the first byte is heard by itself."""

    def write(self, frame: bytes) -> None:
        super().write(frame)
        for due, reply in self._coming[:1]:
            begins = due - self._line.wire_s(len(reply) - 1)
            self._coming = [(begins, reply[:1]), (due, reply[1:])]


class Bench:
    """The demo's shaft under a manual clock, any of its lines opened at any speed."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.shaft = shaft.load(DEMO, START)
        self.opened: list[str] = []
        self.said: list[str] = []

    def open(self, setting: Line) -> Paced:
        """The wire of the sim's line of that name; at another speed or in another language nobody answers."""
        self.opened.append(f"{setting.protocol} {setting.baud}")
        wiring = next(each for each in self.shaft.wirings if each.line_id == setting.device.name)
        fits = (wiring.protocol, wiring.baud) == (setting.protocol, setting.baud)
        meters = self.shaft.lines[wiring.line_id]

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            return meters.answer(frame, now, mono) if fits else (b"", 0.0)

        return Paced(setting, answer, self.clock)

    def scan(self, name: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Setting, list[Found]]]:
        monkeypatch.setattr(Line, "open", lambda line: self.open(line))
        found, _ = program.scan(Path(name), iter(program.SETTINGS), 32, PATIENCE_S, self.clock, self.said.append)
        return found


@pytest.mark.parametrize("name", ["line-1", "line-2", "line-3"])
def test_a_line_nobody_wrote_down_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocol, speed and every meter with its own number, in minutes of the line's time."""
    bench = Bench()
    before = bench.clock.monotonic()
    ((setting, meters), *others) = bench.scan(name, monkeypatch)
    took_s = bench.clock.monotonic() - before
    wired = next(each for each in bench.shaft.wirings if each.line_id == name)
    assert (setting.protocol, setting.baud) == (wired.protocol, wired.baud) and others == []
    there = {meter.address: meter.serial for meter in bench.shaft.lines[name].meters}
    assert sorted(each.address for each in meters) == sorted(str(address) for address in there)
    if setting.protocol == "dlt645-2007":
        assert {each.address: each.number for each in meters} == there
        assert {each.phases for each in meters} == {1, 3}
    assert took_s < 200, "four pairs share their last digits at 2400 bit/s, and the other protocols are tried too"
    assert bench.said[-1].endswith("nobody") and any("found" in text for text in bench.said)


def test_twelve_meters_of_unknown_speed_take_less_than_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise for a shaft: DL/T 645 alone, speed unknown."""
    bench = Bench()
    monkeypatch.setattr(Line, "open", lambda line: bench.open(line))
    settings = [each for each in program.SETTINGS if each.protocol == "dlt645-2007"]
    before = bench.clock.monotonic()
    program.scan(Path("line-2"), iter(settings), 32, PATIENCE_S, bench.clock, bench.said.append)
    assert bench.clock.monotonic() - before < 120


def test_the_section_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is a site file as soon as rooms are filled in: read, and without a mistake."""
    bench = Bench()
    ((setting, meters),) = bench.scan("line-2", monkeypatch)
    tables = tomllib.loads(section(Path("/dev/x"), setting, meters).replace('room = ""', 'room = "A"'))
    site = Site.model_validate({"site": {"name": "x", "gateway": "x"}, **tables})
    assert len(site.meters) == 11 and install.mistakes(site) == []
    assert [meter.address for meter in site.meters] == sorted(meter.address for meter in site.meters)


SITE = """
[[ports]]
id = "line-1"
device = "{device}"
protocol = "dlt645-2007"
baud = 9600

[[meters]]
id = "m1"
port = "line-1"
address = "202603110101"

[[meters]]
id = "m3"
port = "line-1"
address = "999"
"""


def tables_of(printed: str) -> dict[str, list[dict[str, str]]]:
    return tomllib.loads(printed)


def test_a_second_port_gets_ids_that_nobody_has(tmp_path: Path) -> None:
    """The site file has line-1, m1 and m3, the machine's installation m4: proposed are line-2, m2, m5 and m6."""
    site = tmp_path / "here.toml"
    site.write_text(SITE.format(device="/dev/elsewhere"), encoding="utf-8")
    rows = {"meters": {"1": {"meter": "m4", "port": "line-1"}}}
    (tmp_path / "registry.json").write_text(json.dumps(rows), encoding="utf-8")
    meters = [Found("dlt645-2007", f"{number:012d}", phases=1) for number in (1, 2, 3)]
    tables = tables_of(section(Path("/dev/x"), Setting("dlt645-2007", 2400, "E"), meters, look(site, tmp_path)))
    assert [each["id"] for each in tables["ports"]] == ["line-2"]
    assert [(each["id"], each["port"]) for each in tables["meters"]] == [
        ("m2", "line-2"), ("m5", "line-2"), ("m6", "line-2"),
    ]  # fmt: skip


def test_a_port_that_the_site_file_has_gets_only_what_is_new(tmp_path: Path) -> None:
    """Its table and its known meters are not printed again; that it answered at another speed is said."""
    device = tmp_path / "adapter"
    device.touch()
    (tmp_path / "by-id").symlink_to(device)
    site = tmp_path / "here.toml"
    site.write_text(SITE.format(device=tmp_path / "by-id"), encoding="utf-8")
    meters = [Found("dlt645-2007", "202603110101", phases=1), Found("dlt645-2007", "202603110102", phases=1)]
    text = section(device, Setting("dlt645-2007", 2400, "E"), meters, look(site, tmp_path))
    assert "ports" not in tables_of(text) and [each["id"] for each in tables_of(text)["meters"]] == ["m2"]
    assert 'address 202603110101 is "m1"' in text and "with baud 9600: it answered as dlt645-2007 at 2400 8E1" in text


def test_what_every_protocol_proposes_can_be_read(tmp_path: Path) -> None:
    """Of 1997 its one model, without a relay; of water and Modbus the models to choose from."""
    taken = look(None, tmp_path)
    old = section(Path("/dev/x"), Setting("dlt645-1997", 1200, "E"), [Found("dlt645-1997", "201708176934")], taken)
    site = Site.model_validate(
        {"site": {"name": "x", "gateway": "x"}, **tomllib.loads(old.replace('room = ""', 'room = "A"'))}
    )
    assert (site.meters[0].model, site.meters[0].relay) == ("dlt645-1997", "none") and install.mistakes(site) == []
    water = section(Path("/dev/x"), Setting("cjt188", 2400, "E"), [Found("cjt188", "00000805000001")], taken)
    assert (
        "which one? cjt188-2018-water-valve, cjt188-water-valve" in water
        and tables_of(water)["meters"][0]["id"] == "m2"
    )
    bus = section(Path("/dev/x"), Setting("modbus-rtu", 9600, "N"), [Found("modbus-rtu", "3")], taken)
    assert "eastron-sdm120" in bus and 'id = "line-3"' in bus and 'id = "m3"' in bus


def test_without_a_site_file_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ids count from 1 then, and the person is told what to do about it; a file that is none is refused first."""
    bench = Bench()
    monkeypatch.setattr(Line, "open", lambda line: bench.open(line))
    monkeypatch.setattr(program, "SystemClock", lambda: bench.clock)
    monkeypatch.chdir(tmp_path)
    words = ["line-1", "--protocol", "dlt645-2007", "--baud", "2400", "--data", str(tmp_path)]
    assert program.main(words) == 0
    told = capsys.readouterr().out
    assert "no site file was looked at, so ids count from 1" in told and "--site FILE" in told
    (tmp_path / "site.toml").write_text(SITE.format(device="/dev/elsewhere"), encoding="utf-8")
    assert program.main(words) == 0
    told = capsys.readouterr().out
    assert "ids are free beside site.toml" in told and 'id = "line-2"' in told and 'id = "m1"' not in told
    opened = len(bench.opened)
    for wrong in (tmp_path, tmp_path / "none.toml"):
        assert program.main([*words, "--site", str(wrong)]) == 2 and len(bench.opened) == opened
        assert "name your site file with --site" in capsys.readouterr().err
    (tmp_path / "bad.toml").write_text("[[[", encoding="utf-8")
    with pytest.raises(NoSite, match="riser site check"):
        look(tmp_path / "bad.toml", tmp_path)


def test_a_port_in_use_is_code_3_and_no_setting_is_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As everywhere in Riser: 3 is a port that another program has open, 2 are words that cannot be used."""

    def held(line: Line) -> InlineWire:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(Line, "open", held)
    assert program.main(["line-1"]) == 3 and "is used by another program" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        program.main(["line-1", "--baud", "300"])
    assert ended.value.code == 2 and "no setting is left to try" in capsys.readouterr().err


def test_one_address_given_twice_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two meters with one address: said in words, and left out of the section."""
    bench = Bench()
    meters = bench.shaft.lines["line-1"].meters
    meters[1].address, meters[1].wire = meters[0].address, meters[0].wire  # type: ignore[attr-defined]
    ((setting, found),) = bench.scan("line-1", monkeypatch)
    (told,) = oddities(found)
    assert f"more than one meter answers at address {meters[0].address}" in told
    assert f'"{meters[0].address}"' not in section(Path("x"), setting, found) and len(found) == 8


def test_one_number_in_two_meters_is_named() -> None:
    """A copied number is a reason to look at the plates."""
    found = [Found("dlt645-2007", "1" * 12, "5" * 12), Found("dlt645-2007", "2" * 12, "5" * 12)]
    assert oddities(found) == [
        f"the meters {'1' * 12} and {'2' * 12} have one number, {'5' * 12}; compare it with their plates"
    ]


class Heard:
    """A wire on which a fixed sequence of pieces is heard."""

    def __init__(self, clock: ManualClock, *pieces: bytes):
        self._clock, self._pieces = clock, list(pieces)

    def drain(self) -> None: ...

    def write(self, frame: bytes) -> None: ...

    def read(self, timeout_s: float) -> bytes:
        self._clock.advance(min(timeout_s, 0.01) if self._pieces else max(timeout_s, 1e-3))
        return self._pieces.pop(0) if self._pieces else b""


def test_what_is_heard_is_told_apart() -> None:
    """One reply, a second behind it, our own echo, a glitch, rubbish: each is what it is, to a crowd and to one."""
    clock = ManualClock(START)
    probe = next(dlt645_meters())
    reply = shaft.load(DEMO, START).lines["line-1"].meters[0].answer(
        probe.frame.replace(b"\xaa" * 6, bytes.fromhex("202603110101")[::-1])[:-2]
        + bytes([sum(bytes.fromhex("68010111032620681104") + probe.frame[-6:-2]) & 0xFF, 0x16]),
        START,
        0.0,
    )  # fmt: skip
    assert reply
    raw, other = reply.lstrip(b"\xfe"), bytearray(reply.lstrip(b"\xfe"))
    line = Line("x", Path("x"), "dlt645-2007", 2400, "E")

    def heard(*pieces: bytes, crowd: bool = True) -> Outcome:
        asked = Probe(probe.protocol, probe.frame, "", crowd)
        return listen(line, Heard(clock, *pieces), asked, clock, PATIENCE_S)

    other[1] ^= 1
    other[-2] = sum(other[:-2]) & 0xFF
    assert heard(reply) == Outcome(raw)
    assert heard(probe.frame, reply) == Outcome(raw), "behind our own echo"
    assert heard(reply, b"\x00") == Outcome(raw), "a transceiver that lets go"
    assert heard(probe.frame) == Outcome(None, "silent"), "an echo is nobody"
    assert heard(b"\xff\x00") == Outcome(None, "silent")
    assert heard(reply, bytes(other)) == Outcome(None, "noise"), "two have spoken, one after the other"
    assert heard(raw[:9] + bytes(other[3:])) == Outcome(None, "noise")
    assert heard(reply, b"\x55" * 400, crowd=False) == Outcome(raw), "a question to one ends with its answer"
    assert heard(*[b"\x55" * 50] * 2000) == Outcome(None, "noise"), "babble has an end"


def test_a_port_that_cannot_be_used_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and what to do; nobody there is code 1."""
    assert program.main([str(tmp_path / "nothing")]) == 2
    assert "is not there: is the adapter plugged in" in capsys.readouterr().err


def test_for_programs_it_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` says what was found, in fixed keys."""
    bench = Bench()
    bench.shaft.set_faults(gather(["silent:a101"]))
    monkeypatch.setattr(Line, "open", lambda line: bench.open(line))
    monkeypatch.setattr(program, "SystemClock", lambda: bench.clock)
    assert program.main(["line-1", "--protocol", "dlt645-2007", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"asked", "lines"} and told["lines"][0]["baud"] == 2400
    assert len(told["lines"][0]["meters"]) == 8, "a silent meter is not found"
    assert set(told["lines"][0]["meters"][0]) == {"address", "number", "phases", "doubled", "purse"}
