"""Signed requests: only the writer's own words on their own topic open, and hostile JSON is refused in a sentence."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.contract.asking import VALIDITY_S, ask, new_transaction, query
from bridge.contract.clock import ManualClock, ScaledClock
from bridge.contract.messages import REQUESTS, Topics
from bridge.contract.permissions import KEYS, OPERATIONS, ROLES, UNSIGNED, may, role_may
from bridge.contract.signing import BadEnvelope, BadSeal, envelope, open_envelope, strict_json
from bridge.contract.units import instant_of, is_transaction

KEY = bytes(range(32))
TOPIC = "riser/shaft-a/request/topup"
TOPICS = Topics("riser", "shaft-a")


def test_a_request_opens_for_the_one_who_knows_the_key() -> None:
    """What was signed comes out unchanged, Chinese words included, with the key's name and the exact text."""
    body = {"transaction": "abcdefgh", "who": "王会计", "amount_fen": 20000}
    opened, key, text = open_envelope(TOPIC, envelope(TOPIC, body, "panel", KEY), {"panel": KEY})
    assert (opened, key) == (body, "panel")
    assert json.loads(text) == body


def test_a_changed_moved_or_foreign_request_is_refused() -> None:
    """One changed digit, another topic, another key or an unknown key: the seal does not fit (failure 85)."""
    sent = envelope(TOPIC, {"amount_fen": 20000}, "panel", KEY)
    forged = sent.replace(b"20000", b"90000")
    assert forged != sent
    for topic, payload, keys in (
        (TOPIC, forged, {"panel": KEY}),
        (TOPIC.replace("topup", "trip"), sent, {"panel": KEY}),
        (TOPIC.replace("shaft-a", "shaft-b"), sent, {"panel": KEY}),
        (TOPIC, sent, {"panel": KEY[::-1]}),
        (TOPIC, sent, {"demo": KEY}),
        (TOPIC, sent.replace(b'"mac": "', b'"mac": "0'), {"panel": KEY}),
    ):
        with pytest.raises(BadSeal):
            open_envelope(topic, payload, keys)


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", b"{}", b'{"signed": 1, "key": "panel", "mac": "0"}',
     b'{"signed": "{}", "key": ["panel"], "mac": "0"}', b"[" * 20_000, b"{" * 1000,
     b'{"a":' * 9 + b"1" + b"}" * 9, b" " * 20_000 + b"{}"],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_a_sentence(payload: bytes) -> None:
    """Broken, deep, huge or foreign bytes end in one kind of error and never in a dead gateway (failure 76)."""
    with pytest.raises(BadEnvelope):
        open_envelope(TOPIC, payload, {"panel": KEY})


@pytest.mark.parametrize(
    "text",
    ['{"amount_fen": NaN}', '{"amount_fen": Infinity}', '{"amount_fen": -Infinity}', '{"amount_fen": 1e400}',
     '{"amount_fen": -1e400}', '{"amount_fen": 12345678901234567890}', '{"amount_fen": 1, "amount_fen": 2}',
     '{"a": {"b": 1, "b": 1}}', '{"a": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_numbers_and_keys_that_readers_disagree_about_are_refused(text: str) -> None:
    """NaN, infinities, overflowing numbers and doubled keys are refused even under a good seal (failures 76, 88)."""
    with pytest.raises(BadEnvelope):
        strict_json(text.encode())


@pytest.mark.parametrize("field", ["signed", "mac"])
def test_half_a_character_is_refused_like_any_other_rubbish(field: str) -> None:
    """A lone surrogate, legal in JSON and in no UTF-8, is a bad request and not a crash (failure 77)."""
    words = {"signed": "{}", "key": "panel", "mac": "0", field: "SURROGATE"}
    payload = json.dumps(words).replace("SURROGATE", "\\ud800").encode()
    with pytest.raises(BadEnvelope):
        open_envelope(TOPIC, payload, {"panel": KEY})


@given(st.binary(max_size=200))
@example(b'{"a":1}')
def test_any_bytes_are_either_an_object_or_refused(payload: bytes) -> None:
    """Whatever comes, reading it gives an object or a refusal, nothing else."""
    try:
        assert isinstance(strict_json(payload), dict)
    except BadEnvelope as refusal:
        assert str(refusal)


@given(st.text(alphabet='[]{}"\\ax:,1', max_size=60))
def test_brackets_inside_texts_do_not_count_as_depth(inner: str) -> None:
    """A reason full of brackets and quotation marks is a text, however deep it looks."""
    assert strict_json(json.dumps({"why": "[" * 20 + inner}).encode()) == {"why": "[" * 20 + inner}


def test_a_request_that_was_asked_for_is_complete() -> None:
    """`ask` signs who, role, transaction and two minutes of validity, and refuses fields that the operation lacks."""
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    topic, payload, transaction = ask(
        TOPICS, clock, ("panel", KEY), "topup", who="王", role="finance", account="301", amount_fen=100, method="cash"
    )
    body, key, _ = open_envelope(topic, payload, {"panel": KEY})
    request = REQUESTS["topup"].model_validate(body)
    assert (topic, key, body["transaction"], request.transaction) == (TOPIC, "panel", transaction, transaction)
    assert (instant_of(body["valid_until"]) - instant_of(body["issued_at"])).total_seconds() == VALIDITY_S
    with pytest.raises(ValidationError):
        ask(
            TOPICS,
            clock,
            ("panel", KEY),
            "topup",
            who="王",
            role="finance",
            account="301",
            amount_fen="100",
            method="cash",
        )


def test_two_real_minutes_stay_two_real_minutes_in_the_demo() -> None:
    """With a calendar 60 times as fast, a request is valid for two hours of it, so that people are not hurried."""
    clock = ScaledClock(datetime(2026, 11, 20, tzinfo=UTC), 0, 60)
    _, payload, _ = ask(TOPICS, clock, ("panel", KEY), "brake", who="王", role="manager", why="checked")
    body, _, _ = open_envelope(TOPICS.request("brake"), payload, {"panel": KEY})
    assert (instant_of(body["valid_until"]) - instant_of(body["issued_at"])).total_seconds() == 60 * VALIDITY_S


def test_a_question_needs_no_seal_but_a_transaction() -> None:
    """`replay` is plain JSON that its own class reads back; nothing that moves money or a relay can be asked so."""
    topic, payload, transaction = query(TOPICS, "replay", entries_from=5)
    asked = REQUESTS["replay"].model_validate_json(payload)
    assert topic.endswith("/request/replay") and asked.transaction == transaction and asked.entries_from == 5  # type: ignore[union-attr]
    assert is_transaction(transaction) and new_transaction() != new_transaction()
    with pytest.raises(AssertionError):
        query(TOPICS, "trip", meter="301", why="x")
    assert frozenset({"replay", "preview-price"}) == UNSIGNED


def test_no_key_can_do_more_than_its_table_says() -> None:
    """A stolen bridge key moves no money but to a restored book that waits for its own, a stolen demo key can only pay
    in, an unknown key can do nothing."""
    given_back = {"bring-back", "all-brought"}
    assert {op for op in OPERATIONS for role in ROLES if may("bridge", role, op)} == {"read", *given_back}
    assert not any(may(key, "archive", op) for key in ("panel", "integrator", "demo") for op in given_back)
    assert {op for op in OPERATIONS for role in ROLES if may("demo", role, op)} == {"topup"}
    assert not any(may("stranger", role, op) for role in ROLES for op in OPERATIONS)
    assert not may("panel", "payment", "topup") and may("panel", "finance", "topup")
    assert not role_may("finance", "trip") and not role_may("nobody", "read")


def test_every_operation_has_words_and_somebody_who_may_ask() -> None:
    """The table of permissions and the table of requests name the same operations and only known roles."""
    assert set(OPERATIONS) == set(REQUESTS)
    assert {op for ops in ROLES.values() for op in ops} == set(OPERATIONS) - UNSIGNED
    assert all(roles <= set(ROLES) for roles in KEYS.values())
