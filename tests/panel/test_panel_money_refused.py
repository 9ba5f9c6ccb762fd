"""What is refused at the counter: told beside its field with its rule, what was typed stays, and nothing is sent."""

from __future__ import annotations

import random
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from panel_facts import NOW, YUAN, at, row, standing, tenant
from panel_stage import Stage, Visitor, install
from test_panel_bad_input import MARKUP, NUMBERS, Obeyed
from test_panel_edge_words import english_in
from test_panel_money import AGREED, MISTAKE, REFUND, hidden

from bridge.contract.messages import Account, DecisionRow, ProposalRow, Proposals
from bridge.contract.money_messages import MONEY_REQUESTS
from panel.money_acts import ACTS, LONGEST
from panel.repaying import after_nano, least_fen
from panel.sessions import IDLE_S

SHOP, OTHER = "100206", "100205"
ACCOUNT = f"/account/{SHOP}"
DEFER = {"amount": "5", "share": "30", "cap": "", "papers": "协议 7"}
EVERY = {**AGREED, "defer": DEFER, "bring": {"amount": "-25.5", "papers": "旧账本"}, "lend": {"why": "夜间"}}


@pytest.fixture
def desk(tmp_path: Path) -> Stage:
    """Two shops with money of their own, on a site that lends 50 yuan and lets nobody below −5."""
    stage = Stage(tmp_path, policy={"emergency_credit": "50.00", "overdraft": "5.00"})
    install(stage, [row("a206", "A206", SHOP), row("a205", "A205", OTHER)],
            [tenant(SHOP, "味之源麻辣烫", "A206", ["a206"]), tenant(OTHER, "云间茶事", "A205", ["a205"])])  # fmt: skip
    stage.online()
    for id in (SHOP, OTHER):
        stage.say(standing(available=100.0, refundable_nano=80 * YUAN), id)
    return stage


def look(visitor: Visitor, operation: str, typed: dict[str, str], **more: str) -> tuple[int, str]:
    path = f"/money/{operation}/{SHOP}"
    form = {"transaction": hidden(visitor.get(path).text)["transaction"], "step": "look", **typed, **more}
    answer = visitor.post(path, path, **form)
    return answer.status_code, unescape(answer.text)


def asked(desk: Stage) -> int:
    return sum("/request/" in topic for topic, _, _ in desk.link.published)


FIELDS = [
    ("refund", "amount", "80.01", "At most 80.00 yuan can be refunded (R12)."),
    ("refund", "amount", "0", "An amount is at least 0.01 yuan (R10)."),
    ("refund", "amount", "-5", "An amount is at least 0.01 yuan (R10)."),
    ("refund", "amount", "５０", "is not an amount"),
    ("refund", "amount", "1e3", "is not an amount"),
    ("refund", "amount", "99999999999999999999", "is not an amount"),
    ("refund", "method", "shells", "Choose one of them."),
    ("refund", "reference", " ", "The number of the signed slip or of the channel is needed (R12)."),
    ("refund", "reference", "x" * 65, "At most 64 characters."),
    ("refund", "why", "", "A reason is needed; it stands in the book."),
    ("refund", "why", "a\u202eb", "cannot be shown"),
    ("compensate", "papers", "", "Papers are needed: their numbers, or where they lie (R12)."),
    ("compensate", "reason", "other", "Another reason is told in words as well (R12)."),
    ("compensate", "reason", "", "Choose one of them."),
    ("deduct", "consent", "", "Without the tenant's consent nothing is taken (R12)"),
    ("deduct", "amount", "105.01", "−5.01 yuan would be left, and at least −5.00 must be (R15)."),
    ("correct", "amount", "105.01", "−5.01 yuan would be left, and at least −5.00 must be (R15)."),
    ("correct", "to_account", SHOP, "between two accounts, not from one to itself (R12)."),
    ("correct", "to_account", "A999", "There is no account with this number or room."),
    ("correct", "to_account", "", "There is no account with this number or room."),
    ("bring", "amount", "0.00", "An opening balance of zero needs no entry (R10)."),
    ("settle", "papers", "", "Papers are needed"),
    ("lend", "why", "x" * 201, "At most 200 characters."),
]


@pytest.mark.parametrize(("operation", "field", "text", "words"), FIELDS)
def test_a_mistake_stands_beside_its_field_and_nothing_is_lost(
    desk: Stage, operation: str, field: str, text: str, words: str
) -> None:
    """The rule in people's words, by its number; everything else that was typed is in the form again."""
    visitor, typed = desk.visitor("finance"), {**EVERY[operation], field: text}
    code, page = look(visitor, operation, typed)
    assert code == 422 and f'id="{field if words[:7] != "Another" else "why"}-mistake"' in page and words in page
    for name, value in typed.items():
        if name in ("method", "reason"):
            assert name == field or re.search(rf'value="{value}" required checked', page)
        else:
            assert f'value="{value.strip()}"' in page, name
    assert asked(desk) == 0


@pytest.mark.parametrize("operation", ["deduct", "correct"])
def test_what_is_lent_stays_and_the_form_says_how_much_that_is(desk: Stage, operation: str) -> None:
    """50 of 100 yuan are lent for energy: with an overdraft of 5 at most 55 leave, said before anybody types and
    beside the field (R16)."""
    desk.say(standing(available=100.0, credit_nano=50 * YUAN), SHOP)
    visitor = desk.visitor("finance")
    form = visitor.see(f"/money/{operation}/{SHOP}")
    assert "<dt>Must remain</dt><dd>45.00</dd>" in form and "Emergency credit owed" in form
    code, page = look(visitor, operation, {**EVERY[operation], "amount": "55.01"})
    words = "50.00 yuan are lent for energy only and stay; at most 55.00 can be taken (R16)."
    assert code == 422 and 'id="amount-mistake"' in page and words in page and asked(desk) == 0
    assert look(visitor, operation, {**EVERY[operation], "amount": "55.00"})[0] == 200


@pytest.mark.parametrize(
    ("operation", "more", "words"),
    [
        ("refund", {"refundable_nano": 0}, "Nothing can be refunded"),
        ("lend", {"credit_nano": 50 * YUAN}, "50.00 yuan of emergency credit are not repaid yet"),
        ("defer", {}, "There are no arrears that could be deferred (R16)."),
        ("settle", {"available": -3.0}, "3.00 yuan are owed; they are paid before the tenancy is settled (R33)."),
        ("settle", {"available": 40.0, "credit_nano": 50 * YUAN}, "10.00 yuan are owed"),
    ],
)
def test_what_cannot_be_done_is_told_before_anybody_types(
    desk: Stage, operation: str, more: dict[str, Any], words: str
) -> None:
    """The form says what stands against the act when it opens, and again when it is sent all the same."""
    desk.say(standing(**{"available": 100.0, **more}), SHOP)
    visitor = desk.visitor("finance")
    assert words in visitor.see(f"/money/{operation}/{SHOP}")
    code, page = look(visitor, operation, EVERY[operation], step="send")
    assert code == 422 and words in page and asked(desk) == 0


def test_a_settled_account_takes_and_gives_nothing(desk: Stage) -> None:
    """Its page says when it was settled and offers neither money nor meters; a forged form is refused by R33, a
    correction into it as well."""
    desk.say(standing(available=0.0, ended_at=at(60)), OTHER)
    desk.say(standing(available=0.0, ended_at=at(60)), SHOP)
    visitor = desk.visitor("finance")
    page = visitor.see(ACCOUNT)
    assert "Settled 2026-11-20 13:50:12" in page and 'id="topup"' not in page and 'id="money"' not in page
    assert "/meter/a206" not in page and ">Settled<" in page
    for operation in (act.operation for act in ACTS.values() if act.form):
        code, page = look(visitor, operation, EVERY.get(operation, {}), step="send")
        assert code == 422 and "(R33)" in page, operation
    desk.say(standing(available=100.0), SHOP)
    code, page = look(visitor, "correct", AGREED["correct"])
    assert code == 422 and 'id="to_account-mistake"' in page and "(R33)" in page and asked(desk) == 0
    zh = desk.visitor("manager", "zh").see(f"/account/{OTHER}")
    assert "已退租" in zh and "不再收款，也不再付款" in zh


def test_an_opening_balance_is_brought_in_once(desk: Stage) -> None:
    """Where the book has one, the form says so before anybody types (R10)."""
    assert "brought in already" not in desk.visitor("finance").see(f"/money/bring/{SHOP}")
    desk.entry("opening-balance/1", {"account": SHOP, "balance_after_nano": 1}, amount_nano=1)
    assert "The opening balance was brought in already; that is done once (R10)." in desk.visitor("finance").see(
        f"/money/bring/{SHOP}"
    )


def paid(desk: Stage, account: str = SHOP, amount: int = 30, **more: Any) -> str:
    """A top-up in the archive; its receipt number ends in its seq."""
    receipt = f"20261120-{desk.seq + 1:06d}"
    body = {"account": account, "amount_fen": amount * 100, "method": "cash", "receipt": receipt, "who": "王敏", **more}
    desk.entry("topup/1", body, amount_nano=amount * YUAN)
    return receipt


def test_only_a_top_up_that_stands_and_is_unspent_is_reversed(desk: Stage) -> None:
    """Somebody else's, a reversed one, a spent one, none: refused by R12; from its own line in the history it is
    chosen already, and its receipt is void afterwards."""
    visitor = desk.visitor("finance")
    foreign, spent, done, good = paid(desk, OTHER), paid(desk, amount=106), paid(desk), paid(desk)
    original = int(done[-6:])
    desk.entry("reversal/1", {"account": SHOP, "original": original, "original_receipt": done}, amount_nano=-30 * YUAN)
    for receipt, words in ((foreign, "There is no such top-up of this account"), (done, "was reversed already"),
                           (spent, "This top-up is spent: −6.00 yuan would be left"), ("", "Choose the top-up"),
                           ("20261120-000099", "There is no such top-up"), ("x" * 70, "At most 64")):  # fmt: skip
        code, page = look(visitor, "reverse", {"receipt": receipt, "why": "x"})
        assert code == 422 and 'id="receipt-mistake"' in page and words in page, receipt
    page = visitor.see(f"/money/reverse/{SHOP}?entry={int(good[-6:])}")
    assert re.search(rf'value="{good}" required checked', page) and foreign not in page and done not in page
    assert f"entry={int(good[-6:])}" in visitor.see(f"/account-entries/{SHOP}")
    code, page = look(visitor, "reverse", {"receipt": good, "why": "x"})
    assert code == 200 and "<b>70.00</b>" in page and asked(desk) == 0
    assert "Reversed: this receipt is void" in visitor.see(f"/receipt/{original}")
    assert "is void" not in visitor.see(f"/receipt/{int(good[-6:])}")


def test_a_form_without_its_number_or_its_line_is_not_sent(desk: Stage) -> None:
    """No number, no sending; no broker, no sending: told in words, and the same form works afterwards."""
    visitor = desk.visitor("finance")
    for number in NUMBERS:
        code, page = look(visitor, "refund", REFUND, transaction=number, step="send")
        assert code == 422 and "lost its number on the way. Nothing was done" in page and 'value="TK-118"' in page
    desk.lose()
    code, page = look(visitor, "refund", REFUND, step="send")
    assert code == 503 and "Nothing was done." in page and 'value="TK-118"' in page and asked(desk) == 0
    form = hidden(page)
    desk.return_()
    sent = visitor.post(f"/money/refund/{SHOP}", **{**REFUND, "transaction": form["transaction"], "step": "send"})
    assert sent.status_code == 303 and len(desk.requests("refund")) == 1
    other = {**REFUND, "amount": "21", "transaction": form["transaction"], "step": "send"}
    again = visitor.post(f"/money/refund/{SHOP}", **other)
    assert again.status_code == 409 and "already used for something else" in again.text
    assert len(desk.requests("refund")) == 1 and form["transaction"] not in again.text.partition("<form")[2]


def test_going_back_to_change_something_keeps_what_was_typed(desk: Stage) -> None:
    """From before and after back to the form, with the same number, and nothing was sent."""
    visitor = desk.visitor("finance")
    _, page = look(visitor, "deduct", EVERY["deduct"])
    form = hidden(page)
    back = visitor.client.post(f"/money/deduct/{SHOP}", data={**form, "step": "edit"})
    page = unescape(back.text)
    assert back.status_code == 200 and form["transaction"] in page and asked(desk) == 0
    assert all(f'value="{text}"' in page for text in EVERY["deduct"].values()) and "checked" in page


def test_a_session_that_ended_in_the_middle_loses_nothing(desk: Stage) -> None:
    """The clerk goes to lunch between the form and its sending: nothing is done, and all of it is there again."""
    visitor = desk.visitor("finance")
    typed = {**EVERY["deduct"], "why": "走廊灯 7/8&9"}
    form = {**typed, "transaction": "t" * 12, "step": "send", "csrf_token": visitor.token()}
    desk.clock.advance(IDLE_S + 1)
    answer = visitor.client.post(f"/money/deduct/{SHOP}", data=form)
    found = re.search(r'name="next" value="([^"]*)"', visitor.see("/" + answer.headers["Location"].lstrip("./")))
    assert found and asked(desk) == 0
    name, password = "finance-1", "a good password of finance"
    back = visitor.post("/sign-in", form_on="/sign-in", name=name, password=password, next=unescape(found[1]))
    page = visitor.see(f"/{back.headers['Location']}")
    assert all(f'value="{text}"' in page for text in typed.values())


def test_the_gateways_refusal_names_its_rule_and_the_way_back(desk: Stage) -> None:
    """Refused by the gateway: its rule in words, its own sentence in both languages, and the form as it was typed."""
    visitor, typed = desk.visitor("finance"), {**REFUND, "why": "换租 & <b>"}
    sent = {**typed, "transaction": "t" * 12, "step": "send"}
    assert visitor.post(f"/money/refund/{SHOP}", **sent).status_code == 303
    desk.answer("refund", "t" * 12, "refused", rule="R12", error="at most 19.00 yuan can be refunded, not 20.00")
    card = visitor.see("/answer/" + "t" * 12)
    assert "Refused: this act has its own conditions (R12)." in card and "at most 19.00 yuan" in card
    zh = desk.visitor("manager", "zh").see("/answer/" + "t" * 12)
    assert "最多可退 19.00 元，不能退 20.00 元" in zh and "修改后重新提交" in zh
    again = re.search(r'href="\.\./(money/refund/[^"]+)"', card)
    assert again
    page = visitor.see("/" + again[1])
    assert 'value="20.00"' in page and 'value="换租 & <b>"' in page and 'value="transfer" required checked' in page


# --- big, strange, hostile ---


def test_big_amounts_are_whole(desk: Stage) -> None:
    """Seven digits are read, shown with commas and sent to the fen; one digit more is no amount."""
    visitor = desk.visitor("finance")
    code, page = look(visitor, "compensate", {**MISTAKE, "amount": "9999999.99"})
    assert code == 200 and "<b>9,999,999.99 yuan</b>" in page and "<b>10,000,099.99</b>" in page
    assert visitor.client.post(f"/money/compensate/{SHOP}", data={**hidden(page), "step": "send"}).status_code == 303
    assert desk.requests("compensate")[0]["amount_fen"] == 999_999_999
    assert look(visitor, "compensate", {**MISTAKE, "amount": "10000000"})[0] == 422


BODIES: list[dict[str, Any]] = [
    {}, {"account": 5}, {"account": "nobody", "amount_fen": "x"}, {"account": SHOP, "amount_fen": 10**18},
    {"account": SHOP, "amount_fen": 5, "method": ["cash"], "why": {"a": 1}, "papers": None},
    {"account": SHOP, "amount_fen": True, "share_percent": "30", "weekly_cap_fen": -5, "to_account": 7},
]  # fmt: skip


def test_a_strange_proposal_is_shown_as_far_as_it_goes(desk: Stage) -> None:
    """Whatever stands in a proposal's body: no page falls over, nothing is guessed, and unknown kinds are left out."""
    rows = [
        ProposalRow(id=f"p-{number}-{what}", what=what, body=body, who="甲", role="finance", at=at(), until=at(-60))
        for number, body in enumerate(BODIES)
        for what in (*ACTS, "price")
    ]
    desk.say(Proposals(proposals=rows))
    visitor = desk.visitor("manager")
    page = visitor.see("/money/waiting")
    assert page.count("Look and approve…") == len(BODIES) * len(ACTS) and "p-0-price" not in page
    for one in rows:
        code = visitor.get(f"/proposal/{one.id}").status_code
        assert code == (404 if one.what == "price" else 200), one.id


def test_markup_in_a_proposal_and_in_a_form_stays_text(desk: Stage) -> None:
    """A reason, papers, a maker's name with markup: shown as typed on every page, never obeyed."""
    text = " ".join(MARKUP)
    body = {"account": SHOP, "amount_fen": 5, "reason": text, "why": text, "papers": text, "consent": text}
    row_ = ProposalRow(id="p-7", what="deduct", body=body, who=text, role=text, at=at(), until=at(-60))
    over = DecisionRow(id="p-6", what="refund", account=SHOP, who=text, approved=False, decided_by=text,
                       decided_at=at(), why=text)  # fmt: skip
    desk.say(Proposals(proposals=[row_], decided=[over]))
    visitor = desk.visitor("manager")
    typed = {**EVERY["deduct"], "why": text[:190], "papers": text[:190], "consent": text[:190]}
    _, confirm = look(visitor, "deduct", typed)
    pages = [visitor.get(path).text for path in ("/money/waiting", "/proposal/p-7", "/proposal/p-6", ACCOUNT)]
    path = f"/money/deduct/{SHOP}"
    raw = visitor.post(path, path, transaction="t" * 12, step="look", **typed).text
    for page in (*pages, raw):
        assert not any(each in page for each in MARKUP if set(each) & set("<>&\"'")) and not Obeyed(page).found
    assert text in unescape(pages[0]) and text[:190] in confirm


@pytest.mark.parametrize("operation", ["refund", "deduct", "correct", "lend", "bring", "settle", "compensate"])
def test_no_english_is_left_on_a_chinese_page(desk: Stage, operation: str) -> None:
    """Form, before and after, the proposals and their pages: whole in Chinese."""
    visitor = desk.visitor("finance", "zh")
    paid(desk)
    body = {"account": SHOP, "amount_fen": 500, "method": "cash", "reason": "other", "why": "甲"}
    row_ = ProposalRow(id="p-7", what=operation, body=body, who="甲", role="finance", at=at(), until=at(-60))
    desk.say(Proposals(proposals=[row_], decided=[]))
    _, confirm = look(visitor, operation, {**EVERY[operation], "reference": "1"})
    for page in (visitor.see(f"/money/{operation}/{SHOP}"), confirm, visitor.see("/money/waiting"),
                 visitor.see("/proposal/p-7"), visitor.see(f"/money/reverse/{SHOP}")):  # fmt: skip
        assert english_in(re.sub(r"<svg.*?</svg>", "", page)) == set()


# --- what the panel knows of the gateway's rules ---


def test_no_field_takes_more_than_the_gateway_does() -> None:
    """Each length is that of the contract."""
    for request in MONEY_REQUESTS:
        for name, field in request.model_fields.items():
            longest = [each.max_length for each in field.metadata if hasattr(each, "max_length")]
            if name in LONGEST and request.operation in ACTS:
                assert longest == [LONGEST[name]] or longest[-1] == LONGEST[name], (request.operation, name)


def test_the_least_top_up_is_the_least_also_where_part_of_it_repays() -> None:
    """Over many balances, credits, debts, shares and caps: with it the balance rises above the limit, with one fen
    less it does not."""
    random.seed(16)
    for _ in range(2000):
        account: Account = standing(
            available=random.randint(-20_000, 300) / 100, now=NOW,
            credit_nano=random.choice([0, 50 * YUAN]), debt_nano=random.choice([0, random.randint(1, 9000) * 10**7]),
            debt_share_percent=random.choice([None, 1, 33, 100]),
            debt_left_nano=random.choice([None, 0, random.randint(0, 3000) * 10**7]),
        )  # fmt: skip
        limit = account.restore_above_nano
        if account.available_nano > limit:
            continue
        least = least_fen(account, limit)
        assert after_nano(account, least * 10**7) > limit >= after_nano(account, (least - 1) * 10**7)
