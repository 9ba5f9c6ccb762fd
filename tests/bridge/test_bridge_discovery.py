"""Home Assistant discovery: the rules its core enforces, checked over every entity, and templates rendered for real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jinja2
import pytest

from bridge.announcements import Form, installation
from bridge.contract.messages import (
    MESSAGES,
    Account,
    HoldFacts,
    Message,
    MeterFacts,
    Meters,
    PortStatistics,
    Relay,
    Status,
)
from tests.bridge.shown import BARE, DEVICE, ENTITY, FULL, INFO, UNITS, all_of

NO_CLASS_UNITS = {"CNY/kWh", "%"}
UNITS_OF_CLASS: dict[str, set[str | None]] = {
    "energy": {"kWh"}, "power": {"W"}, "voltage": {"V"}, "current": {"A"}, "frequency": {"Hz"}, "power_factor": {None},
    "duration": {"s", "d"}, "monetary": {"CNY"}, "timestamp": {None}, "enum": {None},
    "water": {"m³"},
}  # fmt: skip
STATE_CLASSES: dict[str, set[str | None]] = {
    "energy": {"total", "total_increasing"}, "water": {"total_increasing"},
    "monetary": {"total", None}, "timestamp": {None}, "enum": {None},
}  # fmt: skip
BINARY_CLASSES = {None, "battery", "connectivity", "power", "problem"}


def components(form: Form) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(key, component, device) of everything announced, in either form."""
    for topic, payload in all_of(form).items():
        if form.per == "device":
            for key, component in payload["cmps"].items():
                yield key, component, payload["dev"]
        else:
            platform = topic.split("/")[1]
            yield (
                topic.split("/")[3],
                {"p": platform, **{k: v for k, v in payload.items() if k not in ("dev", "o")}},
                payload["dev"],
            )


BOTH = pytest.mark.parametrize("form", [DEVICE, ENTITY], ids=["device", "entity"])


@BOTH
def test_topics_have_the_form_that_home_assistant_listens_to(form: Form) -> None:
    """Every discovery topic is one that the core's pattern takes, with ids of letters, digits, _ and - only."""
    pattern = {
        "device": r"homeassistant/device/[A-Za-z0-9_-]+/config",
        "entity": r"homeassistant/(sensor|binary_sensor)/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/config",
    }[form.per]
    found = all_of(form)
    assert found and all(re.fullmatch(pattern, topic) for topic in found)
    assert all(
        payload["o"]["name"] and payload["dev"]["identifiers"] and payload["dev"]["name"] for payload in found.values()
    )


@BOTH
def test_ids_are_distinct_and_never_change_with_a_name(form: Form) -> None:
    """Unique ids and entity ids are all different, and renaming a meter or a room changes none of them."""
    ids = [component["unique_id"] for _, component, _ in components(form)]
    entity_ids = [component["default_entity_id"] for _, component, _ in components(form)]
    assert len(set(ids)) == len(ids) and len(set(entity_ids)) == len(entity_ids)
    renamed = installation(form, "shaft-a", INFO, Meters(meters=[FULL.model_copy(update={"name": "x", "room": "9"})]))
    assert set(renamed) <= set(all_of(form))
    for _, component, _ in components(form):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", component["unique_id"])
        platform, _, object_id = component["default_entity_id"].partition(".")
        assert platform == component["p"] and object_id == component["object_id"]
        assert re.fullmatch(r"(?!.*__)[a-z0-9][a-z0-9_]*[a-z0-9]", object_id)


@BOTH
def test_classes_units_and_lists_are_those_that_the_core_accepts(form: Form) -> None:
    """A wrong unit, class or an enum without its list would make Home Assistant refuse or complain about the entity."""
    for key, component, _ in components(form):
        cls, unit, state_class = (component.get(k) for k in ("device_class", "unit_of_measurement", "state_class"))
        if component["p"] == "binary_sensor":
            assert cls in BINARY_CLASSES and unit is None and state_class is None, key
            continue
        assert component["p"] == "sensor"
        if cls is None:
            assert unit is None or unit in NO_CLASS_UNITS, key
        else:
            assert unit in UNITS_OF_CLASS[cls], key
            assert state_class in STATE_CLASSES.get(cls, {"measurement", None}), key
        assert (cls == "enum") == bool(component.get("options")), key
        assert component.get("entity_category") in (None, "diagnostic")
        assert "expire_after" not in component, "facts come when they change; absence is told by availability"


@BOTH
def test_names_do_not_repeat_the_device(form: Form) -> None:
    """An entity is called by what it shows, because Home Assistant puts the device's name before it."""
    for _, component, device in components(form):
        assert component["name"] and not component["name"].startswith(device["name"])
        assert device["name"].strip() == device["name"]
    names = {device["name"] for _, _, device in components(form)}
    assert names == {"南楼 网关", "301 电表", "302 电表", "301 电费", "a-302 电费"}


def _class_of(topic: str) -> type[Message]:
    for cls in MESSAGES:
        pattern = re.escape(f"riser/shaft-a/{cls.topic}").replace(r"\{id\}", "[a-z0-9-]+")
        if re.fullmatch(pattern, topic):
            return cls
    raise AssertionError(f"{topic} is no topic of the contract")


@BOTH
def test_entities_read_retained_facts_and_existing_keys(form: Form) -> None:
    """State and availability topics are retained topics of the contract; every key in a template is one of theirs."""
    for key, component, _ in components(form):
        pairs = [(component["state_topic"], component["value_template"])]
        pairs += [(each["topic"], each["value_template"]) for each in component.get("availability", ())]
        for topic, template in pairs:
            cls = _class_of(topic)
            keys = re.findall(r"value_json\.(\w+)", template)
            assert cls.retained and keys and set(keys) <= set(cls.model_fields), (key, template)


@BOTH
def test_a_value_is_available_only_while_gateway_and_meter_are(form: Form) -> None:
    """A meter's entities follow gateway and meter both, others the gateway; the connection stands alone."""
    for key, component, device in components(form):
        wanted = ["riser/shaft-a/status"]
        if "_meter_" in device["identifiers"][0]:
            wanted.append(f"riser/shaft-a/meter/{device['identifiers'][0].rpartition('_')[2]}/availability")
        if key == "connection":
            assert "availability" not in component
            continue
        assert [each["topic"] for each in component["availability"]] == wanted
        assert component["availability_mode"] == "all"


@BOTH
def test_the_gateway_is_announced_before_those_behind_it(form: Form) -> None:
    """Devices name the gateway as `via_device`, so it is the first in the order of publishing."""
    devices = [payload["dev"] for payload in all_of(form).values()]
    hub = devices[0]["identifiers"][0]
    assert hub == "riser_shaft-a" and "via_device" not in devices[0]
    assert all(device["identifiers"] == [hub] or device["via_device"] == hub for device in devices)


@BOTH
def test_nobody_s_name_or_phone_leaves(form: Form) -> None:
    """Accounts appear by room; names and phone numbers of tenants are nowhere in what Home Assistant gets."""
    text = json.dumps(all_of(form), ensure_ascii=False)
    assert "301" in text
    assert not any(secret in text for secret in ("张三丰", "李四", "13800138000"))


@BOTH
def test_nothing_can_be_switched(form: Form) -> None:
    """There is no switch, no button, no command topic: a relay is shown and never moved from here."""
    text = json.dumps(all_of(form))
    assert "command_topic" not in text and {component["p"] for _, component, _ in components(form)} == {
        "sensor",
        "binary_sensor",
    }


def test_only_what_a_meter_fills_is_shown() -> None:
    """A single-phase meter without relay has no empty entities: no phase C, no relay, no rates."""
    payload = installation(DEVICE, "shaft-a", INFO, Meters(meters=[BARE]))[
        "homeassistant/device/riser_shaft-a_meter_m302/config"
    ]
    assert set(payload["cmps"]) == {"energy_wh", "energy_today_wh", "read_at", "quality"}
    full = installation(DEVICE, "shaft-a", INFO, Meters(meters=[FULL]))[
        "homeassistant/device/riser_shaft-a_meter_m301/config"
    ]
    assert set(UNITS) < set(full["cmps"]) and "relay" in full["cmps"]


def shown(message: Message, id: str, form: Form = DEVICE) -> dict[str, str]:
    """What Home Assistant would show of a message: every template that reads its topic, rendered strictly."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    topic = f"riser/shaft-a/{message.topic.replace('{id}', id)}"
    facts = json.loads(message.payload())
    return {
        key: environment.from_string(component["value_template"]).render(value_json=facts)
        for key, component, _ in components(form)
        if component["state_topic"] == topic
    }


def test_each_line_is_shown_with_its_gateway() -> None:
    """How busy a line is and how much fails on it, in percent; unknown where nothing was asked; no line with an id that
    cannot stand in a topic."""
    port = PortStatistics.model_validate(
        {"at": "2026-11-20T02:30:00+00:00", "since": "2026-11-20T02:30:00+00:00", "errors": {}, "errors_total": {},
         "busy_percent": 93.2, "meters": []}
        | dict.fromkeys(("window_s", "wire_s", "busy_s", "lost_s", "lost_s_total"), 1.0)
        | dict.fromkeys(("asked", "failed", "repeated", "bytes_out", "bytes_in", "asked_total", "failed_total",
                         "repeated_total", "bytes_out_total", "bytes_in_total"), 0)
    )  # fmt: skip
    assert shown(port, "line-2") == {"port_line-2_busy_percent": "93.2", "port_line-2_failed_percent": "None"}
    gateway = all_of(DEVICE)["homeassistant/device/riser_shaft-a/config"]
    assert gateway["cmps"]["port_line-1_failed_percent"]["state_topic"] == "riser/shaft-a/port/line-1"
    assert gateway["cmps"]["port_line-1_failed_percent"]["entity_category"] == "diagnostic"
    evil = INFO.model_copy(update={"ports": [INFO.ports[0].model_copy(update={"id": id}) for id in ("+", "{{x}}", "")]})
    plain = installation(DEVICE, "shaft-a", evil, Meters(meters=[]))["homeassistant/device/riser_shaft-a/config"]
    assert not any(key.startswith("port_") for key in plain["cmps"])


def test_registers_are_shown_in_kwh_times_the_ratio() -> None:
    """12,345 Wh behind a transformer of 40 are 493.8 kWh of use, and 250 W at the meter are 10 kW in the cable."""
    facts = MeterFacts(quality="good", energy_wh=12_345, power_w=250, voltage_a_v=231.5, amps_a=1.5, clock_offset_s=-3)
    values = shown(facts, "m301")
    assert float(values["energy_wh"]) == 493.8 and float(values["power_w"]) == 10_000
    assert (values["voltage_a_v"], float(values["amps_a"]), values["clock_offset_s"]) == ("231.5", 60.0, "-3")
    assert float(shown(facts, "m302")["energy_wh"]) == 12.345


def test_a_water_meter_is_shown_in_cubic_metres_with_its_battery() -> None:
    """123,450 L are 123.45 m3 that only rise, beside the battery's own word and the valve as a supply; nothing of it is
    energy. A purse in a meter is money."""
    water = BARE.model_copy(
        update={"protocol": "cjt188", "relay": "direct", "quantities": {"volume_l": "L", "battery_low": ""}}
    )
    ((_, payload),) = (
        (topic, each)
        for topic, each in installation(DEVICE, "shaft-a", INFO, Meters(meters=[water])).items()
        if "m302" in topic
    )
    assert payload["dev"]["name"] == "302 水表" and "energy_wh" not in payload["cmps"]
    volume, low = payload["cmps"]["volume_l"], payload["cmps"]["battery_low"]
    assert (volume["device_class"], volume["state_class"], volume["unit_of_measurement"]) == (
        "water",
        "total_increasing",
        "m³",
    )
    render = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string
    facts = json.loads(MeterFacts(quality="good", volume_l=123_450, battery_low=True).payload())
    assert float(render(volume["value_template"]).render(value_json=facts)) == 123.45
    assert (low["device_class"], render(low["value_template"]).render(value_json=facts)) == ("battery", "ON")
    purse = MeterFacts(quality="good", purse_remaining_fen=19_856, purse_price_micro_per_kwh=617_300, purse_count=17)
    values = shown(purse, "m301")
    assert (float(values["purse_remaining_fen"]), values["purse_count"]) == (198.56, "17")
    assert float(values["purse_price_micro_per_kwh"]) == 0.6173


def test_what_was_not_read_is_unknown_and_never_zero() -> None:
    """Absent values render as `None`, which Home Assistant shows as unknown, and no template fails."""
    values = shown(MeterFacts(quality="unread"), "m301")
    assert values.pop("quality") == "unread"
    assert len(values) > 15 and set(values.values()) == {"None"}
    assert float(shown(MeterFacts(quality="good", energy_wh=0), "m301")["energy_wh"]) == 0


@pytest.mark.parametrize(("observed", "text"), [("closed", "ON"), ("open", "OFF"), ("unknown", "None")])
def test_the_relay_shown_is_the_one_read_back(observed: str, text: str) -> None:
    """Closed is on; what was not read back is unknown, whatever was commanded (I11)."""
    hold = HoldFacts(kind="arrears", why="x", by="x", since="x")
    relay = Relay.model_validate(
        {
            "desired": "open",
            "observed": observed,
            "holds": [hold],
            "why": "x",
            "following": False,
            "keep_power": False,
            "alarm": True,
        }
    )
    values = shown(relay, "m301")
    assert values == {"relay": text, "relay_desired": "OFF", "not_following": "ON", "alarm": "ON", "keep_power": "OFF"}


def test_money_is_shown_floored_to_fen() -> None:
    """A tenant's debt of a nano shows as -0.01 here as in the panel (R11)."""
    account = Account(
        at="x", state="low1", balance=31.42, available_nano=31_420_000_001, posted_nano=-1, provisional_nano=19_999_999,
        provisional_wh=5, level=1, episode=0, price_now="0.8512", restore_above_nano=0, can_cut=True,
        zero_at="2026-11-20T10:00:00+08:00",
    )  # fmt: skip
    values = shown(account, "a-301")
    assert (values["balance"], values["posted"], values["provisional"]) == ("31.42", "-0.01", "0.01")
    assert (values["price_now"], values["state"], values["days_left"], values["cut_at"]) == (
        "0.8512",
        "low1",
        "None",
        "None",
    )
    assert values["zero_at"] == "2026-11-20T10:00:00+08:00"


def test_the_gateway_s_diagnostics_render() -> None:
    """Mode, clock, brake and counters are readable from one `info`."""
    values = shown(INFO, "")
    assert values["mode"] == "normal" and values["clock_trusted"] == "ON" and values["brake"] == "OFF"
    assert shown(INFO.model_copy(update={"brake": "six meters"}), "")["brake"] == "ON"
    assert shown(Status(state="offline"), "") == {"connection": "OFF"}
