"""What became of a price that was proposed: why not, how long one waits already, and that previews do not pile up."""

from __future__ import annotations

from typing import Any

import pytest
from panel_facts import at, proposed_price
from panel_stage import Stage
from test_panel_bad_input import MARKUP, Obeyed
from test_panel_prices import english_in, row, text_of

from bridge.contract.messages import DecisionRow, ProposalRow, Proposals


def decided(stage: Stage, *rows: dict[str, Any]) -> None:
    known = {
        "what": "price",
        "who": "王敏",
        "approved": False,
        "decided_by": "李强",
        "decided_at": at(30),
        "why": "太贵",
    }
    stage.say(Proposals(proposals=[], decided=[DecisionRow.model_validate(known | each) for each in rows]))


def booked(stage: Stage, **more: Any) -> str:
    """The entry of a proposal in the archive; its id, which ends in its number."""
    id = f"p-{stage.seq + 1}"
    body = {"proposal": id, "what": "price", "body": row()["body"], "who": "王敏", "role": "finance", "until": at(-10)}
    stage.entry("proposal/1", body | more)
    return id


def test_a_rejected_price_says_why(shop: Stage) -> None:
    """Its name and version, what became of it, by whom, when, and the reason; rejected, taken back and out of time are
    told apart; an approved one and another kind are not among them."""
    decided(
        shop, {"id": booked(shop)}, {"id": booked(shop), "decided_by": "王敏", "why": "写错了"},
        {"id": booked(shop), "decided_by": "policy", "why": "nobody decided it in time"},
        {"id": "p-77", "why": "没有凭据"}, {"id": "p-78", "approved": True, "why": "好"},
        {"id": "p-79", "what": "refund", "why": "别的"},
    )  # fmt: skip
    words = text_of(shop.visitor("finance").see("/prices"))
    assert "公寓居民 version 2 Rejected 王敏 proposed it; decided by 李强, 11-20 14:20 why: 太贵" in words
    assert "Taken back" in words and "Not decided in time" in words and "why: 写错了" in words
    assert "p-77 Rejected" in words and "why: 没有凭据" in words, "also while the archive does not have the proposal"
    assert "why: 好" not in words and "别的" not in words
    zh = shop.visitor("manager", "zh").see("/prices")
    assert "到期无人审批" in zh and english_in(zh) <= set()


def test_nothing_rejected_is_no_heading(shop: Stage) -> None:
    """The place is there only when there is something to read, and then for the newest five."""
    visitor = shop.visitor("finance")
    assert 'id="rejected"' not in visitor.see("/prices")
    decided(shop, *({"id": f"p-{number}", "why": f"grund {number}"} for number in range(101, 108)))
    page = visitor.see("/prices")
    assert "grund 105" in page and "grund 106" not in page


@pytest.mark.parametrize("body", [{}, {"price": []}, {"price": {"name": []}, "version": "x"}, {"price": None}])
def test_a_proposal_of_another_shape_breaks_nothing(shop: Stage, body: dict[str, Any]) -> None:
    """Then its number stands there, with the reason."""
    id = booked(shop, body=body)
    decided(shop, {"id": id}, {"id": "p-x"}, {"id": "p-" + "9" * 30})
    assert f"{id} Rejected" in text_of(shop.visitor("finance").see("/prices"))


@pytest.mark.parametrize("text", MARKUP)
def test_hostile_reasons_are_shown_and_not_obeyed(shop: Stage, text: str) -> None:
    """Reasons and names are texts."""
    decided(shop, {"id": booked(shop), "why": text, "who": text, "decided_by": text}, {"id": text, "why": text})
    assert Obeyed(shop.visitor("manager").get("/prices").text).found == []


def test_what_waits_says_how_long_and_until_when(shop: Stage) -> None:
    """On the page of a price and of an act with money that nobody has decided."""
    body = {"account": "100206", "amount_fen": 5, "method": "cash", "reference": "1", "why": "x"}
    words = {"role": "finance", "who": "王敏", "at": at(95), "until": at(-500)}
    rows = [ProposalRow(id="p-1", what="refund", body=body, **words), ProposalRow.model_validate(proposed_price())]
    shop.say(Proposals(proposals=rows))
    visitor = shop.visitor("manager")
    assert "waiting for 1 h 35 min, until today at 23:10 at most" in visitor.see("/proposal/p-1")
    assert "waiting for 1 h, until Mon 11-23 at 09:30 at most" in visitor.see("/price-proposal/p-7")


def test_too_many_previews_are_told(shop: Stage) -> None:
    """The gateway's refusal stands where the figures would, in the reader's language, and the button asks again."""
    visitor = shop.visitor("manager", "zh")
    shop.say(Proposals(proposals=[ProposalRow.model_validate(proposed_price())]))
    path = "/price-proposal/p-7"
    question = {"do": "try", "tried": "t" * 12, "month-tried": "2026-10"}
    visitor.post(path, path, **question)
    error = "4 previews are being worked out already; ask again in a moment"
    shop.answer("preview-price", "t" * 12, "refused", rule="R7", error=error)
    assert "已有 4 项试算在进行；请稍后再试" in visitor.see("/price-try/" + "t" * 12)
    visitor.post(path, path, **question)
    asked = [payload for topic, payload, _ in shop.link.published if topic.endswith("request/preview-price")]
    assert len(asked) == 2 and asked[0] != asked[1], "another question, with another number"
