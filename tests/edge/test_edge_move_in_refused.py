"""Who cannot move in, and which rule says so: refused when it is proposed, and again when it is approved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.signing import envelope
from bridge.contract.site_prices import Tariff, booked
from bridge.contract.units import instant_exact, instant_text
from tests.edge.money_desk import CHECKER, KEYS, MAKER, MoneyDesk

SETTLE: dict[str, Any] = {
    "account": "101", "method": "cash", "reference": "slip 12", "papers": "photo 88", "why": "contract ended",
}  # fmt: skip
LEASE: dict[str, Any] = {
    "account": "201", "name": "新茶馆", "room": "m1", "tariff": "shop", "meters": ["m1"], "papers": "lease 114",
}  # fmt: skip
PRICES: list[dict[str, Any]] = [
    {"id": "water", "name": "水价", "unit": "m3", "kind": "single", "price": "3.45"},
    {
        "id": "steps", "name": "阶梯", "kind": "single", "price": "0.50",
        "steps": {"period": "month", "bounds": [{"above": "180", "add": "0.05"}]},
        "surcharges": [{"name": "附加", "price": "0.01", "category": "stall"}],
    },
    {
        "id": "hours", "name": "深谷", "kind": "tou", "prices": {"deep": "0.2", "peak": "1"},
        "windows": [
            {"from": "00:00", "to": "08:00", "rate": "deep"}, {"from": "08:00", "to": "24:00", "rate": "peak"},
        ],
    },
]  # fmt: skip


class Desk(MoneyDesk):
    """Room m1 stands empty after a settlement; w1 is a water meter, p1 one with a purse of its own, both nobody's."""

    def furnish(self) -> None:
        self.opened("m1", 1000)
        self.topup("101", 100)
        self.clock.advance(3600)
        self.reads("m1", 12_345)
        self.agreed("settle", **SETTLE)
        for price in PRICES:
            self.price(price)
        row = self.core.state.meters["m1"].row
        for id, model, number in (("w1", "cjt188-water-valve", 7), ("p1", "dlt645-1p-purse", 8)):
            fields = {**row, "meter": id, "model": model, "address": f"{number:012d}", "rates": False}
            self.core.append(("meter/1", f"meter:{id}:1", fields))

    def price(self, price: dict[str, Any], days: int = 0, version: int = 1) -> None:
        begins = self.clock.now().replace(day=self.clock.now().day + days)
        fields = {**booked(Tariff.model_validate(price)), "version": version, "effective_at": instant_exact(begins)}
        self.core.append(("tariff/2", f"tariff:{price['id']}:{version}", {**fields, "by": "site file"}))

    def told(self, **fields: Any) -> tuple[str | None, str]:
        """Rule and sentence with which a move-in is refused; nothing but the refusal is written."""
        self.refused("move-in", **{**LEASE, **fields})
        return self.heard[-1].rule, self.heard[-1].error or ""

    def vacant(self, **fields: Any) -> str:
        return self.propose("move-in", **{**LEASE, **fields})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.furnish()
    yield made
    made.book.close()


@pytest.mark.parametrize("fields, rule, words", [
    ({"account": "101"}, "R10", "account 101 had a tenancy here"),
    ({"account": "102"}, "R10", "account 102 had a tenancy here"),
    ({"meters": ["m1", "m1"]}, "R7", "meter m1 is named twice"),
    ({"meters": ["m9"]}, "R7", "there is no meter 'm9'"),
    ({"meters": ["m1", "m2"]}, "R33", "meter m2 is account 102's; settle that tenancy first"),
    ({"meters": ["p1"]}, "R14", "meter p1 keeps a balance of its own"),
    ({"tariff": "nowhere"}, "R27", "there is no tariff 'nowhere'"),
    ({"tariff": None}, "R27", "meter m1 has no price"),
    ({"meters": ["w1"]}, "R27", "meter w1 has no price; give the account a water_tariff"),
    ({"tariff": "water"}, "R27", "tariff water is a price per m3, and one per kWh is wanted"),
    ({"water_tariff": "shop"}, "R27", "tariff shop is a price per kWh, and one per m3 is wanted"),
    ({"tariff": "steps"}, "R29", "account 201 is no household"),
    ({"category": "castle"}, "R7", "no surcharge is for category castle; there are home, shop, stall"),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_its_rule(desk: Desk, fields: dict[str, Any], rule: str, words: str) -> None:
    """An id that was somebody's, a meter that is somebody's or none, a price that does not fit: one sentence, and
    nothing has changed."""
    told, sentence = desk.told(**fields)
    assert told == rule and words in sentence


@pytest.mark.parametrize("fields, words", [
    ({"account": "Room 1"}, "account: an id is 1 to 32"), ({"name": ""}, "name: "),
    ({"name": "a\nb"}, "cannot be shown"), ({"room": "x" * 65}, "room: "), ({"phone": "call me"}, "phone: "),
    ({"papers": ""}, "papers: "), ({"meters": []}, "meters: "), ({"household": "yes"}, "household: "),
    ({"opening": "5.00"}, "opening: there is no such field"),
])  # fmt: skip
def test_what_is_no_account_is_told_by_its_field(desk: Desk, fields: dict[str, Any], words: str) -> None:
    """As in the site file: an id, a name, a phone number of digits. No opening money: that comes in by `bring` (R7)."""
    body = {
        "transaction": "malformed-1", "who": MAKER, "role": "finance", **LEASE, **fields,
        "issued_at": instant_text(desk.clock.now()), "valid_until": instant_text(desk.clock.now()),
    }  # fmt: skip
    seq = desk.book.seq
    desk.requests.receive("move-in", envelope(desk.topics.request("move-in"), body, "panel", KEYS["panel"]), False)
    answer = desk.heard[-1]
    assert (answer.status, answer.rule) == ("refused", "R7") and words in (answer.error or "")
    assert desk.book.seq == seq


def test_a_price_by_hours_needs_the_meters_registers_for_them(desk: Desk) -> None:
    """A meter that keeps registers per rate and has none for deep valley is not billed by a price that has (R28)."""
    assert desk.core.lives["m1"].model.rates
    rule, sentence = desk.told(tariff="hours")
    assert rule == "R28" and "none for deep, which tariff hours has" in sentence


def test_a_price_that_is_to_come_is_looked_at_too(desk: Desk) -> None:
    """One that begins next week only, and one that has steps from next week on: refused today, not then."""
    desk.price({**PRICES[1], "id": "later", "surcharges": []}, days=7)
    assert desk.told(tariff="later")[0] == "R27"
    desk.price({**PRICES[1], "id": "shop", "surcharges": []}, days=7, version=2)
    assert desk.told()[0] == "R29"
    assert desk.vacant(category="home")


def test_a_household_by_its_word_and_a_stall_by_its_surcharge(desk: Desk) -> None:
    """What the site file allows is allowed here: household = true with steps, a category that a surcharge names, water
    and electricity on one account."""
    fields = {"tariff": "steps", "household": True, "category": "stall", "water_tariff": "water"}
    fields |= {"meters": ["m1", "w1"]}
    desk.done("approve-move-in", proposal=desk.vacant(**fields), who=CHECKER)
    row = desk.core.state.accounts["201"].row
    assert {key: row[key] for key in fields} == fields
    assert {desk.core.state.meters[id].account for id in ("m1", "w1")} == {"201"}


def test_a_reading_in_doubt_is_released_first(desk: Desk) -> None:
    """Nobody begins on a register that a person has yet to look at (I15)."""
    fields = {"meter": "m1", "registers_wh": {"total": 9}, "read_at": "", "rule": "R20", "why": "fell", "frames": []}
    desk.core.append(("quarantine/1", "q-1", fields))
    assert desk.told() == ("I15", "a reading of meter m1 is set aside; release it first")


def test_two_proposals_for_one_meter_or_one_id_are_one_too_many(desk: Desk) -> None:
    """The second is refused and names the first; once that is rejected it may be proposed, and then approved (R32)."""
    first = desk.vacant()
    rule, sentence = desk.told(account="202")
    assert rule == "R32" and sentence == f"proposal {first} about meter m1 waits for a decision; decide it first"
    rule, sentence = desk.told(meters=["w1"], tariff=None, water_tariff="water")
    assert rule == "R32" and f"proposal {first} about account 201" in sentence
    desk.done("reject-move-in", proposal=first, why="another tenant", who=CHECKER)
    second = desk.vacant(account="202")
    assert desk.refused("approve-move-in", proposal=first, who=CHECKER) == "R32"
    desk.done("approve-move-in", proposal=second, who=CHECKER)
    assert desk.core.state.meters["m1"].account == "202" and "201" not in desk.core.state.accounts
    assert desk.told()[0] == "R33"


def test_a_meter_about_which_something_waits_is_decided_first(desk: Desk) -> None:
    """A replacement or a new multiplier waits: who moves in begins after it; also where it was proposed later (R32)."""
    proposal = desk.vacant()
    desk.core.state.meters["m1"].changing = "p-99"
    assert desk.refused("approve-move-in", proposal=proposal, who=CHECKER) == "R32"
    assert "proposal p-99 about meter m1" in (desk.heard[-1].error or "")
    desk.core.state.meters["m1"].changing = None
    desk.done("approve-move-in", proposal=proposal, who=CHECKER)


def test_two_people_open_an_account(desk: Desk) -> None:
    """Nobody approves their own, however the name is typed; an engineer opens none; a money decision is none (R32)."""
    proposal = desk.vacant()
    assert desk.refused("approve-move-in", proposal=proposal, who=f" {MAKER}") == "R32"
    assert desk.refused("approve-move-in", proposal=proposal, who=CHECKER, role="engineer") == "R32"
    assert desk.refused("move-in", role="engineer", **{**LEASE, "account": "203"}) == "R32"
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R32"
    assert desk.refused("approve-meter", proposal=proposal, who=CHECKER, role="manager") == "R32"
    assert desk.refused("approve-move-in", proposal="p-4711", who=CHECKER) == "R32"
    desk.done("approve-move-in", proposal=proposal, who=CHECKER)
    assert desk.refused("approve-move-in", proposal=proposal, who=CHECKER) == "R32"


def test_a_maker_takes_their_own_back(desk: Desk) -> None:
    """With a reason; the proposal stays in the book, and the account was never there."""
    proposal = desk.vacant()
    desk.done("reject-move-in", proposal=proposal, why="signed elsewhere")
    assert "201" not in desk.core.state.accounts and desk.core.state.meters["m1"].account is None


def test_what_nobody_decides_is_over_after_three_days(desk: Desk) -> None:
    """The time of a proposal that can be planned (R32)."""
    proposal = desk.vacant()
    desk.clock.advance(3 * 86_400 + 1)
    desk.requests.tick(connected=True)
    assert desk.refused("approve-move-in", proposal=proposal, who=CHECKER) == "R32"
    assert desk.vacant()


def test_a_clock_that_is_not_believed_begins_no_tenancy(desk: Desk) -> None:
    """Its first day would be nobody's (R25): neither proposed nor approved."""
    proposal = desk.vacant()
    desk.book.trusted = False
    assert desk.told(account="202", meters=["w1"], tariff=None, water_tariff="water")[0] == "R25"
    assert desk.refused("approve-move-in", proposal=proposal, who=CHECKER) == "R25"
    desk.book.trusted = True
    desk.done("approve-move-in", proposal=proposal, who=CHECKER)


def test_the_rules_are_looked_at_again_when_it_is_approved(desk: Desk) -> None:
    """Meanwhile the price has got steps from next week on: what could be proposed yesterday is refused today (R29)."""
    proposal = desk.vacant()
    desk.price({**PRICES[1], "id": "shop", "surcharges": []}, days=1, version=2)
    assert desk.refused("approve-move-in", proposal=proposal, who=CHECKER) == "R29"
    assert desk.core.state.proposals[proposal].decision is None
