"""A scan says which meters keep prepaid money themselves, and proposes a model with a purse for them."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.codec import dlt645
from edge.codec.dlt645 import Frame
from edge.scan.search import Found, Outcome, Probe, dlt645_meters
from edge.scan.telling import Setting, as_json, section
from firmware_sim.from_site import described
from firmware_sim.shaft import load
from tests.edge.test_edge_scan import run

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
ADDRESS = "000000000301"
SITE = """
[site]
name = "x"
gateway = "x"
[[ports]]
id = "line-1"
device = "/dev/x"
protocol = "dlt645-2007"
[[meters]]
id = "p1"
model = "MODEL"
port = "line-1"
address = "000000000301"
room = "1"
"""


def found(tmp_path: Path, model: str, more: str = "") -> Found:
    """What a scan finds out about a simulated meter of this model."""
    path = tmp_path / "site.toml"
    path.write_text(SITE.replace("MODEL", model) + more, encoding="utf-8")
    line = load(path, NOW, tables=described).lines["line-1"]

    def answer(probe: Probe) -> Outcome:
        reply = line.answer(probe.frame, NOW, 0.0)[0]
        return Outcome(reply.lstrip(b"\xfe") or None, None if reply else "silent")

    ((meter,), _) = run(dlt645_meters(), answer)
    return meter


@pytest.mark.parametrize(
    ("model", "more", "proposed"),
    [
        ("dlt645-1p", "", "dlt645-1p"),
        ("dlt645-1p-purse", "", "dlt645-1p-purse"),
        ("dlt645-3p-purse", "", "dlt645-3p-purse"),
        ("dlt645-3p-purse", 'purse = "off"\n', "dlt645-3p"),
    ],
)
def test_the_model_that_is_proposed_has_a_purse_where_the_meter_has_one(
    tmp_path: Path, model: str, more: str, proposed: str
) -> None:
    """Status word 3 says that money is prepaid in the meter: the section names a purse model and says what follows."""
    text = section(Path("/dev/x"), Setting("dlt645-2007", 2400, "E"), [found(tmp_path, model, more)])
    (row,) = tomllib.loads(text)["meters"]
    assert row["model"] == proposed
    assert ("keeps prepaid money itself" in text) is proposed.endswith("-purse")
    assert ('purse = "off"' in text) is proposed.endswith("-purse") and "purse" not in row, "advice, not a decision"


def replies(**values: str) -> Any:
    """A meter that answers these identifiers, refuses the others, and has one phase."""

    def answer(probe: Probe) -> Outcome:
        asked = dlt645.decode(probe.frame)
        value = {"00010000": "00000000", "0201FF00": "0022ffffffff", **values}.get(str(asked.identifier))
        if value is None:
            return Outcome(dlt645.encode(Frame(ADDRESS, 0xD1, b"\x02"), 0))
        return Outcome(dlt645.encode(Frame(ADDRESS, 0x91, asked.data[:4] + bytes.fromhex(value)), 0))

    return answer


@pytest.mark.parametrize(
    ("values", "purse"),
    [
        ({}, False),
        ({"04000503": "0000"}, False),
        ({"04000503": "0001"}, True),
        ({"04000503": "0002"}, True),
        ({"04000503": "0003"}, False),
        ({"04000503": "0000", "00900200": "00000000"}, False),
        ({"04000503": "0000", "00900200": "50000000"}, True),
        ({"00900200": "50000000"}, True),
        ({"00900200": "ffffffff"}, False),
    ],
)
def test_bits_or_an_amount_tell_of_a_purse(values: dict[str, str], purse: bool) -> None:
    """Energy or money prepaid in bits 8-9, or an amount left in the meter; a refusal, zero and FF tell of none."""
    ((meter,), _) = run(dlt645_meters(), replies(**values))
    assert meter.purse is purse
    told = as_json([(Setting("dlt645-2007", 2400, "E"), [meter])], 1)
    assert told["lines"][0]["meters"][0]["purse"] is purse


def test_a_purse_of_unknown_phases_leaves_the_model_to_a_person() -> None:
    """One phase or three is not known, that it keeps money is: both purse models are named in the remark."""
    text = section(Path("/dev/x"), Setting("dlt645-2007", 2400, "E"), [Found("dlt645-2007", ADDRESS, purse=True)])
    assert 'model = ""   # which one? dlt645-1p-purse, dlt645-3p-purse' in text and "keeps prepaid money itself" in text
