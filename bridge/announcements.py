"""Discovery messages for Home Assistant, as pure functions: facts in, {topic: payload} out.

The gateway's device comes first because meters and accounts name it as `via_device`. An account is shown by its
room and id alone: the name and phone number in the `accounts` fact stay inside Riser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from bridge.contract.messages import Accounts, Availability, Info, MeterRow, Meters, Status, Topics
from bridge.contract.units import is_id
from bridge.discovery_entities import ACCOUNT, GATEWAY, Entity, of_meter, of_port

Announcements = dict[str, dict[str, Any]]
"""Topic -> discovery payload, in the order of publishing."""


@dataclass(frozen=True)
class Form:
    """How discovery is written: the prefix, and one message per device or one per entity."""

    base: str
    prefix: str = "homeassistant"
    per: Literal["device", "entity"] = "device"


def installation(form: Form, gateway: str, info: Info, meters: Meters) -> Announcements:
    """The gateway and its meters."""
    topics, hub = Topics(form.base, gateway), _device_id(form, gateway)
    device = {
        "identifiers": [hub],
        "name": f"{info.name} 网关",
        "manufacturer": "Riser",
        "model": "Riser",
        "sw_version": info.version,
    }
    here = [_available(topics.of(Status))]
    # A port's id stands in a topic; one that cannot be an id is a broken sender's.
    lines = [entity for port in info.ports if is_id(port.id) for entity in of_port(port.id)]
    found = _announce(form, topics, "", device, [*GATEWAY, *lines], here)
    for row in meters.meters:
        device = {
            "identifiers": [f"{hub}_meter_{row.id}"],
            "name": row.name or f"{row.room} {_kind(row)}",
            "model": row.model_name,
            "via_device": hub,
        }
        if row.serial:
            device["serial_number"] = row.serial
        both = [*here, _available(topics.of(Availability, row.id))]
        found |= _announce(form, topics, row.id, device, of_meter(row), both)
    return found


def _kind(row: MeterRow) -> str:
    """What a meter without a name is called behind its room; of a box, which circuit it is."""
    kind = "水表" if "volume_l" in row.quantities else "电表"
    return kind if row.circuit is None else f"{kind} 回路 {row.circuit}"


def tenancies(form: Form, gateway: str, accounts: Accounts) -> Announcements:
    """The accounts: known by room and account id; one that is settled has no meters and goes, so that a room has one.
    Names and phone numbers stay inside Riser."""
    topics, hub = Topics(form.base, gateway), _device_id(form, gateway)
    found: Announcements = {}
    for row in (each for each in accounts.accounts if each.meters):
        device = {
            "identifiers": [f"{hub}_account_{row.id}"],
            "name": f"{row.room or row.id} 电费",
            "manufacturer": "Riser",
            "model": "预付费账户",
            "via_device": hub,
        }
        found |= _announce(form, topics, row.id, device, ACCOUNT, [_available(topics.of(Status))])
    return found


def _announce(
    form: Form, topics: Topics, id: str, device: dict[str, Any], entities: Iterable[Entity], available: list[dict]
) -> Announcements:
    name = str(device["identifiers"][0])
    origin = {"name": "Riser"}
    components = {entity.key: _component(topics, id, name, entity, available) for entity in entities}
    if form.per == "device":
        return {f"{form.prefix}/device/{name}/config": {"dev": device, "o": origin, "cmps": components}}
    return {
        f"{form.prefix}/{component['p']}/{name}/{key}/config": {
            **{word: value for word, value in component.items() if word != "p"},
            "dev": device,
            "o": origin,
        }
        for key, component in components.items()
    }


def _component(topics: Topics, id: str, device: str, entity: Entity, available: list[dict]) -> dict[str, Any]:
    object_id = re.sub("[^a-z0-9]+", "_", f"{device}_{entity.key}").strip("_")
    component: dict[str, Any] = {
        "p": entity.platform,
        "unique_id": f"{device}_{entity.key}",
        "name": entity.name,
        "object_id": object_id,
        "default_entity_id": f"{entity.platform}.{object_id}",
        "state_topic": topics.of(entity.message, entity.id or id),
        "value_template": entity.template,
        **entity.extras,
    }
    if entity.message is not Status:  # Whether the gateway is there is told by an entity that is always there.
        component |= {"availability": available, "availability_mode": "all"}
    return component


def _device_id(form: Form, gateway: str) -> str:
    return f"{form.base}_{gateway}"


def _available(topic: str) -> dict[str, str]:
    return {"topic": topic, "value_template": "{{ value_json.state }}"}
