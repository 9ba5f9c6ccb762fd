"""Whatever arrives at a form or an address: a sentence that names the rule, nothing changed, nothing dead."""

from __future__ import annotations

import itertools
import re
import threading
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import got_request_exception
from panel_facts import charge, proposed_price
from panel_house import SameSite, house_in, panel_of, pump
from panel_stage import Stage, Visitor, one_shop
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bridge.contract.messages import Proposals
from bridge.mqtt import Received
from panel.parts import Demo
from panel.sessions import IDLE_S

ACCOUNT, METER, PORTS = "/account/100206", "/meter/a206", "/lines/ports"
MONEY = ("/money/refund/100206", "/money/correct/100206", "/money/reverse/100206", "/proposal/p-1", "/slip/1")
FORMS = (ACCOUNT, METER, PORTS, "/people", "/password", "/sign-in", "/sign-out", "/price/shop/new",
         "/price-proposal/p-7", "/protection/dispute/100206", "/protection/told/100206", *MONEY)  # fmt: skip

AMOUNTS = (
    "", " ", "　", "0", "0.00", "-5", "−5", "NaN", "nan", "inf", "1e2", "1e400", "true", "None", "５０", "٥٠", "५०",
    "1.234", "0.005", "1,000", "1 000", "1，000", "+5", "0x10", "5元", "¥5", "200.", ".5", "1.2.3", "--5", "1e-2",
    "99999999999999999999", "9" * 4301, "50000.01", "0.99", "200" + " " * 40 + "00", "5\x00", "5\n6", "½", "²",
    "<b>5</b>", "[5]", "{}",
)  # fmt: skip
"""What is no amount between 1.00 and 50,000.00 yuan with at most two decimals."""

NASTY = (
    "", "0", "-1", "1e99", "9" * 20, "9" * 5000, "NaN", "true", "..", "../../etc/passwd", "a/b", "a+b", "a#b", "$SYS",
    "\x00", "a\nb", "\r\nSet-Cookie: a=b", "\u202e", "５０", "{{7*7}}", "%s%n", "' OR 1=1 --",
    "<script>alert(1)</script>", "9999-12-31", "0001-01-01", "2026-02-30", "x" * 3000,
)  # fmt: skip
"""Texts for every parameter and every field."""

MARKUP = ("<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "</title><svg onload=alert(1)>", "{{7*7}}",
          "javascript:alert(1)", "<!--", "&lt;b&gt;", "]]>")  # fmt: skip


def filled(page: str, **fields: str) -> dict[str, str]:
    found = re.search(r'name="transaction" value="([^"]+)"', page)
    assert found
    return {"transaction": found[1], "amount": "200", "method": "cash", **fields}


def asked(shop: Stage) -> int:
    """How many requests have left this panel."""
    return sum("/request/" in topic for topic, _, _ in shop.link.published)


NUMBERS = ["", "short", "with/slash/12", "plus+plus+12", "hash#hash#12", "..........", 
           "ünïcödé-12", "a\x00bcdefghijk", "abcdefgh\n", "x" * 65]  # fmt: skip
"""What is no number of a form."""


# --- the top-up form ---


def test_what_is_no_amount_is_refused_in_words(shop: Stage) -> None:
    """Nothing, zero, minus, other digits, commas, exponents, fractions of a fen, twenty digits: told next to the field,
    what was typed stays, nothing leaves; and the next good amount goes."""
    visitor = shop.visitor("finance")
    for text in AMOUNTS:
        form = filled(visitor.get(ACCOUNT).text, amount=text)
        answer = visitor.post(ACCOUNT, ACCOUNT, **form)
        page = unescape(answer.text)
        assert answer.status_code == 422, text
        assert "is not an amount: digits with at most two" in page or "lies between 1.00 and 50,000.00" in page, text
        assert form["transaction"] in page and asked(shop) == 0, text
        preview = unescape(visitor.get(f"/account-preview/100206?{urlencode({'amount': text})}").text)
        assert not text.strip() or "is not an amount" in preview or "lies between" in preview, text
    assert visitor.post(ACCOUNT, ACCOUNT, **filled(visitor.get(ACCOUNT).text)).status_code == 303
    assert [each["amount_fen"] for each in shop.requests("topup")] == [20000]


def test_a_form_without_its_number_is_not_sent(shop: Stage) -> None:
    """Without its number a double click would post twice: a fresh number is in the form, and nothing was done."""
    visitor = shop.visitor("manager")
    for id in NUMBERS:
        answer = visitor.post(ACCOUNT, ACCOUNT, **filled(visitor.get(ACCOUNT).text, transaction=id))
        assert answer.status_code == 422 and "lost its number on the way. Nothing was done" in answer.text
        assert filled(answer.text)["transaction"] != id and 'value="200"' in answer.text
        trip = visitor.post(METER, METER, do="trip", room="A206", why="x", transaction=id)
        assert trip.status_code == 422 and "lost its number" in trip.text
        brake = visitor.post(PORTS, PORTS, why="x", transaction=id)
        assert brake.status_code == 422 and "lost its number" in brake.text
    assert asked(shop) == 0


def test_a_text_that_cannot_be_shown_is_not_written(shop: Stage) -> None:
    """NUL, terminal codes, marks that turn the text around, far too much: refused at the field, nothing leaves."""
    visitor = shop.visitor("manager")
    for text in ["a\x00b", "a\x1b[2Jb", "a\u202eb", "a\x85b", "a\u2028b", "x" * 2000]:
        money = visitor.post(ACCOUNT, ACCOUNT, **filled(visitor.get(ACCOUNT).text, reference=text))
        trip = visitor.post(METER, METER, do="trip", room="A206", why=text, transaction="t" * 12)
        brake = visitor.post(PORTS, PORTS, why=text, transaction="b" * 12)
        for answer in (money, trip, brake):
            assert answer.status_code == 422
            assert "characters in it that cannot be shown" in answer.text or "At most" in answer.text
    assert asked(shop) == 0


def test_bytes_that_are_no_text_are_not_guessed_at(shop: Stage) -> None:
    """Broken UTF-8 in a form stays as escapes or is refused at its field; in an address it finds nothing."""
    visitor = shop.visitor("finance")
    form = {**filled(visitor.get(ACCOUNT).text), "csrf_token": visitor.token()}
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in form.items()]
    broken = '--x\r\nContent-Disposition: form-data; name="reference"\r\n\r\n'
    body = "".join([*parts, broken]).encode() + b"\xff\xfe\r\n--x--\r\n"
    answer = visitor.client.post(ACCOUNT, data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 422 and "cannot be shown" in answer.text and asked(shop) == 0
    escaped = urlencode(form) + "&reference=%ff%fe"
    answer = visitor.client.post(ACCOUNT, data=escaped, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 303 and [each["reference"] for each in shop.requests("topup")] == ["%FF%FE"]
    assert visitor.get("/rooms?q=%ff%fe").status_code == 200
    assert visitor.get("/account/%ff%fe").status_code == 404


# --- one payment, whatever is clicked ---


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SameSite:
    return house_in(tmp_path / "edge", monkeypatch)


def test_two_clicks_at_once_are_one_payment(house: SameSite, tmp_path: Path) -> None:
    """Two posts of one form from two threads: one posting in the book, and both see the same receipt."""
    panel = panel_of(house, tmp_path / "panel")
    visitor = panel.visitor("finance")
    form = {"csrf_token": visitor.token(), **filled(visitor.get(ACCOUNT).text)}
    together, answers = threading.Barrier(2), []

    def click() -> None:
        client = panel.app.test_client()
        for cookie in visitor.client._cookies.values():
            client.set_cookie(cookie.key, cookie.value)
        together.wait()
        answers.append(client.post(ACCOUNT, data=form))

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pump(house, panel)
    assert [answer.status_code for answer in answers] == [303, 303]
    pages = {visitor.see(f"/answer/{form['transaction']}") for _ in answers}
    (entry,) = house.of("topup/1")
    assert len(pages) == 1 and entry.fields["receipt"] in pages.pop()


def test_reload_and_back_post_nothing_again(house: SameSite, tmp_path: Path) -> None:
    """The page after a payment reloads without a form; the back button and a second send give the first receipt; with
    another amount the form is refused in words, and a fresh one is there."""
    panel = panel_of(house, tmp_path / "panel")
    visitor = panel.visitor("finance")
    form = filled(visitor.get(ACCOUNT).text)
    after = visitor.post(ACCOUNT, ACCOUNT, **form).headers["Location"].replace("..", "")
    pump(house, panel)
    receipt = house.of("topup/1")[0].fields["receipt"]
    for _ in range(2):
        assert receipt in visitor.see(after)
    again = visitor.post(ACCOUNT, ACCOUNT, **form)
    pump(house, panel)
    assert again.status_code == 303 and receipt in visitor.see(after)
    other = visitor.post(ACCOUNT, ACCOUNT, **{**form, "amount": "300"})
    pump(house, panel)
    assert other.status_code == 409 and "already used for another top-up" in other.text
    assert form["transaction"] not in other.text.partition("<form")[2] and len(house.of("topup/1")) == 1


def test_two_panels_at_once_post_once(house: SameSite, tmp_path: Path) -> None:
    """A form sent through two panels, or again after the panel was restarted: one posting, the same receipt on both;
    with another amount the gateway itself refuses it in words."""
    panels = [panel_of(house, tmp_path / name) for name in ("one", "two")]
    visitors = [panel.visitor("finance") for panel in panels]
    form = filled(visitors[0].get(ACCOUNT).text)
    for visitor in visitors:
        assert visitor.post(ACCOUNT, ACCOUNT, **form).status_code == 303
    pump(house, *panels)
    receipt = house.of("topup/1")[0].fields["receipt"]
    for visitor in visitors:
        assert receipt in visitor.see(f"/answer/{form['transaction']}")
    third = panel_of(house, tmp_path / "three")
    clerk = third.visitor("finance")
    clerk.post(ACCOUNT, ACCOUNT, **{**form, "amount": "300"})
    pump(house, third)
    assert "transaction id was used for another request" in clerk.see(f"/answer/{form['transaction']}")
    assert len(house.of("topup/1")) == 1


# --- who sends it ---


def test_a_form_without_its_token_does_nothing(shop: Stage) -> None:
    """Another site's page posts to every form: refused in words, in the language of the person, nothing leaves."""
    visitor = shop.visitor("manager")
    people = len(shop.users.all())
    for path in FORMS:
        for token in ({}, {"csrf_token": ""}, {"csrf_token": "x" * 91}):
            answer = visitor.client.post(path, data={**filled(visitor.get(ACCOUNT).text), "do": "add", **token})
            assert answer.status_code == 400 and "This form is too old" in answer.text, path
    assert asked(shop) == 0 and len(shop.users.all()) == people
    assert visitor.get("/rooms").status_code == 200, "still signed in"


def test_a_session_that_ended_in_the_middle_of_a_form_loses_nothing(shop: Stage) -> None:
    """The clerk goes to lunch with a top-up half typed: nothing is posted, the page says so, and after signing in the
    amount and the rest stand in the form again."""
    visitor = shop.visitor("finance")
    form = filled(visitor.get(ACCOUNT).text, amount="123.45", reference="收据 7/8&9")
    token = visitor.token()
    shop.clock.advance(IDLE_S + 1)
    answer = visitor.client.post(ACCOUNT, data={**form, "csrf_token": token})
    assert answer.status_code == 303 and answer.headers["Location"].startswith("../sign-in?")
    page = visitor.see(answer.headers["Location"].replace("..", ""))
    assert "Your session has ended. Nothing was done" in page
    wanted = re.search(r'name="next" value="([^"]*)"', page)
    assert wanted and asked(shop) == 0
    name, password = "finance-1", "a good password of finance"
    back = visitor.post("/sign-in", form_on="/sign-in", name=name, password=password, next=wanted[1])
    page = visitor.see(f"/{back.headers['Location']}")
    assert 'value="123.45"' in page and 'value="cash" required checked' in page and 'value="收据 7/8&9"' in page
    assert visitor.post(ACCOUNT, ACCOUNT, **filled(page, amount="123.45")).status_code == 303
    assert [each["amount_fen"] for each in shop.requests("topup")] == [12345]


def test_a_trip_that_met_the_end_of_the_session_asks_again(shop: Stage) -> None:
    """A half typed trip is not sent after signing in: its dialog is open with the reason, and wants the room again."""
    visitor = shop.visitor("engineer")
    token = visitor.token()
    shop.clock.advance(IDLE_S + 1)
    form = {"do": "trip", "room": "A206", "why": "检修", "transaction": "t" * 12, "csrf_token": token}
    answer = visitor.client.post(METER, data=form)
    wanted = re.search(r'name="next" value="([^"]*)"', visitor.see(answer.headers["Location"].replace("..", "")))
    assert wanted and asked(shop) == 0
    password = "a good password of engineer"
    back = visitor.post("/sign-in", form_on="/sign-in", name="engineer-1", password=password, next=wanted[1])
    page = visitor.see(f"/{back.headers['Location']}")
    assert 'class="ask"' in page and 'value="检修"' in page and 'value="A206"' not in page and asked(shop) == 0


# --- markup ---


def pages(shop: Stage) -> list[str]:
    return ["/rooms", "/rooms-grid", ACCOUNT, "/account-now/100206", "/account-entries/100206", METER,
            f"{METER}?ask=trip", "/meter-now/a206", "/meter-chart/a206", PORTS, "/lines/now",
            "/lines/port/a1", "/lines/port-now/a1", "/people",
            "/demo/timeline", "/demo/now", "/pulse"]  # fmt: skip


def test_markup_stays_text_on_every_page(tmp_path: Path) -> None:
    """A meter's name, a room, a tenant, a phone, a reference, a reason: shown as typed, never obeyed; and every page
    forbids foreign scripts and frames."""
    stage = Stage(tmp_path, demo=Demo("100206"))
    one_shop(stage)
    payload = " ".join(MARKUP)
    everywhere(stage, payload)
    visitor = stage.visitor("manager")
    shown = 0
    for page in pages(stage):
        answer = visitor.get(page)
        assert answer.status_code == 200, page
        assert not any(text in answer.text for text in MARKUP if set(text) & set("<>&\"'")), page
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        assert not Obeyed(answer.text).found, page
        shown += unescape(answer.text).count(payload)
    assert shown > 10, "the text was never shown, so nothing was tested"


class Obeyed(HTMLParser):
    """What a browser would run or fetch on a page, beside the panel's own script."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            text = (value or "").strip().lower()
            leads = name in ("href", "src", "action", "formaction", "data", "xlink:href")
            if name.startswith("on") or (leads and ":" in text.partition("?")[0]):
                self.found.append(f"{tag} {name}={text}")
        if tag in ("iframe", "object", "embed", "img", "style") or (tag == "script" and "src" not in dict(attrs)):
            self.found.append(tag)


def everywhere(stage: Stage, text: str) -> None:
    """Put a text into every fact and entry that a page shows."""
    view = stage.mirror.view()
    for topic, fact in list(view.facts.items()):
        changed = infected(fact.message, text)
        stage.feed.take(Received(topic, changed.payload(), True))
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("charge/1", charge("100206", "a206") | {"tariff_name": text, "days": text}),
        ("topup/1", {"account": "100206", "amount_fen": 5, "method": text, "receipt": text, "reference": text,
                     "who": text, "balance_after_nano": 5}),
        ("hold/1", {"meter": "a206", "account": "100206", "hold": text, "set": True, "who": text, "why": text}),
        ("delivered/1", {"account": "100206", "channel": text}),
        ("cancelled/1", {"account": "100206", "why": text}),
        ("closing/1", {"account": "100206", "date": "2026-11-19", "deferred": [text], "charges": []}),
        ("alarm/1", {"meter": "a206", "alarm": text, "text": text}),
        ("quarantine/1", {"meter": "a206", "why": text}),
        ("meter/1", {"meter": "a206", "model_name": text, "address": text}),
        ("relay/1", {"meter": "a206", "observed": text, "why": text}),
    ]  # fmt: skip
    for kind, body in bodies:
        stage.entry(kind, body, amount_nano=5)


KEPT = {"id", "account", "meters", "tariff", "port", "room", "method", "state", "quality", "desired", "observed",
        "mode", "kind", "relay", "rate", "from_", "to", "hash", "epoch"}  # fmt: skip


def infected(message: Any, text: str) -> Any:
    """The same message with every free text replaced; ids, instants and words with a meaning stay."""
    changed = {}
    for name, value in message:
        if isinstance(value, list):
            changed[name] = [infected(each, text) if hasattr(each, "model_copy") else each for each in value]
        elif isinstance(value, str) and name not in KEPT and name.rsplit("_", 1)[-1] not in ("at", "since", "next"):
            changed[name] = text
    if "room" in type(message).model_fields:
        changed["room"] = text
    return message.model_copy(update=changed)


# --- too much, wrong methods, every address ---


def test_what_is_too_much_is_refused_before_it_is_read(shop: Stage) -> None:
    """A megabyte, a hundred megabytes, ten thousand fields: every form says how much it reads, and nothing was done."""
    visitor = shop.visitor("manager")
    token = visitor.token()
    kind = "application/x-www-form-urlencoded"
    for path in FORMS:
        big = visitor.client.post(path, data=b"amount=" + b"5" * 1_000_000, content_type=kind)
        told = visitor.client.post(
            path, data=b"a=1", content_type=kind, environ_overrides={"CONTENT_LENGTH": "100000000"}
        )
        for answer in (big, told):
            assert answer.status_code == 413 and "At most 64 kB are read. Nothing was done." in answer.text, path
    many = "&".join(f"f{number}=" for number in range(6000)) + f"&csrf_token={quote(token)}"
    for path in (ACCOUNT, METER, PORTS, "/people"):
        assert 400 <= visitor.client.post(path, data=many, content_type=kind).status_code < 500, path
    assert asked(shop) == 0


IDS = {"meter": "a206", "price/": "shop", "price-proposal": "p-7"}
"""What an address is about, where it is no account."""


def walk(stage: Stage) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, more) for every rule of the application with nasty values in its place and in each parameter."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for rule in stage.app.url_map.iter_rules():
        if rule.endpoint == "sign_in.sign_out":
            continue
        names = sorted(rule.arguments)
        for text in NASTY:
            path = rule.rule
            for name in names:
                path = re.sub(rf"<(path:)?{name}>", quote(text, safe="") or "x", path)
            found += [(method, path, {}) for method in ("GET", "POST")]
        real = rule.rule.replace("<transaction>", "t" * 12).replace("<path:filename>", "riser.css")
        real = real.replace("<id>", next((id for part, id in IDS.items() if part in rule.rule), "100206"))
        found += [(method, real, {}) for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "HEAD", "BREW")]
        keys = ("before", "day", "amount", "method", "reference", "answer", "ask", "do", "why", "q", "state", "lang",
                "next", "enter", "draft", "again", "gone", "for", "until", "how")  # fmt: skip
        for text in NASTY:
            found.append(("GET", f"{real}?{urlencode(dict.fromkeys(keys, text))}", {}))
        found.append(("GET", real, {"environ_overrides": {"QUERY_STRING": "%ff=%fe&&&=;&before=%00&q=%c3%28"}}))
        found.append(("GET", real, {"headers": {"Cookie": "riser-language=%ff\xff; session=x"}}))
        found.append(("GET", real, {"headers": {"X-Ingress-Path": "/../<script>", "X-Forwarded-For": "\xff, ::"}}))
    return found


def test_no_address_makes_the_panel_stumble(tmp_path: Path) -> None:
    """Every address of the panel with every nasty text in its place and parameters, by every method, in every
    language: never a fault of the panel (500), always with its headers; wrong methods are refused as such."""
    stage = Stage(tmp_path, demo=Demo("100206"))
    one_shop(stage)
    stage.entry("charge/1", charge("100206", "a206"), amount_nano=-5)
    visitor, faults = stage.visitor("manager"), []
    stage.app.config["PROPAGATE_EXCEPTIONS"] = False
    got_request_exception.connect(lambda *_, exception, **__: faults.append(exception), stage.app, weak=False)
    for method, path, more in walk(stage):
        answer = visitor.client.open(path, method=method, **more)
        assert answer.status_code < 500 and not faults, (method, path[:200], faults)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"], path[:200]
        if method in ("PUT", "DELETE", "PATCH", "BREW"):
            assert answer.status_code == 405, path
            assert "Nothing was done." in unescape(answer.text) or "什么都没有做" in answer.text, path
    assert asked(stage) == 0


def test_no_form_makes_the_panel_stumble(tmp_path: Path) -> None:
    """Every field of every form with every nasty text: refused in words or done once, never a fault of the panel."""
    stage = Stage(tmp_path)
    one_shop(stage)
    stage.say(Proposals.model_validate({"proposals": [proposed_price()]}))
    visitor, faults = stage.visitor("manager"), []
    stage.app.config["PROPAGATE_EXCEPTIONS"] = False
    got_request_exception.connect(lambda *_, exception, **__: faults.append(exception), stage.app, weak=False)
    good = {"transaction": "t" * 12, "amount": "5", "method": "cash", "reference": "", "do": "role", "room": "A206",
            "why": "x", "user": "77", "name": "n", "role": "finance", "back": "", "step": "send", "papers": "x",
            "to_account": "A206", "receipt": "r-1", "reason": "other"}  # fmt: skip
    token = visitor.token()
    each = {path: tuple(good) for path in (ACCOUNT, METER, PORTS, "/people", "/price/shop/new", "/price-proposal/p-7")}
    each |= {"/money/correct/100206": ("to_account", "amount", "why", "step"), "/proposal/p-1": ("why", "do")}
    each |= {"/money/reverse/100206": ("receipt", "transaction")}
    for path, fields in each.items():
        for field in fields:
            for number, text in enumerate(NASTY):
                form = {**good, "transaction": f"{field}-{number:08d}", field: text, "csrf_token": token}
                answer = visitor.client.post(path, data=form)
                assert answer.status_code < 500 and not faults, (path, field, text[:40], faults)
        for text in NASTY:  # Headers instead of a form.
            answer = visitor.client.post(path, data=text.encode(), content_type="application/json",
                                         headers={"X-CSRFToken": token})  # fmt: skip
            assert 400 <= answer.status_code < 500 and not faults, (path, text[:40])
    roles = {user.name: user.role for user in stage.users.all()}
    assert roles == {"manager-1": "manager"} and stage.requests("trip") == stage.requests("close") == []
    assert {each["amount_fen"] for each in stage.requests("topup")} <= {500}


HOSTS = ["", "a b", "[::1", "x" * 4000, "evil.example:99999", '"><script>', "a\tb", ":", "::",
         "evil/path", "evil.example\x00", "ü.example"]  # fmt: skip


def test_a_nonsense_host_reaches_nothing(shop: Stage) -> None:
    """The name under which somebody calls the panel is never believed: no fault, no address made of it."""
    visitor = shop.visitor("manager")
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.client._cookies.values())
    called = (("GET", "/rooms"), ("GET", "/"), ("POST", ACCOUNT), ("GET", "//evil.example/rooms"))
    for host, (method, path) in itertools.product(HOSTS, called):
        environ = EnvironBuilder(path=path, method=method).get_environ()
        environ |= {"HTTP_HOST": host, "HTTP_COOKIE": cookies, "PATH_INFO": path}
        body, status, headers = run_wsgi_app(shop.app, environ)
        assert int(status[:3]) < 500, (host, method, path)
        assert "evil" not in headers.get("Location", "").partition("?")[0] or path.startswith("//")
        assert b"evil.example" not in b"".join(body) or path.startswith("//")
    assert asked(shop) == 0


def test_unknown_rooms_and_accounts_are_told(shop: Stage) -> None:
    """An id that is not installed, by any form: 404 in words, and no request."""
    visitor: Visitor = shop.visitor("manager")
    token = visitor.token()
    for path in ("/account/nobody", "/account/100206%00", "/meter/none", "/meter/..%2fa206", "/account/１００２０６"):
        assert "There is nothing here" in visitor.get(path).text
        sent = {**filled(visitor.get(ACCOUNT).text), "do": "trip", "room": "A206", "why": "x", "csrf_token": token}
        assert visitor.client.post(path, data=sent).status_code == 404, path
    assert asked(shop) == 0
