"""What the edge says is read in the reader's language: its sentences are taken from its own sources."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from panel_facts import NOW, available, hold, info, relay, standing
from panel_stage import Stage

from edge.common_time import sentence
from panel import edge_words

EDGE = Path(__file__).parents[2] / "edge"

UNSEEN_FILES = (
    "__main__.py", "book.py", "install.py", "model.py", "gateway.py", "settings.py", "registry.py", "schedule.py",
    "codec/bcd.py", "codec/cjt188.py", "codec/dlt1997.py", "codec/dlt645_orders.py", "explain/", "scan/",
    "by_hand/", "model_", "process.py", "line/wire.py", "exit_codes.py", "audit/", "entry.py", "opening.py",
    "packing.py", "snapshot.py", "new_epoch.py",
)  # fmt: skip
"""What these say ends the edge, stands in its log or on a terminal; no fact, entry or answer carries it."""

UNSEEN = (
    r"entry 7 does not follow entry 7", r"entry 7 moves 7: .*", r"entry 7 is not what .*",
    r"the book does not fold.*",  # a damaged book ends the edge
    r"7 is not an energy register", r"not a Modbus reply: 7", r"not one whole DL/T 645 frame: 7",
    r"an address has 12 digits, not 7", r"no control frame is made for .*", r"a password's level has .*",
    r"1 to 99 load records .*",  # asked for on a terminal
    r"a table with no entry.*", r"7 bytes are no table .*", r"7 are not 7 bytes .*",  # a meter's time table, in the log
    r"a part of the answer .*", r"an answer of more than .*", r"no write is made for .*", r"Password\(.*",  # in the log
    r"balance below level .*", r"supply will be cut at .*", r"final warning (delivered|over).*",
    r"7 yuan (7|moved here from another account), receipt 7", r"topped up", r"of a top-up taken back",
    r"moved to another account", r"of emergency credit lent", r"of arrears made an agreed debt",
    r"refunded, the tenancy is settled", r"balance brought in", r"daily fee of 7 charged, .*", r"7 charged, .*",
    r"supply 7, read back .*", r"hold .* by .*: .*", r"7balance below level .*", r"told again, 7: ",
    r"set until 7", r"7 7 by policy: paid",  # account events
    # what the panel says in words of its own
    r"told by 7, 7", r"notice of 7 accepted, .*", r"the tenant's page was read", r"alarm of meter 7 ordered, .*",
    r"there is no request .*", r"issued_at and valid_until .*", r"a transaction id is .*",
    r"valid_until lies more than an hour .*", r"there is no such field",
    r"too much is being replayed.*", r"7: 7",  # requests that the panel never makes
    r"our own clock is not believed", r"other meters than those of DL/T 645-2007 .*", r"no clock is off by what .*",
    r"it was done today", r"the zone changes its offset", r"7:7 is near",  # why no clock is set now; nobody asks
    r"most meters disagreed with .*", r"the gateway's clock and most meters' agree again",  # in the log
)  # fmt: skip
"""Sentences that no page of the panel shows, with the reason beside them."""

SPOKEN = ("why", "error", "text", "step")
"""Names under which a single word is a sentence."""

SAMPLES = {
    "bare[0]": "a101 (acrel-ddsy1352)",
    "mode": "time", "core.mode": "time", "self._core.mode": "time", "moment.mode": "time", "verdict.rule": "R20",
    "verdict.why": "the newest reading is too old", "fields.get('why')": "as ordered", "fields['why']": "paid",
    "fields.get('cause')": "arrears", "fields['who']": "policy", "fields['hold']": "arrears", "now_is": "open",
    "fields.get('observed')": "open", "fields['observed']": "open", "task.wish": "trip", "why": "no answer",
    "name": "total", "body.hold": "contract", "hold": "contract",
    "names": "arrears, manual", "', '.join(left)": "arrears, manual", "', '.join(meter.holds)": "arrears",
    "', '.join(words) or 'no reason given'": "wrong password, power is kept on", "reason": "it is busy",
    "reply.error or 'refused'": "silent", "reply.error": "withdrawn", "trouble": "R28: the register total is missing",
    "day": "2026-11-20", "body.role": "engineer", "operation": "trip", "hold.by": "admin", "hold.why": "service",
    "cover": "terminal cover", "_unit(model)": "Wh",
    "TURNS[wish]": "closing", "VALVE_IS[now_is]": "closed", "fields['valve']": "closed", "wish": "trip",
    "holds": "arrears, manual", "question": "status", "cause": "paid",
    "found.own or 'nothing'": "flat", "found.price": "peak",
}  # fmt: skip
"""What stands in a place of a sentence; everywhere else a 7."""


def of_file(path: Path) -> set[str]:
    """Each sentence in a file of the edge with samples in its places: texts with a space, and words named as speech."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else SAMPLES.get(ast.unparse(part.value), "7")  # type: ignore[attr-defined]
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if isinstance(above[node], ast.JoinedStr | ast.FormattedValue | ast.Expr) or in_log(node, above):
            continue
        if (" " in text.strip() and not re.fullmatch(r"[a-z]+:.*|[-0-9+: ]+", text)) or spoken(node, above):
            found.add(text)
    return found


def in_log(node: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
    """True for what a log call or a separator says."""
    while node in above:
        node = above[node]
        if isinstance(node, ast.Call) and re.match(r"log\.|re\.sub|.*\.hex$", ast.unparse(node.func)):
            return True
    return False


def spoken(node: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
    """True for one word that is assigned to, or handed over as, something people read."""
    holder = above[node]
    if isinstance(holder, ast.IfExp) and holder.test is not node:
        holder, node = above[holder], holder
    if isinstance(holder, ast.Assign):
        return any(getattr(target, "id", getattr(target, "attr", "")) in SPOKEN for target in holder.targets)
    if isinstance(holder, ast.keyword):
        return holder.arg in SPOKEN
    if isinstance(holder, ast.Dict):
        keys = dict(zip(holder.values, holder.keys, strict=True))
        return isinstance(key := keys.get(node), ast.Constant) and key.value in SPOKEN  # type: ignore[call-overload]
    if isinstance(holder, ast.Return):
        while not isinstance(holder, ast.FunctionDef):
            holder = above[holder]
        return holder.name == "_why"
    return False


def all_sentences() -> set[str]:
    files = [path for path in EDGE.rglob("*.py") if not str(path.relative_to(EDGE)).startswith(UNSEEN_FILES)]
    assert len(files) > 20
    found = {text for path in files for text in of_file(path) if text}
    return {text for text in found if not any(re.fullmatch(pattern, text, re.S) for pattern in UNSEEN)}


def test_every_sentence_of_the_edge_is_known() -> None:
    """A new sentence of the edge that nobody has put into Chinese is found here and not by a clerk."""
    assert {text for text in all_sentences() if edge_words.known(text) is None} == set()


def test_no_sentence_is_kept_that_the_edge_no_longer_says() -> None:
    """A changed sentence leaves no dead translation behind."""
    texts = all_sentences()
    texts |= {text.partition(": ")[2] for text in texts}
    used = {edge_words.known(text) for text in texts}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in EDGE.rglob("*.py")]
    words = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    used |= {sentence for sentence in edge_words.SENTENCES if sentence.partition("|")[0] in words}
    assert set(edge_words.SENTENCES) - used == set()


def chinese(stage: Stage, text: str | None) -> str:
    with stage.app.test_request_context():
        from flask import g

        g.language = "zh"
        return edge_words.said(text)


@pytest.mark.parametrize(
    ("english", "words"),
    [
        ("held open: arrears, manual", "因此断开：欠费、人工"),
        ("R4: 5 meters were cut within an hour; a named person must release the brake",
         "R4：一小时内已停 5 块表；须有人具名松开刹车"),
        ("the relay does not follow (trip, 3 attempts): the meter refused: wrong password, power is kept on (error 24)",
         "继电器不听令（跳闸，试了 3 次）：表拒绝：口令错、处于保电状态（错误码 24）"),
        ("arrears lifted by policy: paid", "网关解除欠费：已付款"),
        ("the register peak fell from 900 to 100 Wh and had not been near its top",
         "示值（峰）从 900 降到 100 Wh，而此前并未接近满度"),
        ("silent in 3 rounds", "连续 3 轮没有应答"),
        ("something nobody has thought of", "something nobody has thought of"),
        (None, ""),
    ],
)  # fmt: skip
def test_sentences_read_chinese_on_chinese_pages(stage: Stage, english: str | None, words: str) -> None:
    """Also what stands inside a sentence is put into words; an unknown sentence is shown as it comes."""
    assert chinese(stage, english) == words


def test_what_a_person_wrote_is_shown_as_written(stage: Stage) -> None:
    """A reason typed by a person is not taken for a sentence of the gateway, even when it reads like one."""
    with stage.app.test_request_context():
        from flask import g

        g.language = "zh"
        assert edge_words.reason("李强", "closed") == "closed"
        assert (edge_words.reason("policy", "episode 2"), edge_words.person("policy")) == ("第 2 次欠费", "网关")
        g.language = "en"
        assert edge_words.said("episode 2") == "episode 2" and edge_words.person("policy") == "the gateway"
        assert edge_words.said("arrears lifted by policy: paid") == "arrears lifted by the gateway: paid"
        assert edge_words.said("manual lifted by 李强: policy") == "manual lifted by 李强: policy"


def english_in(page: str) -> set[str]:
    main = page[page.index('<main id="main">') :]
    shown = re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", main, flags=re.S))
    return set(re.findall(r"[A-Za-z]{3,}", shown)) - {"kWh", "Esc", "riser", "decode", "manager"}


def test_no_page_shows_the_gateways_english(shop: Stage) -> None:
    """Holds, relay, availability, brake, mode, refused cuts and entries: Chinese pages show no English sentence."""
    shop.say(
        relay("open", holds=[hold("arrears", "episode 1", "policy")], why="held open: arrears", step="read back"),
        "a206",
    )
    shop.say(available("offline", why="silent in 4 rounds"), "a206")
    shop.entry(
        "hold/1",
        {"meter": "a206", "account": "100206", "hold": "arrears", "set": False, "why": "paid", "who": "policy"},
    )
    shop.entry("cancelled/1", {"account": "100206", "episode": 1, "why": "the forecast moved far away"})
    shop.entry("close/1", {"meter": "a206", "cause": "arrears lifted by policy: paid"})
    shop.entry("relay/1", {"meter": "a206", "observed": "open", "why": "as ordered"})
    brake = "5 meters were cut within an hour; a named person must release the brake"
    why = "the clock stands before the newest entry of the book"
    more: dict[str, Any] = {"mode": "time", "mode_why": why, "clock_why": why, "clock_trusted": False, "brake": brake}
    port = (
        info()
        .ports[0]
        .model_copy(update={"state": "closed", "why": "not opened yet", "id": "1", "device": "", "protocol": ""})
    )
    shop.online(**more, ports=[port.model_dump()], name="甲", gateway="1", version="1", hash="1")
    visitor = shop.visitor("manager", language="zh")
    for page in ("/meter/a206", "/account/100206", "/rooms", "/lines/ports"):
        assert english_in(visitor.see(page)) <= {"DDS"}, page
    shop.say(relay("closed"), "a206")
    shop.say(available("online"), "a206")
    shop.say(
        standing("final", -3.0, blocked="R3", blocked_why="the newest reading is too old", cut_at=None, now=NOW),
        "100206",
    )
    assert "最近一次读数太旧" in visitor.see("/account/100206")


def test_a_clock_that_most_meters_contradict_is_told_beside_it(shop: Stage) -> None:
    """The clock is trusted and most meters agree on another time: the page of the lines says so, in either language."""
    doubt = sentence(-240)
    shop.online(clock_doubt=doubt)
    assert "most meters agree with each other on a time -240 s" in shop.visitor("manager").see("/lines/ports")
    visitor = shop.visitor("manager", language="zh")
    assert "多数电表的时钟彼此一致，与网关相差 -240 秒" in visitor.see("/lines/ports")


def test_a_refusal_reads_chinese(shop: Stage) -> None:
    """The gateway's sentence behind a refused or failed command is put into words as well."""
    visitor = shop.visitor("engineer", language="zh")
    visitor.post("/meter/a206", "/meter/a206", do="read", transaction="r" * 12)
    shop.answer(
        "read", "r" * 12, "failed", error="meter a206 did not answer (silent); it is asked again in the next round"
    )
    assert "表 a206 没有应答（没有应答）；下一轮再抄" in visitor.see("/answer/" + "r" * 12)
