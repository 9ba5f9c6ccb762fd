"""What others make of the same line: a bare loop, PyPI dlt645, minimalmodbus, pymodbus; each judged as we are.

python -m tests.bench.bus_peers NAME DEVICE BAUD SECONDS [MQTT PORT]        runs one of them for so long
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import termios
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.codec import dlt645, modbus
from tests.bench.bus_site import Building
from tests.bench.judged import Judge, Wire, efficiency
from tests.bench.shaft24 import ROOT

ITEMS_645 = ("0001FF00", "04000503", "02030000")
ITEMS_MODBUS = ((0, 2), (0x0B, 3))
METERS = 32
ANSWER_S = 1.0

Ask = Callable[[int], Any]


def bare(device: str, baud: int, questions: list[tuple[bytes, int]], pause_s: float, told: Callable[[int], None]):  # type: ignore[no-untyped-def]
    """The least that can be done: write, read until the known length is there, next."""
    line = os.open(device, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    settings = termios.tcgetattr(line)
    settings[4] = settings[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(line, termios.TCSANOW, settings)

    def ask(number: int) -> None:
        for question, length in questions[number]:  # type: ignore[misc]
            os.write(line, question)
            heard, until = 0, time.monotonic() + ANSWER_S
            while heard < length and select.select([line], [], [], max(0.0, until - time.monotonic()))[0]:
                heard += len(os.read(line, 256))
            told(number)
            if pause_s:
                ended = time.monotonic()
                while time.monotonic() - ended < pause_s:
                    time.sleep(max(0.0, pause_s - (time.monotonic() - ended)))

    return ask


def bare_645(device: str, baud: int, told: Callable[[int], None] = lambda number: None) -> Ask:
    lengths = dict(zip(ITEMS_645, (36, 18, 19), strict=True))
    asked = [[(dlt645.read(f"{n:012d}", i, 0), lengths[i]) for i in ITEMS_645] for n in range(1, METERS + 1)]
    return bare(device, baud, asked, 0.0, told)  # type: ignore[arg-type]


def bare_modbus(device: str, baud: int) -> Ask:
    asked = [[(modbus.read(n, 3, s, c), 5 + 2 * c) for s, c in ITEMS_MODBUS] for n in range(1, METERS + 1)]
    return bare(device, baud, asked, 3.5 * 11 / baud, lambda number: None)  # type: ignore[arg-type]


def pypi_dlt645(device: str, baud: int) -> Ask:
    from dlt645 import RtuClient, disable_logging
    from dlt645.protocol.protocol import DLT645Protocol

    disable_logging()
    client = RtuClient(port=device, baud_rate=baud, timeout=ANSWER_S)
    client.connect()

    def ask(number: int) -> None:
        address = bytes.fromhex(f"{number + 1:012d}")[::-1]
        for item in ITEMS_645:
            frame = DLT645Protocol.build_frame(bytearray(address), 0x11, bytearray.fromhex(item)[::-1])
            client.send_request(bytes(frame))

    return ask


def minimal_modbus(device: str, baud: int) -> Ask:
    import minimalmodbus

    meters = []
    for n in range(1, METERS + 1):
        meter = minimalmodbus.Instrument(device, n)
        meter.serial.baudrate, meter.serial.timeout = baud, ANSWER_S
        meters.append(meter)
    return lambda number: [meters[number].read_registers(start, count, 3) for start, count in ITEMS_MODBUS]


def pymodbus_sync(device: str, baud: int) -> Ask:
    from pymodbus.client import ModbusSerialClient

    client = ModbusSerialClient(device, baudrate=baud, timeout=ANSWER_S)
    client.connect()
    return lambda number: [client.read_holding_registers(s, count=c, device_id=number + 1) for s, c in ITEMS_MODBUS]


PEERS: dict[str, Callable[[str, int], Ask]] = {
    "bare_645": bare_645,
    "dlt645": pypi_dlt645,
    "bare_modbus": bare_modbus,
    "minimalmodbus": minimal_modbus,
    "pymodbus": pymodbus_sync,
}


def measured(name: str, baud: int, seconds: float) -> dict[str, Any]:
    """One peer, in a process of its own, on a line of its own."""
    wire = Wire("dlt645-2007" if "645" in name else "modbus-rtu", baud)
    with tempfile.TemporaryDirectory(prefix="riser-bench-") as scratch:
        shaft = Path(scratch) / "shaft.toml"
        shaft.write_text(Building(wire).shaft())
        judge = Judge(shaft, Path(scratch) / "sim")
        try:
            words = [name, str(judge.directory / "line"), str(baud), str(seconds)]
            subprocess.run([sys.executable, "-m", "tests.bench.bus_peers", *words], cwd=ROOT, check=True)
            seen = judge.exchanges()
        finally:
            judge.stop()
    return efficiency(wire, seen)


def main() -> int:
    name, device, baud, seconds = sys.argv[1:5]
    ask = PEERS[name](device, int(baud))
    until, number = time.monotonic() + float(seconds), 0
    while time.monotonic() < until or number % METERS:
        ask(number % METERS)
        number += 1
    ask(0)  # So that the last sweep has an end.
    return 0


if __name__ == "__main__":
    sys.exit(main())
