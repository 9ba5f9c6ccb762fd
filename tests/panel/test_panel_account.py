"""The account's page: what it has, why it has it, and what happens next."""

from __future__ import annotations

import re

import pytest
from panel_facts import YUAN, at, available, charge, hold, reading, relay, standing, tenant
from panel_stage import Stage

from bridge.contract.messages import Accounts

ACCOUNT = "/account/100206"


def test_money_is_shown_with_commas_two_decimals_and_a_true_minus(shop: Stage) -> None:
    """Available, posted and provisional as published, floored to fen, minus as U+2212."""
    shop.say(standing("on", 1234.5), "100206")
    page = shop.visitor("finance").see(ACCOUNT)
    assert "1,234.50" in page and "−32.31" in page and "1,266.81" in page


def test_the_banner_says_when_and_what_to_do(shop: Stage) -> None:
    """A coming cut is told with its time, its reason and a countdown in the calendar."""
    page = shop.visitor("finance").see(ACCOUNT)
    assert "Will be cut today at 15:20 unless paid" in page
    assert "Final warning delivered 11-20 14:50 by the meter's lamp · empty at 15:20 at 5.92 kW" in page
    assert re.search(r'data-until="2026-11-20T07:20:00[^"]*">29:48<', page)


@pytest.mark.parametrize(
    ("account", "switch", "sentence"),
    [
        ({"state": "final", "available": -2.1, "protected_until": at(-3970)}, {}, "Protected until Mon 11-23 at 09:00"),
        ({"state": "final", "blocked": "R3", "blocked_why": "the newest read is old"}, {}, "the newest read is old"),
        ({"state": "final", "delivered_at": None, "cut_at": None}, {}, "waits until it has been delivered"),
        ({"state": "cut"}, {"observed": "open", "holds": [hold("arrears")]}, "Supply cut since 11-20 13:05"),
        ({"state": "cut"}, {"observed": "open", "holds": [hold("arrears")]},
         "Top up until the balance is above 1.00 yuan"),
        ({"state": "held", "cut_at": None}, {"observed": "open", "holds": [hold("lockout", "new breaker")]},
         "service (李强, 11-20 09:50): new breaker"),
        ({"state": "on", "cut_at": None}, {"observed": "open", "desired": "closed"}, "Supply is coming back"),
    ],
)  # fmt: skip
def test_the_banner_has_a_sentence_for_each_case(
    shop: Stage, account: dict[str, object], switch: dict[str, object], sentence: str
) -> None:
    """Protected, blocked, undelivered, cut, held, coming back: each is told in its own words."""
    warned: dict[str, object] = {"available": 3.18, "zero_at": at(-29), "cut_at": at(-29), "delivered_at": at(1)}
    shop.say(standing(**(warned | account)), "100206")  # type: ignore[arg-type]
    shop.say(relay(**switch), "a206")  # type: ignore[arg-type]
    assert sentence in shop.visitor("finance").see(ACCOUNT)


def test_no_news_no_banner(shop: Stage) -> None:
    """A healthy account has no banner at all."""
    shop.say(standing(), "100206")
    assert 'class="banner' not in shop.visitor("finance").see(ACCOUNT)


def test_old_data_is_told_in_words(shop: Stage) -> None:
    """A silent meter and an old reading are said, with their age."""
    shop.say(standing(), "100206")
    shop.say(reading(47), "a206")
    visitor = shop.visitor("finance")
    assert "The newest reading is old: 47 min ago" in visitor.see("/account-now/100206")
    shop.say(available("offline", 38, why="no answer"), "a206")
    assert "The meter has not answered for 38 min" in visitor.see("/account-now/100206")


def test_a_charge_opens_onto_its_two_readings(shop: Stage) -> None:
    """Every charge shows both registers, each rate's use and price, the exact product and its fen, without a script."""
    shop.entry("charge/1", charge("100206", "a206"), amount_nano=-51_826_116_000)
    page = shop.visitor("finance").see(ACCOUNT)
    entry = page[page.index('<details class="entry"') : page.index("</details>", page.index('<details class="entry"'))]
    for figure in ("2,210.34", "2,218.46", "8.12", "1.2480", "10.13376", "27.419196", "18,432.61", "18,492.88",
                   "60.27", "51.826116", "−51.82", "35.49", "商业分时", "version 7", "daily freeze", "Multiplier 1.",
                   "all of 11-19", "read 11-20 00:01:12"):  # fmt: skip
        assert figure in entry, figure


def test_entries_are_newest_first_and_paged(shop: Stage) -> None:
    """Twenty lines on a page, the newest on top, older ones one click away, none twice."""
    for number in range(45):
        body = {"account": "100206", "method": "cash", "receipt": f"R-{number:02d}", "balance_after_nano": 1}
        shop.entry("topup/1", body, amount_nano=YUAN)
    visitor, seen, path = shop.visitor("finance"), [], ACCOUNT
    while True:
        page = visitor.see(path)
        seen += re.findall(r"receipt (R-\d+)", page)
        older = re.search(r'href="(\?before=\d+)"', page)
        if not older:
            break
        path = ACCOUNT + older[1]
    assert seen == [f"R-{number:02d}" for number in reversed(range(45))]


def test_only_what_matters_to_people_is_listed(shop: Stage) -> None:
    """Levels, warnings, deliveries, cuts and returns are told; a closing only when a day was deferred."""
    shop.entry("level/1", {"account": "100206", "level": 2, "threshold_nano": 20 * YUAN})
    shop.entry("closing/1", {"account": "100206", "date": "2026-11-18", "charges": ["c"], "deferred": []})
    shop.entry("closing/1", {"account": "100206", "date": "2026-11-19", "charges": [], "deferred": ["a206"]})
    shop.entry("relay/1", {"meter": "a206", "observed": "open"})
    shop.entry("relay/1", {"meter": "a206", "observed": "closed"})
    shop.entry("rearm/1", {"account": "100206", "level": 0})
    shop.entry("level/1", {"account": "999999", "level": 3, "threshold_nano": 77 * YUAN})
    page = shop.visitor("finance").see(ACCOUNT)
    assert "balance below 20.00 yuan" in page and "Supply cut" in page and "Supply back" in page
    assert "2026-11-19: no register of a206 yet" in page and "2026-11-18" not in page
    assert "77.00" not in page and "rearm" not in page


def test_the_past_of_a_meter_stays_with_the_tenant_before(shop: Stage) -> None:
    """A new tenant does not see the cuts of the one before at the same meter."""
    from datetime import timedelta

    shop.entry("relay/1", {"meter": "a206", "observed": "open"}, at=shop.clock.now() - timedelta(days=90))
    assert "Supply cut" not in shop.visitor("finance").see(ACCOUNT)


def test_no_entry_of_another_account_is_shown(shop: Stage) -> None:
    """Also not of one whose number begins or ends with this one's."""
    for other in ("1002060", "9100206", "100207"):
        body = {"account": other, "amount_fen": 77700, "method": "cash", "who": "panel/王敏", "reference": "theirs"}
        moves = [{"from": "till:cash", "to": f"account:{other}", "amount_nano": 777 * YUAN}]
        shop.entry("topup/1", {**body, "moves": moves})
    page = shop.visitor("finance").see(ACCOUNT)
    assert "theirs" not in page and "777.00" not in page


def test_warnings_stand_with_their_delivery(shop: Stage) -> None:
    """Each final warning shows whether and how it was delivered; what is to come stands on top."""
    shop.entry("level/1", {"account": "100206", "level": 3, "threshold_nano": 10 * YUAN})
    shop.entry("final/1", {"account": "100206", "episode": 1, "available_nano": 3_180_000_000, "cut_at": at(-29.8)})
    visitor = shop.visitor("finance")
    story = visitor.see(ACCOUNT).split('id="story"')[1]
    assert "Cut-off (not yet)" in story and "not delivered yet" in story
    shop.entry("delivered/1", {"account": "100206", "episode": 1, "channel": "lamp"})
    story = visitor.see(ACCOUNT).split('id="story"')[1]
    assert "the meter's lamp 14:50:12" in story and "not delivered yet" not in story


def test_an_account_nobody_announced_is_not_found(shop: Stage) -> None:
    """An unknown account is a page with a way back, not an error."""
    answer = shop.visitor("finance").get("/account/nobody")
    assert answer.status_code == 404 and "There is nothing here" in answer.text


def test_an_account_not_yet_published_is_told(shop: Stage) -> None:
    """An account that is installed and not yet published shows dashes and says so."""
    shop.say(Accounts(accounts=[tenant("100300", "新店", "A300", [])]))
    page = shop.visitor("finance").see("/account/100300")
    assert "Nothing is known of this account yet" in page and "—" in page


def test_supply_that_is_off_is_never_called_protected(shop: Stage) -> None:
    """A room switched off by a person, or found open, says so first, even while a cut for arrears is put off."""
    shop.say(standing("final", -3.0, protected_until=at(-3000)), "100206")
    shop.say(relay("open", holds=[hold("manual", "service work")]), "a206")
    page = shop.visitor("finance").see("/account/100206")
    assert "Supply is off" in page and "service work" in page and "Protected until" not in page
    why = "open by itself or by hand; nobody here ordered it, so a person decides"
    shop.say(relay("open", desired="closed", why=why), "a206")
    page = shop.visitor("finance").see("/account/100206")
    assert "and nobody ordered it" in page and "Supply is coming back" not in page


def test_a_first_look_is_not_supply_back(shop: Stage) -> None:
    """The relay's state at its first reading is no event of the tenant's story."""
    body = {"meter": "a206", "account": "100206", "observed": "closed", "why": "first look"}
    shop.entry("relay/1", body)
    assert "Supply back" not in shop.visitor("finance").see("/account/100206")
    shop.entry("relay/1", body | {"why": "as ordered"})
    assert "Supply back" in shop.visitor("finance").see("/account/100206")
