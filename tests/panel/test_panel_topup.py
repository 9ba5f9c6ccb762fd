"""Taking money: exactly once, from what was typed, with the answer as it comes."""

from __future__ import annotations

import re
from html import unescape

import pytest
from panel_facts import YUAN, at, hold, relay, row, standing, tenant
from panel_stage import Stage, Visitor, install

from bridge.contract.messages import Meters
from edge.purses import OPENED

ACCOUNT = "/account/100206"


def form_of(visitor: Visitor, path: str = ACCOUNT) -> dict[str, str]:
    """The hidden fields of the top-up form."""
    page = visitor.get(path).text
    found = re.search(r'name="transaction" value="([^"]+)"', page)
    assert found
    return {"transaction": found[1]}


def test_a_double_click_posts_once(shop: Stage) -> None:
    """The same form sent twice leaves the panel as one signed request with the form's own transaction."""
    visitor = shop.visitor("finance")
    form = form_of(visitor)
    for _ in range(2):
        answer = visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"../account/100206?answer={form['transaction']}"
    requests = shop.requests("topup")
    assert len(requests) == 1
    assert requests[0] | {"issued_at": "", "valid_until": ""} == {
        "transaction": form["transaction"], "who": "finance-1", "role": "finance", "issued_at": "", "valid_until": "",
        "account": "100206", "amount_fen": 20000, "method": "cash", "reference": "",
    }  # fmt: skip


def test_the_same_form_with_another_amount_is_refused_by_name(shop: Stage) -> None:
    """Going back and changing the amount does not slip a second payment under the first one's number."""
    visitor = shop.visitor("finance")
    form = form_of(visitor)
    visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
    again = visitor.post(ACCOUNT, ACCOUNT, amount="300", method="cash", **form)
    assert again.status_code == 409 and "already used for another top-up" in again.text
    assert form["transaction"] not in again.text and 'value="300"' in again.text
    assert len(shop.requests("topup")) == 1


@pytest.mark.parametrize(
    "amount",
    ["５０", "1e3", "10.001", "-5", "0", "", "1,000", "0x10", "٥٠", "200元", "99999999", "50000.01", "0.99", "NaN"],
)
def test_an_amount_that_is_not_one_is_refused_in_words(shop: Stage, amount: str) -> None:
    """Wide digits, exponents, three decimals, signs, too little or much: said beside the field, nothing is lost."""
    visitor = shop.visitor("finance")
    form = form_of(visitor)
    answer = visitor.post(ACCOUNT, ACCOUNT, amount=amount, method="transfer", reference="ref-77", **form)
    page = unescape(answer.text)
    assert answer.status_code == 422 and 'id="amount-mistake"' in page
    assert "is not an amount" in page or "A top-up lies between 1.00 and 50,000.00 yuan." in page
    assert f'value="{amount}"' in page and 'value="ref-77"' in page and form["transaction"] in page
    assert re.search(r'value="transfer" required checked', page)
    assert shop.requests("topup") == []


BY_ITSELF = "open by itself or by hand; nobody here ordered it, so a person decides"


@pytest.mark.parametrize(
    ("why", "own_purse"),
    [(BY_ITSELF, None), *OPENED.items()],
)
def test_money_is_not_said_to_light_what_it_will_not_light(shop: Stage, why: str, own_purse: str | None) -> None:
    """A room that went dark by itself, or by the meter's own purse: the clerk is told so before the money is taken."""
    shop.say(relay("open", desired="closed", why=why, own_purse=own_purse), "a206")
    page = shop.visitor("finance").see("/account-preview/100206?amount=500")
    assert "Supply returns" not in page and f"A payment here does not bring A206 back: {why}." in page
    zh = shop.visitor("manager", language="zh").see("/account-preview/100206?amount=500")
    assert "在此充值不能恢复 A206" in zh and "自动来电" not in zh
    shop.say(relay("open", holds=[hold("arrears", "episode 1", "policy")], why="held open: arrears"), "a206")
    assert "Supply returns within 10 minutes." in shop.visitor("finance").see("/account-preview/100206?amount=500")


def test_one_dark_meter_of_two_is_told(shop: Stage) -> None:
    """An account of two meters, one cut for arrears, one dark by itself: money brings back only the first."""
    install(shop, [row(id, id.upper(), "100206") for id in ("a206", "a207")],
            [tenant("100206", "N", "A206", ["a206", "a207"])])  # fmt: skip
    shop.say(relay("open", holds=[hold("arrears", "episode 1", "policy")], why="held open: arrears"), "a206")
    shop.say(relay("open", desired="closed", why=BY_ITSELF), "a207")
    page = shop.visitor("finance").see("/account-preview/100206?amount=500")
    assert "A payment here does not bring A207 back" in page and "Supply returns" not in page


def test_a_method_must_be_chosen(shop: Stage) -> None:
    """Without a method nothing is sent."""
    visitor = shop.visitor("finance")
    answer = visitor.post(ACCOUNT, ACCOUNT, amount="50", method="shells", **form_of(visitor))
    assert answer.status_code == 422 and "Choose how the money came." in answer.text and not shop.requests("topup")


def test_the_answer_is_shown_as_it_comes(shop: Stage) -> None:
    """Sent; then accepted; then posted with the receipt and the balance the gateway gave; then it stops asking."""
    visitor = shop.visitor("finance")
    form = form_of(visitor)
    visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
    page = f"/answer/{form['transaction']}"
    card = visitor.see(page)
    assert "waiting for the gateway's answer" in card and "hx-get" in card and "200.00 yuan posted" not in card
    shop.answer("topup", form["transaction"], "accepted")
    assert "waiting until it stands in the book" in visitor.see(page)
    found = {"seq": 4712, "receipt": "20261120-0042", "balance_nano": 203_180_000_000}
    shop.answer("topup", form["transaction"], "done", data=found)
    card = visitor.see(page)
    assert "200.00 yuan posted. Balance 203.18 yuan." in card and "20261120-0042" in card and "hx-get" not in card
    assert "20261120-0042" in visitor.see(f"{ACCOUNT}?answer={form['transaction']}")


def test_a_refusal_shows_its_rule_and_sentence(shop: Stage) -> None:
    """A refused top-up names the rule in words and repeats the gateway's own sentence."""
    visitor = shop.visitor("finance")
    form = form_of(visitor)
    visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
    shop.answer("topup", form["transaction"], "refused", rule="R15", error="the hoarding ceiling is 500 yuan")
    card = visitor.see(f"/answer/{form['transaction']}")
    assert "Refused: the amount is outside the limits (R15)." in card and "the hoarding ceiling is 500 yuan" in card


def test_silence_is_called_silence_and_a_late_answer_counts(shop: Stage) -> None:
    """After 30 real seconds: no answer, not sent again; an answer after that is still shown."""
    visitor = shop.visitor("finance")
    form = form_of(visitor)
    visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
    shop.clock.advance(31)
    card = visitor.see(f"/answer/{form['transaction']}")
    assert "No answer (30 s). Not sent again." in card and "hx-get" in card
    assert len(shop.requests("topup")) == 1
    shop.answer("topup", form["transaction"], "done", data={"receipt": "R-1", "balance_nano": YUAN})
    assert "R-1" in visitor.see(f"/answer/{form['transaction']}")


def test_an_answer_to_somebody_else_is_not_ours(shop: Stage) -> None:
    """An answer to another program's key does not finish a request of the panel."""
    from bridge.contract.messages import Response

    visitor = shop.visitor("finance")
    form = form_of(visitor)
    visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
    shop.say(
        Response(transaction=form["transaction"], key="demo", status="done", rule=None, error=None, at=at()), "topup"
    )
    assert "hx-get" in visitor.see(f"/answer/{form['transaction']}")


def test_an_answer_outlives_a_restart_of_the_panel(shop: Stage) -> None:
    """After a restart the receipt is found in the archive by the request's own entry."""
    body = {"account": "100206", "amount_fen": 20000, "receipt": "R-9", "who": "王敏", "balance_after_nano": 5 * YUAN}
    shop.entry("topup/1", body, id="panel:abcdefgh1234", amount_nano=200 * YUAN)
    card = shop.visitor("finance").see("/answer/abcdefgh1234")
    assert "200.00 yuan posted. Balance 5.00 yuan." in card and "R-9" in card


def test_without_the_broker_nothing_is_sent_and_nothing_is_lost(shop: Stage) -> None:
    """A top-up while the line is down says so, keeps what was typed, and the same form works afterwards."""
    visitor = shop.visitor("finance")
    form = form_of(visitor)
    shop.lose()
    answer = visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
    assert answer.status_code == 503 and "Nothing was posted" in answer.text and form["transaction"] in answer.text
    shop.return_()
    assert visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form).status_code == 303
    assert len(shop.requests("topup")) == 1


def test_a_broker_that_refuses_the_request_is_not_waited_for(shop: Stage) -> None:
    """When the broker's permissions deny the publish, the card says so at once."""
    from bridge.mqtt import Acknowledged

    visitor = shop.visitor("finance")
    form = form_of(visitor)
    visitor.post(ACCOUNT, ACCOUNT, amount="200", method="cash", **form)
    shop.feed.take(Acknowledged(len(shop.link.published), "Not authorized"))
    card = visitor.see(f"/answer/{form['transaction']}")
    assert "The broker did not take the request" in card and "Not authorized" in card and "hx-get" not in card


@pytest.mark.parametrize(
    ("amount", "account", "switch", "kind", "words"),
    [
        ("200", {}, {}, "direct", "Calls off the 15:20 cut-off; supply is not interrupted."),
        ("1", {"available": -5}, {}, "direct", "Does not call off the 15:20 cut-off."),
        ("1", {"available": -0.5}, {}, "direct", "Puts off the 15:20 cut-off, but not for long."),
        ("200", {"state": "cut", "available": -5}, {"observed": "open", "holds": [hold("arrears")]}, "direct",
         "Supply returns within 10 minutes."),
        ("200", {"state": "cut", "available": -5}, {"observed": "open", "holds": [hold("arrears")]}, "permit",
         "Then press the button on the meter to switch on."),
        ("5", {"state": "cut", "available": -5}, {"observed": "open", "holds": [hold("arrears")]}, "direct",
         "Supply stays off: the balance must rise above 1.00 yuan."),
        ("200", {"state": "cut", "available": -5},
         {"observed": "open", "holds": [hold("arrears"), hold("lockout")]}, "direct",
         "A hold remains that money does not lift: service."),
    ],
)  # fmt: skip
def test_the_form_says_what_a_top_up_will_do(
    shop: Stage, amount: str, account: dict[str, object], switch: dict[str, object], kind: str, words: str
) -> None:
    """Before the click: balance before and after, and whether supply stays, returns, or waits for something else."""
    shop.say(Meters(meters=[row("a206", "A206", "100206", relay=kind)]))
    said: dict[str, object] = {"state": "final", "available": 3.18, "cut_at": at(-29.8)}
    shop.say(standing(**(said | account)), "100206")  # type: ignore[arg-type]
    shop.say(relay(**switch), "a206")  # type: ignore[arg-type]
    page = shop.visitor("finance").see(f"/account-preview/100206?amount={amount}")
    assert words in page


def test_after_is_before_plus_the_amount(shop: Stage) -> None:
    """3.18 and 200 make 203.18, and the button says the amount."""
    page = shop.visitor("finance").see("/account-preview/100206?amount=200")
    assert "<b>3.18</b>" in page and "<b>203.18</b>" in page and "200.00 yuan" in page


@pytest.mark.parametrize("role", ["engineer", "operations"])
def test_who_takes_no_money_sees_no_form_and_cannot_send_one(shop: Stage, role: str) -> None:
    """The form is missing and a forged one is refused with 403."""
    visitor = shop.visitor(role)
    assert 'name="amount"' not in visitor.see(ACCOUNT)
    answer = visitor.post(ACCOUNT, amount="200", method="cash", transaction="t" * 12)
    assert answer.status_code == 403 and not shop.requests("topup")
