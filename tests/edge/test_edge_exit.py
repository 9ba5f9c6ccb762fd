"""Exit settlement (R33): the final reading charged, the rest refunded, the meter free, and nothing after that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.edge.building import Building
from tests.edge.money_desk import CHECKER, Made, MoneyDesk

SETTLE: dict[str, Any] = {
    "account": "101", "method": "cash", "reference": "slip 12", "papers": "photo 88", "why": "contract ended",
}  # fmt: skip
PRICE_NANO_PER_WH = 851_200


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Made]:
    made: list[MoneyDesk] = []

    def make(**policy: str) -> MoneyDesk:
        desk = MoneyDesk(tmp_path / str(len(made)), **policy)
        made.append(desk)
        desk.opened("m1", 1000)
        desk.topup("101", 100)
        desk.clock.advance(3600)
        desk.reads("m1", 12_345)
        return desk

    yield make
    for desk in made:
        desk.book.close()


@pytest.fixture
def desk(desks: Made) -> MoneyDesk:
    return desks()


def test_a_tenancy_is_settled_to_the_nano(desk: MoneyDesk) -> None:
    """The final use is charged, whole fen are paid out, the part of a fen is written off, and all sums to zero."""
    data = desk.agreed("settle", **SETTLE)
    used = 11_345 * PRICE_NANO_PER_WH
    whole, residue = divmod(100 * 10**9 - used, 10**7)
    (exit,), (charge,) = desk.of("exit/1"), desk.of("charge/2")
    assert (data["amount_fen"], data["balance_nano"]) == (whole, 0)
    assert (exit.fields["residue_nano"], exit.fields["charges"]) == (residue, [charge.id])
    assert charge.fields["end"]["registers_wh"] == {"total": 12_345} and charge.fields["amount_nano"] == used
    (closing,) = desk.of("closing/1")
    assert closing.fields["charges"] == [charge.id] and closing.fields["closing_nano"] == 100 * 10**9 - used
    assert desk.core.state.posted_nano("101") == 0 and sum(desk.core.state.ledger.values()) == 0


def test_after_its_settlement_an_account_takes_nothing_and_is_charged_nothing(desk: MoneyDesk) -> None:
    """No top-up, no act, no second settlement (R33); the days that follow are not closed, and its meter is free; also
    after a restart."""
    desk.agreed("settle", **SETTLE)
    for _ in range(2):
        assert desk.core.state.meters["m1"].account is None and desk.core.state.accounts["101"].meters == []
        assert desk.refused("topup", account="101", amount_fen=1000, method="cash") == "R33"
        assert desk.refused("lend", account="101", why="x") == "R33"
        assert desk.refused("settle", **SETTLE) == "R33"
        words = {"account": "102", "to_account": "101", "amount_fen": 100, "why": "x", "papers": "x"}
        assert desk.refused("correct", **words) == "R33"
        desk.restart()
    desk.book.trusted = True
    desk.clock.advance(3 * 24 * 3600)
    desk.reads("m1", 99_000)
    desk.close_days()
    assert [entry.fields["account"] for entry in desk.of("closing/1")].count("101") == 1
    assert len(desk.of("charge/2")) == 1 and desk.core.state.posted_nano("101") == 0


def test_a_tenant_who_owes_pays_first(desk: MoneyDesk) -> None:
    """With the final charge some fen are missing: refused until they are paid (R33)."""
    desk.use("101", 9135)
    assert desk.refused("settle", **SETTLE) == "R33"
    desk.topup("101", 1)
    desk.agreed("settle", **SETTLE)
    assert desk.of("exit/1")[0].fields["amount_fen"] == 0 and desk.core.state.posted_nano("101") == 0


def test_less_than_a_fen_that_is_missing_is_written_off(desk: MoneyDesk) -> None:
    """Nobody can pay 0.007 yuan: the residue is a loss of its own, and the account ends at zero (R11)."""
    desk.use("101", 9034, milli_fen=1000)
    missing = desk.core.balances.available_nano(desk.core.state.accounts["101"])
    assert -(10**7) < missing < 0
    desk.agreed("settle", **SETTLE)
    assert desk.core.state.ledger["income:residue"] == missing and desk.core.state.posted_nano("101") == 0


def test_a_whole_fen_that_is_missing_is_owed(desk: MoneyDesk) -> None:
    """One fen short is a debt, and no residue that is written off (R11, R33)."""
    account = desk.core.state.accounts["101"]
    moves = [{
        "from": "account:101", "to": "income:fees",
        "amount_nano": desk.core.balances.available_nano(account) + 10**7,
    }]  # fmt: skip
    desk.core.append(("fee/1", "fee:test", {"account": "101", "moves": moves}))
    assert desk.refused("settle", **SETTLE) == "R33"


def test_lent_and_deferred_money_is_taken_before_anything_is_paid_out(desks: Made) -> None:
    """The emergency credit goes back, and only the tenant's own money leaves (R16, R33)."""
    desk = desks(emergency_credit="20.00")
    desk.done("lend", account="101", why="at night")
    desk.agreed("settle", **SETTLE)
    assert desk.yuan("credit:101") == 0
    assert desk.of("exit/1")[0].fields["amount_fen"] == (100 * 10**9 - 11_345 * PRICE_NANO_PER_WH) // 10**7


def test_a_settlement_needs_a_fresh_final_reading(desk: MoneyDesk) -> None:
    """A reading of an hour ago is none, one in doubt is none; the proposal is looked at again when it is approved."""
    proposal = desk.propose("settle", **SETTLE)
    desk.clock.advance(3600)
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R33"
    assert desk.refused("settle", **SETTLE) == "R33"
    desk.reads("m1", 13_000)
    desk.done("approve-money", proposal=proposal, who=CHECKER)
    assert desk.of("charge/2")[0].fields["end"]["registers_wh"] == {"total": 13_000}


def test_a_settlement_needs_a_final_reading_whose_time_is_known(desk: MoneyDesk) -> None:
    """It was taken while the calendar was not believed: how long ago, the machine that may have slept cannot say."""
    live = desk.core.lives["m1"]
    assert live.sample is not None
    live.sample = replace(live.sample, believed=False)
    assert desk.refused("settle", **SETTLE) == "R33"
    desk.reads("m1", 12_345)
    desk.agreed("settle", **SETTLE)


def test_nobody_is_settled_while_payments_are_brought_back(desk: MoneyDesk) -> None:
    """A backup was restored: what the tenant paid since is missing still, and a settled account takes it no more (I5).
    A proposal of before waits until a person says that the book is complete."""
    proposal = desk.propose("settle", **SETTLE)
    desk.core.append(("mode/1", "mode:restored", {"mode": "recovery", "why": "this is a restored copy"}))
    assert desk.refused("settle", **SETTLE) == "I5"
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "I5"
    desk.topup("101", 50)
    desk.core.append(("mode/1", "mode:complete", {"mode": "normal", "why": ""}))
    desk.reads("m1", 12_345)
    desk.done("approve-money", proposal=proposal, who=CHECKER)
    (exit,) = desk.of("exit/1")
    assert exit.fields["amount_fen"] == (150 * 10**9 - 11_345 * PRICE_NANO_PER_WH) // 10**7


def test_a_reading_in_doubt_settles_nothing(desk: MoneyDesk) -> None:
    """What was set aside is released by a person first (I15)."""
    fields = {"meter": "m1", "registers_wh": {"total": 9}, "read_at": "", "rule": "R20", "why": "fell", "frames": []}
    desk.core.append(("quarantine/1", "q-1", fields))
    assert desk.refused("settle", **SETTLE) == "I15"


def test_a_settlement_that_failed_does_not_hold_up_the_days_closing(desk: MoneyDesk) -> None:
    """The alarm that a meter cannot be charged stands already when the day of that attempt closes: it is told once,
    and every account's day closes."""
    desk.reads("m1", 900_000)
    assert desk.ask("settle", **SETTLE).rule == "R33"
    (alarm,) = desk.of("alarm/1")
    desk.opened("m2", 500)
    midnight = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    desk.clock.advance((midnight - desk.clock.now()).total_seconds() + 60)
    for id, wh in (("m1", 9_000_000), ("m2", 500)):
        desk.closing._midnights._keep(desk.core.state.meters[id], midnight, {"total": wh}, "freeze", midnight, [])
    desk.close_days()
    assert desk.of("alarm/1") == [alarm] and desk.core.mode == "normal"
    assert {entry.id: entry.fields["deferred"] for entry in desk.of("closing/1")} == {
        "close:101:2026-11-20": ["m1"], "close:102:2026-11-20": [],
    }  # fmt: skip


def test_a_day_that_is_still_open_is_closed_first(desk: MoneyDesk) -> None:
    """Yesterday waits for its midnight register: no settlement leaps over it (R33)."""
    desk.clock.advance(24 * 3600)
    desk.reads("m1", 12_400)
    assert desk.refused("settle", **SETTLE) == "R33"


def test_without_a_trusted_clock_nothing_is_settled(desk: MoneyDesk) -> None:
    """A final reading without a time splits nothing (R25)."""
    proposal = desk.propose("settle", **SETTLE)
    desk.book.trusted = False
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R25"


def test_a_real_meter_is_settled_and_runs_on_without_a_tenant(tmp_path: Path) -> None:
    """In a running building: settled on the newest reading; the meter is read on, and nobody pays for it."""
    building = Building(tmp_path, meters={"a206", "a207"}, poll_s=300, idle_s=10)
    building.run(minutes=40)
    core = building.edge.core
    account = core.state.meters["a206"].account or ""
    words: dict[str, Any] = {**SETTLE, "account": account}
    building.topup(account, 100_00)
    building.request("settle", role="finance", **words)
    (proposal,) = building.of("proposal/1")
    building.request("approve-money", who=CHECKER, proposal=proposal.fields["proposal"])
    (exit,) = building.of("exit/1")
    assert core.state.posted_nano(account) == 0 and sum(core.state.ledger.values()) == 0
    freed = exit.fields["meters"]
    before = {id: core.lives[id].sample for id in freed}
    building.run(hours=1)
    assert all(core.lives[id].sample is not before[id] and core.state.meters[id].account is None for id in freed)
    assert len(building.of("charge/2", account=account)) == len(freed)
    assert core.state.posted_nano(account) == 0 and not building.of("trip/1")


def test_who_has_left_pays_by_no_new_price(desk: MoneyDesk) -> None:
    """A shop that was settled does not keep its old tariff from getting steps, which are for households (R29)."""
    price = {"id": "shop", "name": "商铺", "kind": "single", "price": "0.9",
             "steps": {"period": "month", "bounds": [{"above": "200", "add": "0.05"}]}}  # fmt: skip
    desk.core.state.accounts["102"].row["household"] = True
    assert desk.refused("propose-price", role="manager", price=price) == "R29"
    desk.agreed("settle", **SETTLE)
    desk.done("propose-price", role="manager", price=price)
