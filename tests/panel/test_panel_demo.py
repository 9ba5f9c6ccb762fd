"""The demo's timeline: seven steps from the book, what comes next, and a real top-up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from panel_facts import NOW, YUAN, at, standing
from panel_stage import Stage, one_shop

from bridge.contract.clock import ScaledClock
from panel.parts import Demo


@pytest.fixture
def demo(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, demo=Demo("100206", 50_000))
    one_shop(stage)
    return stage


def live_through(stage: Stage, upto: str, hours: float = 10) -> None:
    """The entries of the seven steps up to one of them."""
    entries: dict[str, tuple[str, dict[str, Any]]] = {
        "low1": (
            "level/1",
            {"account": "100206", "level": 1, "threshold_nano": 50 * YUAN, "available_nano": 49 * YUAN},
        ),
        "low2": (
            "level/1",
            {"account": "100206", "level": 2, "threshold_nano": 20 * YUAN, "available_nano": 19 * YUAN},
        ),
        "low3": ("level/1", {"account": "100206", "level": 3, "threshold_nano": 10 * YUAN, "available_nano": 9 * YUAN}),
        "final": ("final/1", {"account": "100206", "available_nano": 3 * YUAN, "cut_at": at(-29)}),
        "cut": ("relay/1", {"meter": "a206", "observed": "open"}),
        "topup": ("topup/1", {"account": "100206", "receipt": "R-7"}),
        "restored": ("relay/1", {"meter": "a206", "observed": "closed"}),
    }
    for number, (name, (kind, body)) in enumerate(entries.items()):
        moment = NOW - timedelta(hours=hours) + timedelta(minutes=10 * number)
        stage.entry(kind, body, at=moment, amount_nano=100 * YUAN if kind == "topup/1" else None)
        if name == upto:
            return


def rounds(stage: Stage) -> list[list[str]]:
    """The states of the seven steps, of each round that is shown."""
    page = stage.visitor("manager").see("/demo/timeline")
    return [re.findall(r'<li class="(\w+)">', card) for card in page.split('<ol class="tl steps">')[1:]]


def states(stage: Stage) -> list[str]:
    """The states of the only round that is shown."""
    (only,) = rounds(stage)
    return only


@pytest.mark.parametrize(
    ("upto", "done"),
    [("", 0), ("low1", 1), ("low2", 2), ("low3", 3), ("final", 4), ("cut", 5), ("topup", 6), ("restored", 7)],
)
def test_each_step_is_done_next_or_ahead(demo: Stage, upto: str, done: int) -> None:
    """Exactly one step is next; what stands in the book is done; nothing is done before it stands there."""
    if upto:
        live_through(demo, upto)
    assert states(demo) == (["done"] * done + ["next"] + ["ahead"] * 6)[:7]


def test_a_second_round_begins_anew_and_the_whole_one_stays(demo: Stage) -> None:
    """Who comes late still sees all seven steps with their times below the round that has only begun."""
    live_through(demo, "restored", hours=20)
    live_through(demo, "low2", hours=2)
    newest, before = rounds(demo)
    assert newest == ["done", "done", "next", "ahead", "ahead", "ahead", "ahead"]
    assert before == ["done"] * 7
    page = demo.visitor("manager").see("/demo/timeline")
    assert page.index("11-20 12:50") < page.index("The round before") < page.index("11-19 18:50")
    live_through(demo, "restored", hours=1)
    assert rounds(demo) == [["done"] * 7], "a whole round needs none below it"


def test_a_whole_round_says_what_begins_the_next(demo: Stage) -> None:
    """After the seventh step the page says at which balance the first warning comes again."""
    live_through(demo, "restored")
    demo.say(standing("on", 512.3), "100206")
    words = "The next round begins when the balance falls below 50.00 yuan; now 512.30."
    assert words in demo.visitor("manager").see("/demo/timeline")


def test_what_belongs_to_no_round_changes_none(demo: Stage) -> None:
    """A first look at the relay and a person's trip are no steps: nothing was cut for arrears, nothing returned."""
    demo.entry("relay/1", {"meter": "a206", "observed": "open", "why": "first look"})
    assert states(demo) == ["next"] + ["ahead"] * 6
    live_through(demo, "restored", hours=9)
    demo.entry("trip/1", {"meter": "a206", "account": "100206", "cause": "manual"})
    demo.entry("relay/1", {"meter": "a206", "observed": "open", "why": "as ordered"})
    demo.entry("relay/1", {"meter": "a206", "observed": "closed", "why": "as ordered"})
    page = demo.visitor("manager").see("/demo/timeline")
    assert states(demo) == ["done"] * 7 and "11-20 14:50" not in page
    live_through(demo, "low2", hours=0.4)
    demo.entry("trip/1", {"meter": "a206", "account": "100206", "cause": "manual"})
    demo.entry("relay/1", {"meter": "a206", "observed": "open", "why": "as ordered"})
    assert rounds(demo)[0] == ["done", "done", "next", "ahead", "ahead", "ahead", "ahead"]


def test_a_top_up_in_time_shows_the_cut_as_not_needed(demo: Stage) -> None:
    """Money before the cut: the cut is passed over and not waited for."""
    live_through(demo, "final")
    demo.entry("topup/1", {"account": "100206", "receipt": "R-8"}, amount_nano=100 * YUAN)
    assert states(demo) == ["done"] * 4 + ["passed", "done", "passed"]
    page = demo.visitor("manager").see("/demo/timeline")
    assert "not needed this time" in page and "supply was not interrupted" in page


def test_the_next_step_says_when(demo: Stage) -> None:
    """The coming cut stands with its calendar time and a countdown; a level with the balance it waits for."""
    live_through(demo, "final")
    page = demo.visitor("manager").see("/demo/timeline")
    assert "unless paid, at the earliest at" in page and "11-20 15:20" in page and "29:48" in page
    demo.say(standing("low1", 42.5), "100206")
    demo.entry("relay/1", {"meter": "a206", "observed": "open"})
    demo.entry("relay/1", {"meter": "a206", "observed": "closed"})
    demo.entry("level/1", {"account": "100206", "level": 1, "threshold_nano": 50 * YUAN, "available_nano": 49 * YUAN})
    page = demo.visitor("manager").see("/demo/timeline")
    assert "when the balance falls below 20.00 yuan; now 42.50" in page


def test_the_button_takes_the_demos_amount_as_the_counter_does(demo: Stage) -> None:
    """One click, one signed request of the amount that stands on the button, and the answer on the demo's page."""
    live_through(demo, "cut")
    visitor = demo.visitor("finance")
    page = visitor.get("/demo/timeline").text
    transaction = re.search(r'name="transaction" value="([^"]+)"', page)
    assert transaction and 'action="../account/100206"' in page
    assert "Top up 500 yuan" in page and "take 500 yuan with the button beside" in page
    amount = re.search(r'name="amount" value="([^"]+)"', page)
    assert amount
    form = {"transaction": transaction[1], "amount": amount[1], "method": "cash", "back": "demo"}
    for _ in range(2):
        answer = visitor.post("/account/100206", "/demo/timeline", **form)
        assert answer.headers["Location"] == f"../demo/timeline?answer={transaction[1]}"
    assert [each["amount_fen"] for each in demo.requests("topup")] == [50_000]
    assert "waiting for the gateway's answer" in visitor.see(f"/demo/timeline?answer={transaction[1]}")


def test_who_takes_no_money_has_no_button(demo: Stage) -> None:
    """The demo has no special rights: the role decides."""
    assert "Your role takes no money." in demo.visitor("operations").see("/demo/timeline")


def test_the_clock_tells_its_speed_and_real_time(tmp_path: Path) -> None:
    """A fast calendar is named as such, and the countdown is given in real time too."""
    import time

    began = time.monotonic()
    clock = ScaledClock(datetime(2026, 11, 20, 6, 50, 12, tzinfo=UTC), time.monotonic_ns(), 60.0)
    stage = Stage(tmp_path, clock, demo=Demo("100206"))
    one_shop(stage)
    live_through(stage, "final")
    page = stage.visitor("manager").see("/demo/timeline")
    took_s = time.monotonic() - began
    assert "60 × as fast" in page and "one real second is 1 min" in page
    left = re.search(r"about (\d+) s in real time", page)
    assert left and int(29 - took_s) <= int(left[1]) <= 30  # Whole seconds are shown.
    assert 'data-speed="60"' in page
    assert "really 10 min ago" in page, "the first warning was ten hours ago by the calendar"


def test_midnight_billing_is_summed_up(demo: Stage) -> None:
    """The newest closed days with their accounts, charges, kWh and what was deferred."""
    ids = [demo.entry("charge/1", {"account": f"a{n}", "meter": f"m{n}", "wh": 1500}) for n in range(3)]
    for n, seq in enumerate(ids):
        demo.entry("closing/1", {"account": f"a{n}", "date": "2026-11-19", "charges": [f"e:{seq}"], "deferred": []})
    demo.entry("closing/1", {"account": "a9", "date": "2026-11-19", "charges": [], "deferred": ["m9"]})
    page = demo.visitor("manager").see("/demo/timeline")
    line = page[page.index("2026-11-19") :]
    assert re.search(r'1 later</span></td><td class="n">4</td><td class="n">3</td><td class="n">4.50<', line)


def test_without_the_demo_there_is_no_such_page(shop: Stage) -> None:
    """A real site has neither the page nor the link."""
    visitor = shop.visitor("manager")
    assert visitor.get("/demo/timeline").status_code == 404 and visitor.get("/demo/now").status_code == 404
    assert "demo/timeline" not in visitor.see("/rooms")
