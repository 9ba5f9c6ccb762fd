"""Prices as people write them: every form there is, every slip told with its place, and the integers they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.contract import markup
from bridge.contract.site_file import BadSite, load
from bridge.contract.site_prices import Tariff, amount_wh, booked, is_household, season_of
from bridge.contract.units import micro_of_change, price_text
from tests.bridge.test_bridge_site_file import WHOLE, mistakes_of

HOME = """
[[tariffs]]
id = "home"
name = "居民阶梯"
kind = "single"
price = "0.5380"
steps = { period = "year", month = 7, moving_in = "pro-rated", bounds = [
  { above = "2160", add = "0.05" }, { above = "4200.5", add = "0.3" } ] }
surcharges = [ { name = "农村减免", price = "-0.01", category = "rural" } ]
daily_fee = "0.30"
purchase = { total = "0.45" }

[[tariffs]]
id = "water"
name = "居民水价"
unit = "m3"
kind = "single"
price = "3.45"
"""

TABLE = """
[[tariffs.tables]]
seasons = ["07-01..08-31"]
days = ["weekend", "holiday"]
windows = [{from = "00:00", to = "24:00", rate = "valley"}]
"""

WINDOWS = [{"from": "00:00", "to": "06:00", "rate": "valley"}, {"from": "06:00", "to": "24:00", "rate": "peak"}]
SINGLE: dict[str, Any] = {"id": "a", "name": "a", "kind": "single", "price": "0.50"}
TOU: dict[str, Any] = {
    "id": "a",
    "name": "a",
    "kind": "tou",
    "prices": {"peak": "1", "valley": "0.2"},
    "windows": WINDOWS,
}


def with_prices(account: str) -> str:
    """The whole file with more prices and more said of its account."""
    return WHOLE.replace('[[meters]]\nid = "m301"', TABLE + HOME + '\n[[meters]]\nid = "m301"') + account


def test_every_form_of_price_is_read(tmp_path: Path) -> None:
    """Seasons, steps, surcharges, a daily fee, a price per m3 and what is paid upstream stand in one file."""
    path = tmp_path / "site.toml"
    path.write_text(with_prices('category = "rural"\nhousehold = true\nwater_tariff = "water"\n'), encoding="utf-8")
    shop, home, water = map(booked, load(path).tariffs)
    assert shop["tables"] == [
        {
            "seasons": [[701, 831]],
            "days": ["weekend", "holiday"],
            "windows": [{"from": 0, "to": 1440, "rate": "valley"}],
        }
    ]
    assert home["steps"] == {
        "period": "year", "month": 7, "day": 1, "moving_in": "pro-rated",
        "steps": [{"above_wh": 2_160_000, "add_micro": 50_000}, {"above_wh": 4_200_500, "add_micro": 300_000}],
    }  # fmt: skip
    assert home["surcharges"] == [{"name": "农村减免", "micro": -10_000, "category": "rural"}]
    assert (home["daily_fee_nano"], home["purchase_micro"]) == (300_000_000, {"total": 450_000})
    assert (water["unit"], water["prices_micro"]) == ("m3", {"total": 3_450_000})


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ('water_tariff = "shop"',
         'accounts[1] (301).water_tariff: shop is not a price per m3; write unit = "m3" there'),
        ('water_tariff = "wet"', "accounts[1] (301).water_tariff: there is no tariff 'wet'"),
        ('category = "rurla"',
         "accounts[1] (301).category: no surcharge is for category 'rurla'; there are home, rural, shop"),
        ('household = "yes"', "accounts[1] (301).household: write true or false, without quotes"),
    ],
)  # fmt: skip
def test_slips_between_accounts_and_prices_are_told(tmp_path: Path, account: str, told: str) -> None:
    """A price of the wrong unit, a misspelt category: one sentence with the place, before anybody is billed."""
    assert mistakes_of(tmp_path, with_prices(account)) == [told]


def test_an_account_names_a_price(tmp_path: Path) -> None:
    """For water only that of water will do; one that names none is told so."""
    text = with_prices("").replace('tariff = "shop"\nmeters', "meters")
    told = "accounts[1] (301).tariff: it has no price; give it a tariff, for water only a water_tariff"
    assert mistakes_of(tmp_path, text) == [told]
    path = tmp_path / "site.toml"
    path.write_text(text.replace("\nmeters", '\nwater_tariff = "water"\nmeters'), encoding="utf-8")
    assert load(path).accounts[0].tariff is None


@pytest.mark.parametrize(("said", "refused"), [
    ("", True), ('category = "shop"', True), ('category = "home"', False), ('category = "rural"', True),
    ("household = true", False), ('category = "home"\nhousehold = false', True),
])  # fmt: skip
def test_steps_are_for_households(tmp_path: Path, said: str, refused: bool) -> None:
    """R29: a shop with steps is refused with the way out; an account of category home is a household unless it says
    that it is none."""
    text = with_prices(said).replace('tariff = "shop"\nmeters', 'tariff = "home"\nmeters')
    if refused:
        (mistake,) = mistakes_of(tmp_path, text)
        assert mistake.startswith("accounts[1] (301).tariff: tariff home has steps, and steps are for households only")
    else:
        path = tmp_path / "site.toml"
        path.write_text(text, encoding="utf-8")
        assert is_household(load(path).accounts[0].model_dump())


@pytest.mark.parametrize(
    ("price", "changes", "told"),
    [
        (SINGLE, {"tables": [{"days": ["holiday"], "windows": WINDOWS}]}, "tables by season or day are for"),
        (TOU, {"tables": [{"windows": WINDOWS}]}, "says neither `seasons` nor `days`"),
        (TOU, {"tables": [{"days": ["holiday"], "windows": WINDOWS[:1]}]}, "windows do not reach 24:00"),
        (TOU, {"tables": [{"seasons": ["02-30..03-01"], "windows": WINDOWS}]}, "is no season"),
        (TOU, {"tables": [{"seasons": ["7-1..8-31"], "windows": WINDOWS}]}, "is no season"),
        (TOU, {"tables": [{"days": ["sunday"], "windows": WINDOWS}]}, "weekend"),
        (TOU, {"tables": [{"days": ["holiday"], "windows": [{"from": "00:00", "to": "24:00", "rate": "deep"}]}]},
         "windows name rates without a price: ['deep']"),
        (TOU, {"unit": "m3"}, "no water meter tells hours apart"),
        (SINGLE, {"steps": {"period": "month", "month": 2, "bounds": [{"above": "1", "add": "0.1"}]}}, "leave it out"),
        (SINGLE, {"steps": {"period": "year", "day": 29, "bounds": [{"above": "1", "add": "0.1"}]}}, "28"),
        (SINGLE, {"steps": {"period": "month", "bounds": []}}, "at least 1"),
        (SINGLE, {"steps": {"period": "month", "bounds": [{"above": "0", "add": "0.1"}]}}, "bounds rise"),
        (SINGLE, {"steps": {"period": "month", "bounds": [{"above": "9", "add": "0"}, {"above": "9", "add": "0"}]}},
         "bounds rise"),
        (SINGLE, {"steps": {"period": "month", "bounds": [{"above": "1.2345", "add": "0.1"}]}}, "is no amount"),
        (SINGLE, {"surcharges": [{"name": "x", "price": "0.1"}] * 2}, "stands there twice"),
        (SINGLE, {"surcharges": [{"name": "x", "price": "-0.3"}, {"name": "y", "price": "-0.3", "category": "rural"}]},
         "would cost -0.1000 for category rural"),
        (SINGLE, {"daily_fee": "-0.30"}, "a fee is not below zero"),
        (SINGLE, {"purchase": {"peak": "0.4"}}, "`purchase` is { total = ... }"),
        (TOU, {"purchase": {"peak": "0.4"}}, "or a price for each of peak, valley"),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_refused(price: dict[str, Any], changes: dict[str, Any], told: str) -> None:
    """What cannot be meant is said in one sentence, whether it comes from a file or from a form."""
    Tariff.model_validate(price)
    with pytest.raises(ValidationError) as refusal:
        Tariff.model_validate(price | changes)
    assert told in str(refusal.value)


def test_amounts_and_changes_are_exact() -> None:
    """180 kWh are 180,000 Wh, a reduction of 0.01 yuan is -10,000 micro-yuan, and both are shown as written."""
    assert [amount_wh(text) for text in ("180", "0.5", "2160.125")] == [180_000, 500, 2_160_125]
    assert season_of("11-15..03-15") == (1115, 315)
    assert (micro_of_change("-0.01"), price_text(-10_000), price_text(-1_234_567)) == (-10_000, "-0.0100", "-1.234567")


@pytest.mark.parametrize(("changes", "percent", "beyond"), [
    ({"purchase": {"total": "0.5"}}, 60, True),
    ({"purchase": {"peak": "1", "valley": "0.2"}}, 0, False),
    ({"purchase": {"peak": "1", "valley": "0.2"}, "surcharges": [{"name": "x", "price": "0.08"}]}, 10, False),
    ({"purchase": {"peak": "1", "valley": "0.2"}, "surcharges": [{"name": "x", "price": "0.080001"}]}, 10, True),
    ({"purchase": {"total": "0.9"}}, -12, False), ({"purchase": {"total": "0"}}, None, False), ({}, None, False),
])  # fmt: skip
def test_the_mark_up_is_compared_to_the_micro_yuan(changes: dict[str, Any], percent: int | None, beyond: bool) -> None:
    """R30: the mean over the hours of a day (0.80) beside what is paid; a limit of 10 % is passed by a millionth."""
    fields = booked(Tariff.model_validate(TOU | changes))
    assert (markup.percent(fields), markup.beyond(fields, 10)) == (percent, beyond)
    assert not markup.beyond(fields, None)


@pytest.mark.parametrize(("table", "line"), [(0, 4), (1, 8)])
@pytest.mark.parametrize("how", ["days", "windows"])
def test_a_mistake_in_the_second_table_of_a_price_is_told_there(
    tmp_path: Path, table: int, line: int, how: str
) -> None:
    """Two tables under one price: the line that is named is that of the table with the slip, not of its sister."""
    tables = [["days", '["weekend"]', "24:00"], ["days", '["holiday"]', "24:00"]]
    tables[table][1 if how == "days" else 2] = '["sunday"]' if how == "days" else "23:00"
    text = "".join(
        f'[[tariffs.tables]]\nseasons = ["07-01..08-31"]\n{name} = {days}\n'
        f'windows = [{{from = "00:00", to = "{to}", rate = "peak"}}]\n'
        for name, days, to in tables
    )
    whole = WHOLE.replace('[[meters]]\nid = "m301"', text + '\n[[meters]]\nid = "m301"')
    first = whole[: whole.index("[[tariffs.tables]]")].count("\n") + 1
    path = tmp_path / "site.toml"
    path.write_text(whole, encoding="utf-8")
    with pytest.raises(BadSite) as refusal:
        load(path)
    told = first + line - (2 if how == "days" else 4)
    assert refusal.value.lines[0].startswith(f"line {told}: tariffs[1] (shop).tables[{table + 1}]"), refusal.value.lines
