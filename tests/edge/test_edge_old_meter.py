"""The whole edge with a meter of 1997: two-byte identifiers, no number, no midnights; it is read and billed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Site
from edge.line.inline import Answer
from tests.edge.building import Building

ADDRESS = bytes.fromhex("630143030000")
SITE: dict[str, Any] = {
    "site": {"name": "East", "gateway": "east"},
    "clock": {"trust": "always"},
    "ports": [{"id": "old", "device": "old", "protocol": "dlt645-1997", "baud": 1200, "poll_s": 20}],
    "tariffs": [{"id": "home", "name": "Home", "kind": "single", "price": "0.5"}],
    "meters": [
        {"id": "o1", "model": "dlt645-1997", "port": "old", "address": "000003430163", "relay": "none", "room": "1"}
    ],
    "accounts": [
        {"id": "a1", "name": "A", "room": "1", "tariff": "home", "meters": ["o1"], "opening": "100.00"},
    ],
}


class Old:
    """It knows its register and its voltage, and says "no such data" to all else."""

    def __init__(self) -> None:
        self.hundredths = 106_248

    def answer(self, frame: bytes, now: datetime, monotonic: float) -> tuple[bytes, float]:
        assert frame.startswith(b"\xfe\xfe\xfe\xfe\x68"), "it sleeps until it is woken"
        body = frame.lstrip(b"\xfe")
        if body[1:7] != ADDRESS or body[8] != 0x01:
            return b"", 0.0
        asked = bytes((byte - 0x33) & 0xFF for byte in body[10:12])
        values = {b"\x10\x90": bytes.fromhex(f"{self.hundredths:08d}")[::-1], b"\x11\xb6": b"\x21\x02"}
        control, data = (0x81, asked + values[asked]) if asked in values else (0xC1, b"\x02")
        reply = b"\x68" + ADDRESS + b"\x68" + bytes([control, len(data)])
        reply += bytes((byte + 0x33) & 0xFF for byte in data)
        return reply + bytes([sum(reply) & 0xFF, 0x16]), 0.1


class Shaft(Building):
    def __init__(self, directory: Path):
        self.old = Old()
        super().__init__(directory, start=datetime(2026, 11, 20, 15, 40, tzinfo=UTC))  # 23:40 in Shanghai.
        self.connect()

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        return Site.model_validate(SITE)

    def answer_of(self, line: str) -> Answer:
        return self.old.answer


@pytest.fixture
def shaft(tmp_path: Path) -> Shaft:
    return Shaft(tmp_path)


def test_a_meter_that_does_not_know_its_number_is_opened_and_billed(shaft: Shaft) -> None:
    """What it refuses is left out and not asked every round; its register opens the account and is billed at the
    border of the day."""
    shaft.run_until(lambda: bool(shaft.of("opening/1")), hours=0.5)
    (opening,) = shaft.of("opening/1")
    assert opening.fields["serial"] is None and opening.fields["registers_wh"] == {"total": 1_062_480}
    shaft.run(minutes=2)
    assert shaft.fact("meter/o1")["voltage_a_v"] == 221 and "amps_a" not in shaft.fact("meter/o1")
    shaft.old.hundredths += 4
    shaft.run_until(lambda: bool(shaft.of("charge/2")), hours=1)
    (charge,) = shaft.of("charge/2")
    assert (charge.fields["wh"], charge.fields["amount_nano"]) == (40, 20_000_000)
    assert charge.fields["end"]["source"] == "border"
