"""A current transformer is changed (R23): the span is cut at a reading of that moment, and each part keeps its own
multiplier; a second person agrees, and nothing is billed on a doubt meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.audit.verify import verify
from firmware_sim.faults import Faults
from tests.edge.swapping import ACCOUNT, CHECKER, OLD_SERIAL, PAPERS, POINT, Swapping, Vacant

LATE = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)  # Friday 23:20 in Shanghai.


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Swapping]:
    """Late on Friday evening; at the end the whole book is derived again."""
    building = Swapping(tmp_path, start=LATE)
    yield building
    building.edge.core.book.close()
    report = verify(tmp_path)
    assert report.good, report.lie


def change(shop: Swapping, multiplier: int = 40, **fields: Any) -> str:
    return shop.ask_to("change-multiplier", **{"meter": POINT, "multiplier": multiplier, **PAPERS, **fields})


def test_each_part_of_the_day_keeps_its_multiplier(shop: Swapping) -> None:
    """Before the reading each watt-hour counts once, after it forty times; no watt-hour is counted twice or left out,
    both parts are on the day's one bill, and the reading is kept with its frames."""
    shop.run(minutes=15)
    shop.agree(change(shop))
    (entry,) = shop.of("ratio/1")
    (before,) = shop.charges()
    assert (entry.fields["multiplier_before"], entry.fields["multiplier"]) == (1, 40)
    assert before["end"]["registers_wh"] == entry.fields["registers_wh"] and len(before["end"]["frames"]) == 2
    shop.run_until(lambda: shop.of("closing/1", account=ACCOUNT, date="2026-11-20"), hours=2)
    before, after = shop.charges()
    assert after["start"]["registers_wh"] == before["end"]["registers_wh"]
    used = after["end"]["registers_wh"]["total"] - after["start"]["registers_wh"]["total"]
    assert (before["multiplier"], after["multiplier"], after["wh"]) == (1, 40, used * 40) and used > 0
    (closing,) = shop.of("closing/1", account=ACCOUNT, date="2026-11-20")
    assert closing.fields["charges"] == [each.id for each in shop.of("charge/2", meter=POINT)]
    assert shop.fact("meters")["meters"][0]["multiplier"] == 40


def test_a_register_of_before_the_change_is_not_put_right_afterwards(shop: Swapping) -> None:
    """The meter goes on from that very register with another multiplier: a difference would be priced by the wrong one,
    so it is refused, and a compensation or a deduction is named instead (R12, R23)."""
    shop.run(minutes=15)
    shop.agree(change(shop))
    (before,) = shop.of("charge/2", meter=POINT)
    (ratio,) = shop.of("ratio/1")
    registers = {name: f"{wh // 1000}.{wh % 1000:03d}" for name, wh in ratio.fields["registers_wh"].items()}
    words = {"account": ACCOUNT, "meter": POINT, "entry": before.id, **PAPERS, **registers, "total": "0"}
    answer = shop.outcome(shop.request("correct-reading", who="李娜", role="finance", **words))
    assert answer["rule"] == "R12" and "compensation or a deduction" in answer["error"]


def test_until_it_is_approved_the_day_stays_open_and_nobody_is_cut(shop: Swapping) -> None:
    """With the wrong multiplier a balance says nothing: no cut (R3), no closing, no end of the tenancy (R33); approved
    after midnight and a power cut it counts from the reading of the evening before."""
    shop.run(minutes=20)
    proposal = shop.proposed(change(shop))
    at = shop.of("proposal/1")[0].fields["body"]["mark"]["at"]
    settle = {"account": ACCOUNT, "method": "cash", "reference": "", "papers": "x", "why": "x"}
    answer = shop.outcome(shop.request("settle", who="李娜", role="finance", **settle))
    assert answer["rule"] == "R33" and "waits for a decision" in answer["error"]
    shop.restart_after(3600)
    shop.run(minutes=30)
    account = shop.edge.core.state.accounts[ACCOUNT]
    assert not shop.of("closing/1", account=ACCOUNT) and shop.of("closing/1", account="100102")
    core = shop.edge.core
    terms = core.terms
    core.terms = core.terms.__class__(**{**vars(terms), "cut_limit_nano": 10**15})
    verdict = shop.edge.accounts.verdict(account, shop.meter)
    assert (verdict.allowed, verdict.rule) == (False, "R3") and "approved" in verdict.why
    core.terms = terms
    shop.approve(proposal)
    shop.run_until(lambda: shop.of("closing/1", account=ACCOUNT, date="2026-11-20"), hours=2)
    before, after = shop.charges()
    assert before["end"]["at"] == after["start"]["at"] == at
    assert (before["multiplier"], after["multiplier"]) == (1, 40)


def test_what_is_forbidden_is_refused_by_its_rule(shop: Swapping) -> None:
    """The same multiplier, no such meter, another's number on the line, one's own approval, another kind of approval,
    a second proposal: each refused, and nothing is changed."""
    shop.run(minutes=5)
    assert shop.refused(change(shop, 1)) == "R23"
    assert shop.refused(change(shop, meter="nobody")) == "R7"
    shop.meter.serial = "202511089999"
    assert shop.refused(change(shop)) == "R23"
    shop.meter.serial = OLD_SERIAL
    proposal = shop.proposed(change(shop))
    assert shop.refused(shop.ask_to("approve-meter", proposal=proposal)) == "R32"
    assert shop.refused(shop.request("approve-price", who=CHECKER, proposal=proposal)) == "R32"
    assert shop.refused(change(shop, 50)) == "R22"
    assert shop.refused(shop.replace()) == "R22"
    assert shop.meter.multiplier == 1 and not shop.charges() and not shop.of("ratio/1")


def test_what_nobody_decides_ends_and_the_day_goes_on_as_it_was(shop: Swapping) -> None:
    """After half a day the proposal is void: the day that waited closes with the old multiplier (R32)."""
    shop.run(minutes=10)
    shop.proposed(change(shop))
    shop.restart_after(12.2 * 3600)
    shop.run_until(lambda: shop.of("closing/1", account=ACCOUNT, date="2026-11-20"), hours=2)
    assert [entry.fields["who"] for entry in shop.of("decision/1")] == ["policy"]
    (charge,) = shop.charges()
    assert charge["multiplier"] == 1 and charge["end"]["source"] == "freeze"


def test_without_a_tenant_the_use_is_counted_anew(tmp_path: Path) -> None:
    """An empty shop: nobody is charged, and what is shown as nobody's counts from the reading, with its multiplier."""
    shop = Vacant(tmp_path)
    shop.run(minutes=20)
    shop.agree(change(shop))
    (entry,) = shop.of("ratio/1")
    assert entry.fields["charge"] is None and not shop.charges()
    shop.run(minutes=20)
    used = shop.live.sample.registers_wh["total"] - entry.fields["registers_wh"]["total"]
    assert shop.fact(f"meter/{POINT}")["unbilled_wh"] == used * 40 > 0
    shop.edge.core.book.close()
    assert verify(tmp_path).lie is None


def test_a_doubted_reading_divides_nothing(shop: Swapping) -> None:
    """A register that fell is released first (I15): the reading of that moment would be one in doubt."""
    shop.run(minutes=10)
    shop.sim_meter(POINT).metrology.total_wus //= 2
    shop.run_until(lambda: shop.of("quarantine/1"), hours=0.5)
    assert shop.refused(change(shop)) == "I15"


def test_a_silent_meter_divides_nothing(shop: Swapping) -> None:
    """Without a reading of that moment there is no change: failed, and nothing is written (R23)."""
    shop.run(minutes=5)
    shop.shaft.lines["line-1"].set_faults(Faults(silent=frozenset({POINT})))
    answer = shop.outcome(change(shop))
    assert answer["status"] == "failed" and "no meter answers" in answer["error"]
    assert shop.meter.changing is None and not shop.of("proposal/1")
