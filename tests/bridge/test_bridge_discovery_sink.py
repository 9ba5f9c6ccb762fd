"""What Home Assistant gets and when: announced once, then changes only; cleared when gone; again when it starts."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bridge.announcements import Announcements, Form, installation, tenancies
from bridge.contract.clock import ManualClock
from bridge.contract.messages import Message, Meters
from bridge.discovery import LONGEST_DELAY_S, Discovery, subscriptions
from bridge.facts import Fact
from bridge.mqtt import Received
from tests.bridge.fake_edge import START
from tests.bridge.shown import BARE, DEVICE, ENTITY, FULL, INFO, TENANTS, all_of


class House:
    """A discovery sink on a broker of a dictionary. `room` is how many messages the connection takes."""

    def __init__(self, directory: Path, form: Form | None = DEVICE):
        self.retained: dict[str, bytes] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.room, self.clock = 10**6, ManualClock(START)
        self.sink = Discovery("riser", form, self._publish, self.clock, random.Random(5), directory / "discovery.json")

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        assert retain
        if self.room == 0:
            return None
        self.room -= 1
        self.sent.append((topic, payload))
        self.retained[topic] = payload
        if not payload:
            del self.retained[topic]
        return len(self.sent)

    def give(self, *messages: Message, gateway: str = "shaft-a") -> list[str]:
        """Facts come, the sink settles; return the topics that were published for them."""
        begun = len(self.sent)
        for message in messages:
            self.sink.take(Fact(gateway, "", message, True))
        self.sink.settle()
        return [topic for topic, _ in self.sent[begun:]]

    def stands(self) -> Announcements:
        return {topic: json.loads(payload) for topic, payload in self.retained.items()}


BOTH_METERS = Meters(meters=[FULL, BARE])


def test_a_tenant_who_moves_in_appears_and_a_settled_one_goes(tmp_path: Path) -> None:
    """The room has one account's device at a time: that of whoever pays for its meters now."""
    house = House(tmp_path)
    house.sink.connected()
    house.give(INFO, BOTH_METERS, TENANTS)
    settled, other = TENANTS.accounts
    settled = settled.model_copy(update={"meters": []})
    assert house.give(TENANTS.model_copy(update={"accounts": [settled, other]})) == [
        "homeassistant/device/riser_shaft-a_account_a-301/config"
    ]
    assert "homeassistant/device/riser_shaft-a_account_a-301/config" not in house.retained
    new = other.model_copy(update={"id": "a-301-2", "room": "301", "meters": ["m301"]})
    announced = house.give(TENANTS.model_copy(update={"accounts": [settled, other, new]}))
    assert announced == ["homeassistant/device/riser_shaft-a_account_a-301-2/config"]
    assert house.stands()[announced[0]]["dev"]["name"] == "301 电费"


def test_everything_is_announced_once_and_then_only_changes(tmp_path: Path) -> None:
    """A repeated fact publishes nothing; a renamed meter publishes that meter alone."""
    house = House(tmp_path)
    house.sink.connected()
    assert house.give(INFO, BOTH_METERS, TENANTS) == list(all_of(DEVICE))
    assert house.stands() == all_of(DEVICE)
    assert house.give(INFO.model_copy(update={"seq": 99}), BOTH_METERS, TENANTS) == []
    renamed = Meters(meters=[FULL.model_copy(update={"name": "新名"}), BARE])
    assert house.give(renamed) == ["homeassistant/device/riser_shaft-a_meter_m301/config"]


def test_what_vanished_is_cleared_and_what_is_not_known_yet_is_left(tmp_path: Path) -> None:
    """A removed meter's device is cleared; a restart that has not heard of the accounts yet clears none of them."""
    house = House(tmp_path)
    house.give(INFO, BOTH_METERS, TENANTS)
    assert house.give(Meters(meters=[FULL])) == ["homeassistant/device/riser_shaft-a_meter_m302/config"]
    assert len(house.stands()) == 4
    later = House(tmp_path)
    later.retained = house.retained
    later.sink.connected()
    later.give(INFO, Meters(meters=[]))
    assert set(later.stands()) == {"homeassistant/device/riser_shaft-a/config", *tenancies(DEVICE, "shaft-a", TENANTS)}


def test_an_entity_that_vanished_is_named_once_more_for_its_removal(tmp_path: Path) -> None:
    """A meter replaced by one without a relay loses those entities in Home Assistant; the others keep their ids."""
    house = House(tmp_path)
    house.give(INFO, Meters(meters=[FULL]))
    house.give(Meters(meters=[FULL.model_copy(update={"relay": "none"})]))
    sent = house.stands()["homeassistant/device/riser_shaft-a_meter_m301/config"]["cmps"]
    assert (
        sent["relay"] == {"p": "binary_sensor"}
        and sent["energy_wh"]["unique_id"] == "riser_shaft-a_meter_m301_energy_wh"
    )
    house.sink.connected()
    house.sink.settle()
    assert "relay" not in house.stands()["homeassistant/device/riser_shaft-a_meter_m301/config"]["cmps"]


def test_a_broker_that_forgot_gets_everything_again(tmp_path: Path) -> None:
    """After a reconnect all discovery messages are sent, in order, whether or not they changed."""
    house = House(tmp_path)
    house.give(INFO, BOTH_METERS, TENANTS)
    house.retained.clear()
    house.sink.connected()
    house.sink.settle()
    assert list(house.stands()) == list(all_of(DEVICE))


@pytest.mark.parametrize(
    ("payload", "retained", "again"), [(b"online", False, True), (b"online", True, False), (b"offline", False, False)]
)
def test_home_assistant_s_start_is_answered_after_a_random_wait(
    tmp_path: Path, payload: bytes, retained: bool, again: bool
) -> None:
    """A live `online` brings all announcements again within ten seconds, not at once; a retained one does not."""
    house = House(tmp_path)
    house.give(INFO, BOTH_METERS)
    house.sent.clear()
    house.sink.take(Received("homeassistant/status", payload, retained))
    house.sink.settle()
    assert house.sent == []
    house.clock.advance(LONGEST_DELAY_S)
    house.sink.settle()
    assert bool(house.sent) == again
    house.sent.clear()
    house.clock.advance(60)
    house.sink.settle()
    assert house.sent == []


def test_the_other_form_replaces_the_first(tmp_path: Path) -> None:
    """A site that changes the form clears the old messages before it sends the same ids in the new ones."""
    house = House(tmp_path)
    house.give(INFO, BOTH_METERS, TENANTS)
    later = House(tmp_path, ENTITY)
    later.retained = house.retained
    later.give(INFO, BOTH_METERS, TENANTS)
    assert later.stands() == all_of(ENTITY)
    assert [payload == b"" for _, payload in later.sent[:3]] == [True] * 3


def test_switched_off_everything_is_taken_back(tmp_path: Path) -> None:
    """A site that no longer wants Home Assistant leaves nothing behind on the broker."""
    house = House(tmp_path)
    house.give(INFO, BOTH_METERS, TENANTS)
    later = House(tmp_path, None)
    later.retained = house.retained
    later.sink.connected()
    later.sink.settle()
    assert later.retained == {} and subscriptions("riser", None) == []


def test_a_slow_connection_gets_as_much_as_it_takes(tmp_path: Path) -> None:
    """Announcements wait for room and arrive whole and in order; what a kill left uncleared, the next run clears."""
    house = House(tmp_path, ENTITY)
    house.room = 5
    house.give(INFO, BOTH_METERS, TENANTS)
    assert len(house.sent) == 5
    for _ in range(100):
        house.room = 3
        house.sink.settle()
    assert list(house.stands()) == list(all_of(ENTITY))
    house.room = 2
    house.give(Meters(meters=[]))
    later = House(tmp_path, ENTITY)
    later.retained = house.retained
    later.give(INFO, Meters(meters=[]), TENANTS)
    wanted = {**installation(ENTITY, "shaft-a", INFO, Meters(meters=[])), **tenancies(ENTITY, "shaft-a", TENANTS)}
    assert later.stands() == wanted


def test_a_clearing_that_waits_outlives_a_reconnect(tmp_path: Path) -> None:
    """A meter removed while nothing could be sent is cleared when the connection is back."""
    house = House(tmp_path)
    house.give(INFO, BOTH_METERS)
    house.room = 0
    house.give(Meters(meters=[]))
    house.room = 100
    house.sink.connected()
    house.sink.settle()
    assert list(house.stands()) == ["homeassistant/device/riser_shaft-a/config"]


def test_two_gateways_are_two_sets_of_devices(tmp_path: Path) -> None:
    """The same meter id in two shafts is two devices; one gateway's change leaves the other's alone."""
    house = House(tmp_path)
    house.give(INFO, BOTH_METERS, TENANTS)
    house.give(INFO, BOTH_METERS, TENANTS, gateway="shaft-b")
    assert len(house.stands()) == 10
    house.give(Meters(meters=[]), gateway="shaft-b")
    assert len(house.stands()) == 8


def test_discovery_listens_only_to_what_it_needs() -> None:
    """It hears of gateways, meters and accounts, and of Home Assistant's own start."""
    assert subscriptions("riser", DEVICE) == [
        "riser/+/info", "riser/+/meters", "riser/+/accounts", "homeassistant/status",
    ]  # fmt: skip
