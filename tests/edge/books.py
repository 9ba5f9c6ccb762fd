"""What must hold of a building's book whatever happened: days without a hole, charges that equal the registers."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from tests.edge.building import Building


def days_of(building: Building, account: str) -> list[str]:
    """The days an account was closed for, in the order in which that happened."""
    return [entry.fields["date"] for entry in building.of("closing/1", account=account)]


def days(first: str, count: int) -> list[str]:
    """`count` days from `first` on."""
    return [(date.fromisoformat(first) + timedelta(days=n)).isoformat() for n in range(count)]


def check(building: Building) -> None:
    """I1, I2, I3, I14 over the whole book: every account, every meter."""
    state = building.edge.core.state
    for account in state.accounts:
        closings = building.of("closing/1", account=account)
        dates = [entry.fields["date"] for entry in closings]
        assert dates == days(dates[0], len(dates)) if dates else True, f"{account}: {dates}"
        for before, after in pairwise(closings):
            assert after.fields["opening_nano"] == before.fields["closing_nano"], account
        named = [charge for closing in closings for charge in closing.fields["charges"]]
        assert sorted(named) == sorted(entry.id for entry in building.of("charge/2", account=account))
    for meter in state.meters:
        check_meter(building, meter)
    assert sum(state.ledger.values()) == 0


def check_meter(building: Building, meter: str) -> None:
    """No hole, no overlap, and the sum is the register difference times the price, to the nano-yuan."""
    charges, openings = building.of("charge/2", meter=meter), building.of("opening/1", meter=meter)
    assert len(openings) <= 1, f"{meter} was opened twice"
    if not charges:
        return
    assert charges[0].fields["start"]["registers_wh"] == openings[0].fields["registers_wh"]
    for before, after in pairwise(charges):
        assert after.fields["start"]["registers_wh"] == before.fields["end"]["registers_wh"], meter
    (prices,) = {tuple(sorted(price_of(building, entry.fields["tariff"]).items())) for entry in charges}
    start, end = charges[0].fields["start"]["registers_wh"], charges[-1].fields["end"]["registers_wh"]
    exactly = sum((end[rate] - start[rate]) * price for rate, price in prices)
    assert sum(entry.fields["amount_nano"] for entry in charges) == exactly, meter


def price_of(building: Building, tariff: str) -> dict[str, int]:
    """The one price of a tariff of the demo's site, in micro-yuan by rate."""
    (entry,) = building.of("tariff/2", tariff=tariff)
    return dict(entry.fields["prices_micro"])
