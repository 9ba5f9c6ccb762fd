"""What was read while nobody knew the time is judged again once it is known; until then nobody is cut on it (R3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bridge.contract.site import Site
from firmware_sim.faults import NO_FAULTS, Faults
from firmware_sim.loads import WUS_PER_WH
from tests.edge.calendars import YEAR_1970, Elsewhen

ROOM, SIBLING, ACCOUNT = "a206", "a101", "100206"


class TwoMeters(Elsewhen):
    """One tenant with two meters, a third meter beside them."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, {ROOM, SIBLING, "a102"}).model_dump(by_alias=True)
        rows = [row for row in tables["accounts"] if row["meters"] != [SIBLING]]
        for row in rows:
            row["meters"] = [*row["meters"], SIBLING] if row["id"] == ACCOUNT else row["meters"]
        return Site.model_validate({**tables, "accounts": rows})


def test_nobody_is_cut_on_a_sibling_that_leapt_while_nobody_knew_the_time(tmp_path: Path) -> None:
    """The register of one meter shows garbage when the gateway comes up in 1970, and falls silent. The time is known
    again: the other meter, which is read afresh, is not cut on what the first one said. Once heard, it is set aside."""
    building = TwoMeters(tmp_path, poll_s=120, idle_s=5)
    building.connect()
    building.run(minutes=5)
    assert building.mode() == ("normal", None)
    metrology, leap = building.sim_meter(SIBLING).metrology, 4000_000 * WUS_PER_WH
    metrology.total_wus, metrology.rates_wus[2] = metrology.total_wus + leap, metrology.rates_wus[2] + leap
    building.restart(YEAR_1970, off_s=60)
    core = building.edge.core
    account = core.state.accounts[ACCOUNT]
    building.run(minutes=45)
    assert core.lives[SIBLING].unproven and core.balances.available_nano(account) < core.terms.cut_limit_nano
    assert account.final is not None and account.final.delivered_at is not None
    building.shaft.set_faults(Faults(silent=frozenset({SIBLING})))
    building.clock.set_right()
    building.run(minutes=20)
    assert building.mode() == ("normal", None) and building.of("trip/1") == []
    building.shaft.set_faults(NO_FAULTS)
    building.run(minutes=20)
    assert building.of("quarantine/1", meter=SIBLING) and building.of("trip/1") == []
