"""A charged register that was wrong: typed right beside it, looked at, proposed, decided by another (R12, R32)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from panel_facts import NOW, at, charge, row, standing, tenant
from panel_forms import mistakes
from panel_house import house_in
from panel_stage import Stage, Visitor, install
from test_panel_money import SHOP, Counter, hidden

from bridge.contract.messages import ProposalRow, Proposals
from bridge.contract.units import instant_exact, instant_text
from edge.billing.tariff import local_midnight
from panel.sessions import IDLE_S

FORM = f"/right-reading/{SHOP}/a206"
BOOKED = {"total": "18492.88", "sharp": "2218.46", "peak": "6946.91", "flat": "5891.16", "valley": "3436.35"}
"""What the charge of `panel_facts` ends at, as a display would show it."""
RIGHT = {**BOOKED, "total": "18491.88", "peak": "6945.91"}
WORDS = {"why": "抄错一位", "papers": "照片 7"}


@pytest.fixture
def charged(shop: Stage) -> Stage:
    """The shop with one charged day; the entry is number 1."""
    body = charge(SHOP, "a206")
    shop.entry("charge/1", body, id="charge:a206:2026-11-19", amount_nano=-body["amount_nano"])
    return shop


def look(visitor: Visitor, path: str = FORM, **typed: str) -> tuple[int, str]:
    page = visitor.get(path).text
    assert 'name="step"' in page, page
    answer = visitor.post(FORM, path, **{**hidden(page), "step": "look", **RIGHT, **WORDS, **typed})
    return answer.status_code, unescape(answer.text)


def propose(visitor: Visitor, **typed: str) -> dict[str, str]:
    """The whole way; returns the form that was sent."""
    code, page = look(visitor, **typed)
    assert code == 200, mistakes(page)
    form = {**hidden(page), "step": "send"}
    assert visitor.client.post(FORM, data=form).status_code == 303
    return form


def table(page: str) -> list[list[str]]:
    """The rows of registers as they are read."""
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row)] for row in rows]


def test_from_the_bill_to_the_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real gateway: the bill leads to the form, wrong and right stand side by side before sending and again for
    the second person, and what is approved is one entry with the right registers, from which the meter goes on."""
    counter = Counter(house_in(tmp_path / "edge", monkeypatch), tmp_path / "panel")
    counter.topup("100")
    core, closing = counter.house.edge.core, counter.house.edge.closing
    meter, account = core.state.meters["a206"], core.state.accounts[SHOP]
    assert meter.billed is not None
    rates = [name for name in meter.billed.registers_wh if name != "total"]
    wrong = {name: wh + 9_000 for name, wh in meter.billed.registers_wh.items()}
    wrong["total"] += 9_000 * max(len(rates) - 1, 0)
    day = date(2026, 11, 20)
    midnight = local_midnight(day + timedelta(days=1), core.terms.zone)
    mark = {"registers_wh": wrong, "at": instant_exact(midnight), "read_at": instant_text(midnight),
            "source": "border", "frames": []}  # fmt: skip
    draft = closing.charge(account, meter, day, mark, core.state.posted_nano(SHOP), dict(account.counters))
    assert draft is not None and draft[0] == "charge/2"
    core.append(draft)
    core.changed("account", SHOP)
    counter.pump()
    seq, before = core.book.seq, counter.standing().available_nano
    bill = counter.clerk.get(f"/entry/{seq}").text
    found = re.search(r'href="\.\./(right-reading/[^"]+)"', bill)
    assert found is not None
    path = "/" + unescape(found[1])
    right = {name: wh - 1_000 for name, wh in wrong.items()}
    right["total"] = wrong["total"] - 1_000 * max(len(rates), 1)
    typed = {name: f"{wh // 1000}.{wh % 1000:03d}" for name, wh in right.items()}
    form = hidden(counter.clerk.get(path).text)
    looked = counter.clerk.post(FORM, path, **form, step="look", **typed, **WORDS)
    assert looked.status_code == 200, mistakes(looked.text)
    rows = table(looked.text)
    assert len(rows) == len(right) and all(cells[3].startswith("−") for cells in rows)
    assert core.book.seq == seq, "nothing is sent by looking"
    sent = counter.clerk.client.post(FORM, data={**hidden(looked.text), "step": "send"})
    assert sent.status_code == 303
    counter.pump()
    (proposal,) = counter.house.of("proposal/1")
    assert counter.standing().available_nano == before, "a proposal moves nothing"
    id = str(proposal.fields["proposal"])
    assert table(counter.manager.get(f"/proposal/{id}").text) == rows, "the second person sees the same"
    assert "nobody approves their own (R32)" in counter.clerk.see(f"/proposal/{id}")
    card = counter.card(counter.decide(id, "approve"), counter.manager)
    (entry,) = counter.house.of("reading-correction/1")
    assert entry.fields["end"]["registers_wh"] == right and entry.fields["amount_nano"] < 0
    assert "yuan are given back" in card, card
    assert meter.billed.registers_wh == right and counter.standing().available_nano > before
    assert counter.clerk.get(f"{path.partition('?')[0]}?entry={seq}").status_code == 200, "it can be put right again"


def test_each_register_of_the_meter_is_typed_beside_the_wrong_one(charged: Stage) -> None:
    """Total and the meter's own rates, no other; the fields are empty, so that nothing is passed on unread; before it
    is sent each stands beside the wrong one with the difference; a double click is one request, with every register."""
    visitor = charged.visitor("finance")
    form = visitor.see(FORM)
    assert [cells[:2] for cells in table(form)] == [
        ["Total", "18,492.88"], ["Sharp", "2,218.46"], ["Peak", "6,946.91"], ["Flat", "5,891.16"],
        ["Valley", "3,436.35"],
    ]  # fmt: skip
    assert 'name="deep"' not in form and 'id="total"' in form and 'value="18492.88"' not in form
    code, page = look(visitor)
    assert code == 200 and ["Total", "18,492.88", "18,491.88", "−1.00"] in table(page)
    assert "Another person must approve it" in page and charged.requests("correct-reading") == []
    sent = {**hidden(page), "step": "send"}
    for _ in range(2):
        assert visitor.client.post(FORM, data=sent).status_code == 303
    (asked,) = charged.requests("correct-reading")
    told = {name: asked[name] for name in (*RIGHT, *WORDS)}
    assert told == RIGHT | WORDS and asked["entry"] == "charge:a206:2026-11-19"
    assert (asked["account"], asked["meter"], asked["who"]) == (SHOP, "a206", "finance-1")


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("total", "", "as the display shows it"),
        ("total", "18,491.88", "as the display shows it"),
        ("total", "1e5", "as the display shows it"),
        ("peak", "-5", "as the display shows it"),
        ("peak", "6945.9155", "as the display shows it"),
        ("valley", "１２", "as the display shows it"),
        ("why", " ", "A reason is needed; it stands in the book."),
        ("why", "x" * 201, "At most 200 characters."),
        ("papers", "", "Papers are needed"),
        ("papers", "a\u202eb", "cannot be shown"),
    ],
)
def test_a_slip_is_told_beside_its_field_and_nothing_is_lost(charged: Stage, field: str, text: str, words: str) -> None:
    """What was typed stays, the sentence stands at the field, and nothing is sent."""
    code, page = look(charged.visitor("finance"), **{field: text})
    assert code == 422 and words in mistakes(page)[field]
    for name, value in {**RIGHT, **WORDS, field: text}.items():
        assert f'name="{name}"' in page and f'value="{value.strip()}"' in page, name
    assert charged.requests("correct-reading") == []


def test_what_the_book_says_already_and_what_no_meter_counts_is_told(shop: Stage) -> None:
    """The same registers are nothing to put right (R12); one above the meter's full scale is a slip (R20)."""
    shop.entry("charge/1", {**charge(SHOP, "a206"), "full_scale_wh": 100_000_000}, id="charge:a206:2026-11-19")
    visitor = shop.visitor("finance")
    code, page = look(visitor, **BOOKED)
    assert code == 422 and "stand in the book already (R12)" in mistakes(page)["form"]
    code, page = look(visitor, peak="100000")
    assert code == 422 and "counts to 100,000.00 only (R20)" in mistakes(page)["peak"]


def told(visitor: Visitor, path: str) -> str:
    """A page that says why there is no form."""
    page = visitor.see(path)
    assert "<form" not in page[page.index('<main id="main">') :], "no form where nothing can be put right"
    return page


def test_an_entry_that_is_not_the_newest_is_told_so(charged: Stage) -> None:
    """An older day leads to no form: the page says why, names the newest entry and the acts that put it right. So does
    a form that was open while the next day was charged."""
    visitor = charged.visitor("finance")
    open_form = hidden(visitor.get(FORM).text)
    newest = charged.entry("charge/1", charge(SHOP, "a206", days_ago=-1), id="charge:a206:2026-11-20")
    page = told(visitor, f"{FORM}?entry=1")
    assert "Entry 1 does not hold the newest register" in page and "compensation or a deduction (R12)" in page
    assert f'entry/{newest}"' in page and f'money/deduct/{SHOP}"' in page
    late = visitor.post(FORM, FORM, **{**open_form, "step": "look", **RIGHT, **WORDS})
    assert late.status_code == 409 and "does not hold the newest register" in late.text
    assert 'name="entry" value="2"' in visitor.get(f"{FORM}?entry={newest}").text


def test_a_register_put_right_can_be_put_right_again(charged: Stage) -> None:
    """After a correction the wrong one is the corrected one, and the request names the charge it belongs to; a form
    that was looked at before is shown once more, not sent."""
    visitor = charged.visitor("finance")
    _, page = look(visitor)
    before = {**hidden(page), "step": "send"}
    body = charge(SHOP, "a206")
    right = {**body["end"]["registers_wh"], "total": 18_480_000}
    fixed = {**body, "entry": "charge:a206:2026-11-19", "start": body["end"], "end": {**body["end"]}}
    fixed["end"] = {"registers_wh": right, "at": body["end"]["at"], "source": "corrected"}
    holder = charged.entry("reading-correction/1", fixed, id="reading-correction:p-1")
    late = visitor.client.post(FORM, data=before)
    assert late.status_code == 409 and "look at both registers once more" in late.text
    assert charged.requests("correct-reading") == []
    for entry in (1, holder):
        assert ["Total", "18,480.00"] in [cells[:2] for cells in table(visitor.see(f"{FORM}?entry={entry}"))]
    propose(visitor)
    assert charged.requests("correct-reading")[0]["entry"] == "charge:a206:2026-11-19"


def test_what_cannot_be_put_right_says_why(shop: Stage) -> None:
    """Nothing charged yet, an opening whose charge has not come, a meter replaced since, a settled account: a sentence
    instead of a form; whose meter it is not is not found."""
    visitor = shop.visitor("finance")
    assert "Nothing was charged for this meter yet" in told(visitor, FORM)
    opening = {"meter": "a206", "registers_wh": {"total": 5_000}, "at": at(600), "source": "opening"}
    shop.entry("opening/1", opening, id="opening:a206")
    assert [cells[:2] for cells in table(visitor.see(FORM))] == [["Total", "5.00"]]
    assert "Put the register right…" in visitor.see("/entry/1")
    was = {"address": "1", "serial": "1", "registers_wh": {"total": 9_000}}
    new = {"meter": "a206", "was": was, "registers_wh": {"total": 1}, "at": at(60), "source": "opening"}
    shop.entry("replacement/1", new)
    assert "The meter was replaced or its multiplier changed since" in told(visitor, FORM)
    assert visitor.get(f"/right-reading/{SHOP}/a999").status_code == 404
    assert visitor.get("/right-reading/999/a206").status_code == 404
    shop.say(standing(available=0.0, ended_at=at(60)), SHOP)
    for path in (FORM, f"/right-reading/{SHOP}"):
        assert "This account is settled" in told(visitor, path)


def test_the_account_leads_there_and_asks_which_meter(charged: Stage) -> None:
    """One button among the acts with money; with one meter it is the form, with two the meter is asked for."""
    visitor = charged.visitor("finance")
    assert f'href="../right-reading/{SHOP}"' in visitor.see(f"/account/{SHOP}")
    assert visitor.get(f"/right-reading/{SHOP}").headers["Location"].endswith("right-reading/100206/a206")
    install(charged, [row("a206", "A206", SHOP), row("a207", "A207", SHOP)],
            [tenant(SHOP, "味之源麻辣烫", "A206", ["a206", "a207"])])  # fmt: skip
    page = visitor.see(f"/right-reading/{SHOP}")
    assert all(f'href="../right-reading/{SHOP}/{meter}"' in page for meter in ("a206", "a207"))


def test_who_may_not_gets_nowhere(charged: Stage) -> None:
    """Engineer and operations see no way there; address and forged form are refused."""
    for role in ("engineer", "operations"):
        visitor = charged.visitor(role)
        assert "right-reading" not in visitor.see("/entry/1")
        assert visitor.get(FORM).status_code == visitor.get(f"/right-reading/{SHOP}").status_code == 403
        assert visitor.post(FORM, step="send", transaction="t" * 12, **RIGHT, **WORDS).status_code == 403
    assert charged.requests("correct-reading") == []


def test_the_gateways_refusal_leads_back_to_what_was_typed(charged: Stage) -> None:
    """Refused: the rule in words, and the form again with every register, reason and paper in it."""
    visitor = charged.visitor("finance")
    number = propose(visitor)["transaction"]
    error = "the register total would have risen by 99999999 Wh, more than the meter can carry"
    charged.answer("correct-reading", number, "refused", rule="R21", error=error)
    card = visitor.see(f"/answer/{number}")
    again = re.search(r'href="\.\./(right-reading/[^"]+)"', card)
    assert "(R21)" in card and again is not None
    page = unescape(visitor.get("/" + again[1]).text)
    assert all(f'value="{value}"' in page for value in (*RIGHT.values(), *WORDS.values()))


def test_nothing_is_lost_without_a_line_or_a_session(charged: Stage) -> None:
    """Not sent is said and the same form goes again; another use of its number is refused; a session that ended gives
    all of it back after signing in."""
    visitor = charged.visitor("finance")
    _, page = look(visitor)
    form = {**hidden(page), "step": "send"}
    charged.lose()
    answer = visitor.client.post(FORM, data=form)
    assert answer.status_code == 503 and "Nothing was done." in answer.text and RIGHT["peak"] in answer.text
    charged.return_()
    assert visitor.client.post(FORM, data=form).status_code == 303
    other = visitor.client.post(FORM, data={**form, "total": "18490.88"})
    assert other.status_code == 409 and form["transaction"] not in other.text
    back = visitor.client.post(FORM, data={**form, "step": "edit"})
    assert back.status_code == 200 and RIGHT["peak"] in back.text
    charged.clock.advance(IDLE_S + 1)
    ended = visitor.client.post(FORM, data=form)
    found = re.search(r'name="next" value="([^"]*)"', visitor.see("/" + ended.headers["Location"].lstrip("./")))
    assert found
    words = {"name": "finance-1", "password": "a good password of finance", "next": unescape(found[1])}
    location = visitor.post("/sign-in", form_on="/sign-in", **words).headers["Location"]
    page = visitor.see(f"/{location}")
    assert all(f'value="{value}"' in page for value in (*RIGHT.values(), *WORDS.values()))
    assert len(charged.requests("correct-reading")) == 1


def test_the_second_person_reads_wrong_beside_right_while_it_can_be_told(charged: Stage) -> None:
    """The proposal's page has both; when the next day is charged meanwhile, the wrong one is told no more: it is for
    the gateway to refuse."""
    body: dict[str, Any] = {"account": SHOP, "meter": "a206", "entry": "charge:a206:2026-11-19", **RIGHT, **WORDS}
    words = {"what": "correct-reading", "who": "甲", "role": "finance", "at": instant_text(NOW), "until": at(-60)}
    charged.say(Proposals(proposals=[ProposalRow(id="p-1", body=body, **words)]))
    visitor = charged.visitor("manager")
    page = visitor.see("/proposal/p-1")
    assert ["Peak", "6,946.91", "6,945.91", "−1.00"] in table(page) and "<b>6945.91</b>" not in page
    charged.entry("charge/1", charge(SHOP, "a206", days_ago=-1), id="charge:a206:2026-11-20")
    page = visitor.see("/proposal/p-1")
    assert "<tbody>" not in page and "<b>6945.91</b>" in page
    for strange in ({**body, "meter": 5}, {**body, "meter": "a999"}, {**body, "total": "x"}, {**body, "deep": "1"}):
        charged.say(Proposals(proposals=[ProposalRow(id="p-1", body=strange, **words)]))
        assert visitor.get("/proposal/p-1").status_code == 200
