"""Proposing a price: the form begins with what counts, names mistakes beside their fields, and loses nothing typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from panel_facts import tariff
from panel_forms import mistakes, send, typed
from panel_stage import SITE, Stage, Visitor, one_shop
from test_panel_prices import say, text_of, version, whole
from werkzeug.datastructures import MultiDict

from bridge.contract import site_prices
from bridge.contract.mistakes import words as complaint
from bridge.contract.price_requests import ProposePrice
from bridge.contract.site import Site
from panel import price_mistakes
from panel.drafts import pack, unpack
from panel.price_versions import table_of

NEW = "/price/shop/new"


@pytest.fixture
def home(stage: Stage) -> Stage:
    """A price with everything that one can have, in force; and a single one."""
    one_shop(stage)
    say(stage, whole() | {"effective_at": version(1, -5)["effective_at"]})
    say(stage, version(3, -5), id="flat", name="单一")
    return stage


def checked(visitor: Visitor, path: str = NEW, **changes: Any) -> tuple[int, str]:
    answer = send(visitor, path, typed(visitor.get(path).text, **changes), "check")
    return answer.status_code, answer.text


def propose(visitor: Visitor, page: str, path: str = NEW) -> str:
    """Press the button of the second step; the transaction."""
    form = typed(page)
    answer = send(visitor, path, form, "propose")
    assert answer.status_code == 303, mistakes(answer.text)
    return form["transaction"]


def test_the_form_begins_with_what_counts(home: Stage) -> None:
    """Everything of a whole price stands in the form, and proposing it with one fee changed proposes exactly that: the
    next version, the rest to the letter."""
    visitor = home.visitor("finance")
    code, page = checked(visitor, fee="0.50", why="新合同")
    assert code == 200 and re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td><b>(.*?)</b>", page) == [
        ("Fee a day", "0.30 yuan", "0.50 yuan")]  # fmt: skip
    transaction = propose(visitor, page)
    (sent,) = home.requests("propose-price")
    known = home.mirror.view().get(type(tariff()), "shop")
    assert known is not None
    expected = site_prices.Tariff.model_validate(table_of("shop", "商业", known.versions[0]) | {"daily_fee": "0.50"})
    assert site_prices.booked(site_prices.Tariff.model_validate(sent["price"])) == site_prices.booked(expected)
    assert (sent["version"], sent["why"], sent["effective_at"], sent["accept_markup"]) == (9, "新合同", None, False)
    assert ProposePrice.model_validate(dict(sent)).transaction == transaction


def test_every_wrong_field_has_its_sentence_and_nothing_is_lost(home: Stage) -> None:
    """Twenty mistakes at once: each beside its field, everything that was typed is still there, nothing was sent."""
    visitor = home.visitor("finance")
    wrong: dict[str, Any] = {
        "name": " ", "price__peak": "1,02", "price__flat": "", "bought__total": "x", "fee": "0.005",
        "from": ["00:30", "7点", "09:00", "9", "12:00", ""], "rate": ["valley", "peak", "peak", "sharp", "", "sharp"],
        "t0__from": ["08:00"], "t0__rate": ["flat"], "t0__first": ["02-30"], "t0__last": ["03-01"],
        "above": ["180", "100", "many"], "more": ["0.05", "", "0.1"], "day": "31", "month": "13",
        "surcharge": ["", "b"], "surcharge__price": ["0.1", "--1"], "surcharge__category": ["", "home"],
        "when": "moment", "date": "2026-11-31", "time": "24:00", "why": "w" * 201,
    }  # fmt: skip
    code, page = checked(visitor, **wrong)
    assert code == 422 and not any("/request/" in topic for topic, _, _ in home.link.published)
    found = mistakes(page)
    assert found == {
        "name": "A price has a name of 1 to 64 characters.",
        "price-peak": "“1,02” is no price: yuan with at most six decimals, such as 0.8512.",
        "price-flat": "Flat has hours and no price.",
        "bought-total": "“x” is no price: yuan with at most six decimals, such as 0.8512.",
        "fee": "“0.005” is not an amount: digits with at most two decimals, such as 200 or 200.50.",
        "from-0": "The day begins at 00:00: say which rate counts from then on.",
        "from-1": "“7点” is no time of day; write it as 07:30.",
        "from-3": "Two rates begin at 09:00; leave one.",
        "from-4": "Choose which rate begins at 12:00.",
        "from-5": "Something is missing here.",
        "t0-season-0": "A season has a first and a last day, both as month-day, such as 07-01 and 08-31.",
        "t0-from-0": "The day begins at 00:00: say which rate counts from then on.",
        "above-2": "“many” is no amount: kWh with at most three decimals, such as 180.",
        "more-1": "Something is missing here.",
        "day": "A whole number from 1 to 28.", "month": "A whole number from 1 to 12.",
        "surcharge-0": "A surcharge has a name of 1 to 64 characters; the bill shows it.",
        "surcharge-price-1": "“--1” is no surcharge: yuan a unit, with a minus to take it off, such as -0.01.",
        "date": "Choose the day from which on it counts.", "time": "“24:00” is no time of day; write it as 07:30.",
        "why": "At most 200 characters.",
    }  # fmt: skip
    kept = typed(page)
    for name, value in wrong.items():
        field = name.replace("__", "-")
        texts = [text for text in (value if isinstance(value, list) else [value]) if text]
        assert [text for text in kept.getlist(field) if text][: len(texts)] == texts, name


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"above": ["300", "200"], "more": ["0.1", "0.2"]}, "above-1", "Each step begins above the one before"),
        ({"above": ["0"], "more": ["0.1"]}, "above-0", "the first above 0"),
        ({"above": "", "more": ""}, "above-0", "Write above how much the first step begins"),
        ({"bought__peak": "0.5"}, "bought-total", "one price paid at all hours, or one for each rate, not both"),
        ({"bought__total": "", "bought__peak": "0.5"}, "bought-flat", "told for each rate that has a price"),
        ({"t0__first": "", "t0__last": "", "t0__day": None}, "t0-season-0", "in which season or on which days"),
        ({"when": "moment", "date": "2026-11-20", "time": "14:49"}, "date", "That has passed"),
        ({"when": "moment", "date": "2027-12-26"}, "date", "At most 400 days ahead."),
        ({"when": "moment", "date": ""}, "date", "Choose the day"),
        ({}, "form", "This is what version 8 says already; change something first."),
        ({"surcharge": ["a", "a"], "surcharge__price": ["0.1", "0.2"]}, "form", "the surcharge 'a' stands there twice"),
        ({"surcharge": ["a"], "surcharge__price": ["-0.5"]}, "form", "with its surcharges a kWh would cost -0.3000"),
        ({"why": "a\x00b"}, "why", "characters in it that cannot be shown"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_beside_its_field(home: Stage, changes: dict[str, Any], field: str, words: str) -> None:
    """Steps that fall, half a price upstream, a table for no day, moments over or too far, no change at all."""
    code, page = checked(home.visitor("finance"), **changes)
    assert code == 422 and words in mistakes(page)[field], mistakes(page)


@pytest.mark.parametrize(
    ("text", "meant"), [("7", "07:00"), ("7:30", "07:30"), ("0730", "07:30"), ("７：３０", "07:30"), ("7.30", "07:30")]
)
def test_times_and_figures_are_taken_as_people_type_them(home: Stage, text: str, meant: str) -> None:
    """Full-width digits of a Chinese keyboard, a time without its colon, rows in any order, empty rows between."""
    visitor = home.visitor("finance")
    code, page = checked(
        visitor, t0__from=[text, "", "0"], t0__rate=["sharp", "", "deep"], fee="０.５",
        surcharge__price=["−0.02"],
    )  # fmt: skip
    assert code == 200, mistakes(page)
    propose(visitor, page)
    price = home.requests("propose-price")[0]["price"]
    assert price["tables"][0]["windows"] == [
        {"from": "00:00", "to": meant, "rate": "deep"}, {"from": meant, "to": "24:00", "rate": "sharp"}]  # fmt: skip
    assert price["daily_fee"] == "0.5" and price["surcharges"][0]["price"] == "-0.02"


def test_a_newer_version_begins_after_the_one_to_come(home: Stage) -> None:
    """R27: while a version is still to come, neither an approval now nor a day before it is taken."""
    say(home, version(3, -5), version(4, 5, effective_at="2026-11-25T14:50:00+08:00"), id="flat")
    visitor = home.visitor("finance")
    for changes, field in (({}, "when"), ({"when": "moment", "date": "2026-11-25", "time": "14:50"}, "date")):
        code, page = checked(visitor, "/price/flat/new", price__total="0.9", **changes)
        told = "Version 4 begins on 2026-11-25 14:50; a newer one begins after it."
        assert code == 422 and told in mistakes(page)[field]
    code, page = checked(visitor, "/price/flat/new", price__total="0.9", when="moment", date="2026-11-25", time="14:51")
    propose(visitor, page, "/price/flat/new")
    (sent,) = home.requests("propose-price")
    assert (sent["version"], sent["effective_at"]) == (5, "2026-11-25T06:51:00.000000+00:00")


def test_a_wall_time_that_a_day_leaves_out_is_refused(tmp_path: Any) -> None:
    """Where clocks are put forward there is no half past two that night."""
    stage = Stage(tmp_path)
    stage.site = Site.model_validate({**SITE, "site": {**SITE["site"], "zone": "Europe/Berlin"}})
    object.__setattr__(stage.parts, "site", stage.site)
    say(stage, version(3, -5), id="flat")
    visitor = stage.visitor("finance")
    form = {"price__total": "0.9", "when": "moment", "date": "2027-03-28"}
    code, page = checked(visitor, "/price/flat/new", **form, time="02:30")
    assert code == 422 and "the clock leaves this time out" in mistakes(page)["time"]
    assert checked(visitor, "/price/flat/new", **form, time="03:30")[0] == 200


def test_a_mark_up_above_the_limit_must_be_meant(home: Stage) -> None:
    """R30: refused with both figures until the box is ticked; then the request says that it is meant."""
    policy = {"markup_limit_percent": 20}
    object.__setattr__(home.parts, "site", Site.model_validate({**SITE, "policy": policy}))
    visitor = home.visitor("finance")
    changes = {"price__total": "1.00", "bought__total": "0.80"}
    code, page = checked(visitor, "/price/flat/new", **changes)
    assert code == 422 and "lies 25 % above what is paid upstream, and the limit is 20 %" in mistakes(page)["accept"]
    code, page = checked(visitor, "/price/flat/new", **changes, accept="1")
    assert code == 200
    propose(visitor, page, "/price/flat/new")
    assert home.requests("propose-price")[0]["accept_markup"] is True


def test_rows_and_tables_are_added_and_left_out_without_a_script(home: Stage) -> None:
    """More rows, another table, one fewer: each button gives the form back as typed, and nothing is judged yet."""
    visitor = home.visitor("finance")
    form = typed(visitor.get(NEW).text, fee="zero")
    more = send(visitor, NEW, form, "more")
    assert more.status_code == 200 and typed(more.text)["fee"] == "zero" and mistakes(more.text) == {}
    assert len(typed(more.text).getlist("from")) == len(form.getlist("from")) + 4
    table = send(visitor, NEW, form, "add-table")
    assert 'name="t1-from"' in table.text and typed(table.text)["fee"] == "zero"
    left = send(visitor, NEW, typed(table.text), "drop-0")
    assert 'name="t1-from"' not in left.text and not any(typed(left.text).getlist("t0-from"))
    for odd in ("drop-7", "drop-", "drop-x", "drop-²", "drop-" + "9" * 50):
        assert send(visitor, NEW, form, odd).status_code == 200


def test_back_from_the_second_step_everything_is_as_it_was(home: Stage) -> None:
    """Check, back, check: every field of the form stands as typed."""
    visitor = home.visitor("finance")
    form = typed(visitor.get(NEW).text, fee="0.50", why="so", above=["2160", "4000"], more=["0.05", "0.2"])
    page = send(visitor, NEW, form, "check").text
    back = typed(send(visitor, NEW, typed(page), "edit").text)
    for each in (form, back):
        each.poplist("csrf_token")
    assert {name: [text for text in back.getlist(name) if text] for name in back} == {
        name: [text for text in form.getlist(name) if text] for name in form}  # fmt: skip


def test_a_single_price_keeps_what_it_does_not_use(home: Stage) -> None:
    """Changing the kind hides the hours and does not lose them; what is hidden is not sent."""
    visitor = home.visitor("finance")
    code, page = checked(visitor, kind="single", price__total="0.77", bought__total="0.6", when="approved")
    assert code == 200, mistakes(page)
    assert typed(send(visitor, NEW, typed(page), "edit").text).getlist("from")[0] == "00:00"
    propose(visitor, page)
    price = home.requests("propose-price")[0]["price"]
    assert price["price"] == "0.77" and not {"windows", "tables", "prices"} & price.keys()


# --- as text ---


def test_an_expert_writes_the_table_as_text(home: Stage) -> None:
    """The form as TOML and back says the same, and what is written there is judged like the fields."""
    visitor = home.visitor("finance")
    form = typed(visitor.get(NEW).text, why="as text", when="moment", date="2027-01-01")
    page = send(visitor, NEW, form, "text").text
    text = typed(page)
    assert text["text"].startswith('[[tariffs]]\nid = "shop"') and "[[tariffs.tables]]" in text["text"]
    assert (text["why"], text["date"]) == ("as text", "2027-01-01")
    back = typed(send(visitor, NEW, text, "fields").text)
    for name in ("from", "rate", "t0-from", "t0-first", "above", "more", "surcharge-price", "price-peak", "fee"):
        assert back.getlist(name) == form.getlist(name), name
    text["text"] = text["text"].replace('daily_fee = "0.30"', 'daily_fee = "0.70"')
    check = send(visitor, NEW, text, "check")
    propose(visitor, check.text)
    (sent,) = home.requests("propose-price")
    assert sent["price"]["daily_fee"] == "0.70" and len(sent["price"]["tables"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("[[tariffs]]", "[[tariffs]", "text", "第 1 行：不是 TOML"),
        ('"1.2480"', "1.2480", "form", "prices.sharp：请加引号"),
        ('id = "shop"', 'id = "flat"', "text", "这是价格 shop"),
        ('kind = "tou"', 'kind = "tou"\nprise = "1"', "form", "prise：没有这个设置，是不是写错了？"),
        ('"12:00"', '"13:00"', "form", "时段在"),
        ('daily_fee = "0.30"', 'daily_fee = "-1"', "form", "daily_fee：固定费不能为负"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_text_is_told_in_chinese(home: Stage, old: str, new: str, field: str, words: str) -> None:
    """Brackets, quotes, another price, a misspelt setting, a gap: where it is and what to write instead; the text stays
    as it was written."""
    visitor = home.visitor("finance", language="zh")
    text = typed(send(visitor, NEW, typed(visitor.get(NEW).text, fee="0.3"), "text").text)
    assert old in text["text"] or old == 'daily_fee = "0.30"'
    text["text"] = text["text"].replace('daily_fee = "0.3"', 'daily_fee = "0.30"').replace(old, new, 1)
    answer = send(visitor, NEW, text, "check")
    assert answer.status_code == 422 and words in mistakes(answer.text)[field], mistakes(answer.text)
    assert typed(answer.text)["text"].replace("&#34;", '"').strip() == text["text"].strip()


def test_every_complaint_of_the_contract_is_known() -> None:
    """A validator's sentence about a price that nobody has put into Chinese is found here: each is provoked."""
    single = {"id": "a", "name": "n", "kind": "single", "price": "1"}
    hours = {"id": "a", "name": "n", "kind": "tou", "prices": {"peak": "1", "flat": "1"},
             "windows": [{"from": "00:00", "to": "24:00", "rate": "peak"}]}  # fmt: skip
    half = [{"from": "00:00", "to": "12:00", "rate": "peak"}]
    step = {"above": "1", "add": "1"}
    provoked: list[dict[str, Any]] = [
        {}, single | {"x": 1}, single | {"price": 1}, single | {"price": "x"}, single | {"name": 5},
        single | {"name": "n" * 65}, single | {"prices": {"peak": "1"}}, single | {"tables": [{"days": ["workday"],
        "windows": hours["windows"]}]}, single | {"daily_fee": "-1"}, single | {"daily_fee": "x"},
        single | {"purchase": {"peak": "1"}}, hours | {"purchase": {"peak": "1"}}, single | {"unit": "L"},
        single | {"surcharges": [{"name": "a", "price": "1"}] * 2}, single | {"surcharges": [{"name": "a", "price":
        "-2"}]}, single | {"surcharges": [{"name": "a", "price": "-2", "category": "home"}]}, single | {"steps": 5},
        single | {"surcharges": {}}, single | {"steps": {"period": "month", "bounds": []}},
        single | {"steps": {"period": "month", "bounds": [step] * 10}},
        single | {"steps": {"period": "month", "bounds": [step, step]}},
        single | {"steps": {"period": "month", "month": 1, "bounds": [step]}},
        single | {"steps": {"period": "year", "day": 0, "month": 13, "bounds": [step]}},
        single | {"steps": {"period": "year", "day": "1", "month": 1.5, "bounds": [{"above": "x", "add": "1"}]}},
        hours | {"price": "1"}, hours | {"unit": "m3"}, hours | {"prices": {"peak": "1", "noon": "1"}},
        hours | {"prices": {"flat": "1"}}, hours | {"windows": half}, hours | {"windows": half * 2},
        hours | {"tables": [{"windows": hours["windows"]}]}, hours | {"windows": [{"from": "7", "to": "24:30",
        "rate": "peak"}]}, hours | {"tables": [{"seasons": ["x"], "windows": hours["windows"]}]},
    ]  # fmt: skip
    said = set()
    for table in provoked:
        with pytest.raises(ValueError) as refused:
            site_prices.Tariff.model_validate(table)
        said |= {complaint(error) for error in refused.value.errors()}  # type: ignore[attr-defined]
    assert {words for words in said if not price_mistakes.known(words)} == set() and len(said) > 30


# --- a session that ended ---


def test_a_long_form_survives_the_end_of_its_session(home: Stage) -> None:
    """Half an hour of typing, and the session is over: after signing in every row stands in the form."""
    visitor = home.visitor("finance")
    form = typed(visitor.get(NEW).text, fee="0.50", why="新合同", above=["1", "", "3"], more=["0.1", "", "0.3"])
    home.visitor("manager")
    user = home.users.named("finance-1")
    assert user is not None
    home.users.set_role(user.id, "finance")  # Ends the session; the browser's cookie is still there.
    answer = send(visitor, NEW, form, "check")
    assert answer.status_code == 303 and len(answer.headers["Location"]) < 4000
    signed = visitor.client.post(
        answer.headers["Location"].replace("../..", ""),
        data={"csrf_token": visitor.token("/sign-in"), "name": "finance-1", "password": "a good password of finance"},
    )
    kept = typed(visitor.see(signed.headers["Location"].replace("./", "/")))
    assert (kept["fee"], kept["why"]) == ("0.50", "新合同") and kept.getlist("above")[:2] == ["1", "3"]
    assert kept.getlist("more")[:2] == ["0.1", "0.3"] and kept.getlist("from")[:2] == form.getlist("from")[:2]


def test_a_draft_is_a_form_and_nothing_else() -> None:
    """Packed and unpacked a form is the same; what was made up is none, and a bomb is not unpacked."""
    form = MultiDict([("a", "1"), ("a", ""), ("b", "元\n"), ("csrf_token", "secret"), ("do", "x")])
    packed = pack(form)
    assert packed is not None and re.fullmatch(r"[\w-]+", packed)
    assert list(unpack(packed).items(multi=True)) == [("a", "1"), ("a", ""), ("b", "元\n")]  # type: ignore[union-attr]
    assert pack(MultiDict((f"f{n}", f"{n * 7919 % 10007}") for n in range(3000))) is None
    bomb = pack(MultiDict([("a", "x" * 60_000)]))
    assert bomb is not None and unpack(bomb) is not None
    for text in ("", "x", "===", "AAAA", packed[:20], "é", "x" * 5000):
        assert unpack(text) is None, text


# --- what it would have cost ---


def tried(visitor: Visitor, stage: Stage, **answer: Any) -> str:
    """The second step once the gateway has answered."""
    _, page = checked(visitor, "/price/flat/new", price__total="0.9")
    stage.answer("preview-price", typed(page)["tried"], answer.pop("status", "done"), **answer)
    return send(visitor, "/price/flat/new", typed(page), "check").text


DATA: dict[str, Any] = {
    "tariff": "flat", "unit": "kWh", "month": "2026-10", "wh": 300_000, "old_nano": 240 * 10**9,
    "new_nano": 270 * 10**9, "difference_nano": 30 * 10**9, "bought_nano": 200 * 10**9, "markup_percent": 35,
    "accounts": [
        {"account": "100206", "days": 31, "charges": 31, "wh": 100_000, "old_nano": 80 * 10**9,
         "new_nano": 90 * 10**9, "difference_nano": 10 * 10**9, "interpolated": True},
        {"account": "100999", "days": 31, "charges": 31, "wh": 200_000, "old_nano": 160 * 10**9,
         "new_nano": 180 * 10**9, "difference_nano": 20 * 10**9, "interpolated": False},
        {"account": "100777", "days": 31, "charges": 1, "why": "R28: the register total is missing"},
    ],
}  # fmt: skip


def test_before_it_is_sent_everybodys_difference_is_shown(home: Stage) -> None:
    """Last month is tried by itself; each account with what it paid, would pay and the difference, the sums, the
    mark-up, and who cannot be billed so; all figures are the gateway's."""
    visitor = home.visitor("finance")
    page = tried(visitor, home, data=DATA)
    asked = home.link.published[-1]
    assert asked[0].endswith("request/preview-price") and b'"month":"2026-10"' in asked[1] and b"signed" not in asked[1]
    words = text_of(page)
    assert "Charged for 2026-10 240.00 yuan At this price 270.00 yuan Difference +30.00 yuan" in words
    assert "Paid upstream for it 200.00 yuan 35 % above it" in words
    assert "100999 200.00 160.00 180.00 +20.00 A206 味之源麻辣烫 100.00 80.00 90.00 * +10.00 Total 3 accounts" in words
    assert "100777 : cannot be billed so" in words and "is taken as even" in words
    assert home.requests("propose-price") == []


def test_another_month_is_another_question(home: Stage) -> None:
    """A month that is chosen is asked for; looking again asks nothing; a month from nowhere is the last one."""
    visitor = home.visitor("finance")
    _, page = checked(visitor, "/price/flat/new", price__total="0.9")
    send(visitor, "/price/flat/new", typed(page), "check")
    form = typed(page)
    for month in ("2026-11", "2025-11", "2026-13", "2030-01", "<b>"):
        form["month-tried"] = month
        page = send(visitor, "/price/flat/new", form, "check").text
    asked = b"".join(payload for topic, payload, _ in home.link.published if topic.endswith("preview-price"))
    assert re.findall(rb'"month":"([^"]+)"', asked) == [b"2026-10", b"2026-11", b"2025-11"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": "refused", "rule": "R29",
          "error": "account 100206 is no household, and steps are for households only"},
         "Refused: steps have their own conditions (R29). account 100206 is no household"),
        ({"data": DATA | {"accounts": []}}, "No charge of 2026-10 stands in the book. Choose another month."),
        ({"data": {}}, "The answer cannot be read by this version of the panel."),
        ({"data": DATA | {"old_nano": "much"}}, "The answer cannot be read"),
        ({"data": DATA | {"wh": 2**70}}, "The answer cannot be read"),
    ],
)  # fmt: skip
def test_a_try_that_did_not_come_off_is_told(home: Stage, answer: dict[str, Any], words: str) -> None:
    """Refused with its rule, a month without bills, an answer of another version: in words, and the form is there."""
    page = tried(home.visitor("finance"), home, **answer)
    assert words in text_of(page) and 'value="propose"' in page


def test_a_gateway_that_does_not_answer_is_told(home: Stage) -> None:
    """Silence is called silence after half a minute; without a connection nothing can be tried or proposed."""
    visitor = home.visitor("finance")
    _, page = checked(visitor, "/price/flat/new", price__total="0.9")
    assert "The gateway is working it out." in page
    home.clock.advance(40)
    assert "has not answered (30 s)" in visitor.see(f"/price-try/{typed(page)['tried']}")
    home.lose()
    code, page = checked(visitor, "/price/flat/new", price__total="0.91")
    assert code == 200 and "nothing can be tried or proposed now" in page
    answer = send(visitor, "/price/flat/new", typed(page), "propose")
    assert answer.status_code == 503 and "Nothing was done." in answer.text
    assert visitor.get("/price-try/" + "x" * 12).status_code == 404


def test_a_form_is_proposed_once(home: Stage) -> None:
    """Two clicks are one proposal; a form without its number, or used for another price, is refused and kept."""
    visitor = home.visitor("finance")
    _, page = checked(visitor, fee="0.50")
    form = typed(page)
    first, second = (send(visitor, NEW, form, "propose").headers["Location"] for _ in range(2))
    assert first == second
    form["fee"] = "0.60"
    other = send(visitor, NEW, form, "propose")
    assert other.status_code == 409 and "already used for something else" in other.text
    assert typed(other.text)["fee"] == "0.60" and typed(other.text)["transaction"] != form["transaction"]
    form["transaction"] = ""
    lost = send(visitor, NEW, form, "propose")
    assert lost.status_code == 422 and "lost its number" in lost.text and typed(lost.text)["fee"] == "0.60"
    assert len(home.requests("propose-price")) == 1


def test_a_refused_proposal_is_opened_again(home: Stage) -> None:
    """What the gateway refused is told with its rule, and one click brings the form back as it was sent."""
    visitor = home.visitor("finance")
    _, page = checked(visitor, fee="0.50", why="x", when="moment", date="2027-01-01", time="08:30")
    transaction = propose(visitor, page)
    home.answer("propose-price", transaction, "refused", rule="R25", error="the clock is not trusted")
    card = visitor.see(f"/prices?answer={transaction}")
    assert "Refused: the gateway's clock is not trusted (R25)." in card
    link = re.search(r'href="(price/shop/new\?again=[^"]+)"', card)
    assert link
    kept = typed(visitor.see("/" + link[1]))
    assert [kept[name] for name in ("fee", "why", "when", "date", "time")] == [
        "0.50", "x", "moment", "2027-01-01", "08:30"]  # fmt: skip
    assert kept.getlist("t0-day") == ["workday", "holiday"]


def test_a_price_that_is_not_there_has_no_form(home: Stage) -> None:
    """Unknown prices and ids that are none are told as such."""
    visitor = home.visitor("finance")
    for id in ("nobody", "..", "Shop", "x" * 40):
        assert visitor.get(f"/price/{id}/new").status_code == 404
