"""Requests: each once, each answered, nothing done on a doubt (R7, I12)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.asking import ask
from bridge.contract.signing import envelope
from bridge.mqtt import Received
from tests.edge.building import KEYS, Building

ROOM = {"a206", "a207"}
ACCOUNT = "100206"


@pytest.fixture
def building(tmp_path: Path) -> Building:
    made = Building(tmp_path, meters=ROOM, poll_s=30)
    made.connect()
    made.run(minutes=2)
    return made


def balance(building: Building) -> int:
    return building.edge.core.state.posted_nano(ACCOUNT)


def signed(building: Building, operation: str, **fields: Any) -> tuple[str, bytes, str]:
    return ask(
        building.edge.topics, building.clock, ("shell", KEYS["shell"]), operation, who="王敏", role="manager", **fields
    )


def test_a_payment_is_posted_once_however_often_it_arrives(building: Building) -> None:
    """A double click, a reload, a redelivery: one posting, and each time the same receipt."""
    before = balance(building)
    topic, payload, transaction = signed(building, "topup", account=ACCOUNT, amount_fen=5000, method="cash")
    for _ in range(3):
        building.deliver(topic, payload)
    answers = building.answers(transaction)
    assert [answer["status"] for answer in answers] == ["done"] * 3
    assert len({json.dumps(answer["data"], sort_keys=True) for answer in answers}) == 1
    assert balance(building) - before == 50 * 10**9
    assert len(building.of("topup/1")) == 1


def test_the_same_id_with_another_amount_is_a_conflict(building: Building) -> None:
    """Somebody reuses a transaction id for another amount: refused by name, the first payment stands."""
    first = building.topup(ACCOUNT, 5000, transaction="abcdefgh-1")
    again = building.topup(ACCOUNT, 9900, transaction="abcdefgh-1")
    statuses = [(a["status"], a.get("rule")) for a in building.answers(first)]
    assert first == again and statuses == [("done", None), ("refused", "R7")]
    assert len(building.of("topup/1")) == 1


def test_the_same_words_at_another_time_are_the_same_request(building: Building) -> None:
    """The panel restarted and the clerk sends the form once more: the same receipt, no conflict, one posting."""
    first = building.topup(ACCOUNT, 5000, transaction="abcdefgh-9")
    building.run(minutes=5)
    building.topup(ACCOUNT, 5000, transaction="abcdefgh-9")
    receipts = [answer["data"]["receipt"] for answer in building.answers(first)]
    assert len(receipts) == 2 and len(set(receipts)) == 1 and len(building.of("topup/1")) == 1


def test_the_same_id_after_a_power_cut_gives_the_same_receipt(building: Building) -> None:
    """The edge dies right after posting and before the answer is heard: the repeat posts nothing."""
    topic, payload, transaction = signed(building, "topup", account=ACCOUNT, amount_fen=5000, method="cash")
    building.deliver(topic, payload)
    receipt = building.answers(transaction)[0]["data"]["receipt"]
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.deliver(topic, payload)
    assert building.answers(transaction)[-1]["data"]["receipt"] == receipt
    assert len(building.of("topup/1")) == 1


def test_an_expired_request_is_refused_and_changes_nothing(building: Building) -> None:
    """A request that lay in a queue for hours is not carried out."""
    topic, payload, transaction = signed(building, "topup", account=ACCOUNT, amount_fen=5000, method="cash")
    building.run(minutes=3)
    building.deliver(topic, payload)
    (answer,) = building.answers(transaction)
    assert answer["status"] == "refused" and answer["rule"] == "R7" and "expired" in answer["error"]
    assert building.of("topup/1") == []


def test_a_retained_request_is_refused_and_cleared(building: Building) -> None:
    """A retained trip would come back at every reconnect; it is refused and wiped from the broker."""
    topic, payload, transaction = signed(building, "trip", meter="a206", why="test")
    building.deliver(topic, payload, retained=True)
    assert (topic, b"", True) in building.broker.heard
    assert building.of("hold/1") == []
    (answer,) = building.answers(transaction)
    assert (answer["status"], answer["rule"], answer["key"]) == ("refused", "R7", "shell")
    (alarm,) = building.of("alarm/1", alarm="retained-request", meter="a206")
    assert "a request trip stood retained" in alarm.fields["text"]
    building.deliver(topic, payload, retained=True)
    assert len(building.of("alarm/1", alarm="retained-request")) == 1, "once for the same"


def test_a_payment_that_is_done_stays_done_when_its_retained_copy_comes(building: Building) -> None:
    """The live message was carried out; the broker's copy of it, at the next connect, gets the same answer again."""
    topic, payload, transaction = signed(building, "topup", account="100206", amount_fen=100_00, method="cash")
    building.deliver(topic, payload)
    building.deliver(topic, payload, retained=True)
    assert [each["status"] for each in building.answers(transaction)] == ["done", "done"]
    assert len(building.of("topup/1")) == 1 and building.of("alarm/1", alarm="retained-request")


def test_what_was_refused_for_its_flag_is_never_taken_later(building: Building) -> None:
    """Whoever heard `refused` asks anew, with another id: the old one must not be booked as well."""
    topic, payload, transaction = signed(building, "topup", account="100206", amount_fen=100_00, method="cash")
    building.deliver(topic, payload, retained=True)
    building.deliver(topic, payload)
    assert {each["status"] for each in building.answers(transaction)} == {"refused"} and not building.of("topup/1")


def test_copies_of_one_signed_message_do_not_grow_the_book(building: Building) -> None:
    """Blanks outside the seal are anybody's: one refusal and one alarm; and of many requests one alarm an hour."""
    topic, payload, _ = signed(building, "trip", meter="a206", why="test")
    building.deliver(topic, payload, retained=True)
    before = building.edge.core.book.seq
    for n in range(1, 50):
        building.deliver(topic, payload.replace(b'", "key"', b'"' + b" " * n + b', "key"', 1), retained=True)
    assert building.edge.core.book.seq == before
    for _ in range(20):
        topic, payload, _ = signed(building, "trip", meter="a206", why="test")
        building.deliver(topic, payload, retained=True)
    assert len(building.of("alarm/1", alarm="retained-request")) == 1


def test_what_nobody_signed_and_the_broker_kept_is_cleared_and_no_alarm(building: Building) -> None:
    """Somebody on the LAN leaves words there: no word of theirs comes into the book."""
    topic = building.edge.topics.request("trip")
    building.deliver(topic, b'{"signed": "x", "key": "shell", "mac": "00"}', retained=True)
    assert (topic, b"", True) in building.broker.heard and building.answers("")[-1]["rule"] == "I12"
    assert building.of("alarm/1", alarm="retained-request") == []


def test_a_cleared_topic_is_no_request(building: Building) -> None:
    """Our own clearing of a retained request comes back to us: it is not answered and not cleared again, for ever."""
    heard = len(building.broker.heard)
    building.deliver(building.edge.topics.request("trip"), b"", retained=True)
    assert not [t for t, p, _ in building.broker.heard[heard:] if "/request/" in t or "/response/" in t]


def test_a_wrong_seal_is_refused_and_nothing_reaches_the_line(building: Building) -> None:
    """Somebody on the LAN publishes a trip: without the key it is words."""
    topic, payload, _ = signed(building, "trip", meter="a206", why="test")
    forged = json.loads(payload)
    forged["mac"] = "0" * 64
    building.ports["line-2"].wire.keep_sent = True
    building.deliver(topic, json.dumps(forged).encode())
    building.run(minutes=2)
    refused = [json.loads(p) for t, p, _ in building.broker.heard if t.endswith("response/trip")]
    assert refused[0]["rule"] == "I12"
    assert all(frame.lstrip(b"\xfe")[8] != 0x1C for _, frame in building.ports["line-2"].wire.sent)


def test_a_seal_for_another_topic_does_not_fit(building: Building) -> None:
    """A sealed `close` cannot be replayed as a `trip`: the topic is under the seal."""
    _, payload, _ = signed(building, "close", meter="a206", why="test")
    building.deliver(building.edge.topics.request("trip"), payload)
    assert [json.loads(p)["rule"] for t, p, _ in building.broker.heard if t.endswith("response/trip")] == ["I12"]


@pytest.mark.parametrize(
    "amount", [0, -100, 99, 5_000_001, 10**15, True, 1.5, "100", "５０", None], ids=lambda value: repr(value)
)
def test_an_amount_that_is_no_amount_is_refused(building: Building, amount: Any) -> None:
    """Zero, negative, beyond the limits, true, a fraction, text, full-width digits: a sentence, and nothing moves."""
    now = building.edge.core.now().isoformat()
    later = building.clock.now().replace(hour=23).isoformat()
    body = {
        "transaction": "abcdefgh-2",
        "who": "王敏",
        "role": "manager",
        "issued_at": now,
        "valid_until": later,
        "account": ACCOUNT,
        "amount_fen": amount,
        "method": "cash",
    }
    topic = building.edge.topics.request("topup")
    before = balance(building)
    building.deliver(topic, envelope(topic, body, "shell", KEYS["shell"]))
    (answer,) = building.answers("abcdefgh-2")
    assert answer["status"] == "refused" and answer["rule"] in {"R7", "R15"} and answer["error"]
    assert balance(building) == before and building.of("topup/1") == []


@pytest.mark.parametrize(
    "payload",
    [b"{", b"[]", b"\xff\xfe", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 5000, b'{"a":1e400}', b"x" * 1_000_000],
    ids=lambda raw: repr(raw[:12]),
)
def test_rubbish_on_a_request_topic_is_answered_and_survived(building: Building, payload: bytes) -> None:
    """Broken JSON, doubled keys, NaN, deep nesting, a megabyte: each refused in words, and the edge goes on."""
    building.deliver(building.edge.topics.request("topup"), payload)
    (answer,) = building.answers("")
    assert answer["status"] == "refused" and answer["error"]
    building.topup(ACCOUNT, 5000)
    assert len(building.of("topup/1")) == 1


def test_a_role_may_only_ask_for_its_own(building: Building) -> None:
    """An electrician cannot take money, and a clerk cannot cut anybody off."""
    money = building.topup(ACCOUNT, 5000, role="engineer")
    trip = building.request("trip", role="finance", meter="a206", why="test")
    assert building.answers(money)[0]["rule"] == building.answers(trip)[0]["rule"] == "R32"
    assert building.of("topup/1") == building.of("hold/1") == []


def test_a_key_may_only_speak_for_its_roles(building: Building) -> None:
    """The payment key cannot pretend to be a manager."""
    trip = building.request("trip", key="demo", role="manager", meter="a206", why="test")
    assert building.answers(trip)[0]["rule"] == "R32"


def test_unknown_account_and_meter_are_refused_by_name(building: Building) -> None:
    """A typing mistake is answered with a sentence that names what is missing, and is remembered as refused."""
    money = building.topup("nobody", 5000)
    assert "nobody" in building.answers(money)[0]["error"]
    building.topup("nobody", 5000, transaction=money)
    assert len(building.of("refusal/1")) == 1 and building.of("topup/1") == []


def test_trip_and_close_by_a_person_are_answered_when_read_back(building: Building) -> None:
    """Accepted at once, done only when status word 3 says so; paying does not lift a person's hold (R5)."""
    trip = building.request("trip", meter="a206", why="检修断电")
    assert [answer["status"] for answer in building.answers(trip)] == ["accepted"]
    building.run(seconds=20)
    assert [answer["status"] for answer in building.answers(trip)] == ["accepted", "done"]
    assert building.sim_meter("a206").relay.open
    building.topup(ACCOUNT, 100_00)
    building.run(minutes=2)
    assert building.sim_meter("a206").relay.open, "a payment lifts the arrears hold only"
    close = building.request("close", meter="a206", why="检修完")
    building.run(seconds=20)
    assert [answer["status"] for answer in building.answers(close)] == ["accepted", "done"]
    assert not building.sim_meter("a206").relay.open
    (evidence,) = building.of("trip/1")
    assert evidence.fields["cause"] == "manual" and evidence.fields["holds"][0]["why"] == "检修断电"


def test_a_trip_of_a_silent_meter_is_kept_and_answered_as_failed(tmp_path: Path) -> None:
    """The meter is off line: the hold is kept, the asker is told, and the trip follows when the meter returns."""
    building = Building(tmp_path, meters=ROOM, poll_s=30)
    building.connect()
    building.run(minutes=2)
    building.shaft.set_faults(type(building.shaft.lines["line-2"].faults)(silent=frozenset({"a206"})))
    trip = building.request("trip", meter="a206", why="test")
    building.run(minutes=3)
    assert [answer["status"] for answer in building.answers(trip)] == ["accepted", "failed"]
    building.shaft.set_faults(type(building.shaft.lines["line-2"].faults)())
    building.run(minutes=15)
    assert building.sim_meter("a206").relay.open
    assert building.fact("meter/a206/relay")["holds"][0]["kind"] == "manual"


def test_read_now_answers_with_the_registers(building: Building) -> None:
    """A person asks for a reading and gets the meter's own words."""
    read = building.request("read", meter="a206")
    building.run(seconds=5)
    accepted, done = building.answers(read)
    assert accepted["status"] == "accepted" and done["data"]["registers_wh"]["total"] > 0


def test_replay_needs_no_seal_and_sends_the_book_again(building: Building) -> None:
    """A receiver that missed entries asks for them and gets them in order."""
    body = {"transaction": "replay-00001", "entries_from": 3}
    building.deliver(building.edge.topics.request("replay"), json.dumps(body).encode())
    building.run(seconds=5)
    (answer,) = building.answers("replay-00001")
    newest = building.edge.core.book.seq
    assert answer["data"]["entries_from"] == 3 and answer["data"]["entries_to"] <= newest
    heard = [json.loads(p)["seq"] for t, p, _ in building.broker.heard if t.endswith("/entry")]
    assert heard.count(3) == 2


def test_an_mqtt_5_asker_is_answered_on_its_own_topic(building: Building) -> None:
    """Response Topic and Correlation Data are honoured for both answers, but never below our own tree."""
    topic, payload, transaction = signed(building, "trip", meter="a206", why="test")
    building.edge.enqueue(Received(topic, payload, False, "asker/inbox", b"7"))
    building.run(seconds=20)
    inbox = [json.loads(p)["status"] for t, p, _ in building.broker.heard if t == "asker/inbox"]
    assert inbox == ["accepted", "done"] == [answer["status"] for answer in building.answers(transaction)][:2]
    fact = f"{building.edge.topics.root}/meter/a206/relay"
    topic, payload, _ = signed(building, "read", meter="a206")
    building.edge.enqueue(Received(topic, payload, False, fact, b"8"))
    building.run(seconds=20)
    assert not any("transaction" in json.loads(p) for t, p, _ in building.broker.heard if t == fact)


def test_a_refused_reading_is_answered_and_not_written(building: Building) -> None:
    """A program that asks each second for a meter that is gone must not fill the book; each time the same answer."""
    before = building.edge.core.book.seq
    asked = building.request("read", key="bridge", role="system", who="home-assistant", meter="a999")
    again = building.request("read", key="bridge", role="system", who="home-assistant", meter="a999")
    for each in (asked, again):
        assert building.answers(each)[-1]["status"] == "refused" and "a999" in building.answers(each)[-1]["error"]
    assert building.edge.core.book.seq == before
    building.request("trip", key="bridge", role="system", who="home-assistant", meter="a206", why="x")
    assert building.edge.core.book.seq == before + 1
