"""R3 and R1 against odd input: each field of what people ask about a cut, wrong in every way; one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.signing import envelope
from bridge.contract.units import instant_text
from edge.audit.verify import verify
from tests.edge.building import KEYS, Building

ROOM, ACCOUNT = "a206", "100206"

TEXTS: tuple[Any, ...] = (
    None, 1, 1.5, True, [], {}, "", "x\ny", "a\u202eb", "\x00", "\ufffd", "１００２０６", "100206 ", "../100206",
    "x" * 300,
)  # fmt: skip
UNTILS = (
    "tomorrow", "2026-11-21", "2026-11-21T00:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2026-11-21T24:30:00+08:00", "2026-02-30T00:00:00+08:00", "２０２６-11-21T00:00:00+08:00", "1e400",
    "2026-11-21T00:00:00+99:99",
)  # fmt: skip
WRONG: dict[str, dict[str, tuple[Any, ...]]] = {
    "protect": {
        "account": TEXTS, "protection": (*TEXTS, "Keep-Power", "manual"), "until": (*TEXTS, *UNTILS),
        "why": tuple(each for each in TEXTS if each not in ("１００２０６", "100206 ", "../100206")),
        "for": ("1",), "episode": (1,),
    },
    "unprotect": {"account": TEXTS, "protection": (*TEXTS, "dispute"), "until": ("2026-11-21T00:00:00+08:00",)},
    "told": {
        "account": TEXTS, "how": (*TEXTS, "lamp", "Phone"), "why": (1, [], "x\ny", "x" * 201, "\ud7ff\u2028"),
        "episode": (True, 1.0, "1", 0, 2, -1, 10**15, []),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    """A room whose final warning stands and reached nobody."""
    building = Building(tmp_path_factory.mktemp("odd"), meters={ROOM}, poll_s=30, idle_s=2)
    building.connect()
    building.edge.relays.lamps._light = lambda meter, account: None  # type: ignore[method-assign]
    building.run_until(lambda: building.of("final/1"), hours=4)
    yield building
    building.stop_edge()


def asked(building: Building, operation: str, **fields: Any) -> dict[str, Any]:
    """The answer to a sealed request whose words nobody looked at before."""
    now, number = building.clock.now(), f"odd-{len(building.broker.heard):08d}"
    words = {
        "transaction": number, "who": "王敏", "role": "manager", "issued_at": instant_text(now),
        "valid_until": instant_text(now + timedelta(minutes=2)), "account": ACCOUNT,
        **({"how": "phone"} if operation == "told" else {"protection": "keep-power", "why": "x"}),
        **({"until": instant_text(now + timedelta(hours=3))} if operation == "protect" else {}), **fields,
    }  # fmt: skip
    topic = building.edge.topics.request(operation)
    building.deliver(topic, envelope(topic, words, "shell", KEYS["shell"]))
    return building.answers(number)[-1]


@pytest.mark.parametrize(
    ("operation", "field"), [(operation, field) for operation, fields in WRONG.items() for field in fields]
)
def test_r3_odd_words_are_refused_in_one_sentence(building: Building, operation: str, field: str) -> None:
    """Nothing protects, nothing is lifted, and no warning counts as delivered, whatever stands in a field."""
    for value in WRONG[operation][field]:
        answer = asked(building, operation, **{field: value})
        assert answer["status"] == "refused" and answer["rule"] in ("R1", "R3", "R7"), (value, answer)
        assert answer["error"] and "\n" not in answer["error"] and len(answer["error"]) <= 200, (value, answer)
    assert not building.of("protection/1") and not building.of("delivered/1")


def test_r3_after_all_of_that_the_right_words_still_count(building: Building) -> None:
    """The edge is none the worse for it, and the book is true."""
    assert asked(building, "protect")["status"] == "done"
    assert asked(building, "unprotect")["status"] == "done"
    building.run_until(lambda: len(building.of("final/1")) == 2, hours=0.5)
    assert asked(building, "told", episode=2)["status"] == "done"
    assert verify(Path(building.directory)).good
