"""What every page owes to people who do not see it, hold no mouse or run no script, held on the markup itself."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from panel_facts import YUAN, at, charge, hold, policy, proposed_price, protection, relay, standing
from panel_stage import Stage

from bridge.contract.messages import Proposals
from bridge.contract.price_facts import ProposalRow
from panel.parts import Demo

VOID = {"meta", "link", "input", "hr", "br", "use", "path", "circle", "rect", "polyline", "polygon"}
PAGES = (
    "/rooms", "/accounts", "/accounts?list=all", "/takings", "/account/100206?amount=200", "/receipt/1", "/meter/a206",
    "/meter/a206?ask=trip", "/meter/a206?ask=close", "/lines/ports", "/lines/port/a1", "/lines/port/a1?by=slow",
    "/money/waiting", "/proposal/p-1", "/proposal/p-9", "/money/refund/100206", "/money/deduct/100206",
    "/money/correct/100206", "/money/reverse/100206", "/money/defer/100206", "/money/settle/100206", "/slip/4",
    "/right-reading/100206/a206", "/right-reading/100206/a206?entry=1",
    "/people", "/demo/timeline", "/password",
    "/policy", "/protection/keep-power/100206", "/protection/lift-dispute/100206", "/protection/told/100206",
    "/prices", "/price-new", "/price/shop/new", "/price-proposal/p-7", "/entry/2", "/entry/4", "/entry/99",
    "/statement/100206", "/nowhere",
)  # fmt: skip


REFUNDED = {
    "account": "100206", "amount_fen": 5, "method": "cash", "receipt": "r-4", "who": "王敏", "approved_by": "李强",
    "balance_after_nano": 1, "moves": [{"from": "account:100206", "to": "till:cash", "amount_nano": 5 * 10**7}],
}  # fmt: skip


class Bones(HTMLParser):
    """The elements of a page: (tag, attributes, its text, the tags above it)."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None], list[str], list[str]]] = []
        self._open: list[int] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), [], [self.found[at][0] for at in self._open]))
        if tag not in VOID:
            self._open.append(len(self.found) - 1)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            while self._open and self.found[self._open.pop()][0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        for number in self._open:
            self.found[number][2].append(data)

    def all(self, *tags: str) -> list[tuple[dict[str, str | None], str, list[str]]]:
        return [(attrs, "".join(text).strip(), above) for tag, attrs, text, above in self.found if tag in tags]


@pytest.fixture
def busy(tmp_path: Path) -> Stage:
    """A shop in a demo with a top-up, a charge, a cut and a hold."""
    from panel_stage import one_shop

    stage = Stage(tmp_path, demo=Demo("100206"))
    one_shop(stage)
    body = {"account": "100206", "amount_fen": 20_000, "method": "cash", "receipt": "r-1", "who": "王敏",
            "balance_after_nano": YUAN}  # fmt: skip
    stage.entry("topup/1", body, amount_nano=200 * YUAN)
    stage.entry("charge/1", charge("100206", "a206"), amount_nano=-51_826_116_000)
    stage.entry("trip/1", {"account": "100206", "meter": "a206", "cause": "arrears", "available_nano": -1})
    stage.entry("refund/1", REFUNDED)
    proposal = {"account": "100206", "amount_fen": 5, "method": "cash", "reference": "1", "why": "x"}
    words = {"what": "refund", "who": "王敏", "role": "finance", "at": at(), "until": at(-60)}
    waiting = [ProposalRow(id="p-1", body=proposal, **words), ProposalRow.model_validate(proposed_price())]
    stage.say(Proposals(proposals=waiting))
    stage.say(policy())
    stage.say(
        standing("final", 3.0, final_warning_at=at(2), needs_telling=True, protections=[protection("dispute")]),
        "100206",
    )
    stage.say(relay("open", holds=[hold("lockout", "x")]), "a206")
    stage.online(brake="5 meters were cut within an hour; a named person must release the brake")
    return stage


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_can_be_heard_and_reached(busy: Stage, language: str) -> None:
    """Language, title and one heading; each field has a label, each link and button a name, each column a header."""
    visitor = busy.visitor("manager", language=language)
    for path in PAGES:
        bones = Bones(visitor.get(path).text)
        assert bones.all("html")[0][0]["lang"] == {"zh": "zh-CN", "en": "en"}[language], path
        title = next(text for _, text, above in bones.all("title") if "head" in above)
        assert title.replace("· Riser", "").strip(), path
        assert len(bones.all("h1")) == 1 and bones.all("h1")[0][1], path
        assert len(bones.all("main")) == 1, path
        labelled = {attrs.get("for") for attrs, text, _ in bones.all("label") if text}
        for attrs, _, above in bones.all("input", "select"):
            if attrs.get("type") != "hidden":
                named = "label" in above or attrs.get("id") in labelled or attrs.get("aria-label")
                assert named, (path, attrs)
        for attrs, text, _ in bones.all("a", "button", "summary"):
            assert text or attrs.get("aria-label"), (path, attrs)
        for attrs, text, _ in bones.all("th"):
            assert text, (path, attrs)
        for attrs, _, _ in bones.all("svg"):
            assert attrs.get("aria-hidden") == "true" or attrs.get("aria-label"), (path, attrs)
        ids = [attrs["id"] for _, attrs, _, _ in bones.found if "id" in attrs]
        assert sorted(set(ids)) == sorted(ids), (path, "an id stands twice")


def test_lists_of_terms_hold_nothing_else(busy: Stage) -> None:
    """A list of terms holds terms and what they are, so that a reader's voice counts it right."""
    visitor = busy.visitor("manager")
    for path in PAGES:
        for tag, attrs, _, above in Bones(visitor.get(path).text).found:
            if above and above[-1] == "dl":
                assert tag in ("dt", "dd", "div"), (path, tag, attrs)
            if len(above) > 1 and above[-2:] == ["dl", "div"]:
                assert tag in ("dt", "dd"), (path, tag, attrs)


def test_changing_the_language_keeps_the_question(busy: Stage) -> None:
    """A search, a filter, an opened dialog or a page that was wanted is still there in the other language."""
    visitor = busy.visitor("manager")
    for path, words in (
        ("/rooms?state=low&q=A2", "?state=low&amp;q=A2&amp;lang=zh"),
        ("/meter/a206?ask=trip", "?ask=trip&amp;lang=zh"),
        ("/meter/a206?ask=trip&lang=en", "?ask=trip&amp;lang=zh"),
    ):
        assert f'href="{words}"' in visitor.get(path).text, path
    stranger = busy.visitor()
    assert 'href="?next=rooms&amp;lang=zh"' in stranger.get("/sign-in?next=rooms").text


def test_who_was_signed_out_is_told_that_nothing_was_done(busy: Stage) -> None:
    """A form from an ended session is not silently lost, and it is said in the language of the person."""
    visitor = busy.visitor("finance")
    token = visitor.token("/account/100206")
    visitor.post("/sign-out")
    answer = visitor.client.post("/account/100206", data={"csrf_token": token, "amount": "200", "method": "cash"})
    assert answer.status_code == 400 and "You are signed out" in answer.text and "Nothing was done" in answer.text
    assert 'href="../sign-in"' in answer.text
    busy.visitor("manager")
    keeps = busy.visitor("engineer")
    form = {"csrf_token": keeps.token(), "do": "read", "transaction": "t" * 12}
    user = busy.users.named("engineer-1")
    assert user is not None
    busy.users.set_role(user.id, "operations")  # Ends the session; the browser's cookie is still there.
    sent = keeps.client.post("/meter/a206", data=form)
    assert sent.status_code == 303 and "ended=1" in sent.headers["Location"]
    assert "Your session has ended. Nothing was done" in keeps.see("/sign-in?ended=1")
    assert busy.requests("topup") == [] and busy.requests("read") == []


def test_a_mistake_of_the_panel_is_told_in_words(busy: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the panel itself fails, the page says so and what to look at before anything is sent again."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the archive fell over")

    visitor = busy.visitor("finance", language="zh")
    monkeypatch.setattr(busy.parts.history.__class__, "of_account", broken)
    answer = visitor.get("/account/100206")
    assert answer.status_code == 500 and "面板出错了" in answer.text and "fell over" not in answer.text


def test_what_is_not_known_is_not_zero(stage: Stage) -> None:
    """Before the gateway has spoken the sums are dashes: 0.00 kW would be a claim."""
    page = stage.visitor("manager").see("/rooms")
    totals = page[page.index('<dl class="totals">') : page.index("</dl>")]
    assert totals.count("<dd>— <small>") == 4 and "0.00 <small>kW" not in totals


def test_a_silent_meter_stands_on_top_of_its_wire(busy: Stage) -> None:
    """In the shaft: who does not answer, on which wire, since when, at which address; the oldest reading first."""
    from panel_facts import available, reading, row
    from panel_stage import install

    install(busy, [row("a206", "A206"), row("a101", "A101"), row("a102", "A102"), row("a103", "A103")], [])
    busy.say(reading(0.1), "a101")
    busy.say(reading(9), "a102")
    busy.say(available("offline", 38, why="silent in 4 rounds"), "a103")
    page = busy.visitor("engineer").see("/lines/ports")
    assert "no answer for 38 min" in page and "since 11-20 14:12 · address 202603100103 · silent in 4 rounds" in page
    table = page[page.index('<details class="card" id="p-a1"') :]
    assert [table.index(f"<b>{room}</b>") for room in ("A103", "A102", "A101")] == sorted(
        table.index(f"<b>{room}</b>") for room in ("A103", "A102", "A101")
    )
