"""Each kind of relay is told as its maker's manual says and seen as its status says; nobody else is ever told (I13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge import model
from edge.codec import cjt188, dlt645_orders, modbus
from edge.codec.dlt645_orders import Password
from edge.codec.errors import CodecError, Forbidden, Refused
from edge.model_relay import Relay, Seen
from tests.edge.published import sample

UNTIL = datetime(2026, 11, 20, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
METER, WATER = "202611000101", "78331505900569"


def relay_of(id: str) -> Relay:
    relay = model.load(id).relay
    assert relay is not None
    return relay


@pytest.mark.parametrize("id", ["acrel-ddsy1352", "acrel-dtsy1352"])
def test_forced_control_is_the_published_write(id: str) -> None:
    """Slave 5: 0057H and 0058H become 1 and 1 to trip, 1 and 0 to close, to the byte; 0 and 0 gives the meter back its
    own decision, and nothing in Riser sends that."""
    kind = model.load(id)
    for command, published in (("trip", "mb-acrel-force-trip-req"), ("direct", "mb-acrel-force-close-req")):
        assert kind.order(command, "5", {"5", "7"}, Password(), None) == sample(published).raw
    assert kind.order("release", "5", {"5"}, Password(), None)[7:-2] == bytes(4)
    relay_of(id).obeyed(sample("mb-acrel-force-ack").raw)
    with pytest.raises(Refused, match="no such register"):
        relay_of(id).obeyed(sample("mb-exception-address").raw)


def test_a_hiking_relay_is_written_with_10h_and_never_at_0000() -> None:
    """001AH becomes 0 or 1 by function 10H; 06H is refused by the meter, and 0000H holds its energy."""
    for command, value in (("trip", 0), ("direct", 1)):
        frame = model.load("hiking-dds238").order(command, "9", {"9"}, Password(), None)
        assert frame[:-2] == bytes([9, 0x10, 0, 0x1A, 0, 1, 2, 0, value])


@pytest.mark.parametrize(
    ("act", "frame"),
    [
        (modbus.Act(5, 0x0001, (1,)), "09050001ff00"),
        (modbus.Act(5, 0x0001, (0,)), "090500010000"),
        (modbus.Act(6, 0x001A, (1,)), "0906001a0001"),
        (modbus.Act(15, 0x0000, (1, 0, 1)), "090f000000030105"),
    ],
)
def test_a_relay_in_coils_or_one_register_is_written_so(act: modbus.Act, frame: str) -> None:
    """Functions 5, 6 and 15 are a field of the model's order, as 16 is."""
    kind = model.load("hiking-dds238")
    odd = replace(kind, relay=replace(relay_of("hiking-dds238"), trip=act))
    assert odd.order("trip", "9", {"9"}, Password(), None)[:-2].hex() == frame


def test_a_valve_shuts_to_trip_and_opens_to_close() -> None:
    """A017 with 99 takes the water away, 55 brings it back; but for the counter SER the published frames."""
    kind = model.load("cjt188-water-valve")
    for command, published in (("trip", "c188-valve-close-req"), ("direct", "c188-valve-open-req")):
        ours = cjt188.decode(kind.order(command, WATER, {WATER}, Password(), None))
        theirs = cjt188.decode(sample(published).raw)
        assert (ours.kind, ours.address, ours.control) == (theirs.kind, theirs.address, theirs.control)
        assert (ours.data[:2], ours.data[3]) == (theirs.data[:2], theirs.data[3])
    relay_of("cjt188-water-valve").obeyed(sample("c188-valve-resp").raw)
    with pytest.raises(Refused):
        relay_of("cjt188-water-valve").obeyed(sample("c188-syn-write-err").raw)


def test_a_dlt645_relay_is_told_as_before() -> None:
    """Trip, close, permit and the lamp are the frames they were; a maker's meter that closes on 1B gets 1B."""
    kind = model.load("dlt645-1p")
    for command in ("trip", "direct", "permit", "alarm", "alarm-off"):
        was = dlt645_orders.control(command, METER, {METER}, Password(), UNTIL)
        assert kind.order(command, METER, {METER}, Password(), UNTIL, 4) == was
    odd = replace(kind, relay=replace(relay_of("dlt645-1p"), closing_code=0x1B))
    closing = odd.order("direct", "000000219998", {"000000219998"}, Password(operator="30303030"), None)
    assert closing.lstrip(b"\xfe") == sample("d07-relay-permit-req-meterc").raw


@pytest.mark.parametrize(
    ("id", "address", "others"),
    [
        ("dlt645-1p", METER, ["A" * 12, "9" * 12, "202611000102", "2026110001"]),
        ("acrel-ddsy1352", "5", ["0", "6", "255"]),
        ("hiking-dds238", "5", ["0", "6"]),
        ("cjt188-water-valve", WATER, ["A" * 14, "9" * 14, "78331505900568"]),
    ],
)
def test_nobody_but_a_registered_meter_is_told(id: str, address: str, others: list[str]) -> None:
    """Broadcast, wildcard, a neighbour, a typing mistake: no order exists for them, of whatever kind (I13)."""
    kind = model.load(id)
    for other in others:
        for command in ("trip", "direct"):
            with pytest.raises(Forbidden):
                kind.order(command, other, {address}, Password(), UNTIL)


def test_an_order_that_a_kind_does_not_know_is_refused() -> None:
    """No lamp on a valve or a Modbus relay, and no order at all for a meter that only measures."""
    for id, address in (("acrel-ddsy1352", "5"), ("cjt188-water-valve", WATER), ("eastron-sdm630", "5")):
        with pytest.raises(CodecError):
            model.load(id).order("alarm", address, {address}, Password(), UNTIL)
        assert not model.load(id).lamp
    assert model.load("dlt645-3p").lamp and model.load("dlt645-1p-purse").lamp


@pytest.mark.parametrize(
    ("id", "values", "supply"),
    [
        ("acrel-ddsy1352", {"forced": 1, "forced_trip": 1}, "off"),
        ("acrel-ddsy1352", {"forced": 1, "forced_trip": 0}, "on"),
        ("acrel-ddsy1352", {"forced": 0, "forced_trip": 1}, "unknown"),
        ("acrel-ddsy1352", {"forced": 0, "forced_trip": 0}, "unknown"),
        ("hiking-dds238", {"switch": 0}, "off"),
        ("hiking-dds238", {"switch": 1}, "on"),
        ("hiking-dds238", {"switch": 2}, "unknown"),
        ("cjt188-water-valve", {"valve_word": "8420"}, "on"),
        ("cjt188-water-valve", {"valve_word": "8421"}, "off"),
        ("cjt188-water-valve", {"valve_word": "0002"}, "unknown"),
        ("cjt188-water-valve", {"valve_word": "0003"}, "fault"),
        ("dlt645-1p", {"status_word_3": "0010"}, "off"),
        ("dlt645-1p", {"status_word_3": "FFEF"}, "on"),
    ],
)
def test_only_the_status_says_how_it_stands(id: str, values: dict[str, object], supply: str) -> None:
    """Both valve bits, both forced registers, bit 4 of word 3; what the meter leaves open stays open."""
    seen = relay_of(id).seen(values)
    assert seen is not None and seen.supply == supply
    assert relay_of(id).seen({}) is None, "not available is no state"


def test_lamp_and_kept_power_are_conditions_too() -> None:
    """Word 3 with b7 is a lit lamp, with b12 kept power; a word that differs elsewhere decides nothing else."""
    relay = relay_of("dlt645-1p")
    assert relay.seen({"status_word_3": "1090"}) == Seen("off", lamp=True, keep_power=True, word_3=0x1090)
    same, other = relay.seen({"status_word_3": "0001"}), relay.seen({"status_word_3": "0081"})
    assert same is not None and other is not None and same.decides_as(Seen("on")) and not other.decides_as(same)


def test_every_order_of_every_model_leaves_by_the_codecs_door() -> None:
    """No file of the edge but the three codecs makes a frame that a meter obeys."""
    acts = {id: relay.kind for id in model.known() if (relay := model.load(id).relay) is not None}
    assert set(acts.values()) == {"dlt645", "modbus", "valve"}
    for id, kind in acts.items():
        if kind == "modbus":
            relay = model.load(id).relay
            assert relay is not None and relay.trip is not None and relay.close is not None
            assert relay.trip != relay.close and modbus.order(relay.trip, 9, {9})[1] == relay.trip.function
