"""`riser price`: prices out of a file, mistakes by line, and a preview that reads like an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.contract.messages import PreviewPrice
from bridge.contract.site_file import load
from bridge.contract.site_prices import Tariff, booked
from host import site_check
from host.exits import USAGE, Trouble
from host.price_file import chosen, prices_of
from host.price_verbs import preview_lines
from host.site_check import Checked
from tests.host.doctor_snapshots import MODELS, site

EXAMPLE = Path(__file__).parents[2] / "site.example.toml"


def written(directory: Path, text: str) -> Path:
    path = directory / "price.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_prices_of_a_whole_site_file_are_sent_as_they_are_booked() -> None:
    """What is previewed and proposed is the price that the file would have filled the book with, in every part."""
    prices = prices_of(EXAMPLE)
    assert {id: booked(Tariff.model_validate(price)) for id, price in prices.items()} == {
        tariff.id: booked(tariff) for tariff in load(EXAMPLE).tariffs
    }
    for price in prices.values():
        assert PreviewPrice.model_validate({"transaction": "x" * 8, "price": price}).price == price


def test_a_file_with_a_price_alone_will_do(tmp_path: Path) -> None:
    """A price is tried before it stands anywhere: the file needs no site around it."""
    path = written(tmp_path, '[[tariffs]]\nid = "home"\nname = "Home"\nkind = "single"\nprice = "0.60"\n')
    assert chosen(prices_of(path), None) == {"id": "home", "name": "Home", "kind": "single", "price": "0.60"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[tariffs]]\nid = "home"\nname = "H"\nkind = "single"\nprice = 0.60\n',
         'line 5: tariffs[1] (home).price: write it in quotes: "0.60"'),
        ('[[tariffs]]\nid = "home"\nname = "H"\nkind = "tou"\n', "line 1: tariffs[1] (home): a time-of-use price has"),
        ('[site]\nname = "x"\n', "there is no [[tariffs]] table in it"),
        ('[[tariffs]]\nid = "home"\nname = "H"\nkind = "single"\nprice = "0.60"\n' * 2,
         "line 7: tariffs[2].id: another price"),
        ("tariffs = 1\n", "there is no [[tariffs]] table in it"),
    ],
)  # fmt: skip
def test_mistakes_are_told_by_line(tmp_path: Path, text: str, told: str) -> None:
    """A slip in a price ends in the line to mend, before anything is asked."""
    with pytest.raises(Trouble) as trouble:
        prices_of(written(tmp_path, text))
    assert trouble.value.code == USAGE and told in trouble.value.sentence


@pytest.mark.parametrize("tariff", [None, "hmoe"])
def test_which_price_is_meant_must_be_said(tariff: str | None) -> None:
    """Of several prices nobody guesses one."""
    with pytest.raises(Trouble, match="home, shop, workshop, water"):
        chosen(prices_of(EXAMPLE), tariff)


def test_a_preview_reads_like_an_account() -> None:
    """One line for each account with old, new and difference, the sum below, and what is uncertain said."""
    row: dict[str, Any] = {
        "account": "2026-r201", "days": 31, "charges": 31, "wh": 180_500, "old_nano": 97_109_000_000,
        "new_nano": 98_000_000_000, "difference_nano": 891_000_000, "interpolated": True,
    }  # fmt: skip
    data = {
        "tariff": "home", "unit": "kWh", "month": "2026-10", 
        "accounts": [row, {"account": "b", "days": 3, "charges": 1, "why": "R28: no"}],
        "markup_percent": 12, **{key: row[key] for key in ("wh", "old_nano", "new_nano", "difference_nano")},
    }  # fmt: skip
    lines = preview_lines(data)
    assert lines[2].split() == ["2026-r201", "180.50", "97.10", "98.00", "0.89", "*"]
    assert lines[3].split(maxsplit=1) == ["b", "cannot be billed so: R28: no"]
    assert lines[4].split() == ["sum", "180.50", "97.10", "98.00", "0.89"]
    assert lines[5].startswith("* between readings") and lines[6].startswith("12 % above")
    empty = preview_lines(data | {"accounts": [], "markup_percent": 0})
    assert empty[-1].startswith("no charge of 2026-10")


def test_site_check_tells_a_mark_up_above_the_limit() -> None:
    """R30: whoever writes the price hears of it before it is in force."""
    swap = ('price = "0.85"', 'price = "0.85"\npurchase = { total = "0.50" }')
    seen = site(swap, more="[policy]\nmarkup_limit_percent = 30\n")
    told = list(site_check.worth_knowing(Checked(Path("/s"), seen, (), MODELS)))
    assert told == ["tariff shop: 70 % above what is paid, the limit is 30 % (R30)"]


def test_a_water_price_that_an_account_pays_is_not_called_idle() -> None:
    """An account's water price is a price somebody has."""
    more = '[[tariffs]]\nid = "water"\nname = "W"\nunit = "m3"\nkind = "single"\nprice = "3"\n'
    seen = site(('tariff = "shop"', 'tariff = "shop"\nwater_tariff = "water"'), more=more)
    assert list(site_check.worth_knowing(Checked(Path("/s"), seen, (), MODELS))) == []
