"""An empty book is filled once from the site file, all or nothing; what cannot be billed is said before that."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.site import Site
from bridge.contract.site_file import load
from edge import install, model
from edge.book import Book
from edge.core import Core
from edge.settings import terms_of

DEMO = Path(__file__).parents[2] / "firmware_sim" / "demo" / "site.toml"
START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


def tables() -> dict[str, Any]:
    return load(DEMO).model_dump(by_alias=True)


def row(site: dict[str, Any], table: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """The first row of a table with these fields, and its number as people count."""
    for number, each in enumerate(site[table], 1):
        if fields.items() <= each.items():
            return number, each
    raise LookupError(fields)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    opened = Book(tmp_path, ManualClock(START), "boot-1")
    yield opened
    opened.close()


def core_of(book: Book, site: Site) -> Core:
    return Core(book, terms_of(site, (frozenset(), frozenset())), ManualClock(START))


# --- mistakes ---


def test_the_demo_has_no_mistakes() -> None:
    """The site file that comes with Riser is one that the edge accepts."""
    assert install.mistakes(load(DEMO)) == []


def test_a_model_that_does_not_exist_is_named_with_its_place() -> None:
    """A misspelt model is told with table, row and the models there are."""
    site = tables()
    number, meter = row(site, "meters", model="dlt645-1p")
    meter["model"] = "dlt645-9p"
    (mistake,) = install.mistakes(Site.model_validate(site))
    assert mistake.startswith(f"meters[{number}] ({meter['id']}).model:") and "eastron-sdm630" in mistake


def test_a_meter_on_a_port_of_another_protocol_is_named() -> None:
    """A Modbus meter on a DL/T 645 line would only be silent: it is said before it is wired into the book."""
    site = tables()
    _, port = row(site, "ports", protocol="dlt645-2007")
    number, meter = row(site, "meters", model="eastron-sdm630")
    meter["port"] = port["id"]
    found = install.mistakes(Site.model_validate(site))
    assert found == [f"meters[{number}] ({meter['id']}).port: eastron-sdm630 speaks modbus-rtu, {port['id']} does not"]


def test_a_relay_that_is_not_there_is_named() -> None:
    """A tenant whose meter has no relay must not be believed to be cuttable."""
    site = tables()
    number, meter = row(site, "meters", model="eastron-sdm630")
    meter["relay"] = "direct"
    (mistake,) = install.mistakes(Site.model_validate(site))
    assert mistake.startswith(f"meters[{number}] ({meter['id']}).relay:") and 'relay = "none"' in mistake


def by_hours(site: dict[str, Any], model: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Give the price by hours to an account with a meter of this model: its number, it, and the price."""
    _, tariff = row(site, "tariffs", kind="tou")
    meters = {meter["id"] for meter in site["meters"] if meter["model"] == model}
    number, account = next((n, a) for n, a in enumerate(site["accounts"], 1) if set(a["meters"]) & meters)
    account["tariff"] = tariff["id"]
    return number, account, tariff


def test_a_meter_without_registers_per_rate_may_have_a_price_by_hours() -> None:
    """R28: its hours are told apart by readings at their borders, so nobody has to buy another meter."""
    site = tables()
    by_hours(site, "eastron-sdm630")
    assert install.mistakes(Site.model_validate(site)) == []


def test_a_meter_with_registers_for_some_rates_only_is_refused() -> None:
    """R28: registers and border reads are never mixed; a price with a rate that this meter does not count is named."""
    site = tables()
    number, account, tariff = by_hours(site, "dlt645-1p")
    tariff["prices"] |= {"deep": "0.1"}
    (meter,) = account["meters"]
    told = f"meter {meter} (dlt645-1p) keeps registers per rate and none for deep"
    found = install.mistakes(Site.model_validate(site))
    assert any(each.startswith(f"accounts[{number}] ({account['id']}).tariff: {told}") for each in found), found


def test_all_mistakes_are_told_at_once() -> None:
    """Three mistakes in one file are three sentences, not three attempts."""
    site = tables()
    row(site, "meters", model="dlt645-3p")[1]["model"] = "nothing"
    row(site, "meters", model="acrel-ddsy1352")[1]["relay"] = "permit"
    row(site, "meters", model="eastron-sdm630")[1]["port"] = row(site, "ports", protocol="dlt645-2007")[1]["id"]
    assert len(install.mistakes(Site.model_validate(site))) == 3


# --- filling ---


def test_an_empty_book_is_filled_with_the_whole_site(book: Book) -> None:
    """Every price, meter and tenancy of the site file stands in the book, with the balance brought in, and adds up."""
    site = load(DEMO)
    core = core_of(book, site)
    install.fill(core, site)
    entries = list(book.entries())
    kinds = [entry.kind for entry in entries]
    assert kinds[0] == "genesis/1" and kinds.count("meter/1") == len(site.meters)
    assert kinds.count("account/1") == len(site.accounts) and kinds.count("tariff/2") == len(site.tariffs)
    state = core.state
    assert {id: state.posted_nano(id) for id in state.accounts} == {
        account.id: int(account.opening.replace(".", "").replace("-", ""))
        * 10**7
        * (-1 if "-" in account.opening else 1)
        for account in site.accounts
    }
    assert sum(state.ledger.values()) == 0
    for meter in site.meters:
        fields = state.meters[meter.id].row
        assert (fields["address"], fields["multiplier"]) == (meter.address, meter.multiplier)
        assert fields["protocol"] == model.load(meter.model).protocol


def test_debts_are_brought_in_as_debts(book: Book) -> None:
    """A tenant who begins with 12.34 yuan of debt owes 12.34 yuan: the money moves the other way, still positive."""
    site = tables()
    for account in site["accounts"]:
        account["opening"] = "0.00"
    site["accounts"][0]["opening"] = "-12.34"
    core = core_of(book, Site.model_validate(site))
    install.fill(core, Site.model_validate(site))
    (entry,) = [each for each in book.entries() if each.kind == "opening-balance/1"]
    (move,) = entry.fields["moves"]
    assert move == {
        "from": "account:" + site["accounts"][0]["id"],
        "to": "equity:opening",
        "amount_nano": 12_340_000_000,
    }
    assert core.state.posted_nano(site["accounts"][0]["id"]) == -12_340_000_000


def test_a_filling_that_fails_leaves_an_empty_book(book: Book) -> None:
    """The disk is full in the middle: nothing stands in the book, and the next start fills it whole."""
    site = load(DEMO)
    book._db.execute("PRAGMA max_page_count=10")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        install.fill(core_of(book, site), site)
    assert book.seq == 0 and list(book.entries()) == []
    book._db.execute("PRAGMA max_page_count=100000")
    install.fill(core_of(book, site), site)
    assert book.seq > len(site.meters)


def test_a_book_is_filled_once(book: Book) -> None:
    """Filling a second time is refused by the book itself: from then on the book wins, not the file."""
    site = load(DEMO)
    install.fill(core_of(book, site), site)
    before = book.seq
    with pytest.raises(sqlite3.IntegrityError):
        install.fill(core_of(book, site), site)
    assert book.seq == before


def test_two_books_have_two_epochs(tmp_path: Path) -> None:
    """A book begun anew is told from the lost one by its epoch."""
    site, epochs = load(DEMO), set()
    for name in ("one", "two"):
        book = Book(tmp_path / name, ManualClock(START), "boot-1")
        core = core_of(book, site)
        install.fill(core, site)
        epochs.add(core.state.genesis["epoch"])
        book.close()
    assert len(epochs) == 2
