"""Slips of refunds and of settled tenancies, and how an act is found again after the panel was restarted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from panel_facts import YUAN, at, charge
from panel_house import SameSite, house_in, panel_of
from panel_stage import Stage
from test_panel_edge_words import english_in
from test_panel_money import AGREED, POLICY, REFUND, SHOP, Counter
from test_panel_receipt import paper_of

from bridge.contract.messages import DecisionRow, Proposals

MOVES = [
    {"from": f"account:{SHOP}", "to": f"credit:{SHOP}", "amount_nano": 50 * YUAN},
    {"from": f"account:{SHOP}", "to": f"debt:{SHOP}", "amount_nano": 7 * YUAN},
    {"from": f"account:{SHOP}", "to": "till:cash", "amount_nano": 1_234_560_000_000},
    {"from": f"account:{SHOP}", "to": "income:residue", "amount_nano": 4_321_000},
]
EXIT: dict[str, Any] = {
    "account": SHOP, "amount_fen": 123_456, "method": "cash", "reference": "", "papers": "协议 88", "why": "合同到期",
    "receipt": "20261120-000002", "who": "王敏", "role": "finance", "approved_by": "李强", "proposal": "p-9",
    "charges": ["e:1"], "meters": ["a206"], "residue_nano": 4_321_000, "moves": MOVES, "balance_after_nano": 0,
}  # fmt: skip


def settled(shop: Stage, **more: Any) -> int:
    shop.entry("charge/1", charge(SHOP, "a206"), amount_nano=-YUAN)
    return shop.entry("exit/1", EXIT | more)


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counter:
    house: SameSite = house_in(tmp_path / "edge", monkeypatch, "a206", "a205", **POLICY)
    return Counter(house, tmp_path / "panel")


def test_a_settlement_adds_up_on_paper(shop: Stage) -> None:
    """Final registers, the balance with them, what of it went to credit, debt and a part of a fen, what was paid out in
    figures and capitals, reason, papers, both people, and two lines to sign."""
    paper = paper_of(shop.visitor("finance", "zh").see(f"/slip/{settled(shop)}"))
    for words in ("退租结算单", "A206", "18,432.61", "18,492.88", "60.27 kWh", "1,291.564321", "−50.00", "−7.00",
                  "−0.004321", "¥1,234.56", "人民币壹仟贰佰叁拾肆元伍角陆分", "合同到期", "协议 88", "王敏", "李强",
                  "租户：已收款", "经办人：已付款"):  # fmt: skip
        assert words in paper, words
    assert english_in('<main id="main">' + paper) == set()
    assert "Settlement of a tenancy" in shop.visitor("manager").see("/slip/2")


def test_the_first_paper_is_the_slip_and_each_further_one_is_marked(shop: Stage) -> None:
    """Looking prints a preview; the second paper says 补打; A5 is remembered by the browser."""
    seq, visitor = settled(shop), shop.visitor("finance", "zh")
    preview = visitor.see(f"/slip/{seq}?paper=a5")
    assert "预览，不作凭证" in paper_of(preview) and "data-print" not in preview and 'class="paper w-a5' in preview
    first = visitor.post(f"/slip/{seq}").text
    assert "data-print" in first and "补打" not in paper_of(first) and 'class="paper w-a5"' in first
    assert "补打 第 1 次" in paper_of(visitor.post(f"/slip/{seq}").text)


def test_what_is_no_slip_gives_no_paper(shop: Stage) -> None:
    """A top-up, a body that is not what it should be, a number that is none: 404; one on its way: told so."""
    visitor = shop.visitor("finance")
    wrong = [shop.entry("topup/1", {"account": SHOP, "receipt": "r", "balance_after_nano": 1}, amount_nano=1)]
    for more in ({"moves": "x"}, {"moves": [5]}, {"amount_fen": "1"}, {"receipt": None}, {"charges": [7]},
                 {"moves": [{"to": 5}, {}]}):  # fmt: skip
        wrong.append(settled(shop, **more))
    for seq in (*wrong, "x", "-1", "9" * 40):
        assert visitor.get(f"/slip/{seq}").status_code == visitor.post(f"/slip/{seq}").status_code == 404, seq
    assert "on its way to the archive" in visitor.see("/slip/9999")
    seq = settled(shop, charges=["nothing", "e:1"], method="<b>", moves=[])
    assert "¥0.00" in visitor.see(f"/slip/{seq}") and "<b>&lt;" not in visitor.get(f"/slip/{seq}").text


def test_an_approved_refund_and_a_settlement_offer_their_slips(counter: Counter) -> None:
    """The answer to the approval, the account's page, also after a restart of the panel: the same slip."""
    counter.topup("100")
    for operation, word in (("refund", "Refund slip"), ("settle", "Settlement of a tenancy")):
        transaction = counter.decide(counter.proposed(operation, **AGREED[operation]), "approve")
        kind = {"refund": "refund/1", "settle": "exit/1"}[operation]
        (entry,) = counter.house.of(kind)
        later = panel_of(counter.house, counter.panel.parts.data_directory / operation)
        for panel in (counter.panel, later):
            visitor = panel.visitor("manager")
            card = visitor.see(f"/answer/{transaction}")
            assert f"/slip/{entry.seq}" in card and "Approved and done" in card, operation
            assert f"/slip/{entry.seq}" in visitor.see(f"/account-money/{SHOP}")
            assert word in visitor.see(f"/slip/{entry.seq}") and entry.fields["receipt"] in card
    assert counter.standing().posted_nano == 0 and counter.standing().ended_at is not None


def test_every_act_is_found_again_after_a_restart(counter: Counter) -> None:
    """Done alone, proposed, rejected, refused: a panel that knows nothing any more tells it from the archive."""
    counter.topup("100")
    told = [(counter.send("lend", why="夜间"), "50.00 yuan lent.")]
    told.append((counter.send("refund", **REFUND), "Proposed; nothing has moved."))
    id = str(counter.house.of("proposal/1")[-1].fields["proposal"])
    told.append((counter.decide(id, "reject", why="x"), "The proposal is ended; nothing has moved."))
    second = panel_of(counter.house, counter.panel.parts.data_directory / "second", **POLICY)
    told.append((counter.send("reverse", receipt=_receipt(counter), why="x"), "yuan taken back."))
    clerk = second.visitor("finance")
    form = {"why": "again", "transaction": "u" * 12, "step": "send"}
    second.say(counter.standing().model_copy(update={"credit_nano": 0}), SHOP)  # A moment behind the gateway.
    assert clerk.post(f"/money/lend/{SHOP}", f"/money/lend/{SHOP}", **form).status_code == 303
    counter.house.broker.heard.clear()
    counter.pump()
    told.append(("u" * 12, "Refused: emergency credit and debts have their own rules (R16)."))
    fresh = _archived(counter)
    for transaction, words in told:
        assert words in fresh.visitor("manager").see(f"/answer/{transaction}"), words


def _receipt(counter: Counter) -> str:
    return str(counter.house.of("topup/1")[-1].fields["receipt"])


def _archived(counter: Counter) -> Stage:
    """Another panel on the same archive."""
    fresh = panel_of(counter.house, counter.panel.parts.data_directory / "fresh")
    fresh.parts.history._engine = counter.panel.engine
    return fresh


BROKEN: list[dict[str, Any]] = [
    {}, {"request": 5}, {"request": {"answer": "x"}},
    {"request": {"answer": {"status": "done", "data": {"seq": 2**70}}}, "approved": True},
    {"request": {"answer": {"status": "odd"}}}, {"what": ["refund"], "request": {"answer": {"status": "done"}}},
    {"what": "refund", "body": 7, "approved": True, "request": {"answer": {"status": "done", "data": {"until": "x"}}}},
]  # fmt: skip


def test_an_answer_that_is_damaged_in_the_archive_breaks_nothing(shop: Stage) -> None:
    """A body that is not what it should be: told as far as it goes, or not known, and never a fault."""
    visitor = shop.visitor("finance")
    for number, body in enumerate(BROKEN):
        for kind in ("reversal/1", "credit/1", "proposal/1", "decision/1", "refusal/1"):
            id = f"{kind.partition('/')[0]}-{number:04d}"
            shop.entry(kind, body, id=f"panel:{id}")
            assert visitor.get(f"/answer/{id}").status_code in (200, 404), (kind, body)


def test_a_receipt_tells_what_of_it_was_repaid(shop: Stage) -> None:
    """The tenant reads where the money went: to the emergency credit and to the debt."""
    body = {"account": SHOP, "amount_fen": 10_000, "method": "cash", "receipt": "r-1", "who": "王敏",
            "balance_after_nano": YUAN, "repaid": {"credit_nano": 50 * YUAN, "debt_nano": 20 * YUAN}}  # fmt: skip
    paper = paper_of(shop.visitor("finance").see(f"/receipt/{shop.entry('topup/1', body, amount_nano=30 * YUAN)}"))
    assert re.search(r"Of it to the emergency credit</dt><dd>50.00", paper)
    assert re.search(r"Of it to the deferred debt</dt><dd>20.00", paper)
    odd = shop.entry("topup/1", body | {"repaid": {"credit_nano": "x"}}, amount_nano=1)
    assert "Of it to" not in shop.visitor("finance").see(f"/receipt/{odd}")


def test_what_nobody_decided_is_told_as_the_gateways_doing(shop: Stage) -> None:
    """A proposal whose time was over: the list says so, in the reader's language."""
    row = DecisionRow(id="p-1", what="refund", account=SHOP, who="finance-1", approved=False, decided_by="policy",
                      decided_at=at(), why="nobody decided it in time")  # fmt: skip
    shop.say(Proposals(proposals=[], decided=[row]))
    assert "Not decided in time" in shop.visitor("finance").see("/money/waiting")
    zh = shop.visitor("manager", "zh").see("/proposal/p-1")
    assert "到期未审批" in zh and "网关" in zh and "到期无人审批" in zh
