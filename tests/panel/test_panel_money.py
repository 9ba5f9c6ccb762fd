"""Acts with money at the counter, with the real edge behind the panel: form, before and after, one request, its end."""

from __future__ import annotations

import re
import threading
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from panel_facts import YUAN
from panel_house import SameSite, house_in, panel_of, pump
from panel_stage import Visitor
from werkzeug.test import TestResponse

from bridge.contract.messages import Account
from panel.formats import yuan

SHOP, OTHER = "100206", "100205"
POLICY = {"emergency_credit": "50.00", "overdraft": "5.00"}

REFUND = {"amount": "20", "method": "transfer", "reference": "TK-118", "why": "换租"}
MISTAKE = {"amount": "12.30", "reason": "wrong-meter", "why": "", "papers": "照片 3"}
AGREED: dict[str, dict[str, str]] = {
    "refund": REFUND,
    "compensate": MISTAKE,
    "deduct": {**MISTAKE, "consent": "11-20 签字"},
    "correct": {"to_account": "A205", "amount": "7.5", "why": "接反", "papers": "照片 4"},
    "settle": {"method": "cash", "reference": "", "why": "合同到期", "papers": "协议 88"},
}


class Counter:
    """Two people at one panel, and the edge behind it."""

    def __init__(self, house: SameSite, directory: Path, language: str = "en"):
        self.house = house
        self.panel = panel_of(house, directory, **POLICY)
        self.clerk = self.panel.visitor("finance", language)
        self.manager = self.panel.visitor("manager", language)

    def pump(self) -> None:
        pump(self.house, self.panel)

    def standing(self, account: str = SHOP) -> Account:
        found = self.panel.mirror.view().get(Account, account)
        assert found is not None
        return found

    def topup(self, amount: str, account: str = SHOP) -> str:
        """Money in, through the panel; returns the receipt number."""
        path = f"/account/{account}"
        form = hidden(self.clerk.get(path).text)
        answer = self.clerk.post(path, path, amount=amount, method="cash", transaction=form["transaction"])
        assert answer.status_code == 303
        self.pump()
        return str(self.house.of("topup/1")[-1].fields["receipt"])

    def look(self, operation: str, account: str = SHOP, who: Visitor | None = None, **typed: str) -> TestResponse:
        """The form filled in and sent to be looked at."""
        visitor, path = who or self.clerk, f"/money/{operation}/{account}"
        form = hidden(visitor.get(path).text)
        return visitor.post(path, path, step="look", transaction=form["transaction"], **typed)

    def send(self, operation: str, account: str = SHOP, who: Visitor | None = None, **typed: str) -> str:
        """The whole way to the gateway; returns the transaction."""
        visitor, looked = who or self.clerk, self.look(operation, account, who, **typed)
        assert looked.status_code == 200, unescape(looked.text)
        form = hidden(looked.text)
        answer = visitor.client.post(f"/money/{operation}/{account}", data={**form, "step": "send"})
        assert answer.status_code == 303
        self.pump()
        return form["transaction"]

    def card(self, transaction: str, who: Visitor | None = None) -> str:
        return (who or self.clerk).see(f"/answer/{transaction}")

    def proposed(self, operation: str, account: str = SHOP, **typed: str) -> str:
        """A proposal of the clerk; returns its id."""
        self.send(operation, account, **typed)
        return str(self.house.of("proposal/1")[-1].fields["proposal"])

    def decide(self, id: str, do: str, who: Visitor | None = None, why: str = "") -> str:
        visitor, path = who or self.manager, f"/proposal/{id}"
        form = hidden(visitor.get(path).text)
        answer = visitor.post(path, path, do=do, why=why, transaction=form["transaction"])
        assert answer.status_code == 303, unescape(answer.text)
        self.pump()
        return form["transaction"]


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form with a transaction."""
    form = next(part for part in re.findall(r"<form.*?</form>", page, re.S) if 'name="transaction"' in part)
    return {name: unescape(text) for name, text in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)}


def promised(page: str) -> list[str]:
    """The figures after an act, as the page tells them."""
    shown = re.findall(r'class="ba">.*?<b[^>]*>.*?</b>.*?<b[^>]*>(.*?)</b>', page, re.S)
    return [unescape(text) for text in shown]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SameSite:
    return house_in(tmp_path / "edge", monkeypatch, "a206", "a205", **POLICY)


@pytest.fixture
def counter(house: SameSite, tmp_path: Path) -> Counter:
    return Counter(house, tmp_path / "panel")


def test_what_was_promised_before_is_what_stands_afterwards(counter: Counter) -> None:
    """Each act says in one sentence what it does and who must approve it, moves nothing before, and then leaves the
    balances that its confirmation promised."""
    counter.topup("100")
    for operation, typed in AGREED.items():
        form = counter.clerk.see(f"/money/{operation}/{SHOP}")
        assert "Another person must approve it" in form and "What it depends on" in form
        looked = counter.look(operation, **typed)
        after = promised(looked.text)
        before = (counter.standing().available_nano, len(counter.house.entries()))
        id = counter.proposed(operation, **typed)
        assert (counter.standing().available_nano, len(counter.house.entries())) == (before[0], before[1] + 1)
        assert promised(counter.manager.get(f"/proposal/{id}").text) == after, "the second person sees the same"
        card = counter.card(counter.decide(id, "approve"), counter.manager)
        assert "Approved and done" in card, card
        stands = [yuan(counter.standing(account).available_nano) for account in (SHOP, OTHER)]
        assert after == stands[: len(after)], operation


def test_what_one_person_may_do_is_done_at_once(counter: Counter) -> None:
    """Emergency credit and the reversal of a top-up: no second person, and the page says so; both as promised."""
    receipt = counter.topup("30")
    for operation, typed in (("lend", {"why": "夜间"}), ("reverse", {"receipt": receipt, "why": "收错房间"})):
        looked = counter.look(operation, **typed)
        assert "nobody else needs to approve it" in looked.text
        card = counter.card(counter.send(operation, **typed))
        assert promised(looked.text) == [yuan(counter.standing().available_nano)], operation
        assert "yuan lent" in card or "yuan taken back" in card
    assert [e.kind for e in counter.house.entries()][-2:] == ["credit/1", "reversal/1"]


def test_a_deferred_debt_is_promised_and_told_with_share_and_cap(counter: Counter) -> None:
    """Arrears become a debt; the account's page says how it is paid off, and a top-up says what of it goes there."""
    counter.topup("100")
    left = counter.standing().refundable_nano or 0
    counter.house.edge.core.append(use(SHOP, left + 30 * YUAN))
    counter.house.edge.core.changed("account", SHOP)
    counter.pump()
    typed = {"amount": "20", "share": "30", "cap": "25", "papers": "协议 7"}
    after = promised(counter.look("defer", **typed).text)
    counter.decide(counter.proposed("defer", **typed), "approve")
    assert after == [yuan(counter.standing().available_nano)]
    counter.send("lend", why="夜间")
    page = counter.clerk.see(f"/account/{SHOP}")
    assert "30 % of each top-up · at most 25.00 a week · 25.00 left this week" in page
    assert "Emergency credit owed" in page and "Deferred debt" in page
    preview = counter.clerk.see(f"/account-preview/{SHOP}?amount=100")
    assert "Of it 50.00 yuan repay the emergency credit, 20.00 yuan go to the deferred debt." in preview
    counter.topup("100")
    assert promised(preview) == [yuan(counter.standing().available_nano)]


def use(account: str, nano: int) -> tuple[str, str, dict[str, Any]]:
    """A charge of so much, as an entry."""
    moves = [{"from": f"account:{account}", "to": "income:fees", "amount_nano": nano}]
    told = {"date": "2026-11-19", "tariff": "shop", "version": 1, "unit": "kWh", "amount_nano": nano}
    return "fee/1", f"use:{account}:{nano}", {"account": account, **told, "moves": moves, "balance_after_nano": None}


# --- twice, and by whom ---


def twice(counter: Counter, visitor: Visitor, path: str, form: dict[str, str]) -> list[int]:
    """The same form from two threads at once."""
    together, answers = threading.Barrier(2), []

    def click() -> None:
        client = counter.panel.app.test_client()
        for cookie in visitor.client._cookies.values():
            client.set_cookie(cookie.key, cookie.value)
        together.wait()
        answers.append(client.post(path, data=form).status_code)

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counter.pump()
    return answers


def test_two_clicks_are_one_proposal_one_approval_and_one_loan(counter: Counter) -> None:
    """A double click proposes once, approves once, lends once; a third click afterwards does nothing more."""
    counter.topup("100")
    for operation, typed in (("refund", REFUND), ("lend", {"why": "夜间"})):
        form = {**hidden(counter.look(operation, **typed).text), "step": "send"}
        assert twice(counter, counter.clerk, f"/money/{operation}/{SHOP}", form) == [303, 303]
    assert len(counter.house.of("proposal/1")) == len(counter.house.of("credit/1")) == 1
    assert len(counter.panel.requests("refund")) == len(counter.panel.requests("lend")) == 1
    path = f"/proposal/{counter.house.of('proposal/1')[0].fields['proposal']}"
    form = {**hidden(counter.manager.get(path).text), "do": "approve"}
    assert twice(counter, counter.manager, path, form) == [303, 303]
    assert counter.manager.client.post(path, data=form).status_code == 303
    counter.pump()
    assert len(counter.house.of("refund/1")) == len(counter.house.of("decision/1")) == 1
    assert len(counter.panel.requests("approve-money")) == 1
    assert counter.house.of("refusal/1") == []


def test_nobody_approves_their_own_and_may_take_it_back(counter: Counter) -> None:
    """The maker reads why and finds no button; a forged one is stopped at the panel; taking back needs a reason, and
    then everybody sees it."""
    counter.topup("100")
    id = counter.proposed("refund", **REFUND)
    path = f"/proposal/{id}"
    for page in (counter.clerk.see(path), counter.clerk.see("/money/waiting")):
        assert "nobody approves their own (R32)" in page and 'value="approve"' not in page
    form = hidden(counter.clerk.get(path).text)
    forged = counter.clerk.post(path, path, do="approve", transaction=form["transaction"])
    assert forged.status_code == 422 and counter.panel.requests("approve-money") == []
    silent = counter.clerk.post(path, path, do="reject", why="  ", transaction=form["transaction"])
    assert silent.status_code == 422 and "A reason is needed" in silent.text
    counter.decide(id, "reject", counter.clerk, "金额写错")
    for visitor in (counter.clerk, counter.manager):
        page = visitor.see("/money/waiting")
        assert "Taken back" in page and "金额写错" in page and "Nothing waits for approval." in page
    assert "Taken back" in counter.clerk.see(path) and counter.house.of("refund/1") == []


def test_the_maker_hears_a_rejection_with_its_reason(counter: Counter) -> None:
    """Rejected by another: the reason stands on the maker's page; deciding it again finds it decided."""
    counter.topup("100")
    id = counter.proposed("refund", **REFUND)
    old = hidden(counter.manager.get(f"/proposal/{id}").text)
    counter.decide(id, "reject", counter.manager, "没有签字")
    assert "Rejected" in counter.clerk.see("/money/waiting") and "没有签字" in counter.clerk.see(f"/proposal/{id}")
    late = counter.manager.client.post(f"/proposal/{id}", data={**old, "do": "approve", "transaction": "t" * 12})
    assert late.status_code == 409 and "Rejected" in late.text
    assert counter.panel.requests("approve-money") == []


def test_the_count_in_the_menu_is_of_what_is_mine_to_decide(counter: Counter) -> None:
    """Two proposals of the clerk: the manager's menu and the live header say 2, the clerk's own nothing; the account's
    page shows both to both."""
    counter.topup("100")
    counter.proposed("refund", **REFUND)
    counter.proposed("compensate", **MISTAKE)
    for page in ("/rooms", "/pulse"):
        assert re.search(r'id="waiting-n"[^>]*>2<', counter.manager.see(page)), page
        assert re.search(r'id="waiting-n"[^>]*><', counter.clerk.see(page)), page
    for visitor in (counter.manager, counter.clerk):
        card = visitor.see(f"/account-money/{SHOP}")
        assert "Refund 20.00 yuan" in card and "Compensation 12.30 yuan" in card and "finance-1 proposed it" in card


@pytest.mark.parametrize("role", ["engineer", "operations"])
def test_who_has_nothing_to_do_with_money_gets_nowhere(counter: Counter, role: str) -> None:
    """No place, no menu entry, and every address and forged form is refused."""
    counter.topup("100")
    id, visitor = counter.proposed("refund", **REFUND), counter.panel.visitor(role)
    page = visitor.see(f"/account/{SHOP}")
    assert 'id="money"' not in page and "Approvals" not in page and "Reverse…" not in page
    asked = len(counter.house.entries())
    for path in (f"/money/refund/{SHOP}", f"/money/lend/{SHOP}", "/money/waiting", "/money/waiting-now",
                 f"/proposal/{id}", "/slip/1"):  # fmt: skip
        assert visitor.get(path).status_code == 403, path
        assert visitor.post(path, step="send", do="approve", transaction="t" * 12).status_code in (403, 405), path
    counter.pump()
    assert len(counter.house.entries()) == asked


def test_a_colleague_of_the_same_role_may_approve(counter: Counter) -> None:
    """A second person in the role of the maker approves: it is the person that counts, not the role."""
    counter.topup("100")
    id = counter.proposed("refund", **REFUND)
    colleague = counter.panel.visitor("finance", number=2)
    assert "Approved and done" in counter.card(counter.decide(id, "approve", colleague), colleague)
    (entry,) = counter.house.of("refund/1")
    assert (entry.fields["who"], entry.fields["approved_by"]) == ("finance-1", "finance-2")
