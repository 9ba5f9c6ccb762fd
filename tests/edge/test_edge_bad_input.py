"""Whatever arrives on `request/<op>`: one answer with rule and sentence, no byte on a line, no money; life goes on."""

from __future__ import annotations

import gc
import hashlib
import hmac
import json
import logging
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.signing import envelope, seal
from bridge.contract.units import instant_text
from bridge.mqtt import Received
from edge.inbox import MESSAGES_AT_MOST
from edge.line.request import PERSON, RESTORE, TRIP
from tests.edge.building import KEYS, START, Building

ACCOUNT, METER = "100206", "a206"


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Building:
    """One gateway for all attacks: what one of them broke, the next one would find."""
    made = Building(tmp_path_factory.mktemp("edge"), meters={METER, "a207"}, poll_s=30)
    made.connect()
    made.run(minutes=1)
    return made


class Attack:
    """What changed by a message: answers, entries, requests given to a line."""

    def __init__(self, building: Building):
        self.building, self.core = building, building.edge.core
        self.heard, self.seq = len(building.broker.heard), self.core.book.seq
        self.ledger = dict(self.core.state.ledger)
        self.asked: list[Any] = []
        for port in building.ports.values():
            port.put = self._put(port.put)  # type: ignore[method-assign]

    def _put(self, put: Any) -> Any:
        def noted(request: Any) -> None:
            self.asked.append(request)
            put(request)

        return noted

    def end(self) -> None:
        for port in self.building.ports.values():
            del port.put  # type: ignore[attr-defined]

    @property
    def answers(self) -> list[dict[str, Any]]:
        heard = self.building.broker.heard[self.heard :]
        return [json.loads(payload) | {"topic": topic} for topic, payload, _ in heard if "/response/" in topic]

    @property
    def entries(self) -> list[str]:
        return [entry.kind for entry in self.core.book.entries(self.seq + 1)]


def attacked(building: Building, operation: str, payload: bytes, retained: bool = False) -> dict[str, Any]:
    """Deliver one bad message and hold everything it must not do against what it did. Return its one answer."""
    attack = Attack(building)
    try:
        building.deliver(building.edge.topics.request(operation), payload, retained)
    finally:
        attack.end()
    assert len(attack.answers) == 1, (operation, payload[:120], attack.answers)
    (answer,) = attack.answers
    assert answer["status"] == "refused" and answer["rule"] and answer["error"], (payload[:120], answer)
    assert "\n" not in answer["error"] and answer["error"].isprintable() and len(answer["error"]) < 400, answer
    assert "Input should" not in answer["error"] and "Value error" not in answer["error"], answer
    assert [each for each in attack.asked if each.priority in (PERSON, TRIP, RESTORE)] == []
    assert attack.core.state.ledger == attack.ledger, "money moved"
    assert set(attack.entries) <= {"refusal/1"}, attack.entries
    return answer


def works(building: Building) -> None:
    """The next good request is carried out."""
    transaction = building.topup(ACCOUNT, 100)
    assert building.answers(transaction)[-1]["status"] == "done"


NUMBER = iter(range(10**8, 10**9))


def body(building: Building, **fields: Any) -> dict[str, Any]:
    """The words of a good top-up with a fresh transaction, changed by keyword; None takes a field away."""
    now = building.edge.core.now()
    words = {
        "transaction": f"attack-{next(NUMBER)}", "who": "王敏", "role": "manager", "issued_at": instant_text(now),
        "valid_until": instant_text(now + timedelta(minutes=2)), "account": ACCOUNT, "amount_fen": 5000,
        "method": "cash",
    } | fields  # fmt: skip
    return {name: value for name, value in words.items() if value is not ...}


def signed(building: Building, operation: str, words: dict[str, Any] | str, key: str = "shell") -> bytes:
    """A sealed message; words may also be the raw text under the seal."""
    topic = building.edge.topics.request(operation)
    if isinstance(words, dict):
        return envelope(topic, words, key, KEYS[key])
    mac = hmac.new(KEYS[key], topic.encode() + b"\0" + words.encode(), hashlib.sha256).hexdigest()
    return json.dumps({"signed": words, "key": key, "mac": mac}).encode()


# --- amounts, ids, times ---

AMOUNTS = ("0", "-1", "-100", "99", "5000001", "NaN", "Infinity", "-Infinity", "1e400", "1e2", "true", "false",
           '"５０"',
           '"5000"', "0.125", "5000.0", "9223372036854775808", "9999999999999999999", "99999999999999999999",
           "-9999999999999999999", "null", "[]", "[5000]", "{}", '""', "0x10", "+5", "05", "1_000",
           "５０")  # fmt: skip
"""An amount of fen, as JSON text."""


@pytest.mark.parametrize("amount", AMOUNTS)
def test_no_amount_is_refused_in_words(building: Building, amount: str) -> None:
    """Zero, minus, NaN, 1e400, true, text, other digits, fractions, twenty digits, nothing, a list."""
    text = json.dumps(body(building), ensure_ascii=False).replace("5000", amount)
    answer = attacked(building, "topup", signed(building, "topup", text))
    assert answer["rule"] in ("R7", "R15")


def test_the_newest_seq_changes_only_where_a_request_is_remembered(building: Building) -> None:
    """A sealed, readable request that is refused is written down, so that it can never be taken later; what is not
    one is not written at all."""
    seq = building.edge.core.book.seq
    attacked(building, "topup", signed(building, "topup", body(building, amount_fen=True)))
    attacked(building, "topup", b"{")
    assert building.edge.core.book.seq == seq
    again = signed(building, "topup", body(building, account="nobody"))
    attacked(building, "topup", again)
    assert building.edge.core.book.seq == seq + 1
    attacked(building, "topup", again)
    assert building.edge.core.book.seq == seq + 1


IDS = ("", " ", "..", "../100206", "100206/x", "a+b", "a#b", "#", "+", "$SYS", "a\x00b", "100206\n", "１００２０６",
           "ACCOUNT",
       "100206 ", "x" * 3000, "%00", "<script>", "' OR 1=1", "\u202e602001")  # fmt: skip


@pytest.mark.parametrize("id", IDS, ids=lambda id: repr(id)[:20])
def test_ids_that_are_none_lead_nowhere(building: Building, id: str) -> None:
    """In account, meter and transaction, for every operation that names one."""
    attacked(building, "topup", signed(building, "topup", body(building, account=id)))
    relay = {"account": ..., "amount_fen": ..., "method": ...}
    for operation in ("trip", "close", "read", "release"):
        why = {} if operation == "read" else {"why": "x"}
        words = body(building, meter=id, **relay, **why)
        attacked(building, operation, signed(building, operation, words))
    attacked(building, "topup", signed(building, "topup", body(building, transaction=id)))
    attacked(building, "replay", json.dumps({"transaction": id, "entries_from": 1}).encode())


TIMES = (
    ({"valid_until": -1}, "expired"), ({"issued_at": 3600 * 24, "valid_until": 3600 * 24 + 60}, "yet to come"),
    ({"issued_at": 3600 * 24 * 365 * 20, "valid_until": 3600 * 24 * 365 * 20 + 60}, "yet to come"),
    ({"issued_at": 600, "valid_until": 60}, "yet to come"), ({"valid_until": 3601 + 60}, "more than an hour"),
    ({"issued_at": -7200, "valid_until": 60}, "more than an hour"),
    ({"issued_at": -7200, "valid_until": -7100}, "expired"),
    ({"issued_at": "now"}, "instants with offset"), ({"valid_until": ""}, "instants with offset"),
    ({"issued_at": "2026-11-20T10:30:00"}, "instants with offset"),
    ({"valid_until": "9999-12-31T23:59:59-14:00"}, "instants"),
    ({"valid_until": "2026-02-30T00:00:00Z"}, "instants"), ({"issued_at": 1_800_000_000_000}, "write it in quotes"),
    ({"issued_at": None}, "is a text in quotes"), ({"valid_until": ...}, "is missing"),
)  # fmt: skip
"""Changed instants, as seconds from now or as they stand, and words of the refusal."""


def test_a_request_out_of_its_time_is_refused(building: Building) -> None:
    """Expired, issued tomorrow or in twenty years, valid for ever, or at no time at all: nothing is done."""
    now = building.edge.core.now()
    for changed, words in TIMES:
        told = {
            name: instant_text(now + timedelta(seconds=value)) if type(value) is int and abs(value) < 10**10 else value
            for name, value in changed.items()
        }
        answer = attacked(building, "topup", signed(building, "topup", body(building, **told)))
        assert words in answer["error"], (changed, answer["error"])


def test_while_our_own_clock_is_in_doubt_nobody_is_told_to_set_theirs(tmp_path: Path) -> None:
    """A gateway that came up a day behind still takes money from a panel whose clock is right (R25)."""
    building = Building(tmp_path, meters={METER}, clock=ManualClock(START))
    building.connect()
    building.edge.core.book.trusted = False
    ahead = building.edge.core.now() + timedelta(days=1)
    words = body(building, issued_at=instant_text(ahead), valid_until=instant_text(ahead + timedelta(minutes=2)))
    building.edge.requests.receive("topup", signed(building, "topup", words), False)
    assert [entry.fields["amount_fen"] for entry in building.of("topup/1")] == [5000]


# --- seals and keys ---


def test_a_wrong_seal_is_refused_whatever_is_under_it(building: Building) -> None:
    """No seal, half of one, another's, one of another topic, with a letter changed, by a key nobody has."""
    topic, good = building.edge.topics.request("topup"), body(building)
    text = json.dumps(good)
    mac = seal(topic, text, KEYS["shell"])
    for outer, rule in (
        ({"signed": text, "key": "shell", "mac": "0" * 64}, "I12"),
        ({"signed": text, "key": "shell", "mac": ""}, "I12"),
        ({"signed": text, "key": "shell", "mac": mac[:32]}, "I12"),
        ({"signed": text, "key": "shell", "mac": mac.upper()}, "I12"),
        ({"signed": text, "key": "shell", "mac": "ü" * 64}, "I12"),
        ({"signed": text + " ", "key": "shell", "mac": mac}, "I12"),
        ({"signed": text, "key": "panel", "mac": mac}, "I12"), ({"signed": text, "key": "", "mac": mac}, "I12"),
        ({"signed": text, "key": "nobody", "mac": mac}, "I12"), ({"signed": text, "key": "../edge", "mac": mac}, "I12"),
        ({"signed": text, "key": "shell", "mac": seal(topic + "x", text, KEYS["shell"])}, "I12"),
        ({"signed": text, "key": ["shell"], "mac": mac}, "R7"), ({"signed": good, "key": "shell", "mac": mac}, "R7"),
        ({"signed": text, "key": "shell"}, "R7"), ({"signed": None, "key": None, "mac": None}, "R7"), (good, "R7"),
    ):  # fmt: skip
        assert attacked(building, "topup", json.dumps(outer).encode())["rule"] == rule, outer
    trip = signed(building, "close", body(building, account=..., amount_fen=..., method=..., meter=METER, why="x"))
    assert attacked(building, "trip", trip)["rule"] == "I12"


def test_a_key_speaks_only_for_its_roles_and_a_role_asks_only_for_its_own(building: Building) -> None:
    """Home Assistant's key takes no money, the payment key trips nobody, a clerk neither, and made-up roles nothing."""
    for key, role, operation in (
        ("bridge", "manager", "topup"), ("bridge", "system", "topup"), ("demo", "manager", "topup"),
        ("demo", "payment", "trip"), ("panel", "payment", "topup"), ("panel", "system", "read"),
        ("shell", "finance", "trip"),
        ("shell", "engineer", "topup"), ("shell", "operations", "close"), ("shell", "", "topup"),
        ("shell", "MANAGER", "topup"),
        ("shell", "manager\x00", "topup"), ("shell", "root", "topup"), ("panel", "finance", "brake"),
    ):  # fmt: skip
        gone = {} if operation == "topup" else {"account": ..., "amount_fen": ..., "method": ...}
        more = {} if operation == "topup" else {"why": "x"} if operation == "brake" else {"meter": METER, "why": "x"}
        words = body(building, role=role, **gone, **(more if operation != "read" else {"meter": METER}))
        assert attacked(building, operation, signed(building, operation, words, key))["rule"] == "R32", (key, role)


def test_a_repeated_or_changed_request_moves_nothing_more(building: Building) -> None:
    """The same again: the same answer. The same number with another amount, account, method, person or operation: a
    conflict in words. Neither posts anything."""
    words = body(building)
    payload = signed(building, "topup", words)
    building.deliver(building.edge.topics.request("topup"), payload)
    first = building.answers(words["transaction"])[0]
    assert first["status"] == "done"
    for changed in (
        {"amount_fen": 5001},
        {"account": "100207"},
        {"method": "card"},
        {"who": "张三"},
        {"reference": "x"},
    ):
        answer = attacked(building, "topup", signed(building, "topup", words | changed))
        assert answer["rule"] == "R7" and "was used for another request; nothing was done" in answer["error"]
    other = body(
        building, transaction=words["transaction"], account=..., amount_fen=..., method=..., meter=METER, why="x"
    )
    assert "used for another request" in attacked(building, "trip", signed(building, "trip", other))["error"]
    ledger = dict(building.edge.core.state.ledger)
    building.deliver(building.edge.topics.request("topup"), payload)
    assert building.answers(words["transaction"])[-1]["data"] == first["data"]
    assert building.edge.core.state.ledger == ledger


# --- form ---

FORMS: tuple[tuple[bytes, str], ...] = (
    (b" ", "JSON"), (b"{", "JSON"), (b"null", "not an object"), (b"[]", "not an object"), (b'"x"', "not an object"),
    (b"5", "not an object"), (b"true", "not an object"), (b"NaN", "NaN"), (b"\xff\xfe{}", "JSON"),
    (b"\xef\xbb\xbf{}", "JSON"),
    (b'{"a":1,"a":2}', "twice"), (b'{"signed":"{}","signed":"{}","key":"shell","mac":""}', "twice"),
    (b'{"a":NaN}', "NaN"),
    (b'{"a":-Infinity}', "Infinity"), (b'{"a":1e400}', "too large"), (b'{"a":' + b"9" * 20 + b"}", "20 digits"),
    (b"[" * 5000, "nested"), (b'{"a":' * 2000 + b"1" + b"}" * 2000, "nested"), (b"x" * 1_000_000, "1000000 bytes"),
    (b"\x00" * 10, "JSON"), (b'{"a":"\\ud800"}', "half of a character"), (b'{"\\udfff":1}', "half of a character"),
    (b'{"a":"\x01"}', "JSON"), (b"{'a':1}", "JSON"), (b"<xml/>", "JSON"), (b"{}" * 3, "JSON"),
    (b"{}", "a request reads"),
)  # fmt: skip
"""What is no request, and a word of its refusal."""


def test_what_is_no_request_is_refused_in_words(building: Building) -> None:
    """Half of a JSON, broken UTF-8, doubled keys, a tower of brackets, a megabyte: as the message and under a seal."""
    for raw, words in FORMS:
        answer = attacked(building, "topup", raw)
        assert words in answer["error"] and answer["rule"] == "R7", (raw[:40], answer)
        if words not in ("a request reads", "1000000 bytes"):
            try:
                inner = signed(building, "topup", raw.decode())
            except UnicodeDecodeError:
                continue
            assert attacked(building, "topup", inner)["rule"] == "R7", raw[:40]
    works(building)


def test_fields_that_are_wrong_are_told_by_name(building: Building) -> None:
    """Too many, too few, too long, of another kind, with a line break in them."""
    for changed, words in (
        ({"method": "gold"}, "method: is 'gold'; write cash, transfer, card or online"), ({"method": None}, "method: "),
        ({"amount_fen": "5000"}, "amount_fen: write it without quotes: 5000"),
        ({"account": 100206}, "account: write it in quotes"),
        ({"who": ""}, "who: may not be empty"), ({"who": "x" * 65}, "who: at most 64"),
        ({"who": "a\nb"}, "who: it holds characters"),
        ({"reference": "a\x1b[2J"}, "reference: it holds"), ({"reference": "x" * 65}, "reference: at most 64"),
        ({"reference": 7}, "reference: write it in quotes"), ({"note": "x"}, "note: there is no such field"),
        ({"a\nb<i>": "x"}, "a?b?i?: there is no such field"), ({"amount_fen": ...}, "amount_fen: is missing"),
        ({"transaction": ...}, "transaction: is missing"), ({"role": {}}, "role: is a text in quotes, not a table"),
    ):  # fmt: skip
        answer = attacked(building, "topup", signed(building, "topup", body(building, **changed)))
        assert words in answer["error"] and answer["rule"] == "R7", (changed, answer["error"])


@pytest.mark.parametrize(
    "operation", ["", "Topup", "topup ", "top-up", "__class__", "receive", "swept", "tick", "acts", "..",
    "$SYS", "a\x00b",
                  "x" * 5000, "返", "release/x"],
)  # fmt: skip
def test_there_are_no_other_operations(building: Building, operation: str) -> None:
    """A name that is none, or that of a method inside: refused, and never called. Deeper topics are not ours."""
    attack = Attack(building)
    building.deliver(building.edge.topics.request(operation), signed(building, "topup", body(building)))
    attack.end()
    assert attack.entries == []
    if "/" in operation:
        assert attack.answers == []
        return
    (answer,) = attack.answers
    assert answer["topic"].endswith("/response/unknown") and answer["rule"] == "R7" and answer["error"].isprintable()


def test_a_retained_request_is_refused_and_cleared_every_time(building: Building) -> None:
    """Good, bad, repeated: what is retained is never carried out and is wiped from the broker. What was signed stands
    in the book as refused, with one alarm, however often it comes."""
    sealed = signed(building, "topup", body(building))
    attack = Attack(building)
    building.deliver(building.edge.topics.request("topup"), sealed, retained=True)
    attack.end()
    assert [answer["status"] for answer in attack.answers] == ["refused"]
    assert sorted(attack.entries) == ["alarm/1", "refusal/1"] and attack.core.state.ledger == attack.ledger
    for payload in (sealed, b"{", b"x" * 100_000):
        attacked(building, "topup", payload, retained=True)
        assert building.broker.heard[-1] == (building.edge.topics.request("topup"), b"", True) or any(
            topic == building.edge.topics.request("topup") and not cleared and retain
            for topic, cleared, retain in building.broker.heard[-5:]
        )


def test_an_answer_never_goes_where_facts_are(building: Building) -> None:
    """Whoever asks names where the answer shall go, and not on a topic of ours, a filter or nothing."""
    root = building.edge.topics.root
    for reply_to in (f"{root}/meter/a206", f"{root}/request/topup", "riser/other/info", "#", "a/+", "$SYS/x", ""):
        heard = len(building.broker.heard)
        event = Received(building.edge.topics.request("topup"), b"{", False, reply_to, b"7")
        building.edge.enqueue(event)
        building.pump()
        topics = {topic for topic, payload, _ in building.broker.heard[heard:] if b"refused" in payload}
        assert topics == {f"{root}/response/topup"}, reply_to


# --- a flood ---


def test_a_flood_of_bad_messages_costs_nothing_that_stays(building: Building, caplog: pytest.LogCaptureFixture) -> None:
    """Twenty thousand bad messages: memory does not grow, the log gets a few lines, meters are read on, and the next
    good payment is taken."""
    caplog.set_level(logging.INFO)
    words = body(building)
    wrong = json.dumps({"signed": json.dumps(words), "key": "shell", "mac": "0" * 64}).encode()
    messages = (b"{", wrong, b"x" * 20_000, b'{"a":' * 300, json.dumps({"transaction": "x"}).encode())
    topics = [building.edge.topics.request(name) for name in ("topup", "trip", "replay", "nonsense")]

    def flood(count: int) -> None:
        for number in range(count):
            building.edge.enqueue(Received(topics[number % 4], messages[number % 5], False))
            if number % MESSAGES_AT_MOST == 0:
                building.pump()
            if number % 100 == 0:
                building.broker.heard.clear()
        building.run(seconds=1)

    flood(5_000)
    seq, read_at = building.edge.core.book.seq, read_at_of(building)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    flood(15_000)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 300_000, grown
    assert len([line for line in caplog.records if "seal" in line.getMessage()]) <= 3
    building.run(seconds=90)
    assert read_at_of(building) > read_at and "refusal/1" not in [
        e.kind for e in building.edge.core.book.entries(seq + 1)
    ]
    works(building)


def read_at_of(building: Building) -> datetime:
    live = building.edge.core.lives[METER]
    assert live.sample is not None
    return live.sample.read_at


def test_a_flood_in_one_moment_is_dropped_and_told(building: Building, caplog: pytest.LogCaptureFixture) -> None:
    """More than the loop can hold at once is dropped, the replies of meters are not; the loss stands in the log."""
    dropped = building.edge.inbox.dropped
    for _ in range(20_000):
        building.edge.enqueue(Received(building.edge.topics.request("topup"), b"{", False))
    assert building.edge.failed is None and building.edge.inbox.dropped - dropped == 20_000 - MESSAGES_AT_MOST
    building.run(seconds=10)
    assert any("came too fast and were dropped" in line.getMessage() for line in caplog.records)
    works(building)
