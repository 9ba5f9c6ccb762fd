"""An account's history tells every kind of entry that concerns its people, in their words; and nothing of others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from booked import archive
from panel_facts import YUAN, charge, tenant
from panel_stage import Stage

from bridge.archive.rows import net_nano
from bridge.contract.entries import KINDS
from bridge.contract.messages import Accounts
from panel.concerning import FOR_PEOPLE
from panel.history import Line
from panel.money_told import WORDS
from tests.edge.money_desk import MoneyDesk

REASONS: dict[str, Any] = {"papers": "p-1", "reason": "system-duplicate"}


@pytest.fixture
def desk(tmp_path: Path) -> MoneyDesk:
    return MoneyDesk(tmp_path / "desk", emergency_credit="5.00", overdraft="50.00")


def seen(tmp_path: Path, desk: MoneyDesk, account: str, language: str = "en") -> list[str]:
    """The rows of an account's list as a reader sees them, newest first."""
    stage = Stage(tmp_path, desk.clock)
    archive(stage, desk.book.entries())
    row = tenant(account, "味之源", "A101", [f"m{account[-1]}"])
    since = desk.core.state.accounts[account].row["since"]
    stage.say(Accounts(accounts=[row.model_copy(update={"since": since})]))
    page = stage.visitor("finance", language=language).see(f"/account/{account}")
    part = page[page.index('id="entries"') : page.index('id="story"')]
    part = part[part.index("<ul>") : part.index("</ul>")]
    return [" ".join(re.sub(r"<[^>]*>", " ", each).split()) for each in part.split("<li>")[1:]]


def row_with(rows: list[str], word: str) -> str:
    (found,) = [each for each in rows if word in each]
    return found


def test_every_act_is_a_row_in_peoples_words(tmp_path: Path, desk: MoneyDesk) -> None:
    """What it was, why, what it moved and what was left; both people's part is one click away."""
    receipt = desk.topup("101", 100)
    desk.done("reverse", account="101", receipt=receipt, why="typed twice")
    desk.topup("101", 100, method="transfer")
    desk.agreed("refund", account="101", amount_fen=1000, method="cash", reference="s-1", why="asked")
    desk.agreed("compensate", account="101", amount_fen=500, **REASONS)
    desk.agreed("deduct", account="101", amount_fen=200, consent="signed", **REASONS)
    desk.done("lend", account="101", why="night")
    desk.agreed("correct", account="101", to_account="102", amount_fen=3000, why="wrong meter", papers="p-2")
    rows = seen(tmp_path, desk, "101")
    for word, what, amount in (
        ("Top-up reversed", f"receipt {receipt} · typed twice", "−100.00"),
        ("Refund", "Cash · receipt", "−10.00"),
        ("Compensation", "booked twice by the system", "+5.00"),
        ("Deduction", "booked twice by the system", "−2.00"),
        ("Emergency credit", "night", "+5.00"),
        ("Amount moved", "to account 102 · wrong meter", "−30.00"),
    ):
        row = next(each for each in rows if f" {word} " in each and "Proposed" not in each)
        assert what in row and amount in row, row
    assert not [each for each in rows if re.search(r"\w/\d", each)], "an entry shows its kind as the book calls it"


def test_who_gets_an_amount_sees_it_too(tmp_path: Path, desk: MoneyDesk) -> None:
    """A correction stands in the receiver's history, with what it added there and their own balance."""
    desk.topup("101", 100)
    desk.topup("102", 7)
    desk.agreed("correct", account="101", to_account="102", amount_fen=3000, why="wrong meter", papers="p-2")
    row = row_with(seen(tmp_path, desk, "102"), "Amount moved here")
    assert "from account 101 · wrong meter" in row and "+30.00" in row and "37.00" in row and "70.00" not in row


def test_a_proposal_stands_there_until_something_came_of_it(tmp_path: Path, desk: MoneyDesk) -> None:
    """Who wants what; a refusal with its reason; one that was approved is told by what it became."""
    desk.topup("101", 100)
    desk.agreed("compensate", account="101", amount_fen=500, **REASONS)
    wanted = desk.propose("refund", account="101", amount_fen=900, method="cash", reference="s", why="moving out")
    desk.done("reject-money", proposal=wanted, why="no papers", who="李强")
    other = desk.propose("compensate", account="102", amount_fen=777, **REASONS)
    desk.done("reject-money", proposal=other, why="not theirs", who="李强")
    rows = seen(tmp_path, desk, "101")
    assert "Refund · 9.00 yuan · by 王敏 · moving out" in row_with(rows, "moving out")
    assert f"{wanted} · 李强 · no papers" in row_with(rows, "Not approved")
    assert "not theirs" not in "".join(rows) and "7.77" not in "".join(rows)


def test_a_debt_an_opening_balance_and_a_tenancy_are_told(tmp_path: Path, desk: MoneyDesk) -> None:
    """What was brought in, what is paid off by shares, and when the tenancy began."""
    desk.agreed("bring", account="102", amount_fen=-3000, papers="old book")
    desk.agreed("defer", account="102", amount_fen=2000, share_percent=30, papers="p-3")
    rows = seen(tmp_path, desk, "102")
    assert "−30.00" in next(each for each in rows if " Opening balance " in each and "Proposed" not in each)
    assert "paid off by 30 % of each top-up" in "".join(rows)
    assert "New price “商铺”, version 1 · from 11-20 10:30 · the site file" in "".join(rows)
    assert len([each for each in rows if " Tenancy " in each]) == 1


def test_the_list_is_whole_in_chinese(tmp_path: Path, desk: MoneyDesk) -> None:
    """No row of a Chinese list says anything in English that no person typed."""
    desk.topup("101", 100)
    desk.agreed("compensate", account="101", amount_fen=500, papers="甲", reason="price-reform")
    desk.done("lend", account="101", why="夜间")
    desk.agreed("correct", account="101", to_account="102", amount_fen=3000, why="错表", papers="乙")
    english = {word for each in seen(tmp_path, desk, "101", "zh") for word in re.findall(r"[A-Za-z]{2,}", each)}
    assert english <= {"kWh"}, english


def test_a_fee_and_water_are_rows_of_their_own(shop: Stage) -> None:
    """A fixed fee leads to its page; water is told in m³ and as water; an estimate as one."""
    fee = {
        "account": "100206", "date": "2026-11-19", "tariff": "shop", "version": 1, "amount_nano": 333_333_333,
        "moves": [], "balance_after_nano": YUAN,
    }  # fmt: skip
    seq = shop.entry("fee/1", fee, amount_nano=-333_333_333)
    water = charge("100206", "a206") | {"unit": "m3", "guessed": ["estimate"]}
    shop.entry("charge/2", water, amount_nano=-YUAN)
    page = shop.visitor("finance").see("/account/100206")
    assert "Daily fee" in page and "for 11-19" in page and "−0.33" in page and f'href="../entry/{seq}"' in page
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "Water charge all of 11-19 · estimated 60.270 m³" in text and "yuan/m³" in text


def test_a_price_that_others_pay_is_not_told(shop: Stage) -> None:
    """A new version of the price this account pays is a row; of another price it is not."""
    price = {
        "name": "商业分时", "version": 8, "effective_at": "2026-12-01T00:00:00+08:00", "prices_micro": {"total": 1},
        "proposed_by": "王敏", "by": "李强",
    }  # fmt: skip
    shop.entry("tariff/2", price | {"tariff": "shop"})
    shop.entry("tariff/2", price | {"tariff": "shops", "name": "别的"})
    page = shop.visitor("finance").see("/account/100206")
    assert (
        "“商业分时”, version 8 · from 12-01 00:00 · proposed by 王敏, approved by 李强" in page and "别的" not in page
    )


def test_a_frame_in_several_parts_is_readable(shop: Stage) -> None:
    """An answer of more than one part, as Modbus meters give it, does not make the charge unreadable."""
    body = charge("100206", "a206")
    body["end"]["frames"] = [["01030000", "0103AA", "0103BB"]]
    seq = shop.entry("charge/1", body, amount_nano=-51_826_116_000)
    visitor = shop.visitor("finance")
    assert "It cannot be read here" not in visitor.see("/account/100206")
    assert "01 03 AA" in visitor.see(f"/entry/{seq}") and "01 03 BB" in visitor.see(f"/entry/{seq}")


def test_no_kind_that_moves_a_tenants_money_is_left_out() -> None:
    """Each kind of the contract that says a tenant's balance after it stands in the history."""
    moving = {kind for kind, told in KINDS.items() if "balance_after_nano" in told}
    moving |= {kind for kind in KINDS if kind in WORDS and not kind.startswith(("tariff", "proposal", "decision"))}
    assert moving <= set(FOR_PEOPLE), moving - set(FOR_PEOPLE)


def test_what_was_moved_is_worked_out_as_the_archive_does(tmp_path: Path, desk: MoneyDesk) -> None:
    """For the account of an entry the archive's figure counts; for the other one of a correction the same rule."""
    from panel.money_told import moved_nano

    desk.topup("101", 100)
    desk.agreed("correct", account="101", to_account="102", amount_fen=3000, why="wrong meter", papers="p-2")
    entry = desk.of("correction/1")[0]
    body = entry.fields
    line = Line(1, "", desk.clock.now(), entry.kind, "101", None, body, net_nano(body, "101"))
    assert [moved_nano(line, id) for id in ("101", "102", "103")] == [-30 * YUAN, 30 * YUAN, None]
