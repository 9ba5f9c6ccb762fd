"""`riser explain ENTRY` opens a line of a bill down to the raw frames; what it says adds up to what was booked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import price_text
from edge.audit import explain, story_text, words
from edge.audit.figures import quantity
from tests.bench.grown_book import Grown
from tests.edge.building import START, Building


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("explained")
    grown = Grown(directory, 2)
    grown.grow(13)
    grown.book.close()
    return directory


def asked(book: Path, capsys: pytest.CaptureFixture[str], *words_: str) -> str:
    assert explain.main([*words_, "--data", str(book)]) == 0
    return capsys.readouterr().out


def test_a_charge_is_opened_to_its_frames(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both readings with their frames, each line as quantity x price = amount, and a sum that is the amount booked."""
    story: dict[str, Any] = json.loads(asked(book, capsys, "charge:m001:2016-01-12", "--json"))
    for end in ("start", "end"):
        energy = story[end]["frames"][-1]
        assert energy["valid"] and energy["way"] == "answer"
        told = " ".join(energy["lines"])
        assert all(quantity(wh, "kWh") in told for wh in story[end]["registers_wh"].values()), told
    assert story["start"]["entry"] == "charge:m001:2016-01-11"
    for line in story["lines"]:
        assert line["wh"] * line["price_micro"] == line["amount_nano"]
    assert {line["kind"] for line in story["lines"]} == {"rate", "step", "surcharge"}
    total = sum(line["amount_nano"] for line in story["lines"])
    assert total == story["amount_nano"] == story["balance_before_nano"] - story["balance_after_nano"]
    assert story["amount_fen"] * 10**7 + story["residue_nano"] == total and 0 <= story["residue_nano"] < 10**7
    assert [row["all"] for row in story["used"] if row["register"] == "total"] == [story["wh"]]
    assert story["prices"][0]["by"] == "seed" and story["prices"][0]["seq"] == 2


def test_people_read_it_in_both_languages(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same figures in English and in Chinese, by number or by id, with how each register was obtained."""
    story = json.loads(asked(book, capsys, "charge:m001:2016-01-12", "--json"))
    english = asked(book, capsys, str(story["seq"]))
    chinese = asked(book, capsys, "charge:m001:2016-01-12", "--lang", "zh")
    assert "daily freeze" in english and "日冻结" in chinese
    assert "multiplier" in english and "倍率 21" in chinese and "step 2, added" in english
    for line in story["lines"]:
        for text in (english, chinese):
            assert f"x {price_text(line['price_micro']):>9}" in text
    for figure in (story["hash"], "商铺分时"):
        assert figure in english and figure in chinese
    assert "kept this register" not in chinese and "日冻结" not in english


def test_a_day_of_an_account_is_explained_at_once(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who has no entry's number names the account and the day: its charge, its fee and its closing."""
    told = asked(book, capsys, "--account", "tm000", "--date", "2016-01-02", "--lang", "zh")
    assert "charge:m000:2016-01-02" in told and "fee:tm000:2016-01-02:kWh" in told and "close:tm000" in told


def test_every_entry_of_a_real_book_can_be_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A payment, a cut-off with its evidence, charges by freeze and by border, openings: each has something to say."""
    start = START.replace(hour=15, minute=50)
    building = Building(tmp_path, meters={"a206", "a301"}, poll_s=300, idle_s=10, start=start)
    building.connect()
    building.run(minutes=4)
    building.topup("100206", 100_00, reference="K-77")
    building.run(minutes=40)
    for entry in building.entries():
        for language in words.LANGUAGES:
            assert entry.hash in asked(tmp_path, capsys, str(entry.seq), "--lang", language), entry.kind
    (topup,) = building.of("topup/1")
    told = asked(tmp_path, capsys, topup.id)
    assert "K-77" in told and "100.00 yuan from till:cash to account:100206" in told and "王敏 (manager)" in told
    border = next(each for each in building.of("charge/2") if each.fields["end"]["source"] == "border")
    assert "read at the border" in asked(tmp_path, capsys, border.id)


def test_the_evidence_of_a_cut_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Why was I cut off: the balance at which entry, what was used since, which warning, and the frames."""
    building = Building(tmp_path, meters={"a206"}, poll_s=120, idle_s=10)
    building.connect()
    building.run_until(lambda: building.of("trip/1"), hours=30)
    trip = building.of("trip/1")[0]
    told = asked(tmp_path, capsys, trip.id)
    warned = asked(tmp_path, capsys, building.of("final/1")[0].id)
    assert "_nano" not in warned and re.search(r"^available: 1[0-9]\.\d+$", warned, re.M), "money in yuan"
    assert re.search(r"^cut_at: 2026-11-\d\d \d\d:\d\d:\d\d \+0800$", warned, re.M), "instants as on the site's wall"
    assert "price total: 1.0500" in asked(tmp_path, capsys, "tariff:catering:1")
    assert "posted " in told and f"entry {trip.fields['final_seq']}; delivered" in told and "answered: " in told


def test_a_step_counter_is_told_of_its_own_period() -> None:
    """The account's other meter was charged late, so November's counter stood beside October's: it goes on from there
    and not from nothing (R29)."""
    before = {"period": "2026-10-01", "used_wh": 90_000, "others": [["2026-11-01", 40_000]]}
    story = {
        "unit": "kWh", "lines": [], "wh": 0, "counter_before": before,
        "counter": {"period": "2026-11-01", "used_wh": 50_000, "others": [["2026-10-01", 90_000]]},
    }  # fmt: skip
    assert "from 2026-11-01: 40.00 kWh before, 50.00 kWh after" in "\n".join(story_text._priced(story, "en"))


def test_what_is_not_there_is_told(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No such entry, no book, nothing named: each has its sentence and its exit code."""
    assert explain.main(["999999", "--data", str(book)]) == 1
    assert explain.main(["charge:x", "--data", str(book)]) == 1
    assert explain.main(["1", "--data", str(book / "nowhere")]) == 2
    assert "no book" in capsys.readouterr().err
    assert explain.main(["--account", "tm000", "--date", "2016-01-14", "--data", str(book)]) == 1
    assert "nothing was charged to account tm000 for 2016-01-14" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        explain.main(["--account", "tm000"])
    assert ended.value.code == 2


def test_a_pager_that_has_seen_enough_is_no_error(book: Path) -> None:
    """`riser explain ... | head` says nothing more, and above all no traceback."""
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "edge.audit.explain", "charge:m001:2016-01-12", "--data", str(book)]
    done = subprocess.run(
        command, stdout=theirs, stderr=subprocess.PIPE, timeout=60, cwd=Path(__file__).parents[2], check=False
    )
    os.close(theirs)
    assert done.stderr == b""


def test_both_languages_are_complete() -> None:
    """Each text has an English and a Chinese form with the same values to be put in."""

    for key, (english, chinese) in words.WORDS.items():
        assert english and chinese, key
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), key
        if re.search(r"\w", re.sub(r"{\w+}", "", english)):
            assert re.search(r"[\u4e00-\u9fff]", chinese), key
