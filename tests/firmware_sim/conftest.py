"""What the tests of the simulated meters share: a meter on the bench, and ways to ask it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware_sim.dlt645 import Dlt645Meter
from firmware_sim.dlt645_frame import address_bytes, build, parse
from firmware_sim.loads import Load

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # 10:30 on a Friday in Shanghai


@pytest.fixture
def zone() -> ZoneInfo:
    return SHANGHAI


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
def make() -> Callable[..., Dlt645Meter]:
    """A meter with address 202603110206 behind 3600 W, unless said otherwise."""

    def made(
        address: str = "202603110206",
        serial: str = "202511080206",
        kind: str = "constant",
        watts: int = 3600,
        start: datetime = START,
        **more: Any,
    ) -> Dlt645Meter:
        return Dlt645Meter(address, serial, Load(kind, watts, 7, SHANGHAI), start, **more)

    return made


@pytest.fixture
def request_frame() -> Callable[..., bytes]:
    """A request from its address, control byte and payload as hexadecimal, before + 33H."""

    def framed(address: str, control: int, payload: str = "") -> bytes:
        wire = bytes.fromhex(address)[::-1] if "a" in address.lower() else address_bytes(address)
        return build(wire, control, bytes.fromhex(payload))

    return framed


@pytest.fixture
def read(request_frame: Callable[..., bytes]) -> Callable[..., str]:
    """Read one identifier: the value as hexadecimal with the high byte first, or "error NN"."""

    def asked(meter: Dlt645Meter, di: str, now: datetime = START, mono: float | None = None) -> str:
        reply = meter.answer(request_frame(meter.address, 0x11, bytes.fromhex(di)[::-1].hex()), now, mono)
        assert reply is not None
        parsed = parse(reply)
        assert parsed is not None and parsed[0] == meter.wire
        if parsed[1] == 0xD1:
            return f"error {parsed[2].hex()}"
        assert parsed[1] == 0x91 and parsed[2][:4][::-1].hex() == di.lower()
        return parsed[2][4:][::-1].hex()

    return asked


@pytest.fixture
def control(request_frame: Callable[..., bytes]) -> Callable[..., str]:
    """Send 1CH: "done", or "error NN". The password and the expiry may be given as hexadecimal in line order."""

    def sent(
        meter: Dlt645Meter,
        what: int,
        now: datetime = START,
        mono: float | None = None,
        key: str = "02000000",
        until: str = "000000000000",
    ) -> str:
        reply = meter.answer(request_frame(meter.address, 0x1C, f"{key}00000000{what:02x}00{until}"), now, mono)
        assert reply is not None
        parsed = parse(reply)
        assert parsed is not None
        if parsed[1] == 0xDC:
            return f"error {parsed[2].hex()}"
        assert parsed[1] == 0x9C and parsed[2] == b""
        return "done"

    return sent
