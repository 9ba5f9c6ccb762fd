"""The doctor on prices: where book and file differ, and where a mark-up lies above what the site allows (R30)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import micro_of_price
from host.doctor import prices
from host.doctor.seen import RegistrySeen
from tests.host.doctor_snapshots import site

OLD: dict[str, Any] = {
    "tariff": "shop", "name": "Shop", "version": 1, "price_kind": "single", "prices_micro": {"total": 850_000},
    "windows": [],
}  # fmt: skip
"""What a `tariff/1` entry says."""

HOME = ('tariff = "shop"', 'tariff = "shop"\nhousehold = true')


def with_price(*lines: str) -> tuple[str, str]:
    return 'price = "0.85"', "\n".join(['price = "0.85"', *lines])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('steps = { period = "month", bounds = [{ above = "180", add = "0.05" }] }',
         "steps in the book is empty, in the site file 1 step by month."),
        ('surcharges = [{ name = "x", price = "0.01" }]',
         "surcharges in the book is empty, in the site file another list of 1 surcharge."),
        ('daily_fee = "0.30"', "daily_fee in the book is empty, in the site file 0.30."),
        ('purchase = { total = "0.80" }', "purchase in the book is empty, in the site file total 0.8000."),
    ],
)  # fmt: skip
def test_what_an_older_price_could_not_say_is_compared_too(line: str, told: str) -> None:
    """A book filled before there were steps and fees says by its silence that it has none; the way out is named."""
    (finding,) = prices.differences("x", OLD, site(with_price(line), HOME).tariffs[0])
    assert finding.sentence == f"Tariff shop: {told}"
    assert finding.command == "./riser price propose FILE --tariff shop"
    assert list(prices.differences("x", OLD, site().tariffs[0])) == []


@pytest.mark.parametrize(("limit", "warned"), [("21", True), ("22", False), (None, False)])
def test_a_mark_up_above_the_limit_is_told(limit: str | None, warned: bool) -> None:
    """R30: 0.85 sold and 0.70 paid is 21.4 % more; a limit of 21 % is told of, one of 22 % and none at all are not."""
    policy = "" if limit is None else f"[policy]\nmarkup_limit_percent = {limit}\n"
    seen = RegistrySeen(5, "e", {}, {}, {"shop": {**OLD, "purchase_micro": {"total": micro_of_price("0.70")}}})
    found = list(prices.markups(site(more=policy), seen))
    assert [each.about for each in found] == (["shop"] if warned else [])
    assert not warned or "sold 21 % above what is paid" in found[0].sentence


def test_the_directory_of_the_book_is_named_with_the_command() -> None:
    """The command under a finding can be typed as it stands, also where the book lies elsewhere."""
    from host.doctor.findings import with_data

    (finding,) = prices.differences("x", OLD, site(with_price('daily_fee = "0.30"')).tariffs[0])
    assert with_data(finding, str(Path("/srv/riser"))).command.endswith("--tariff shop --data /srv/riser")
