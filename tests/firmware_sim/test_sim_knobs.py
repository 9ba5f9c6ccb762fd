"""Knobs for who tries a master: fixed think times, wake-up bytes, babble, every model in a shaft file, a new speed."""

from __future__ import annotations

import os
import termios
import time
import tty
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.contract.clock import SystemClock
from firmware_sim.cjt188 import parse as parse_water
from firmware_sim.dlt645_frame import build, parse
from firmware_sim.faults import gather, lines_of
from firmware_sim.from_site import described
from firmware_sim.kinds import DLT645, MODBUS, WATER_MODELS
from firmware_sim.line import Line
from firmware_sim.running import RunningShaft
from firmware_sim.shaft import load, recall, save
from firmware_sim.wire import hear_cjt188, hear_dlt645

READ_TOTAL = bytes.fromhex("00000100")


def shaft_text() -> str:
    """A shaft with one meter of every model, two circuits of the box, on a line of each protocol."""
    lines = {"dlt645-2007": "a", "dlt645-1997": "b", "cjt188": "c", "modbus-rtu": "d"}
    text = '[shaft]\nname = "all"\n'
    for protocol, name in lines.items():
        text += f'[[lines]]\nid = "{name}"\nprotocol = "{protocol}"\nbaud = 9600\nthink_ms = 20\n'
    rows = [(model, "b" if model == "dlt645-1997" else "a", f"20260000{n:04d}", "") for n, model in enumerate(DLT645)]
    rows += [(model, "c", f"7833000000{n:04d}", "") for n, model in enumerate(WATER_MODELS)]
    rows += [(model, "d", str(n), "circuit = 1\n" if "adf" in model else "") for n, model in enumerate(MODBUS, 1)]
    rows.append(("acrel-adf300l", "d", str(list(MODBUS).index("acrel-adf300l") + 1), "circuit = 4\n"))
    for number, (model, line, address, more) in enumerate(rows):
        draws = "litres_h = 90" if line == "c" else "watts = 900"
        text += f'[[meters]]\nid = "m{number}"\nline = "{line}"\nmodel = "{model}"\naddress = "{address}"\n'
        text += f'serial = "202600000000"\n{more}load = {{ kind = "shop", {draws} }}\n'
    return text


def test_a_shaft_file_may_hold_every_model_and_remembers_all_of_them(tmp_path: Path, start) -> None:
    """Each protocol has its line, circuits share an address, and a restart changes no meter."""
    path = tmp_path / "shaft.toml"
    path.write_text(shaft_text(), encoding="utf-8")
    shaft = load(path, start)
    assert len(shaft.meters) == len(DLT645) + len(WATER_MODELS) + len(MODBUS) + 1
    save(shaft.state(), tmp_path / "state.json")
    again = load(path, start)
    assert recall(again, tmp_path / "state.json") == []
    later = start + timedelta(days=2)
    for each in (shaft, again):
        for meter in each.meters.values():
            meter.advance(later)
    assert again.state() == shaft.state()


def test_a_site_file_with_water_and_circuits_is_practised(tmp_path: Path, start) -> None:
    """`riser sim --site` stands up the new models as the site file writes them."""
    path = tmp_path / "site.toml"
    path.write_text(
        '[site]\nname = "x"\n[[ports]]\nid = "w"\nprotocol = "cjt188"\n[[ports]]\nid = "d"\nprotocol = "modbus-rtu"\n'
        '[[meters]]\nid = "w1"\nmodel = "cjt188-water-valve"\nport = "w"\naddress = "78330123456789"\n'
        '[[meters]]\nid = "c3"\nmodel = "acrel-adf300l"\nport = "d"\naddress = "9"\ncircuit = 3\n',
        encoding="utf-8",
    )
    shaft = load(path, start, tables=described)
    asked = bytes.fromhex("6810aaaaaaaaaaaaaa0103901f01d216")
    assert parse_water(shaft.lines["w"].answer(asked, start)[0])[2] == 0x81
    assert shaft.meters["c3"].circuit == 3


def test_a_line_thinks_as_long_as_it_is_told(tmp_path: Path, start, make) -> None:
    """think_ms fixes the time before every answer; a nonsense one is named."""
    path = tmp_path / "shaft.toml"
    path.write_text(shaft_text(), encoding="utf-8")
    line = load(path, start).lines["a"]
    assert {line.answer(build(line.meters[0].wire, 0x13), start)[1] for _ in range(9)} == {0.02}
    path.write_text(shaft_text().replace("think_ms = 20", "think_ms = -1"), encoding="utf-8")
    with pytest.raises(ValueError, match="think_ms is 0 to 5000"):
        load(path, start)


def test_a_meter_that_wants_wake_up_bytes_is_found_only_with_them(make, start):
    """needs_preamble = 4: three FEH are slept through, four or more are heard; the ear passes them on."""
    meter = make(needs_preamble=4)
    ask = build(meter.wire, 0x11, READ_TOTAL)
    for count in range(7):
        heard = hear_dlt645(bytearray(b"\x00\xfe\x00" + b"\xfe" * count + ask), True)
        assert heard == b"\xfe" * count + ask
        assert (meter.answer(heard, start) is not None) is (count >= 4)


@pytest.mark.parametrize("at_once", [True, False])
def test_wake_up_bytes_reach_the_meter_however_they_come(make, at_once):
    """FEH bytes that come alone are not lost before their frame comes; alone for good, they are."""
    for hear, frame in (
        (hear_dlt645, build(b"\x01" * 6, 0x13)),
        (hear_cjt188, bytes.fromhex("6810aaaaaaaaaaaaaa0303810a01b016")),
    ):
        buffer, found = bytearray(), []
        raw = b"\x68\x01" + b"\xfe" * 3 + frame
        for part in [raw] if at_once else [raw[spot : spot + 1] for spot in range(len(raw))]:
            buffer += part
            found.append(hear(buffer, False))
        while None in found:
            found.remove(None)
        found += [each for each in (hear(buffer, True),) if each]
        assert found == [b"\xfe" * 3 + frame]
        assert hear(bytearray(b"\xfe\xfe"), False) is None
        assert hear(left := bytearray(b"\xfe\xfe"), True) is None and not left


def test_a_babbling_meter_talks_for_the_seconds_it_is_told_to(make, start):
    """Asked, it fills the line with rubbish for so long; the others are heard as before."""
    line = Line([make(meter_id="a"), make(address="202603110207", meter_id="b")], 1, baud=2400)
    line.set_faults(gather(["babble:a:3"]))
    heard, _ = line.answer(build(line.meters[0].wire, 0x11, READ_TOTAL), start)
    assert len(heard) == 3 * 2400 // 11 and parse(heard) is None
    assert parse(line.answer(build(line.meters[1].wire, 0x11, READ_TOTAL), start)[0])[1] == 0x91
    assert lines_of(line.faults) == ["babble:a:3.0"]


def test_a_meter_on_a_terminal_changes_its_speed(tmp_path: Path, start) -> None:
    """17H on a pseudo-terminal: answered at the old speed; then the program that opens it at the new one is heard."""
    path = tmp_path / "shaft.toml"
    path.write_text(shaft_text(), encoding="utf-8")
    running = RunningShaft(load(path, start), tmp_path / "run", SystemClock(), [])
    running.start()
    try:
        wire = running.shaft.lines["a"].meters[0].wire
        descriptor = os.open(tmp_path / "run" / "a", os.O_RDWR | os.O_NOCTTY)
        tty.setraw(descriptor)

        def asked(frame: bytes, baud: int, wait_s: float = 3.0) -> bytes:
            settings = termios.tcgetattr(descriptor)
            settings[4] = settings[5] = baud
            termios.tcsetattr(descriptor, termios.TCSADRAIN, settings)
            os.set_blocking(descriptor, False)
            os.write(descriptor, frame)
            got, until = b"", time.monotonic() + wait_s
            while time.monotonic() < until and hear_dlt645(bytearray(got), False) is None:
                try:
                    got += os.read(descriptor, 256)
                except BlockingIOError:
                    time.sleep(0.005)
            return got

        assert parse(asked(build(wire, 0x17, b"\x08"), termios.B9600))[1] == 0x97
        assert parse(asked(build(wire, 0x13), termios.B2400))[1] == 0x93
        assert asked(build(wire, 0x13), termios.B9600, 0.4) == b""
        os.close(descriptor)
    finally:
        running.stop()
