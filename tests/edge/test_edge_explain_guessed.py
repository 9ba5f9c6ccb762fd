"""`riser explain` opens a register that nobody read onto the two readings it was worked out from, with the sum."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.between import around, between
from edge.audit import explain
from firmware_sim.faults import Faults
from tests.edge.test_edge_hours import METER, building_of, days_charged, find_other_table

SCALE = 1_000_000_000


def mark(total: int, minute: int, source: str) -> dict[str, Any]:
    return {"registers_wh": {"total": total}, "at": f"2026-11-20T06:{minute:02d}:00.000000+00:00", "source": source}


def asked(book: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert explain.main([*words, "--data", str(book)]) == 0
    return capsys.readouterr().out


def test_a_border_that_nobody_read_is_opened_onto_two_readings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is dead at 14:00, and the meter froze nothing at midnight: of both registers the two readings are told,
    when and how each was had, where it stands, and the straight line's sum, which gives the register to the Wh."""
    building = building_of(tmp_path)
    building.edge.core.lives[METER].lacks.add("load-energy")
    find_other_table(building)
    days_charged(building, 1)
    building.run_until(lambda: len(building.of("border/1")) == 3, hours=13)
    building.shaft.lines["line-1"].set_faults(Faults(silent=frozenset({METER})))
    building.run(hours=2.8)
    building.shaft.lines["line-1"].set_faults(Faults())
    midnight = building.clock.now().replace(hour=16, minute=0, second=0, microsecond=0)
    building.run_until(lambda: building.clock.now() >= midnight + timedelta(seconds=5), hours=25)
    building.sim_meter(METER).advance(building.clock.now())
    building.sim_meter(METER).metrology.freezes.pop()
    days_charged(building, 2)
    charge = building.of("charge/2")[1]
    story = json.loads(asked(tmp_path, capsys, charge.id, "--json"))
    (missed,) = [each for each in story["between"] if each["source"] == "interpolated"]
    assert [each["source"] for each in missed["rests_on"]] == ["border", "border"]
    assert all(each["seq"] < story["seq"] for each in missed["rests_on"]), "the entries that keep their frames"
    guesses = [missed, *([story["end"]] if story["end"]["source"] == "interpolated" else [])]
    assert len(guesses) == 2 and all("sweep" in each for each in story["end"]["rests_on"])
    for guess in guesses:
        (row,) = guess["sum"]["registers"]
        part = row["moved"] * guess["sum"]["early_us"] // guess["sum"]["whole_us"]
        assert row["straight"] and row["before"] + part == guess["registers_wh"]["total"]
    english, chinese = (asked(tmp_path, capsys, charge.id, "--lang", each) for each in ("en", "zh"))
    assert english.count("rests on 2026-11-2") == chinese.count("依据 2026-11-2") == 4
    assert len(re.findall(r"sweep \d+ of this book", english)) == 2
    assert len(re.findall(r"total: \S+ kWh \+ \S+ kWh x \S+ / \S+ = \S+ kWh \(rounded down\)", english)) == 2
    entries = re.findall(r"with its raw frames in entry (\d+)", english)
    assert "answered: " in asked(tmp_path, capsys, entries[0])
    after = building.of("charge/2")[1:]
    building.run_until(lambda: len(building.of("charge/2")) > 1 + len(after), hours=30)
    follows = asked(tmp_path, capsys, building.of("charge/2")[2].id)
    assert len(re.findall(r"sweep \d+ of this book", follows)) == 2, "the next charge opens onto the same readings"


def test_a_border_beside_a_border_is_worked_out_from_the_pair_that_gives_it() -> None:
    """Two borders in a row were missed: the second one's readings are named, or the first one where only its line gives
    the register; never a pair whose sum is another register while one is right."""
    marks = [mark(1000, 0, "freeze"), mark(1333, 20, "interpolated"), mark(1666, 40, "interpolated"),
             mark(2000, 59, "border")]  # fmt: skip
    marks[3]["at"] = "2026-11-20T07:00:00.000000+00:00"
    first = around(marks, 1, SCALE)
    assert first is not None and (first.before["source"], first.after["source"]) == ("freeze", "border")
    assert [(part.moved, part.part, part.straight) for part in first.parts] == [(1000, 333, True)]
    second = around(marks, 2, SCALE)
    assert second is not None and second.before is marks[0] and second.after is marks[3] and second.parts[0].straight
    marks[2]["registers_wh"]["total"] = 1665
    found = around(marks, 2, SCALE)
    assert found is not None and not found.parts[0].straight and found.before is marks[0], "no line gives it: said so"
    marks[2] = mark(1666, 40, "interpolated")
    marks[1]["registers_wh"]["total"], marks[3]["registers_wh"]["total"] = 1332, 2001
    marks[2]["registers_wh"]["total"] = 1332 + 669 * 20 // 40
    third = around(marks, 2, SCALE)
    assert third is not None and third.parts[0].straight and third.before is marks[1]


def test_of_a_steady_load_the_nearest_readings_are_named() -> None:
    """Where every pair of readings gives the register, the two that lie next to it are shown."""
    steady = [mark(1000, 0, "freeze"), mark(1200, 20, "border"), mark(1400, 40, "interpolated"),
              mark(1500, 50, "border"), mark(1590, 59, "freeze")]  # fmt: skip
    found = around(steady, 2, SCALE)
    assert found is not None and found.before is steady[1] and found.after is steady[3]


def test_a_sum_goes_over_the_top_of_a_register_and_back_from_a_guess() -> None:
    """A register that rolled over, and an estimate that was too high, come out as the charge has them; an instant that
    does not lie between the two has no sum."""
    over = between(mark(2, 30, "interpolated"), mark(SCALE - 8, 0, "freeze"), mark(12, 59, "read"), SCALE)
    assert over is not None and (over.parts[0].moved, over.parts[0].part) == (20, 10)
    back = between(mark(950, 30, "interpolated"), mark(1000, 0, "estimate"), mark(902, 59, "read"), SCALE)
    assert back is not None and (back.parts[0].moved, back.parts[0].part, back.parts[0].straight) == (-98, -50, True)
    assert between(mark(5, 1, "interpolated"), mark(1, 2, "read"), mark(9, 3, "read"), SCALE) is None
