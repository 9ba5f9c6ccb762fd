"""Prices from the form to the book: the panel's pages and a real gateway, from a typed figure to its being in force."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from panel_forms import mistakes, send, typed
from panel_stage import SECRET, Stage, Visitor
from test_panel_bad_input import SameSite, panel_of
from test_panel_prices import text_of

from bridge.contract.site import Site
from bridge.mqtt import Received
from tests.edge import building as edge_building

NEW = "/price/catering/new"

HEARD: WeakKeyDictionary[Stage, int] = WeakKeyDictionary()
"""How far each panel has listened."""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SameSite:
    """The demo's food stall, which pays 1.05 yuan/kWh, on a site that warns of a mark-up above 20 %."""
    monkeypatch.setitem(edge_building.KEYS, "panel", SECRET)
    made = SameSite(tmp_path / "edge", meters={"a206"}, poll_s=30, policy={"markup_limit_percent": 20})
    made.connect()
    made.run(seconds=40)
    return made


@pytest.fixture
def panel(house: SameSite, tmp_path: Path) -> Stage:
    stage = panel_of(house, tmp_path / "panel")
    object.__setattr__(stage.parts, "site", Site.model_validate(house.site.model_dump(by_alias=True)))
    return stage


def settle(house: SameSite, panel: Stage, seconds: float = 3) -> None:
    """The gateway works off what came and publishes, and the panel hears everything."""
    house.run(seconds=seconds)
    heard = HEARD.get(panel, 0)
    HEARD[panel] = len(house.broker.heard)
    for topic, payload, retained in house.broker.heard[heard:]:
        panel.feed.take(Received(topic, payload, retained))


def check(visitor: Visitor, house: SameSite, panel: Stage, **changes: Any) -> str:
    """Fill in the form and see the second step with the gateway's answer in it."""
    page = send(visitor, NEW, typed(visitor.get(NEW).text, **changes), "check").text
    assert not mistakes(page), mistakes(page)
    settle(house, panel)
    return send(visitor, NEW, typed(page), "check").text


def propose(visitor: Visitor, house: SameSite, panel: Stage, **changes: Any) -> str:
    """Propose a price; the page of prices after the gateway's answer."""
    page = check(visitor, house, panel, **changes)
    after = send(visitor, NEW, typed(page), "propose").headers["Location"].replace("../..", "")
    settle(house, panel)
    return visitor.see(after)


def decide(visitor: Visitor, house: SameSite, panel: Stage, id: str, do: str, why: str = "") -> str:
    path = f"/price-proposal/{id}"
    after = send(visitor, path, typed(visitor.get(path).text, why=why), do).headers["Location"].replace("..", "")
    settle(house, panel)
    return visitor.see(after)


def waiting(page: str) -> list[str]:
    return re.findall(r'class="btn[^"]*" href="price-proposal/(p-\d+)"', page)


def test_a_price_is_proposed_by_one_and_in_force_after_another_approved_it(house: SameSite, panel: Stage) -> None:
    """Typed by finance, tried on last month, proposed; it waits and nothing changes; the manager reads the difference
    and approves; from then on it is the price, with both names, also in the book."""
    clerk, manager = panel.visitor("finance"), panel.visitor("manager")
    page = propose(clerk, house, panel, price__total="1.10", bought__total="0.95", why="新合同")
    assert "Proposed as version 2. Nothing changes before another person has approved it." in page
    (id,) = waiting(page)
    assert "1.0500" in text_of(page) and house.of("tariff/2", tariff="catering", version=2) == []
    paper = manager.see(f"/price-proposal/{id}")
    assert "1.0500 yuan/kWh" in paper and "<b>1.1000 yuan/kWh</b>" in paper and "15 % above what is paid" in paper
    assert "why: 新合同" in paper and 'value="approve"' in paper
    page = decide(manager, house, panel, id, "approve")
    words = text_of(page)
    assert "Approved: version 2 counts from" in words and waiting(page) == []
    assert "proposed by finance-1 · approved by manager-1 Price 1.1000 yuan/kWh" in words
    assert "1 earlier version" in words
    (entry,) = house.of("tariff/2", tariff="catering", version=2)
    assert (entry.fields["by"], entry.fields["proposed_by"]) == ("manager-1", "finance-1")
    assert entry.fields["prices_micro"] == {"total": 1_100_000}


def test_a_price_for_a_later_moment_is_to_come(house: SameSite, panel: Stage) -> None:
    """Set for midnight of the first: told as to come, with the moment as the site's wall shows it."""
    page = propose(panel.visitor("finance"), house, panel, price__total="1.10", when="moment", date="2026-12-01")
    page = decide(panel.visitor("manager"), house, panel, waiting(page)[0], "approve")
    assert "To come version 2 counts from 12-01 00:00 on" in text_of(page) and "In force version 1" in text_of(page)
    (entry,) = house.of("tariff/2", tariff="catering", version=2)
    assert entry.fields["effective_at"] == "2026-11-30T16:00:00.000000+00:00"


def test_the_maker_takes_it_back_and_another_one_rejects(house: SameSite, panel: Stage) -> None:
    """Both with a reason that stands in the book; no price changes, and neither waits any more."""
    clerk, manager = panel.visitor("finance"), panel.visitor("manager")
    first = waiting(propose(clerk, house, panel, price__total="1.10"))[0]
    assert "It waits no longer" in decide(clerk, house, panel, first, "reject", "typed wrong")
    second = waiting(propose(clerk, house, panel, price__total="1.20"))[0]
    page = decide(manager, house, panel, second, "reject", "not before the spring")
    assert waiting(page) == [] and house.of("tariff/2", version=2) == []
    said = [(entry.fields["who"], entry.fields["why"]) for entry in house.of("decision/1")]
    assert said == [("finance-1", "typed wrong"), ("manager-1", "not before the spring")]
    again = manager.get(f"/price-proposal/{second}")
    assert again.status_code == 303 and again.headers["Location"] == f"../prices?gone={second}"


def test_what_this_building_cannot_be_billed_by_is_told_at_the_try(house: SameSite, panel: Stage) -> None:
    """R28 and R29: steps for a shop, a rate that its meter does not keep: the gateway's sentence, in Chinese, before
    anything is proposed, and the form is still whole."""
    clerk = panel.visitor("finance", language="zh")
    page = check(clerk, house, panel, period="month", above="180", more="0.05")
    assert "户号 100206 不是居民户，阶梯只用于居民" in page and "R29" in page
    back = typed(send(clerk, NEW, typed(page), "edit").text)
    assert (back["above"], back["more"], back["period"]) == ("180", "0.05", "month")
    hours = {"kind": "tou", "price__peak": "1.3", "price__deep": "0.2", "from": ["0", "8"], "rate": ["deep", "peak"]}
    page = check(clerk, house, panel, **hours)
    assert "有分费率寄存器，但没有 deep" in page and "R28" in page
    assert house.of("proposal/1") == []


def test_a_price_is_tried_on_bills(house: SameSite, panel: Stage) -> None:
    """Also the approver tries it before deciding: a month without a bill says so, and nothing is stored by it."""
    clerk, manager = panel.visitor("finance"), panel.visitor("manager")
    page = check(clerk, house, panel, price__total="1.10")
    assert "No charge of 2026-10 stands in the book. Choose another month." in page
    path = f"/price-proposal/{waiting(propose(clerk, house, panel, price__total='1.10'))[0]}"
    seq = house.edge.core.book.seq
    first = send(manager, path, typed(manager.get(path).text, month__tried="2026-11"), "try").text
    settle(house, panel, seconds=1)
    again = send(manager, path, typed(first), "try").text
    assert "The gateway is working it out." in first and "No charge of 2026-11 stands in the book" in again
    kinds = {entry.kind for entry in house.entries() if entry.seq > seq}
    assert not kinds & {"tariff/2", "proposal/1", "decision/1"}


def test_two_proposals_of_one_price_do_not_both_come_true(house: SameSite, panel: Stage) -> None:
    """R27: when one was approved the other is of a version that is taken: refused with its rule at the approval, and
    it goes on waiting until somebody rejects it."""
    clerk, manager = panel.visitor("finance"), panel.visitor("manager")
    propose(clerk, house, panel, price__total="1.10")
    first, second = waiting(propose(clerk, house, panel, price__total="1.20"))
    decide(manager, house, panel, first, "approve")
    page = decide(manager, house, panel, second, "approve")
    assert "Refused: a version of a price never changes (R27)." in page
    assert "version 2 of tariff catering is not the next one, which is 3" in page and waiting(page) == [second]


def test_a_refused_proposal_is_changed_and_sent_again(house: SameSite, panel: Stage) -> None:
    """Another version was set while somebody typed: refused by the gateway, the form comes back as it was sent, now on
    top of the new version, and goes through."""
    clerk = panel.visitor("finance")
    page = check(clerk, house, panel, price__total="1.30", why="mine")
    first = waiting(propose(clerk, house, panel, price__total="1.10"))[0]
    form = typed(page)
    house.request("approve-price", proposal=first, who="李伟")  # In the shell; this panel has not heard of it yet.
    after = send(clerk, NEW, form, "propose").headers["Location"].replace("../..", "")
    settle(house, panel)
    card = clerk.see(after)
    assert "is not the next one, which is 3" in card
    link = re.search(r'href="(price/catering/new\?again=[^"]+)"', card)
    assert link
    kept = typed(clerk.see("/" + link[1]))
    assert (kept["price-total"], kept["why"]) == ("1.30", "mine")
    page = send(clerk, NEW, kept, "check").text
    assert "version 2" in page and "<b>1.3000 yuan/kWh</b>" in page
    after = send(clerk, NEW, typed(page), "propose").headers["Location"].replace("../..", "")
    settle(house, panel)
    assert "Proposed as version 3" in clerk.see(after)


def test_what_nobody_decides_in_time_is_over(house: SameSite, panel: Stage) -> None:
    """A proposal ends by itself at its moment: the page no longer has it, and says so to whoever comes late."""
    clerk = panel.visitor("finance")
    soon = house.clock.now().astimezone(panel.parts.site.zone) + timedelta(minutes=10)
    page = propose(clerk, house, panel, price__total="1.10", when="moment", date=f"{soon:%Y-%m-%d}",
                   time=f"{soon:%H:%M}")  # fmt: skip
    (id,) = waiting(page)
    settle(house, panel, seconds=700)
    assert waiting(clerk.see("/prices")) == []
    assert f"Proposal {id} waits no longer" in clerk.see(f"/prices?gone={id}")
