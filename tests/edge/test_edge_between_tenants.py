"""Between two tenancies a meter runs on: what it counts is shown, stands in the book, and is on nobody's bill (R33).

Also when the power goes at the worst moment: the next tenancy begins at a reading of its begin, or the first after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_exact, instant_of
from edge.audit import explain
from edge.audit.verify import verify
from edge.live import Sample
from tests.edge.building import Building

OLD, NEW, METER = "100101", "200101", "a101"
SETTLE: dict[str, Any] = {"method": "cash", "reference": "slip 12", "papers": "photo 88", "why": "contract ended"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Building]:
    """The first tenant has just been settled; at the end the whole book is derived again."""
    building = Building(tmp_path, meters={METER, "a102"}, poll_s=300, idle_s=5)
    building.connect()
    building.run(minutes=40)
    building.request("settle", role="finance", account=OLD, **SETTLE)
    (proposal,) = building.of("proposal/1")
    building.request("approve-money", who="李强", proposal=proposal.fields["proposal"])
    assert building.of("exit/1")
    yield building
    building.edge.core.book.close()
    report = verify(tmp_path)
    assert report.good, report.lie


def moves_in(shop: Building) -> datetime:
    core, now = shop.edge.core, shop.clock.now()
    row = {**core.state.accounts["100102"].row, "account": NEW, "meters": [METER], "since": instant_exact(now)}
    core.append(("account/1", f"account:{NEW}", row))
    return now


def power_cut(shop: Building, seconds: float) -> None:
    shop.stop_edge()
    shop.clock.advance(seconds)
    shop.start_edge()
    shop.connect()


def opening(shop: Building) -> dict[str, Any]:
    return shop.of("opening/1", meter=METER)[-1].fields


def opened(shop: Building) -> bool:
    return shop.edge.core.state.meters[METER].billed is not None


def test_what_is_used_in_between_is_shown_and_nobodys(shop: Building, capsys: pytest.CaptureFixture[str]) -> None:
    """Two days without a tenant: the meter's page shows what it used, no bill has it; the first register of the next
    tenancy says from where to where, and so does `riser explain`."""
    final = shop.of("charge/2", meter=METER)[-1].fields["end"]["registers_wh"]
    power_cut(shop, 2 * 86_400)
    shop.run(minutes=20)
    shown = shop.fact(f"meter/{METER}")
    assert shown["unbilled_wh"] == shown["energy_wh"] - final["total"] > 10_000
    assert instant_of(shown["unbilled_since"]) < shop.clock.now()
    moves_in(shop)
    shop.run_until(lambda: opened(shop), hours=0.5)
    first = opening(shop)
    assert first["unbilled"]["registers_wh"] == final
    assert first["unbilled"]["wh"] == first["registers_wh"]["total"] - final["total"] > 10_000
    power_cut(shop, 86_400)
    shop.run_until(lambda: shop.of("charge/2", account=NEW), hours=1)
    old, *new = shop.of("charge/2", meter=METER)
    assert old.fields["account"] == OLD and {each.fields["account"] for each in new} == {NEW}
    assert new[0].fields["start"]["registers_wh"] == first["registers_wh"]
    assert "unbilled_wh" not in shop.fact(f"meter/{METER}")
    seq = shop.of("opening/1", meter=METER)[-1].seq
    assert explain.main([str(seq), "--data", str(shop.directory)]) == 0
    assert "charged to nobody" in capsys.readouterr().out


def test_the_new_tenancy_begins_with_a_reading_of_its_begin(shop: Building) -> None:
    """The meter is read at once, not in the next round five minutes later."""
    sample = shop.edge.core.lives[METER].sample
    shop.run_until(lambda: shop.edge.core.lives[METER].sample is not sample, hours=0.5)
    shop.run(seconds=20)
    since = moves_in(shop)
    shop.run_until(lambda: opened(shop), hours=0.5)
    assert 0 <= (instant_of(opening(shop)["at"]) - since).total_seconds() < 30


def test_power_that_goes_before_the_first_reading_bills_nobody_for_the_dark(shop: Building) -> None:
    """The tenant moves in, and before the meter was read the power goes for six hours; they begin with the first
    reading after that. What was used in the dark stands beside it as nobody's, and a restart later changes nothing."""
    final = shop.of("charge/2", meter=METER)[-1].fields["end"]["registers_wh"]
    moves_in(shop)
    power_cut(shop, 6 * 3600)
    assert not opened(shop)
    account = shop.edge.core.state.accounts[NEW]
    assert shop.edge.core.balances.unposted(account)[0] == 0
    shop.run_until(lambda: opened(shop), hours=0.5)
    first = opening(shop)
    assert first["unbilled"]["registers_wh"] == final and first["unbilled"]["wh"] > 1000
    power_cut(shop, 60)
    assert len(shop.of("opening/1", meter=METER)) == 2 and opening(shop) == first


def test_a_reading_on_its_way_when_the_tenant_moved_in_is_not_theirs(shop: Building) -> None:
    """It left the meter before the tenancy began: the next one opens it."""
    core = shop.edge.core
    before = Sample(core.lives[METER].sample.registers_wh, shop.clock.now(), 0.0, ())  # type: ignore[union-attr]
    shop.clock.advance(1)
    moves_in(shop)
    shop.edge.readings.first.open(core.state.meters[METER], core.lives[METER], before)
    shop.run_until(lambda: opened(shop), hours=0.5)
    assert instant_of(opening(shop)["at"]) >= instant_of(core.state.accounts[NEW].row["since"])
