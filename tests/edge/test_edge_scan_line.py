"""A scan on a paced line with simulated meters: everybody is found in two minutes, and the section can be used."""

from __future__ import annotations

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
