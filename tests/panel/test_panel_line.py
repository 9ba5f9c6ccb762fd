"""The page of a line, for an electrician with a phone in the shaft: what is wrong, with whom, and what to try."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from panel_facts import NOW, at, available, info, on_port, port_statistics, row
from panel_stage import Stage, install

from bridge.contract import clock as clock_module
from bridge.contract.clock import ScaledClock
from bridge.contract.messages import Info, PortStatistics
from edge.explain.__main__ import main as decode
from panel.line_figures import shares_of
from panel.mirror import subscriptions

PAGE, PART = "/lines/port/a1", "/lines/port-now/a1"

SILENT = on_port("a101", asked=60, failed=60, errors={"silent": 60}, lost_s=33.0, turnaround_s=None, slowest_s=None,
                 last={"at": at(0.5), "question": "fefefefe68", "error": "silent"})  # fmt: skip
NOISY = on_port("a102", asked=400, failed=40, errors={"noise": 38, "unfinished": 2}, turnaround_s=0.2, slowest_s=0.48,
                last={"at": at(1), "question": "fefefefe68", "heard": "00ff6855", "error": "noise"})  # fmt: skip
SLOW = on_port("a103", turnaround_s=0.31, slowest_s=0.5)
GOOD = on_port("a206")


def shaft(stage: Stage, *rows: dict[str, Any], **figures: Any) -> Stage:
    """Four meters on line a1 and what the gateway says of the line."""
    install(stage, [row("a101", "A101"), row("a102", "A102"), row("a103", "A103"), row("a206", "A206")], [])
    stage.online()
    stage.say(port_statistics(*(rows or (GOOD, SLOW, NOISY, SILENT)), **figures), "a1")
    return stage


def rooms(page: str) -> list[str]:
    """The rooms in the order of the list."""
    return re.findall(r'<summary class="mline"[^>]*><b>([^<]*)</b>', page)


def test_the_lines_page_leads_to_each_line(shop: Stage) -> None:
    """From Lines one touch leads to the line, and its meters lead on to theirs."""
    page = shop.visitor("engineer").see("/lines/ports")
    assert page.count('href="../lines/port/a1"') == 2
    assert 'href="../../meter/a206"' in shop.visitor("engineer").see(PAGE)


@pytest.mark.parametrize("role", ["finance", "engineer", "operations", "manager"])
def test_whoever_sees_lines_sees_the_line(shop: Stage, role: str) -> None:
    """Every role may look; nobody who is not signed in."""
    assert shop.visitor(role).get(PAGE).status_code == 200
    for path in (PAGE, PART):
        assert shop.visitor().get(path).status_code in (303, 401)


def test_the_panel_listens_to_every_line(stage: Stage) -> None:
    """The figures are asked for at the broker, of all lines of the gateway."""
    assert "riser/jx-a/port/+" in subscriptions(stage.topics)


def test_how_busy_a_line_is_stands_in_words_and_figures(stage: Stage) -> None:
    """Utilisation, what fails, how fast answers begin; the bar says its shares to those who do not see it."""
    page = shaft(stage).visitor("engineer").see(PAGE)
    assert "over the last 14 min · 6 s ago" in page
    for label, figure in (("Utilisation", "93"), ("Failed", "0.8"), ("Answers begin after", "41")):
        assert re.search(rf"<dt>{label}</dt><dd[^>]*>{figure} <small>", page), label
    assert "bytes on the wire 45 %, waiting for answers 43 %, waiting in vain 5 %, free 7 %" in page
    assert "slowest 212 ms" in page and "questions repeated: 90." in page
    chinese = stage.visitor("manager", language="zh").see(PAGE)
    assert "传输字节 45 %、等待应答 43 %、白等 5 %、空闲 7 %" in chinese and "占用率" in chinese


def test_what_goes_wrong_says_whose_it_is_and_what_to_try(stage: Stage) -> None:
    """Each kind in words, with its meter and what to look at; what only happened long ago keeps quiet."""
    errors = {"silent": 60, "noise": 38, "unfinished": 2}
    page = shaft(stage, errors=errors, errors_total=errors | {"babble": 3}).visitor("engineer").see(PAGE)
    wrongs = page[page.index('<ul class="wrongs">') : page.index("Meters of this line")].split("<li>")[1:]
    silent, noise, unfinished, babble = wrongs
    assert 'class="neg"' in silent and "no answer" in silent and "only A101" in silent and "60 ×" in silent
    assert "supply, the screws of A and B, and its address" in silent
    assert 'class="neg"' in noise and "damaged answer" in noise and "only A102" in noise and "120 ohm" in noise
    assert "answer broke off" in unfinished and "2 ×" in unfinished
    assert 'class="neg"' not in unfinished and "look for" not in unfinished, "two of four hundred are an accident"
    assert "0 ×, since the start 3 ×" in babble and "Unplug" not in babble and 'class="neg"' not in babble


def test_an_error_of_many_meters_is_the_lines(stage: Stage) -> None:
    """Where several meters' answers come damaged nobody is sent to one of them."""
    noise = [on_port(f"a{n}", failed=n, errors={"noise": 30 + n}) for n in (101, 102, 206)]
    page = shaft(stage, *noise, errors={"noise": 499}).visitor("engineer").see(PAGE)
    assert "3 meters, most often A206: look at the line itself" in page
    most = [on_port("a101", failed=5, errors={"noise": 95}), on_port("a102", failed=5, errors={"noise": 5})]
    stage.say(port_statistics(*most, errors={"noise": 100}), "a1")
    assert "nearly all of them A101" in stage.visitor("engineer").see(PAGE)


def test_a_good_line_says_so(stage: Stage) -> None:
    """No error since the start: one quiet sentence."""
    page = shaft(stage, GOOD, errors={}, errors_total={}).visitor("engineer").see(PAGE)
    assert "Nothing since the start: every question got its answer." in page and "no error" in page


def test_the_worst_stand_on_top_or_the_slowest(stage: Stage) -> None:
    """Who fails most comes first; one touch brings the slowest first, and a refresh keeps that order."""
    visitor = shaft(stage).visitor("engineer")
    assert rooms(visitor.see(PAGE)) == ["A101", "A102", "A103", "A206"]
    slow = visitor.see(f"{PAGE}?by=slow")
    assert rooms(slow) == ["A103", "A102", "A206", "A101"], "who never answered has no speed"
    assert 'hx-get="../../lines/port-now/a1?by=slow"' in slow and rooms(visitor.see(f"{PART}?by=slow"))[0] == "A103"
    assert '<a class="btn" id="by-slow" href="../../lines/port/a1?by=slow" aria-current="true">' in slow
    assert rooms(visitor.see(f"{PAGE}?by=<script>")) == ["A101", "A102", "A103", "A206"]
    stage.say(available("offline", 38), "a206")
    page = visitor.see(PAGE)
    assert rooms(page)[0] == "A206" and "no answer for 38 min" in page


def test_a_meter_shows_its_last_bytes_and_how_to_read_them(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Question and answer in pairs of digits, their age, and a command that explains the answer when it is typed."""
    page = shaft(stage).visitor("engineer").see(PAGE)
    meter = page[page.index('id="m-a206"') :].partition("</details>")[0]
    assert "Last exchange" in meter and "12 s ago · 14:50:00" in meter
    assert '<p class="hex">fe fe fe fe 68 06 02 11' in meter and '<p class="hex v">68 06 02 11' in meter
    command = re.search(r'<p class="hex all">\./riser decode ([0-9a-f]+)</p>', meter)
    assert command is not None
    decode([command[1]])
    assert "202603110206" in capsys.readouterr().out
    noisy = page[page.index('id="m-a102"') :].partition("</details>")[0]
    assert "heard instead of an answer" in noisy and "00 ff 68 55" in noisy and "./riser decode 00ff6855" in noisy
    silent = page[page.index('id="m-a101"') :].partition("</details>")[0]
    assert "nothing was heard" in silent and "./riser decode fefefefe68" in silent and "60 of 60" in silent


def test_what_is_not_shown_is_said(stage: Stage) -> None:
    """A frame that is cut says how long it was; what may hold a password is not shown and says so."""
    cut = on_port("a101", last={"at": at(1), "question": "fe", "answer": "0102", "whole_bytes": 165})
    hidden = on_port("a102", last={"at": at(1), "question": "fe68", "error": "noise"})
    bare = on_port("a103", last=None)
    page = shaft(stage, cut, hidden, bare).visitor("engineer").see(PAGE)
    assert "Only the beginning: it had 165 bytes." in page
    assert "what was heard is not shown: the question held a password" in page
    assert "Last exchange" not in page[page.index('id="m-a103"') :].partition("</details>")[0]


def test_before_anything_is_known_the_page_says_what_is_missing(stage: Stage) -> None:
    """No gateway yet, no figures yet, nothing asked yet, no meter; an unknown line is not there."""
    visitor = stage.visitor("engineer")
    assert "The gateway has not announced itself yet." in visitor.see(PAGE)
    stage.online()
    assert "No figures of this line yet." in visitor.see(PAGE)
    stage.say(port_statistics(asked=0, asked_total=0, failed_percent=None, meters=[]), "a1")
    assert "Nothing was asked on this line yet." in visitor.see(PAGE)
    stage.say(port_statistics(asked=0, window_s=0.0, busy_percent=None, failed_percent=None, meters=[]), "a1")
    page = visitor.see(PAGE)
    assert "No meter is installed on this line." in page and "—" in page and '<svg class="use"' not in page
    assert visitor.get("/lines/port/b9").status_code == 404 and visitor.get("/lines/port-now/b9").status_code == 404
    stage.clear(PortStatistics, "a1")
    assert "No figures of this line yet." in visitor.see(PAGE), "a line that was taken out leaves nothing behind"


def test_old_figures_are_not_taken_for_new_ones(stage: Stage) -> None:
    """Gateway off line or broker lost: the figures stay, with the time they are of."""
    visitor = shaft(stage).visitor("engineer")
    assert "Not live" not in visitor.see(PART)
    stage.lose()
    assert "Not live: these are the figures of 11-20 14:50:06." in visitor.see(PART)
    assert "Connection lost" in visitor.see(PAGE)


def test_a_closed_port_says_why(stage: Stage) -> None:
    """The adapter was pulled: said above everything else, in the reader's language."""
    ports = info().ports
    closed = ports[0].model_copy(update={"state": "closed", "why": "the adapter was pulled, or has failed"})
    shaft(stage).say(Info.model_validate(info().model_dump() | {"ports": [closed.model_dump()]}))
    stage.say(port_statistics(on_port("a206", errors={"closed": 5}), errors={"closed": 5}), "a1")
    page = stage.visitor("engineer").see(PAGE)
    assert "look at its plug and its cable" in page and "only A206" not in page, "no meter can help it"
    assert page.index("The port is closed: nobody on this line is heard") < page.index("How busy the line is")
    chinese = stage.visitor("manager", language="zh").see(PAGE)
    assert "端口已关闭" in chinese and "the adapter" not in chinese


def test_a_chinese_page_of_a_line_has_no_english_left(stage: Stage) -> None:
    """Every kind of error and every sentence of the page in Chinese; ids, units and commands are as they are."""
    kinds = ("silent", "noise", "babble", "unfinished", "refused", "closed", "late", "withdrawn")
    every = dict.fromkeys(kinds, 9)
    meter = on_port("a206", errors=every, last={"at": at(1), "question": "68", "heard": "01", "whole_bytes": 99})
    shaft(stage, meter, SILENT, errors=every, errors_total=every)
    page = stage.visitor("manager", language="zh").see(PAGE)
    page = page[page.index("<main") :].replace("./riser decode", "")
    shown = re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", page, flags=re.S))
    shown = re.sub(r"\b[0-9a-f]{2,}\b", " ", shown)
    assert set(re.findall(r"[A-Za-z]{2,}", shown)) <= {"dlt645", "dlt", "dev", "ttyUSB0", "ttyUSB", "fe"}


def test_odd_facts_make_no_odd_page(stage: Stage) -> None:
    """Markup in a frame or a room stays text; figures that contradict each other make no bar wider than the page."""
    evil = "<script>alert(1)</script>"
    install(stage, [row("a101", "A101", None).model_copy(update={"room": evil})], [])
    stage.online()
    odd = on_port(
        "a101", failed=-5, asked=-1, errors={"noise": -3}, last={"at": at(1), "question": evil, "heard": evil}
    )
    stage.say(port_statistics(odd, wire_s=-5.0, busy_s=1e12, lost_s=1e12, window_s=1.0, lost_s_total=-1.0), "a1")
    raw = stage.visitor("engineer").get(PAGE).text
    assert evil not in raw and "<s cr ip t>" not in raw and "&lt;script&gt;" in raw
    for wire_s, busy_s, lost_s in ((-5.0, 1e12, 1e12), (1e12, -1.0, 3.0), (0.2, 0.5, 0.9), (0.0, 0.0, 0.0)):
        shares = shares_of(port_statistics(wire_s=wire_s, busy_s=busy_s, lost_s=lost_s, window_s=1.0))
        assert sum(each.width for each in shares) == pytest.approx(100) and all(each.width >= 0 for each in shares)
        assert all(a.start + a.width == pytest.approx(b.start) for a, b in itertools.pairwise(shares))


def test_a_page_without_script_has_everything(stage: Stage) -> None:
    """Each meter opens by itself (details), is reached by Tab, and keeps its name over a refresh; order is a link."""
    page = shaft(stage).visitor("engineer").get(PAGE).text
    assert page.count("<details") - page.count('class="menu"') == 4
    assert re.findall(r'<summary class="mline" id="(s-[a-z0-9]+)"', page) == ["s-a101", "s-a102", "s-a103", "s-a206"]
    assert "onclick" not in page and " style=" not in page


LINES = "/lines/ports"


def state_of(page: str) -> str:
    """The state's cell of line a1 on the page of all lines, without its marks."""
    cell = page[page.index("<b>a1</b></a>") :].partition("</td><td>")[2].partition("</td>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", cell)).strip()


@pytest.mark.parametrize(
    ("rows", "tone", "english", "chinese"),
    [
        ([GOOD], "pos", "good", "良好"),
        ([on_port("a206", asked=10)], "mute", "open, too little asked to judge", "打开，询问太少，还不能判断"),
        ([on_port("a206", failed=113, errors={"noise": 113})], "neg",
         "bad: 26.9 % fail (damaged answer), nearly all with A206", "不良：26.9 % 失败（应答损坏），几乎都是 A206"),
        ([on_port(f"a{n}", failed=60, errors={"silent": 60}) for n in (101, 102, 103)], "neg",
         "bad: 14.3 % fail (no answer) with several meters", "不良：14.3 % 失败（没有应答），涉及多块表"),
        ([NOISY, *[on_port(f"a{n}", asked=900) for n in (101, 103, 206)]], "neg",
         "A102 fails in 10.0 % (damaged answer)", "A102 失败 10.0 %（应答损坏）"),
    ],
)  # fmt: skip
def test_a_lines_state_is_judged_in_words(
    stage: Stage, rows: list[dict[str, Any]], tone: str, english: str, chinese: str
) -> None:
    """No green tick for a bad line: share, kind and whose it is in words, by doctor's limits, in both languages."""
    shaft(stage, *rows)
    page = stage.visitor("engineer").see(LINES)
    assert state_of(page) == english and f'<span class="{tone}">' in page
    assert f"The line: {english}" in stage.visitor("engineer").see(PAGE)
    assert state_of(stage.visitor("manager", language="zh").see(LINES)) == chinese


def test_a_line_is_not_good_while_one_of_its_meters_is_off_line(stage: Stage) -> None:
    """One off line is said, also where all others answer; when nobody is heard, that is the word."""
    shaft(stage, GOOD, SLOW)
    stage.say(available("offline", 38), "a101")
    assert state_of(stage.visitor("engineer").see(LINES)) == "1 meter is off line"
    stage.say(port_statistics(*[on_port(f"a{n}", failed=60, errors={"noise": 60}) for n in (102, 103, 206)]), "a1")
    bad = "bad: 14.3 % fail (damaged answer) with several meters; 1 meter is off line"
    assert state_of(stage.visitor("engineer").see(LINES)) == bad
    stage.say(port_statistics(GOOD, SLOW), "a1")
    stage.say(available("offline", 38), "a102")
    assert state_of(stage.visitor("engineer").see(LINES)) == "2 meters are off line"
    for id in ("a103", "a206"):
        stage.say(available("offline", 38), id)
    assert state_of(stage.visitor("engineer").see(LINES)) == "no meter is heard"


def test_a_pulled_adapter_says_since_when_and_of_when_its_figures_are(stage: Stage) -> None:
    """A quarter of an hour after it was pulled nothing of the line is shown as if it were of now."""
    gone = info().ports[0].model_dump() | {"state": "closed", "why": "the adapter was pulled, or has failed",
                                           "closed_since": at(15), "round_at": at(15.2)}  # fmt: skip
    shaft(stage, at=at(15)).say(Info.model_validate(info().model_dump() | {"ports": [gone]}))
    page = stage.visitor("engineer").see(PAGE)
    assert "closed since 11-20 14:35:12, for 15 min; the figures below are of then" in page
    assert "the 14 min before 11-20 14:35:12" in page and "over the last" not in page
    page = stage.visitor("engineer").see(LINES)
    assert "since 11-20 14:35, 15 min ago" in page and "as of 14:35" in page
    chinese = stage.visitor("manager", language="zh").see(PAGE)
    assert "11-20 14:35:12 起关闭，已 15 分钟；以下数据截至当时" in chinese


def test_in_the_demo_all_spans_of_a_line_are_real_ones(
    tmp_path: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calendar runs 60 times as fast; window, waiting and ages count the same seconds, and the page says so."""
    held_ns = time.monotonic_ns()  # The clock stands still, however long a busy machine takes for the pages.
    monkeypatch.setattr(
        clock_module, "time", SimpleNamespace(monotonic_ns=lambda: held_ns, monotonic=lambda: held_ns / 1e9)
    )
    real, clock = stage, ScaledClock(NOW, held_ns, 60.0)
    stage = shaft(Stage(tmp_path, clock), at=at(10))
    stage.say(available("offline", 38), "a101")
    page = stage.visitor("engineer").see(PAGE)
    assert re.search(r"over the last 14 min · 1\d s ago", page) and re.search(r"no answer for 3[89] s", page)
    assert "The demo's calendar runs 60 times as fast as its lines." in page
    assert "no answer for 38 s since 11-20 14:12" in re.sub(r"<[^>]*>", "", stage.visitor("engineer").see(LINES))
    assert "calendar runs" not in shaft(real).visitor("engineer").see(PAGE)
