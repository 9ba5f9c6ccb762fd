"""A meter without a tenant is shown and billed to nobody; who moves in pays from the register of that moment (R19)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bridge.contract.units import instant_exact, instant_of
from tests.edge.building import Building

LATE = datetime(2026, 11, 20, 15, tzinfo=UTC)  # Friday 23:00 in Shanghai.
EMPTY = "a101"


class Vacant(Building):
    """The shop behind one meter stands empty."""

    def _site(self, poll_s, policy, meters):  # type: ignore[no-untyped-def]
        site = super()._site(poll_s, policy, {EMPTY, "a102"})
        tables = site.model_dump(by_alias=True)
        tables["accounts"] = [row for row in tables["accounts"] if EMPTY not in row["meters"]]
        return type(site).model_validate(tables)


def moves_in(building: Building, account: str) -> datetime:
    core = building.edge.core
    row = {**core.state.accounts["100102"].row, "account": account, "meters": [EMPTY], "tariff": "business"}
    core.append(("account/1", f"account:{account}", {**row, "since": instant_exact(building.clock.now())}))
    return building.clock.now()


def test_what_an_empty_shop_used_is_not_the_next_tenants(tmp_path: Path) -> None:
    """Over two midnights nobody is charged for the empty shop, though its meter is read and shown; the tenant who then
    moves in is opened on a reading of that moment, and the first charge begins there."""
    building = Vacant(tmp_path, start=LATE, poll_s=300, idle_s=10)
    building.connect()
    building.run(hours=1.5)
    building.stop_edge()
    building.clock.advance(86_400)
    building.start_edge()
    building.run(minutes=20)
    assert building.of("charge/2", meter=EMPTY) == [] and building.of("charge/2", meter="a102")
    assert building.edge.core.lives[EMPTY].sample is not None
    (vacant,) = building.of("opening/1", meter=EMPTY)
    since = moves_in(building, "newcomer")
    assert building.edge.core.balances.available_nano(building.edge.core.state.accounts["newcomer"]) == 0
    building.run_until(lambda: len(building.of("opening/1", meter=EMPTY)) == 2, hours=1)
    opening = building.of("opening/1", meter=EMPTY)[1].fields
    assert 0 <= (instant_of(opening["at"]) - since).total_seconds() <= 600
    assert opening["registers_wh"]["total"] > vacant.fields["registers_wh"]["total"] + 1000
    building.stop_edge()
    building.clock.advance(86_400)
    building.start_edge()
    building.run_until(lambda: building.of("charge/2", meter=EMPTY), hours=1)
    (charge,) = building.of("charge/2", meter=EMPTY)
    assert charge.fields["account"] == "newcomer" and charge.fields["start"]["registers_wh"] == opening["registers_wh"]
    assert charge.fields["start"]["at"] == opening["at"]
