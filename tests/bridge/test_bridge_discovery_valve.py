"""Home Assistant hears of a water meter's valve as of a valve, under the ids that it knew before."""

from __future__ import annotations

import json
from typing import Any

import jinja2
import pytest

from bridge.announcements import Form, installation
from bridge.contract.messages import Meters, Valve
from tests.bridge.shown import BARE, DEVICE, ENTITY, INFO

WATER = BARE.model_copy(
    update={"id": "w1", "protocol": "cjt188", "relay": "direct", "switch": "valve", "quantities": {"volume_l": "L"}}
)
BEFORE = WATER.model_copy(update={"switch": None})
"""As a gateway of an earlier version announces it."""
OPEN = Valve(desired="open", observed="open", holds=[], why="nothing holds it", following=True)


def components(form: Form, row: Any = WATER) -> dict[str, dict[str, Any]]:
    found = installation(form, "shaft-a", INFO, Meters(meters=[row]))
    if form.per == "device":
        return found["homeassistant/device/riser_shaft-a_meter_w1/config"]["cmps"]
    return {topic.split("/")[3]: each for topic, each in found.items() if "_meter_w1/" in topic}


def shown(valve: Valve) -> dict[str, str]:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    facts = json.loads(valve.payload())
    return {
        key: environment.from_string(each["value_template"]).render(value_json=facts)
        for key, each in components(DEVICE).items()
        if each["state_topic"] == "riser/shaft-a/meter/w1/valve"
    }


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({}, {"relay": "ON"}),
        ({"desired": "closed", "observed": "closed"}, {"relay": "OFF", "relay_desired": "OFF"}),
        ({"desired": "closed", "moving": "closing"}, {"relay": "ON", "relay_desired": "OFF", "valve_moving": "ON"}),
        ({"observed": "fault"}, {"relay": "None", "valve_fault": "ON"}),
        ({"observed": "unknown", "following": False}, {"relay": "None", "not_following": "ON"}),
    ],
)
def test_on_is_water_that_flows(changes: dict[str, Any], values: dict[str, str]) -> None:
    """Open is on; on its way, out of order and not following are told apart; what was not read back is unknown."""
    usual = {"relay": "ON", "relay_desired": "ON", "valve_moving": "OFF", "valve_fault": "OFF", "not_following": "OFF"}
    assert shown(OPEN.model_copy(update=changes)) == usual | values


@pytest.mark.parametrize("form", [DEVICE, ENTITY], ids=["device", "entity"])
def test_the_ids_that_were_there_stay(form: Form) -> None:
    """What an earlier version announced as a relay keeps its id and platform, and on goes on meaning supply."""
    now, before = components(form), components(form, BEFORE)
    for key in ("relay", "relay_desired", "not_following"):
        assert now[key]["unique_id"] == before[key]["unique_id"]
        assert now[key]["default_entity_id"] == before[key]["default_entity_id"]
    assert {"alarm", "keep_power"} <= before.keys() and not {"alarm", "keep_power"} & now.keys()


def test_nothing_of_it_is_electricity() -> None:
    """No 供电, no 继电器, no class of power; the classes are ones that Home Assistant has."""
    found = components(DEVICE)
    text = json.dumps(found, ensure_ascii=False)
    assert not any(word in text for word in ("电", '"power"', "meter/w1/relay"))
    classes = {key: each.get("device_class") for key, each in found.items() if each["p"] == "binary_sensor"}
    assert classes == {
        "relay": "opening", "relay_desired": "opening", "valve_moving": "moving", "valve_fault": "problem",
        "not_following": "problem",
    }  # fmt: skip
    assert not any(each["state_topic"].endswith("/relay") for each in found.values())


def test_circuits_of_a_box_are_told_apart() -> None:
    """Two meters of one room and one address have different names; one with a name of its own keeps it."""
    rows = [BARE.model_copy(update={"id": f"m{n}", "circuit": n}) for n in (3, 4)]
    rows.append(rows[0].model_copy(update={"id": "m5", "name": "灯"}))
    found = installation(DEVICE, "shaft-a", INFO, Meters(meters=rows))
    names = [payload["dev"]["name"] for topic, payload in found.items() if "_meter_" in topic]
    assert names == ["302 电表 回路 3", "302 电表 回路 4", "灯"]
