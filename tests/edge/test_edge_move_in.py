"""A tenant moves in while the book runs: two people open an account, and it is charged from a reading of its begin.

Also when the power goes in the middle, when the last tenant left the room cut off, and when everybody asks twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_of
from edge.audit import explain, statement
from edge.audit.verify import verify
from edge.registry import Registry
from tests.edge import forged
from tests.edge.building import Building
from tests.edge.pricing import request

OLD, NEW, METER = "100101", "200101", "a101"
SETTLE: dict[str, Any] = {"method": "cash", "reference": "slip 12", "papers": "photo 88", "why": "contract ended"}
LEASE: dict[str, Any] = {
    "account": NEW, "name": "新茶馆", "room": "A101", "phone": "139 1234 5678", "tariff": "business", "meters": [METER],
    "category": "shop", "papers": "lease 2026-114",
}  # fmt: skip


class Shop(Building):
    """Two shops of the demo; people who settle one and let another in."""

    def ask(self, operation: str, who: str = "王敏", **fields: Any) -> dict[str, Any]:
        return request(self, operation, who, "finance", **fields)

    def settle(self, account: str = OLD) -> None:
        proposed = self.ask("settle", account=account, **SETTLE)
        assert proposed["status"] == "done", proposed
        agreed = self.ask("approve-money", "李强", proposal=proposed["data"]["proposal"])
        assert agreed["status"] == "done", agreed

    def propose(self, **fields: Any) -> str:
        answer = self.ask("move-in", **{**LEASE, **fields})
        assert answer["status"] == "done", answer
        return str(answer["data"]["proposal"])

    def move_in(self, **fields: Any) -> dict[str, Any]:
        answer = self.ask("approve-move-in", "李强", proposal=self.propose(**fields))
        assert answer["status"] == "done", answer
        return dict(answer["data"])

    def power_cut(self, seconds: float) -> None:
        self.stop_edge()
        self.clock.advance(seconds)
        self.start_edge()
        self.connect()

    def begun(self, account: str = NEW) -> bool:
        return self.edge.core.state.meters[METER].billed is not None

    def opening(self) -> dict[str, Any]:
        return self.of("opening/1", meter=METER)[-1].fields


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The first tenant has just been settled; at the end the whole book is derived again."""
    building = Shop(tmp_path, meters={METER, "a102"}, poll_s=300, idle_s=5)
    building.connect()
    building.run(minutes=40)
    building.settle()
    yield building
    building.edge.core.book.close()
    report = verify(tmp_path)
    assert report.good, report.lie


def test_a_tenant_moves_in_and_pays_from_the_register_of_that_moment(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settled, empty for a day, let again: what was used in between is nobody's, the first charge starts at the opening
    read twice, and bill, explanation and `riser verify` agree."""
    final = shop.of("charge/2", meter=METER)[-1].fields["end"]["registers_wh"]
    shop.power_cut(86_400)
    shop.run(minutes=20)
    told = shop.move_in()
    (entry,) = [each for each in shop.of("account/1") if each.fields["account"] == NEW]
    assert told == {"proposal": entry.fields["proposal"], "approved": True, "account": NEW, "seq": entry.seq}
    signed = {"by": "people", "who": "王敏", "role": "finance", "approved_by": "李强"}
    assert {**LEASE, **signed}.items() <= entry.fields.items()
    shop.run_until(shop.begun, hours=0.5)
    first = shop.opening()
    assert 0 <= (instant_of(first["at"]) - instant_of(entry.fields["since"])).total_seconds() < 60
    assert len(first["frames"]) >= 1 and first["unbilled"]["registers_wh"] == final and first["unbilled"]["wh"] > 1000
    assert shop.ask("topup", account=NEW, amount_fen=500_00, method="cash")["status"] == "done"
    shop.power_cut(86_400)
    shop.run_until(lambda: shop.of("closing/1", account=NEW), hours=1)
    (charge,) = shop.of("charge/2", account=NEW)
    assert charge.fields["start"]["registers_wh"] == first["registers_wh"]
    assert len(shop.of("charge/2", account=OLD)) == 1
    data = ["--data", str(shop.directory)]
    assert statement.main([NEW, "--month", "2026-11", *data]) == 0
    paper = capsys.readouterr().out
    assert "新茶馆" in paper and "500.00" in paper
    assert explain.main([str(entry.seq), *data]) == 0
    words = capsys.readouterr().out
    assert "Tenancy begins" in words and "李强" in words and "lease 2026-114" in words and METER in words


def test_everybody_hears_of_the_new_account(shop: Shop) -> None:
    """Accounts with its name and phone, where it stands, and whose the meter is now; the old one keeps its name and has
    no meter. Beside the book, registry.json has it too."""
    assert shop.fact("meters")["meters"][0].get("account") is None
    shop.move_in()
    shop.run_until(shop.begun, hours=0.5)
    shop.run(minutes=5)
    rows = {row["id"]: row for row in shop.fact("accounts")["accounts"]}
    assert rows[NEW]["name"] == "新茶馆" and rows[NEW]["phone"] == LEASE["phone"] and rows[NEW]["meters"] == [METER]
    assert rows[OLD]["meters"] == []
    assert shop.fact(f"account/{NEW}")["posted_nano"] == 0 and shop.fact(f"account/{OLD}")["ended_at"]
    assert {row["id"]: row.get("account") for row in shop.fact("meters")["meters"]}[METER] == NEW
    assert "unbilled_wh" not in shop.fact(f"meter/{METER}")
    (decided, _) = shop.fact("proposals")["decided"]
    assert (decided["what"], decided["account"], decided["approved"]) == ("move-in", NEW, True)
    registry = Registry(shop.directory)
    registry.refresh(shop.edge.core.state)
    assert registry.accounts()[-1]["account"] == NEW


def test_a_proposal_waits_over_a_restart_and_counts_from_its_approval(shop: Shop) -> None:
    """The power goes between the two people, and again between the approval and the first reading: the account begins
    when it was approved, it is opened by the first reading after that, and what a snapshot keeps is the same."""
    proposal = shop.propose()
    shop.power_cut(3600)
    shop.run(seconds=20)
    assert shop.fact("proposals")["proposals"][0]["id"] == proposal and NEW not in shop.edge.core.state.accounts
    assert shop.ask("approve-move-in", "李强", proposal=proposal)["status"] == "done"
    since = shop.clock.now()
    shop.power_cut(6 * 3600)
    assert not shop.begun() and shop.edge.core.state.accounts[NEW].row["papers"] == LEASE["papers"]
    shop.run_until(shop.begun, hours=0.5)
    first = shop.opening()
    assert (instant_of(first["at"]) - since).total_seconds() > 6 * 3600 - 60
    before = shop.edge.core.state
    shop.edge.snapshots.save()
    shop.power_cut(60)
    assert shop.edge.core.state.accounts == before.accounts and shop.opening() == first


def test_the_same_request_twice_is_one_proposal_and_one_account(shop: Shop) -> None:
    """A double click gets the same answer; another request under the same number is a conflict (R7)."""
    for operation, who, fields in (
        ("move-in", "王敏", LEASE),
        ("approve-move-in", "李强", {"proposal": f"p-{shop.edge.core.book.seq + 1}"}),
    ):
        once, twice = (shop.ask(operation, who, transaction=f"click-{operation}", **fields) for _ in range(2))
        assert once["status"] == twice["status"] == "done" and once["data"] == twice["data"]
    assert len(shop.of("proposal/1", what="move-in")) == 1
    assert [each.fields["account"] for each in shop.of("account/1")].count(NEW) == 1
    other = shop.ask("move-in", transaction="click-move-in", **{**LEASE, "name": "另一家"})
    assert (other["status"], other["rule"]) == ("refused", "R7")


def _later(fields: dict[str, Any]) -> None:
    fields["since"] = "2026-11-20T00:00:00+08:00"


def _theirs(fields: dict[str, Any]) -> None:
    fields["meters"] = ["a102"]


def _one_hand(fields: dict[str, Any]) -> None:
    fields["approved_by"] = "王 敏"


def _unasked(fields: dict[str, Any]) -> None:
    fields["by"] = "site file"


@pytest.mark.parametrize("forge, told", [
    (_later, "it begins at"), (_theirs, "meter a102 is account 100102's"), (_one_hand, "made and approved it"),
    (_unasked, "that a proposal brought it"),
])  # fmt: skip
def test_a_forged_account_is_named(tmp_path: Path, forge: Any, told: str) -> None:
    """Another begin, somebody else's meter, one person for two, an account that nobody proposed: with every hash made
    anew, `riser verify` names the entry."""
    building = Shop(tmp_path, meters={METER, "a102"}, poll_s=300, idle_s=5)
    building.connect()
    building.run(minutes=40)
    building.settle()
    seq = building.move_in()["seq"]
    building.edge.core.book.close()
    forged.rechained(tmp_path, seq, forge)
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.seq == seq and told in report.lie.wrong, report.lie


def test_a_room_that_was_left_cut_off_stays_off_until_the_new_tenant_pays(tmp_path: Path) -> None:
    """The last tenant was cut off, paid what was owed and no more, and was settled. The next one owes nothing and has
    paid nothing: nobody switches on, nobody is warned of a cut that was, and the reason is told as theirs. The first
    payment above the limit brings supply back (R5, R6)."""
    meter, old, new = "a206", "100206", "200206"
    building = Shop(tmp_path, meters={meter, "a102"}, poll_s=120, idle_s=20)
    building.connect()
    building.run_until(lambda: building.of("relay/1", meter=meter, observed="open"), hours=4)
    building.run(minutes=5)
    owed = -building.edge.core.balances.available_nano(building.edge.core.state.accounts[old])
    building.topup(old, max(owed // 10**7 + 1, 1_00))
    building.run(minutes=5)
    state = building.edge.core.state
    assert "arrears" in state.meters[meter].holds, "it was below the restore limit"
    building.settle(old)
    building.move_in(account=new, meters=[meter], room="A206", tariff="catering")
    hold = state.meters[meter].holds["arrears"]
    assert hold.why == f"account {new} has moved in and has not paid yet" and hold.by == "policy"
    building.run(hours=1.5)
    live = building.edge.core.lives[meter]
    assert live.relay_open and not building.of("final/1", account=new) and not building.of("trip/1", account=new)
    assert building.fact(f"account/{new}")["state"] == "cut"
    building.topup(new, 50_00)
    building.run_until(lambda: live.relay_open is False, hours=0.5)
    (lifted,) = building.of("hold/1", account=new, set=False)
    assert lifted.fields["who"] == "policy" and not state.meters[meter].holds
    building.edge.core.book.close()
    report = verify(tmp_path)
    assert report.good, report.lie


def test_a_room_with_light_is_warned_before_it_is_cut(shop: Shop) -> None:
    """Moved in, nothing paid, supply on: nothing happens before the register is confirmed, then the final warning goes
    out, and its lead passes before anything is cut (R1, R19)."""
    shop.move_in()
    shop.run_until(lambda: shop.of("trip/1", account=NEW), hours=2)
    (opening,), (final,) = shop.of("opening/1", meter=METER)[1:], shop.of("final/1", account=NEW)
    trip = shop.of("trip/1", account=NEW)[0]
    assert opening.seq < final.seq < trip.seq and trip.at - final.at >= 30 * 60 * 10**6
    assert trip.fields["delivered_seq"] and trip.fields["warned_s"] >= 30 * 60


def test_r6_a_new_tenant_chooses_how_supply_comes_back(shop: Shop) -> None:
    """The last tenant's word goes with the last tenant; the new one's is agreed with the tenancy."""

    def way() -> str:
        return next(row["relay"] for row in shop.fact("meters")["meters"] if row["id"] == METER)

    before = way()
    shop.move_in(close="permit")
    shop.run_until(shop.begun, hours=0.5)
    assert (before, way()) == ("direct", "permit")
    shop.ask("topup", account=NEW, amount_fen=100_00, method="cash")
    shop.run(minutes=30)
    shop.settle(NEW)
    shop.move_in(account="300101")
    shop.run(minutes=1)
    assert way() == "direct"


def test_a_tenancy_that_moved_in_can_be_settled_and_let_again(shop: Shop) -> None:
    """The same day three tenants: every id is new, each pays for its own registers."""
    shop.move_in()
    shop.run_until(shop.begun, hours=0.5)
    shop.ask("topup", account=NEW, amount_fen=100_00, method="cash")
    shop.run(minutes=30)
    shop.settle(NEW)
    shop.move_in(account="300101")
    shop.run_until(shop.begun, hours=0.5)
    old, new = (shop.of("charge/2", account=id)[0].fields for id in (OLD, NEW))
    assert old["end"]["registers_wh"]["total"] <= new["start"]["registers_wh"]["total"]
    assert shop.opening()["registers_wh"]["total"] >= new["end"]["registers_wh"]["total"]
    assert json.dumps(shop.fact("accounts")).count('"A101"') == 3
