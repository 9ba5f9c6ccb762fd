"""Several people, several reasons: each hold is set by its own, and each is lifted by itself (R5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bridge.contract import signing
from tests.edge.building import KEYS
from tests.edge.wires import ACCOUNT, ROOM, Watched


def ask(building: Watched, operation: str, **fields: Any) -> dict[str, Any]:
    return building.answered(operation, seconds=120, meter=ROOM, **fields)


def test_r5_a_contract_and_a_forbidden_load_are_two_holds(tmp_path: Path) -> None:
    """Finance ends the contract, an engineer finds a stove in the dormitory: both stand, and supply returns with the
    last one, whatever is paid meanwhile."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    assert (
        ask(building, "trip", hold="malignant", why="a stove of 3 kW", who="李强", role="engineer")["status"] == "done"
    )
    assert ask(building, "trip", hold="contract", why="lease ended in November")["data"]["holds"] == [
        "contract", "malignant",
    ]  # fmt: skip
    again = ask(building, "trip", hold="contract", why="once more")
    assert (again["status"], again["error"]) == (
        "refused", "the hold `contract` is already set by 王敏: lease ended in November",
    )  # fmt: skip
    building.topup(ACCOUNT, 300_00)
    vain = ask(building, "close", hold="malignant", why="the stove is gone")
    assert vain["status"] == "done" and vain["data"]["text"] == (
        "the hold `malignant` is lifted; supply stays off: contract"
    )
    other = ask(building, "close", why="the tenant asks")
    assert (other["status"], other["rule"]) == ("refused", "R5") and building.dark
    assert ask(building, "close", hold="contract", why="the lease goes on")["status"] == "done" and not building.dark


def test_r5_there_are_no_other_reasons(tmp_path: Path) -> None:
    """Nobody sets a hold of the policy's, or one that nobody knows how to lift."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    for hold in ("arrears", "lockout", "a bad feeling"):
        topic, payload, asked = building.asked("trip", meter=ROOM, why="x")
        words = {**json.loads(json.loads(payload)["signed"]), "hold": hold}
        building.deliver(topic, signing.envelope(topic, words, "shell", KEYS["shell"]))
        (answer,) = building.answers(asked)
        assert (answer["status"], answer["rule"]) == ("refused", "R7") and "hold" in answer["error"]
    assert not building.dark and building.edge.core.state.meters[ROOM].holds == {}


def test_r7_a_form_of_before_the_reasons_is_the_same_request(tmp_path: Path) -> None:
    """A program that names no hold asks for the one by hand: said or unsaid, a repeat is no conflict."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    first = building.request("trip", meter=ROOM, why="service", transaction="same-0001")
    building.run(minutes=2)
    again = building.request("trip", meter=ROOM, why="service", hold="manual", transaction="same-0001")
    assert first == again and [each["status"] for each in building.answers(again)] == ["accepted", "done", "done"]
    other = building.request("trip", meter=ROOM, why="service", hold="contract", transaction="same-0001")
    assert "another request" in building.answers(other)[-1]["error"]
