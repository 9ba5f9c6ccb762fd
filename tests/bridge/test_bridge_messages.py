"""The messages: their topics, their manners, and that the documentation says what the code does."""

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from bridge.contract import document
from bridge.contract.entries import KINDS
from bridge.contract.messages import MESSAGES, REQUESTS, Availability, MeterFacts, Status, Tariff, Topics

ROOT = Path(__file__).parents[2]
COMMAND = "python -m bridge.contract.document > docs/mqtt.md"


def test_the_page_about_topics_is_up_to_date() -> None:
    """docs/mqtt.md is what the messages say today."""
    page = ROOT / "docs" / "mqtt.md"
    assert page.exists(), f"docs/mqtt.md is missing; write it with: {COMMAND}"
    assert page.read_text(encoding="utf-8") == document.render(), f"docs/mqtt.md is old; write it again with: {COMMAND}"


def test_the_page_names_every_key_of_every_message() -> None:
    """An integrator finds every topic, every request and every key in the page, and its tables are not broken."""
    page = document.render()
    for cls in (*MESSAGES, *REQUESTS.values()):
        for key, field in cls.model_fields.items():
            assert f"| `{field.alias or key}` |" in page, (cls.__name__, key)
    for operation in REQUESTS:
        assert f"## `request/{operation}`" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


def test_every_message_says_what_it_is_for() -> None:
    """Each kind of message and request opens with a sentence in words."""
    for cls in (*MESSAGES, *REQUESTS.values()):
        assert cls.__doc__ and len(cls.__doc__) > 10 and "pydantic" not in cls.__doc__.lower(), cls.__name__


def test_a_topic_has_one_kind_of_message_and_no_request_among_them() -> None:
    """No two messages share a topic, and facts never stand below request/."""
    topics = [cls.topic for cls in MESSAGES]
    assert len(set(topics)) == len(topics)
    assert not any(topic.startswith("request") for topic in topics)
    assert not any(cls.retained for cls in MESSAGES if cls.topic.endswith("event") or "response" in cls.topic)


def test_units_and_instants_stand_in_the_key() -> None:
    """No key says `current`, `value` or `data` where a unit belongs; whatever ends in _at is text with an offset."""
    for cls in (*MESSAGES, *REQUESTS.values()):
        for key, field in cls.model_fields.items():
            assert key not in ("current", "value", "info"), (cls.__name__, key)
            if key.endswith("_at"):
                assert field.annotation in (str, str | None), (cls.__name__, key)
            if key.endswith(("_wh", "_nano", "_w", "_fen")):
                by_register = str(field.annotation).startswith("dict[str, typing.Annotated[int")
                assert field.annotation in (int, int | None, list[int]) or by_register, (cls.__name__, key)


def test_absent_is_absent() -> None:
    """A value that was not read is not in the message: never null, never 0."""
    words = json.loads(MeterFacts(quality="unread").payload())
    assert words == {"quality": "unread"}
    assert json.loads(MeterFacts(quality="good", energy_wh=0).payload())["energy_wh"] == 0


def test_a_message_reads_back_what_it_wrote() -> None:
    """Aliases such as `from` survive the way over the wire; a key that a newer program added is passed over."""
    window = {"from": "00:00", "to": "24:00", "rate": "flat"}
    version = {"version": 1, "effective_at": "2026-01-01T00:00:00+08:00", "kind": "tou", "prices": {"flat": "0.85"},
               "windows": [window], "approved_by": "王"}  # fmt: skip
    tariff = Tariff.model_validate({"name": "商铺", "versions": [version]})
    assert Tariff.model_validate_json(tariff.payload()) == tariff
    assert json.loads(tariff.payload())["versions"][0]["windows"] == [window]
    assert Status.model_validate({"state": "online", "since": "x"}) == Status(state="online")
    with pytest.raises(ValidationError):
        Status.model_validate({"state": "asleep"})


def test_topics_are_found_again_from_their_text() -> None:
    """A message's topic carries its gateway and id; another gateway's topic is not mistaken for ours."""
    topics = Topics("riser", "shaft-a")
    assert topics.of(Availability, "301") == "riser/shaft-a/meter/301/availability"
    assert topics.below("riser/shaft-a/meter/301/availability") == ["meter", "301", "availability"]
    assert topics.below("riser/shaft-ab/status") is None
    by_name = {cls.__name__: topics.of(cls) for cls in MESSAGES}
    assert by_name["BridgeStatus"] == "riser/bridge/status"
    assert (topics.request("read"), topics.response("read")) == (
        "riser/shaft-a/request/read",
        "riser/shaft-a/response/read",
    )


def test_every_kind_of_entry_carries_its_version_and_its_meaning() -> None:
    """Old kinds stay readable for ever, so each has a number and its body is written down."""
    for kind, words in KINDS.items():
        assert re.fullmatch(r"[a-z-]+/[1-9]\d*", kind) and len(kind) <= 32 and words


def test_requests_refuse_what_people_did_not_mean() -> None:
    """true is not an amount, 200.0 is not fen, an unknown method or key is refused (failure 88)."""
    good = {"transaction": "abcdefgh", "who": "王", "role": "finance", "issued_at": "x", "valid_until": "y",
            "account": "301", "amount_fen": 100, "method": "cash"}  # fmt: skip
    top_up: type[BaseModel] = REQUESTS["topup"]
    top_up.model_validate(good)
    for wrong in ({"amount_fen": True}, {"amount_fen": 200.0}, {"amount_fen": "100"}, {"method": "gold"}, {"x": 1},
                  {"who": ""}, {"reference": "a" * 65}):  # fmt: skip
        with pytest.raises(ValidationError):
            top_up.model_validate({**good, **wrong})
