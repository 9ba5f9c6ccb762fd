"""The main job in one process: three levels, final warning, cut, top-up, light; and the midnight that follows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bridge.contract.units import instant_of, instant_of_micros
from tests.edge.building import Building

LEAD = timedelta(minutes=30)


def test_seven_steps(tmp_path: Path) -> None:
    """A206 runs dry: three warnings, the final one half an hour before, the cut, a payment, the light."""
    building = Building(tmp_path, poll_s=20, meters={"a206", "a207", "a208"})
    building.connect()
    account = building.edge.core.state.accounts["100206"]
    building.run_until(lambda: building.of("relay/1", meter="a206", observed="open"), hours=4)

    levels = building.of("level/1", account="100206")
    assert [entry.fields["level"] for entry in levels] == [1, 2, 3]
    (final,) = building.of("final/1", account="100206")
    (delivered,) = building.of("delivered/1", account="100206")
    (trip,) = building.of("trip/1", meter="a206")
    assert levels[-1].seq < final.seq < delivered.seq < trip.seq

    zero = instant_of(final.fields["zero_at"])
    assert abs(zero - instant_of_micros(final.at) - LEAD) < timedelta(minutes=5)
    assert instant_of_micros(trip.at) - instant_of_micros(delivered.at) >= LEAD
    assert trip.fields["warned_s"] >= 1800
    assert trip.fields["available_nano"] <= 0
    assert building.sim_meter("a206").relay.open
    assert building.fact("account/100206")["state"] == "cut"
    assert building.fact("meter/a206/relay")["observed"] == "open"
    assert building.of("trip/1") == [trip], "nobody else was cut"

    building.run(minutes=20)
    paid_at = building.clock.monotonic()
    transaction = building.topup("100206", 100_00)
    (answer,) = building.answers(transaction)
    assert answer["status"] == "done"
    building.run_until(lambda: building.of("relay/1", meter="a206", observed="closed", why="as ordered"), hours=1)
    assert building.clock.monotonic() - paid_at < 10, "the light is back within seconds of the payment"
    assert not building.sim_meter("a206").relay.open
    building.run(minutes=2)
    assert building.fact("account/100206")["state"] != "cut"
    assert not building.edge.core.lives["a206"].lamp_on, "the warning lamp is taken back"
    assert account.final is None
