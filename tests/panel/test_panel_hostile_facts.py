"""Broken and hostile facts from the broker and the archive: left out and counted, and every page goes on working."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from panel_facts import (
    charge,
    info,
    policy,
    port_statistics,
    proposed_price,
    protection,
    reading,
    relay,
    row,
    standing,
    tariff,
    tenant,
)
from panel_stage import Stage, one_shop

from bridge.contract.messages import Accounts, Meters, PanelStatus, Proposals, Response, Status
from bridge.mqtt import Received
from panel.parts import Demo

PAGES = ("/rooms", "/rooms-grid", "/account/100206", "/account-now/100206", "/account-entries/100206", "/meter/a206",
         "/meter-now/a206", "/meter-chart/a206", "/lines/ports", "/lines/now", "/lines/port/a1",
         "/lines/port-now/a1?by=slow", "/demo/timeline", "/demo/now", "/pulse", "/health",
         "/account-preview/100206?amount=200", "/prices", "/price/shop/new", "/policy", "/policy-now")  # fmt: skip

DAYS = [each.model_dump(by_alias=True) for each in policy().days[:2]]

TREE = {
    "status": Status(state="online"), "info": info(), "meter/a206": reading(), "meter/a206/relay": relay(),
    "account/100206": standing(protections=[protection()]), "policy": policy(days=DAYS),
    "tariff/shop": tariff(), "port/a1": port_statistics(),
    "meters": Meters(meters=[row("a206", "A206", "100206")]),
    "accounts": Accounts(accounts=[tenant("100206", "x", "A206", ["a206"])]),
    "proposals": Proposals.model_validate({"proposals": [proposed_price()]}),
}  # fmt: skip

SHOWN_ON = {
    "status": ("/rooms", "/health"), "info": ("/rooms-grid", "/lines/ports", "/lines/port/a1"),
    "port/a1": ("/lines/port/a1", "/lines/port/a1?by=slow"),
    "tariff/shop": ("/meter/a206", "/prices", "/price/shop/new"),
    "policy": ("/policy", "/policy-now"),
    "proposals": ("/prices", "/price-proposal/p-7"),
    "meter/a206": ("/rooms-grid", "/account/100206", "/meter/a206"),
}  # fmt: skip
"""Pages that show a topic's facts, where it is not all of the usual ones."""

WRONG: tuple[Any, ...] = (
    None, True, "", "x", "<script>alert(1)</script>", "yesterday", "2026-11-20T00:00:00", "99999-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "25:00", "..", "a/b", "a+b#", "\x00", "y" * 2000, -1, 0, 2**63, 10**400, 1.5, 1e308,
    float("nan"), float("inf"), -float("inf"), [], {}, [[]], [{}], {"a": {"a": {}}},
)  # fmt: skip

RAW = (b"", b" ", b"{", b"null", b"[]", b'"online"', b"\xff\xfe{}", b'{"state":', b"[" * 100_000, b'{"a":' * 50_000,
       b'{"state":"online","state":"offline"}', b"{}", b"x" * 1_000_000, b'{"state":1e400}')  # fmt: skip


@pytest.fixture
def demo(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, demo=Demo("100206"))
    one_shop(stage)
    stage.say(TREE["proposals"])
    stage.say(TREE["policy"])
    stage.entry("charge/1", charge("100206", "a206"), amount_nano=-51_826_116_000)
    return stage


def fields(message: dict[str, Any], path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every field of a message, also inside its lists and tables."""
    found = []
    for key, value in message.items() if isinstance(message, dict) else enumerate(message):
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += fields(value, (*path, key))  # type: ignore[arg-type]
    return found


def with_value(message: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(message))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


@pytest.mark.parametrize("topic", TREE)
def test_every_field_with_every_wrong_value_leaves_the_pages_working(demo: Stage, topic: str) -> None:
    """Each field of each fact gets each wrong value: a page shows the fact before or what can be shown, never a
    fault; and the next good fact is believed again."""
    visitor, good = demo.visitor("manager"), json.loads(TREE[topic].payload())
    at = f"{demo.topics.root}/{topic}"
    pages = SHOWN_ON.get(topic, ("/rooms-grid", "/account/100206", "/meter/a206", "/demo/timeline"))
    shown = demo.mirror.view().facts[at].message
    for path in fields(good):
        for value in WRONG:
            demo.feed.take(Received(at, json.dumps(with_value(good, path, value)).encode(), True))
            believed = demo.mirror.view().facts[at].message
            if believed == shown:
                continue  # It was left out; the pages show what they showed.
            shown = believed
            for page in pages:
                status = visitor.get(page).status_code
                assert status < 500, (page, path, repr(value)[:60])
        demo.feed.take(Received(at, TREE[topic].payload(), True))
    assert demo.mirror.unreadable > 0
    assert all(visitor.get(page).status_code == 200 for page in PAGES)


def test_rubbish_on_every_topic_is_survived(demo: Stage) -> None:
    """No JSON, half of it, a megabyte, a tower of brackets, on every topic that the panel hears."""
    events = ("meter/a206/event", "meter/a206/availability", "account/100206/event", "response/topup", "response/")
    odd = ("response/../x", "meter/..", "meter/../relay", "meter/a/b/c/d", "meter", "", "x")
    visitor = demo.visitor("manager")
    for raw in RAW:
        for topic in (*TREE, *events, *odd):
            demo.feed.take(Received(f"{demo.topics.root}/{topic}", raw, True))
        demo.feed.take(Received(demo.topics.of(PanelStatus), raw, True))
        for page in PAGES:
            assert visitor.get(page).status_code in (200, 404, 503), (page, raw[:40])
    one_shop(demo)
    assert all(visitor.get(page).status_code == 200 for page in PAGES)


def test_made_up_ids_do_not_fill_the_memory(demo: Stage) -> None:
    """Facts about ids that no site may have are left out, whatever they say."""
    before = len(demo.mirror.view().facts)
    for number in range(2000):
        for id in (f"A{number}", f"a_{number}", f"..{number}", "%2e%2e", "ü", "a" * 33):
            demo.feed.take(Received(f"{demo.topics.root}/meter/{id}", reading().payload(), True))
            demo.feed.take(Received(f"{demo.topics.root}/account/{id}/event", b'{"kind":"cut"}', False))
    assert len(demo.mirror.view().facts) == before and len(demo.mirror._events) == 0


def test_a_sender_that_is_always_wrong_fills_no_log(demo: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The same complaint about the same topic is written once; the count on the page goes on."""
    for _ in range(50):
        demo.feed.take(Received(f"{demo.topics.root}/meter/a206", b'{"quality":"good","read_at":"now"}', True))
    assert sum("meter/a206 does not fit" in each.getMessage() for each in caplog.records) == 1
    assert demo.mirror.unreadable == 50


BODIES: tuple[Any, ...] = (
    [], "x", None, 7, {}, {"start": 1}, {"lines": {}}, {"account": []}, {"meter": {}}, {"level": "deep"}, {"level": 99},
    {"date": "not-a-date"}, {"cut_at": "soon"}, {"start": {"at": "now", "registers_wh": []}}, {"amount_fen": "much"},
    {"deferred": "x"}, {"charges": [{}]}, {"who": {}}, {"why": 5}, {"hold": []}, {"episode": []}, {"wh": "x"},
    {"balance_after_nano": "x"}, {"threshold_nano": 1.5}, {"frames": [1]}, {"channel": {}}, {"observed": []},
    {"alarm": {}},
)  # fmt: skip

KINDS = ("topup/1", "charge/1", "opening-balance/1", "level/1", "final/1", "delivered/1", "cancelled/1", "trip/1",
         "closing/1", "relay/1", "hold/1", "withdrawn/1", "close/1", "alarm/1", "quarantine/1", "opening/1", "meter/1",
         "refusal/1", "nonsense/7")  # fmt: skip


def test_an_entry_that_does_not_fit_its_kind_is_told_and_shown_as_unreadable(demo: Stage) -> None:
    """The archive may hold an entry of another version or a forger's: its line says so, the others stand as ever."""
    visitor = demo.visitor("manager")
    for kind, body in itertools.product(KINDS, BODIES):
        base = charge("100206", "a206") if kind == "charge/1" else {}
        whole = {"account": "100206", "meter": "a206", **base, **body} if isinstance(body, dict) else body
        demo.entry(kind, {"account": "100206", "meter": "a206"}, id=f"panel:{demo.seq:012d}")
        with demo.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE entry SET body = ?, amount_nano = NULL WHERE seq = ?", (json.dumps(whole), demo.seq)
            )
        answer = visitor.get(f"/answer/{demo.seq - 1:012d}")
        assert answer.status_code in (200, 404), (kind, body)
        if demo.seq % 9 == 0:
            for page in ("/account/100206", "/meter/a206", "/demo/timeline"):
                assert visitor.get(page).status_code == 200, (page, kind, body)
    demo.entry("topup/1", {"account": "100206"})
    with demo.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entry SET body = '{' WHERE seq = ?", (demo.seq,))
    assert all(visitor.get(page).status_code == 200 for page in PAGES)
    assert "It cannot be read here; the gateway's book has it." in visitor.see("/account/100206")


def test_answers_of_the_wrong_kind_change_no_form(demo: Stage) -> None:
    """An answer with odd data, no rule or a book of text: the card is still a card, in words."""
    visitor = demo.visitor("finance")
    for number, data in enumerate(
        ({"balance_nano": "rich"}, {"receipt": []}, {"holds": 5}, {"balance_nano": 10**30}, {})
    ):
        transaction = f"t{number:011d}"
        visitor.post("/account/100206", amount="5", method="cash", transaction=transaction)
        answer = {
            "transaction": transaction,
            "key": "panel",
            "status": "done",
            "at": "2026-11-20T00:00:00Z",
            "data": data,
        }
        demo.feed.take(Received(demo.topics.of(Response, "topup"), json.dumps(answer).encode(), False))
        assert visitor.get(f"/answer/{transaction}").status_code == 200, data
        assert visitor.get(f"/account/100206?answer={transaction}").status_code == 200, data
