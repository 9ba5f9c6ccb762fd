"""A meter that keeps no midnights is read at the border of a day, and one wrong answer then is nobody's bill (R24)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Site
from edge import gate, model
from edge.borders import READS_AT_MOST
from edge.codec import modbus
from edge.line.request import BORDER, PERSON, Request
from edge.live import Sample
from firmware_sim.metrology import WUS_PER_WH
from tests.edge.building import Building
from tests.edge.test_edge_moved_by_model import SITE, Box, Shaft, Water

METER = "a301"
LATE_EVENING = datetime(2026, 11, 20, 15, 50, tzinfo=UTC)  # 23:50 in Shanghai.
MIDNIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)
KIND = model.load("eastron-sdm630")

Spoils = Callable[[int, int], int | None]
"""(number of the border read, the register in Wh) -> what the meter says instead; None: nothing."""


class Border:
    """The last minutes of a day of one Modbus meter, whose border reads answer what the test wants."""

    def __init__(self, directory: Path, spoils: Spoils):
        self.building = Building(directory, start=LATE_EVENING, meters={METER}, poll_s=30, idle_s=1)
        self.spoils, self.said, self.shown = spoils, [], set()  # type: Spoils, list[int | None], set[int]
        self._port = self.building.ports["line-3"]
        self._asked: Request | None = None
        self._answer, self._do = self._port.wire._answer, self._port._do
        self._port._do, self._port.wire._answer = self._doing, self._answering  # type: ignore[method-assign]

    def _doing(self, request: Request) -> None:
        self._asked = request
        self._do(request)

    def _answering(self, frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
        reply, think_s = self._answer(frame, now, mono)
        assert self._asked is not None
        if self._asked.purpose != "energy" or self._asked.priority not in (BORDER, PERSON) or not reply:
            return reply, think_s
        (kwh,) = struct.unpack(">f", reply[3:7])
        wh = modbus.whole_wh_of_float_kwh(reply[3:7])
        said = self.spoils(len(self.said) + 1, wh)
        self.said.append(said)
        if said is None:
            return b"", think_s
        if said == wh:
            self.shown.add(wh)
            return reply, think_s
        body = reply[:3] + struct.pack(">f", kwh + (said - wh) / 1000)
        return body + modbus.crc(body), think_s

    def closed(self) -> dict[str, Any]:
        self.building.run_until(lambda: self.building.of("closing/1"), hours=1)
        return self.building.of("closing/1")[0].fields


@pytest.mark.parametrize("turn", [1, 2, 3])
@pytest.mark.parametrize("off_wh", [-10_000, -12, 12, 400, 1100, 10_000])
def test_one_wrong_border_read_charges_no_wrong_wh(tmp_path: Path, turn: int, off_wh: int) -> None:
    """A meter that restarts, or a frame whose sum is right by chance: whichever of the reads at midnight it befalls,
    and whether the register is a step off or far, the day is billed on a register that the meter really showed."""
    border = Border(tmp_path, lambda number, wh: max(0, wh + off_wh) if number == turn else wh)
    assert border.closed()["deferred"] == []
    (charge,) = border.building.of("charge/2")
    end = charge.fields["end"]
    assert end["registers_wh"]["total"] in border.shown and end["source"] == "border"
    assert end["registers_wh"] == {"total": modbus.whole_wh_of_float_kwh(bytes.fromhex(end["frames"][-1][1])[3:7])}
    assert len(end["frames"]) == 2 and not border.building.of("quarantine/1")


def test_a_meter_whose_readings_never_fit_is_charged_between_two_that_do(tmp_path: Path) -> None:
    """Every look at midnight tells something else: the line is not held, and the day ends between the readings of the
    rounds before and after, interpolated and marked so (R24)."""
    border = Border(tmp_path, lambda number, wh: wh + 500 * (number % 2))
    assert border.closed()["deferred"] == []
    (charge,) = border.building.of("charge/2")
    end = charge.fields["end"]
    assert 2 < len(border.said) <= READS_AT_MOST
    assert end["source"] == "interpolated" and charge.fields["guessed"] == ["interpolated"]
    before, after = (each["registers_wh"]["total"] for each in end["rests_on"])
    assert before <= end["registers_wh"]["total"] <= after < before + 500


def test_a_second_look_that_is_not_answered_is_asked_for_again(tmp_path: Path) -> None:
    """Noise on the second of two looks costs no midnight."""
    border = Border(tmp_path, lambda number, wh: None if number == 2 else wh)
    assert border.closed()["deferred"] == [] and len(border.said) == 3
    assert abs((border.building.clock.now() - MIDNIGHT).total_seconds()) < 600


def test_a_register_that_moves_is_billed_on_the_middle_of_three(tmp_path: Path) -> None:
    """At full load no two looks are the same: three that follow on each other do, and the middle one counts."""

    def runs_on(number: int, wh: int) -> int:
        border.building.sim_meter(METER).metrology.total_wus += 11 * WUS_PER_WH
        return wh

    border = Border(tmp_path, runs_on)
    assert border.closed()["deferred"] == []
    first, middle, last = border.said
    (charge,) = border.building.of("charge/2")
    assert first < middle < last and charge.fields["end"]["registers_wh"] == {"total": middle}  # type: ignore[operator]


def test_a_second_look_is_one_only_within_seconds() -> None:
    """Nothing falls, nothing rises by more than a step and what the meter carries meanwhile, and no rate is missing."""

    def sample(mono: float, **registers_wh: int) -> Sample:
        return Sample(registers_wh, MIDNIGHT, mono, ())

    first = sample(100.0, total=5000, peak=1000)
    carried = 1.2 * KIND.max_amps * KIND.volts * KIND.phases / 3600 + KIND.step_wh
    for second, fits in (
        (sample(100.1, total=5000, peak=1000), True),
        (sample(100.1, total=5000 + int(carried), peak=1000), True),
        (sample(100.1, total=5001 + int(carried), peak=1000), False),
        (sample(100.1, total=4999, peak=1000), False),
        (sample(100.1, total=5000), False),
        (sample(100.0 + gate.AT_ONCE_S + 1, total=5000, peak=1000), False),
    ):
        assert gate.at_once(KIND, first, second) is fits, second


class WaterShaft(Shaft):
    """The water meter has a tenant too."""

    def __init__(self, directory: Path):
        self.box, self.water = Box(), Water()
        Building.__init__(self, directory, start=LATE_EVENING)

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        prices = {"tariff": SITE["tariffs"][0]["id"], "water_tariff": "water"}
        account = {"id": "w", "name": "W", "room": "1", "meters": ["w1"], "opening": "100.00", **prices}
        tariff = {"id": "water", "name": "Water", "unit": "m3", "kind": "single", "price": "3.5"}
        tables = SITE | {"accounts": [*SITE["accounts"], account], "tariffs": [*SITE["tariffs"], tariff]}
        return Site.model_validate(tables)


def test_a_water_meter_is_read_at_the_border_too(tmp_path: Path) -> None:
    """It has litres and no energy: its register at midnight is asked for by its own name, and billed."""
    shaft = WaterShaft(tmp_path)
    shaft.run_until(lambda: shaft.of("closing/1", account="w"), hours=1)
    (charge,) = shaft.of("charge/2", meter="w1")
    assert charge.fields["end"]["source"] == "border" and charge.fields["end"]["registers_wh"] == {"total": 123_450}
