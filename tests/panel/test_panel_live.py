"""Live or not, in words; /health; the lines page; headers; addresses that work under any prefix."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from panel_facts import available, info
from panel_stage import Stage, one_shop

from bridge.contract.messages import Status

PANEL = Path(__file__).parents[2] / "panel"


def test_live_says_how_old_the_newest_message_is(shop: Stage) -> None:
    """While broker and gateway are there, the header says live and the real age."""
    shop.clock.advance(2)
    page = shop.visitor("finance").see("/pulse")
    assert "Live" in page and "2 s ago" in page and re.search(r'id="lost"[^>]* hidden', page)


def test_a_lost_connection_is_told_with_the_time_of_the_data(shop: Stage) -> None:
    """Broker gone: the bar says so and from when the figures are; when it is back, the bar goes by itself."""
    visitor = shop.visitor("finance")
    shop.clock.advance(60)
    shop.lose()
    page = visitor.see("/pulse")
    assert "Connection lost, reconnecting. What you see is from 11-20 14:50:12." in page
    assert not re.search(r'id="lost"[^>]* hidden', page)
    assert "味之源" in visitor.see("/rooms"), "the last known figures stay"
    shop.return_()
    shop.online()
    assert re.search(r'id="lost"[^>]* hidden', visitor.see("/pulse"))


def test_a_dead_gateway_is_told_apart_from_a_dead_broker(shop: Stage) -> None:
    """The gateway's last will shows as its own sentence."""
    shop.say(Status(state="offline"))
    assert "The gateway is off line." in shop.visitor("finance", language="en").see("/pulse")
    assert "网关离线" in shop.visitor("manager", language="zh").see("/pulse")


def test_before_anything_was_heard_nothing_is_pretended(stage: Stage) -> None:
    """An empty panel says it waits, on every page."""
    visitor = stage.visitor("manager")
    assert "Waiting for the gateway. Nothing has been heard yet." in visitor.see("/rooms")
    assert "No meters yet." in visitor.see("/rooms")
    assert "The gateway has not announced itself yet." in visitor.see("/lines/ports")


def test_health_needs_no_sign_in_and_tells_no_names(shop: Stage) -> None:
    """/health is 200 with the broker and 503 without, in JSON, for anybody."""
    answer = shop.app.test_client().get("/health")
    assert answer.status_code == 200
    assert answer.json == {"ready": True, "broker": True, "gateway": "online", "facts": 10, "seq": 4711}
    shop.lose()
    answer = shop.app.test_client().get("/health")
    assert answer.status_code == 503 and answer.json is not None and answer.json["ready"] is False
    shop.say(Status(state="offline"))
    assert shop.app.test_client().get("/health").json["gateway"] == "offline"  # type: ignore[index]


def test_the_panel_announces_itself_at_every_connect(shop: Stage) -> None:
    """Its own status is published retained, below the base, each time the broker lets it in."""
    shop.return_()
    ours = [each for each in shop.link.published if each[0] == "riser/panel/status"]
    assert ours == [("riser/panel/status", b'{"state":"online"}', True)] * 2


def test_the_panel_listens_to_facts_and_answers_only(stage: Stage) -> None:
    """It never subscribes to requests, its own or another's."""
    from panel.mirror import subscriptions

    listened = subscriptions(stage.topics)
    assert "riser/jx-a/response/+" in listened and "riser/jx-a/account/+" in listened
    assert not any("request" in topic or topic.endswith("#") for topic in listened)


def test_the_lines_page_tells_rounds_errors_and_silent_meters(shop: Stage) -> None:
    """Protocol, baud, meters, last round, asked, failed, error rate, and who does not answer since when."""
    shop.say(available("offline"), "a206")
    page = shop.visitor("operations").see("/lines/ports")
    for words in ("dlt645-2007", "9600", "2 / 2", "12.7 s", "12,000", "96", "0.80 %",
                  "no answer for 38 min", "<b>A206</b></a>"):  # fmt: skip
        assert words in page, words


def test_a_careful_mode_is_said_in_words(shop: Stage) -> None:
    """A gateway that does not cut says why."""
    shop.say(info(mode="recovery", mode_why="seq 10 of 4711"))
    assert "the book is older than what was published: no cuts" in shop.visitor("operations").see("/lines/ports")


def test_r4_the_brake_is_released_by_name_with_a_reason(shop: Stage) -> None:
    """Only a manager releases the brake, with a reason, in one request (R4)."""
    shop.online(brake="7 accounts would be cut at once")
    boss, clerk = shop.visitor("manager"), shop.visitor("finance")
    assert boss.post("/lines/ports", "/lines/ports", why=" ", transaction="b" * 12).status_code == 422
    assert clerk.post("/lines/ports", why="go", transaction="b" * 12).status_code == 403
    for _ in range(2):
        assert boss.post("/lines/ports", "/lines/ports", why="prices checked", transaction="b" * 12).status_code == 303
    assert [(each["who"], each["why"]) for each in shop.requests("brake")] == [("manager-1", "prices checked")]


def test_every_answer_carries_its_headers(shop: Stage) -> None:
    """A strict CSP without inline anything, no framing, no sniffing, no caching of pages, on errors as well."""
    visitor = shop.visitor("manager")
    for path in ("/rooms", "/account/100206", "/nowhere", "/health", "/sign-in", "/static/riser.css"):
        headers = visitor.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy and "form-action 'self'" in policy and "base-uri 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert visitor.get("/account/100206").headers["Cache-Control"] == "no-store"


def test_home_assistant_may_frame_the_panel_and_nobody_else(shop: Stage) -> None:
    """With an ingress path of Home Assistant the page may stand in a page of the same origin."""
    visitor = shop.visitor("manager")
    told = visitor.get("/rooms", headers={"X-Ingress-Path": "/api/hassio_ingress/abc"}).headers
    assert "frame-ancestors 'self'" in told["Content-Security-Policy"]
    told = visitor.get("/rooms", headers={"X-Ingress-Path": "//evil.example;x"}).headers
    assert "frame-ancestors 'none'" in told["Content-Security-Policy"]


def test_no_page_needs_what_the_policy_forbids(shop: Stage) -> None:
    """No inline script, style, handler or foreign address stands in any page."""
    visitor = shop.visitor("manager")
    for path in (
        "/rooms",
        "/account/100206",
        "/meter/a206?ask=trip",
        "/lines/ports",
        "/lines/port/a1",
        "/people",
        "/password",
    ):
        page = visitor.get(path).text
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|https?://|hx-on", page), path


def test_every_address_is_relative_and_leads_somewhere(shop: Stage) -> None:
    """Links, forms, fragments and files work under any prefix: each is relative, and followed from its page exists."""
    from urllib.parse import urljoin

    visitor = shop.visitor("manager")
    for path in ("/rooms", "/account/100206", "/meter/a206", "/lines/ports", "/lines/port/a1", "/people"):
        page = visitor.see(path)
        found = set(re.findall(r'(?:href|src|hx-get|action)="([^"#][^"]*)"', page))
        assert len(found) > 8
        for address in found:
            assert not address.startswith("/"), (path, address)
            target = urljoin("http://x/deep/prefix" + path, address)
            assert target.startswith("http://x/deep/prefix/"), (path, address)
            if "sign-out" not in address:
                answer = visitor.get(target.removeprefix("http://x/deep/prefix"))
                assert answer.status_code in (200, 303), (path, address, answer.status_code)


def test_fragments_lie_as_deep_as_their_pages(shop: Stage) -> None:
    """The addresses inside a fragment are the same as on the page that it refreshes."""
    visitor = shop.visitor("manager")
    for page, fragment in (
        ("/rooms", "/rooms-grid"), ("/account/100206", "/account-now/100206"),
        ("/account/100206", "/account-entries/100206"), ("/meter/a206", "/meter-now/a206"),
        ("/meter/a206", "/meter-chart/a206"), ("/lines/ports", "/lines/now"),
        ("/lines/port/a1", "/lines/port-now/a1"),
    ):  # fmt: skip
        whole = visitor.see(page)
        for address in re.findall(r'(?:href|hx-get)="([^"]+)"', visitor.see(fragment)):
            assert f'"{address}"' in whole, (fragment, address)


def test_vendored_files_are_what_they_say() -> None:
    """htmx is the very file that was published, with its licence beside it; the stylesheet stays small."""
    table = (PANEL / "static" / "VENDORED.md").read_text(encoding="utf-8")
    for name, checksum in re.findall(r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", table, re.M):
        assert hashlib.sha256((PANEL / "static" / name).read_bytes()).hexdigest() == checksum
    assert "htmx.min.js" in table and "Zero-Clause BSD" in (PANEL / "static" / "htmx.LICENSE.txt").read_text()
    assert (PANEL / "static" / "riser.css").stat().st_size < 30_000


def test_a_thousand_meters_are_refreshed_quickly(stage: Stage) -> None:
    """The grid of 1,000 meters is drawn within a second of the processor and then served from its bytes."""
    import time

    from panel_facts import reading, relay, row
    from panel_stage import install

    install(stage, [row(f"m{n}", f"{n}", floor=f"{n // 40}F") for n in range(1000)], [])
    for n in range(1000):
        stage.say(reading(), f"m{n}")
        stage.say(relay(), f"m{n}")
    visitor = stage.visitor("operations")
    began = time.thread_time()
    visitor.get("/rooms-grid")
    drawn = time.thread_time()
    visitor.get("/rooms-grid")
    assert drawn - began < 1.0
    assert time.thread_time() - drawn < 0.25 * (drawn - began) + 0.02


@pytest.mark.parametrize("path", ["/rooms", "/account/100206", "/meter/a206", "/lines/ports", "/lines/port/a1"])
def test_a_page_opens_while_the_archive_is_empty(stage: Stage, path: str) -> None:
    """A fresh archive is no error: pages say what is not there yet."""
    one_shop(stage)
    assert stage.visitor("manager").get(path).status_code == 200
