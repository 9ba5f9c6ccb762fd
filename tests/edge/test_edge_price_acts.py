"""Setting a price: proposed by one, approved by another, effective from an instant, never changed again (R27-R32)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_of, instant_text
from tests.edge.building import Building
from tests.edge.pricing import CATERING, HOURS, approve, propose, request, set_price

ACCOUNT = "100206"
STEPS = {"period": "month", "bounds": [{"above": "180", "add": "0.05"}]}


@pytest.fixture
def building(tmp_path: Path) -> Building:
    made = Building(tmp_path, meters={"a206", "a207"}, poll_s=30, policy={"markup_limit_percent": 20})
    made.connect()
    made.run(minutes=2)
    return made


def later(building: Building, **ahead: float) -> str:
    return instant_text(building.clock.now() + timedelta(**ahead))


def refused(answer: dict[str, Any]) -> tuple[str, str]:
    assert answer["status"] == "refused", answer
    return answer["rule"], answer["error"]


def test_a_price_counts_from_its_instant_on_and_not_before(building: Building) -> None:
    """Proposed and approved for two in the afternoon: until then the old price, from then on the new one, and the
    entry says who proposed and who approved it."""
    at = later(building, hours=2)
    answer = set_price(building, CATERING, effective_at=at, why="new contract")
    assert (answer["data"]["tariff"], answer["data"]["version"]) == ("catering", 2)
    (entry,) = building.of("tariff/2", tariff="catering", version=2)
    said = {key: entry.fields[key] for key in ("by", "proposed_by", "why", "prices_micro")}
    assert said == {"by": "李伟", "proposed_by": "王敏", "why": "new contract", "prices_micro": {"total": 1_100_000}}
    assert instant_of(entry.fields["effective_at"]) == instant_of(at)
    building.run(minutes=2)
    assert building.fact(f"account/{ACCOUNT}")["price_now"] == "1.0500"
    building.run(hours=2)
    assert building.fact(f"account/{ACCOUNT}")["price_now"] == "1.1000"
    versions = building.fact("tariff/catering")["versions"]
    assert [(v["version"], v["approved_by"], v.get("proposed_by")) for v in versions] == [
        (1, "site file", None), (2, "李伟", "王敏")]  # fmt: skip


def test_without_an_instant_a_price_counts_from_its_approval_on(building: Building) -> None:
    """Whoever names no instant means now, and now is when the second person agrees."""
    proposed = propose(building, CATERING)
    assert "effective_at" not in proposed["data"]
    building.run(hours=1)
    now = building.clock.now()
    approve(building, proposed)
    (entry,) = building.of("tariff/2", version=2)
    assert instant_of(entry.fields["effective_at"]) - now < timedelta(seconds=1)


def test_what_waits_for_a_second_person_is_shown_with_its_deadline(building: Building) -> None:
    """Everybody at the panel sees what waits and until when; a decision takes it off."""
    proposed = propose(building, CATERING, effective_at=later(building, hours=5))
    building.run(seconds=2)
    (row,) = building.fact("proposals")["proposals"]
    assert (row["what"], row["who"], row["body"]["price"]["tariff"]) == ("price", "王敏", "catering")
    assert instant_of(row["until"]) <= building.clock.now() + timedelta(hours=5)  # No later than it would begin.
    no = request(building, "reject-price", "李伟", proposal=row["id"], why="not before the spring")
    assert no["data"] == {"proposal": row["id"], "approved": False}
    building.run(seconds=2)
    assert building.fact("proposals")["proposals"] == [] and building.of("tariff/2", version=2) == []
    assert "was rejected by 李伟" in refused(approve(building, proposed))[1]


def test_nobody_sets_a_price_alone(building: Building) -> None:
    """R32: not the maker, not in another role, and not by a role that may not set prices at all."""
    proposed = propose(building, CATERING)
    assert refused(approve(building, proposed, who="王敏"))[0] == "R32"
    id = proposed["data"]["proposal"]
    assert refused(request(building, "approve-price", "王敏", role="finance", proposal=id))[0] == "R32"
    assert refused(request(building, "approve-price", "李伟", role="engineer", proposal=id))[0] == "R32"
    assert building.of("tariff/2", version=2) == []


@pytest.mark.parametrize(
    ("price", "fields", "rule", "words"),
    [
        (CATERING, {"effective_at": {"minutes": -1}}, "R27", "has passed"),
        (CATERING, {"effective_at": {"days": 401}}, "R27", "more than 400 days ahead"),
        (CATERING, {"version": 1}, "R27", "version 1 of tariff catering is not the next one, which is 2"),
        (CATERING, {"version": 3}, "R27", "which is 2"),
        (CATERING | {"price": "1.0500"}, {}, "R27", "is what version 1 of tariff catering says already"),
        (CATERING | {"unit": "m3"}, {}, "R27", "is a price per kWh and stays so"),
        (CATERING | {"purchase": {"total": "0.90"}}, {}, "R30", "lies 22 % above what is paid, and the limit is 20 %"),
        (CATERING | {"steps": STEPS}, {}, "R29", "account 100206 is no household"),
        (HOURS | {"prices": {"peak": "1.3", "valley": "0.4", "deep": "0.2"}}, {}, "R28", "and none for deep"),
        (CATERING | {"price": "1,10"}, {}, "R7", "price: '1,10' is not a price"),
        (CATERING | {"prise": "1.10"}, {}, "R7", "prise: there is no such setting"),
        ({"id": "catering"}, {}, "R7", "name: is missing"),
    ],
)  # fmt: skip
def test_a_price_that_cannot_be_is_refused_by_its_rule(
    building: Building, price: dict[str, Any], fields: dict[str, Any], rule: str, words: str
) -> None:
    """Past instants, clashing versions, prices nobody here can be billed by: one sentence, and nothing waits."""
    if "effective_at" in fields:
        fields = {"effective_at": later(building, **fields["effective_at"])}
    found = refused(propose(building, price, **fields))
    assert found[0] == rule and words in found[1], found
    assert building.edge.core.state.proposals == {} and building.of("tariff/2", version=2) == []


def test_an_instant_without_its_offset_is_refused(building: Building) -> None:
    """Eight hours of doubt are a night's energy: an instant says where it is meant."""
    assert refused(propose(building, CATERING, effective_at="2026-12-01T00:00:00"))[0] == "R7"


def test_a_mark_up_above_the_limit_can_be_meant(building: Building) -> None:
    """R30: accepted by name it is set, and the fact goes on warning of it."""
    set_price(building, CATERING | {"purchase": {"total": "0.90"}}, accept_markup=True)
    building.run(seconds=2)
    newest = building.fact("tariff/catering")["versions"][-1]
    assert (newest["purchase"], newest["markup_percent"], newest["markup_warns"]) == ({"total": "0.9000"}, 22, True)


def test_versions_begin_one_after_the_other(building: Building) -> None:
    """A version that is to begin before one that stands already would change what people were told: refused."""
    first, second = propose(building, CATERING, effective_at=later(building, days=1)), propose(
        building, CATERING | {"price": "1.2000"}, effective_at=later(building, hours=20)
    )  # fmt: skip
    approve(building, first)
    assert "is not the next one, which is 3" in refused(approve(building, second))[1]
    for fields in ({"effective_at": later(building, hours=20)}, {}):
        found = refused(propose(building, CATERING | {"price": "1.2000"}, **fields))
        assert found[0] == "R27" and "a newer version begins after it" in found[1]


def test_an_approval_that_comes_too_late_sets_nothing(building: Building) -> None:
    """The instant passed while everybody waited: what was used meanwhile keeps its price."""
    proposed = propose(building, CATERING, effective_at=later(building, hours=1))
    building.run(hours=1.1)
    rule, error = refused(approve(building, proposed))
    assert rule == "R32" and ("propose it anew" in error)
    assert building.of("tariff/2", version=2) == []


def test_a_double_click_sets_one_version(building: Building) -> None:
    """The same approval, heard twice, gets the same answer twice and one version."""
    id, sent = propose(building, CATERING)["data"]["proposal"], []
    for _ in range(2):
        sent.append(request(building, "approve-price", "李伟", proposal=id, transaction="approve-once-1"))
    assert sent[0]["data"] == sent[1]["data"] and len(building.of("tariff/2", tariff="catering", version=2)) == 1


def test_a_whole_price_reaches_the_panel(building: Building) -> None:
    """Tables, surcharges, fee: the fact says all that a bill is made of, in words of people."""
    table = {
        "seasons": ["07-01..08-31"],
        "days": ["holiday"],
        "windows": [{"from": "00:00", "to": "24:00", "rate": "valley"}],
    }
    more = {"tables": [table], "surcharges": [{"name": "减免", "price": "-0.01"}], "daily_fee": "0.30"}
    set_price(building, HOURS | more)
    building.run(seconds=2)
    newest = building.fact("tariff/catering")["versions"][-1]
    assert newest["tables"] == [table] and newest["daily_fee"] == "0.30" and newest["kind"] == "tou"
    assert newest["surcharges"] == [{"name": "减免", "price": "-0.0100"}]
    # Friday 10:30 is a peak hour: 1.30, less a fen.
    building.run(minutes=2)
    assert building.fact(f"account/{ACCOUNT}")["price_now"] == "1.2900"
