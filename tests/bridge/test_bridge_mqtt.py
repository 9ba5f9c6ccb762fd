"""The link to a real broker: it connects, is mourned, remembers, survives the broker's death and says what happened."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bridge.contract.secrets import BrokerLogin
from bridge.mqtt import Acknowledged, Connected, Disconnected, Link, Received
from tests.bridge.broker import Mosquitto, free_port
from tests.bridge.waiting import Told, until

VERSIONS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Links made in a test are stopped when it ends."""
    with ExitStack() as stack:
        yield stack


def linked(
    stack: ExitStack, broker: Mosquitto, name: str, *topics: str, protocol: str = "5", **more: object
) -> tuple[Link, Told]:
    told = Told()
    link = Link(broker.login(protocol=protocol), name, told, subscriptions=topics, **more)  # type: ignore[arg-type]
    link.start()
    stack.callback(link.stop)
    told.wait_for(Connected)
    return link, told


def listening(stack: ExitStack, broker: Mosquitto, name: str, topic: str, protocol: str = "5") -> Told:
    """What comes to a program whose subscription is in force: its own first message has come back."""
    link, told = linked(stack, broker, name, topic, protocol=protocol)
    probe = topic.replace("+", "probe").replace("#", "probe")
    link.publish(probe, b"")
    told.wait_for(Received, lambda got: got.topic == probe)
    return told


@VERSIONS
def test_a_message_goes_round_and_is_acknowledged(broker: Mosquitto, stack: ExitStack, protocol: str) -> None:
    """What one program publishes another receives, unchanged, and the sender learns that the broker took it."""
    sender, told = linked(stack, broker, "sender", protocol=protocol)
    heard = listening(stack, broker, "hearer", "t/+", protocol)
    mid = sender.publish("t/1", "余额".encode())
    got = heard.wait_for(Received)
    assert (got.topic, got.payload, got.retained) == ("t/1", "余额".encode(), False)
    assert mid is not None and told.wait_for(Acknowledged) == Acknowledged(mid, None)


@VERSIONS
def test_a_retained_message_is_seen_as_retained(broker: Mosquitto, stack: ExitStack, protocol: str) -> None:
    """A fact that waited on the broker says so: a retained command can be told from a fresh one (failure 72)."""
    sender, told = linked(stack, broker, "sender", protocol=protocol)
    sender.publish("t/kept", b"1", retain=True)
    told.wait_for(Acknowledged)
    _, late = linked(stack, broker, "late", "t/#", protocol=protocol)
    assert late.wait_for(Received) == Received("t/kept", b"1", True)


def test_a_command_retained_while_we_listen_is_seen_as_retained_too(broker: Mosquitto, stack: ExitStack) -> None:
    """With MQTT 5 also the copy that arrives at once carries the flag, so a retained trip never passes as fresh."""
    sender, _ = linked(stack, broker, "sender")
    heard = listening(stack, broker, "hearer", "t/#")
    sender.publish("t/1", b"trip", retain=True)
    assert heard.wait_for(Received).retained


@VERSIONS
def test_the_will_is_read_when_a_program_dies_and_not_when_it_leaves(
    broker: Mosquitto, stack: ExitStack, protocol: str
) -> None:
    """A program that is gone without a word is off line for all; one that says goodbye does not use its will."""
    heard = listening(stack, broker, "hearer", "will/#", protocol)
    leaving, _ = linked(stack, broker, "leaving", protocol=protocol, will=("will/leaving", b"off"))
    leaving.stop()
    dying, _ = linked(stack, broker, "dying", protocol=protocol, will=("will/dying", b"off"))
    sock = dying._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)
    got = heard.wait_for(Received)
    assert (got.topic, got.payload) == ("will/dying", b"off")


@VERSIONS
def test_a_persistent_session_keeps_what_came_meanwhile(broker: Mosquitto, stack: ExitStack, protocol: str) -> None:
    """A request sent while the edge restarts arrives later; a program without a session starts empty."""
    sender, told = linked(stack, broker, "sender", protocol=protocol)
    for name, persistent in (("keeps", True), ("forgets", False)):
        link, _ = linked(stack, broker, name, "t/#", protocol=protocol, persistent=persistent)
        link.stop()
    sender.publish("t/1", b"while away")
    told.wait_for(Acknowledged)
    forgets = listening(stack, broker, "forgets", "t/#", protocol)
    assert [each for each in forgets.seen if isinstance(each, Received)] == [Received("t/probe", b"", False)]
    _, keeps = linked(stack, broker, "keeps", "t/#", protocol=protocol, persistent=True)
    assert keeps.wait_for(Received).payload == b"while away"
    assert any(isinstance(each, Connected) and each.session_present for each in keeps.seen)
    sender.publish("t/2", b"now")
    assert forgets.wait_for(Received).payload == b"now"


@VERSIONS
def test_the_link_outlives_the_broker(broker: Mosquitto, stack: ExitStack, protocol: str) -> None:
    """The broker is killed and comes back: the link says so, subscribes afresh, and off line nothing is queued."""
    link, told = linked(stack, broker, "one", "t/#", protocol=protocol)
    broker.kill()
    told.wait_for(Disconnected)
    assert link.publish("t/1", b"into the void") is None
    assert not link.connected and link.alive
    broker.start()
    told.wait_for(Connected, within_s=30)
    link.publish("t/2", b"again")
    assert told.wait_for(Received).payload == b"again"
    assert not any(isinstance(each, Received) and each.payload == b"into the void" for each in told.seen)


def test_a_broker_that_comes_late_is_found(tmp_path: Path, stack: ExitStack) -> None:
    """Programs and broker may be started in any order."""
    late = Mosquitto(tmp_path)
    told = Told()
    link = Link(late.login(), "early", told)
    link.start()
    stack.callback(link.stop)
    assert link.publish("t", b"") is None
    late.start()
    stack.callback(late.kill)
    told.wait_for(Connected, within_s=30)


def test_leaving_does_not_wait_for_a_broker_that_is_not_there() -> None:
    """A program that never found a broker still ends within two seconds when told to."""
    link = Link(BrokerLogin("127.0.0.1", free_port(), False, None, None, "5"), "lonely", Told())
    link.start()
    begun_s = time.monotonic()
    link.stop()
    assert time.monotonic() - begun_s < 3


@VERSIONS
def test_a_wrong_password_is_refused_and_tried_again(
    tmp_path: Path, stack: ExitStack, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A program with a wrong password is never connected; the log says so without the password, and it lives on."""
    broker = Mosquitto(tmp_path, users={"bridge": "right"})
    stack.enter_context(broker)
    told = Told()
    wrong = Link(broker.login("bridge", "wr0ng-secret", protocol), "bridge", told)
    wrong.start()
    stack.callback(wrong.stop)
    until(lambda: "refuses us" in caplog.text, 15, "the refusal is logged")
    assert not any(isinstance(each, Connected) for each in told.seen) and wrong.alive
    assert "wr0ng-secret" not in caplog.text and wrong.publish("t", b"") is None
    good = Told()
    right = Link(broker.login("bridge", "right", protocol), "bridge-2", good)
    right.start()
    stack.callback(right.stop)
    good.wait_for(Connected)


def test_a_publish_that_the_broker_denies_is_told(tmp_path: Path, stack: ExitStack) -> None:
    """With MQTT 5 a message against the broker's rights comes back as an error, not as a success (failure 78)."""
    broker = stack.enter_context(Mosquitto(tmp_path, users={"bridge": "p"}, acl="user bridge\ntopic read riser/#\n"))
    told = Told()
    link = Link(broker.login("bridge", "p"), "bridge", told)
    link.start()
    stack.callback(link.stop)
    told.wait_for(Connected)
    link.publish("riser/shaft-a/entry", b"{}")
    assert "authorized" in (told.wait_for(Acknowledged).error or "")


def test_a_session_taken_over_is_told(stack: ExitStack) -> None:
    """When the broker says that another client took our id, the program is told so (failures 55, 80).

    Mosquitto 2.0.11 closes such a connection without the word; the broker here is four lines that say it.
    """
    door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    told = Told()
    link = Link(BrokerLogin("127.0.0.1", door.getsockname()[1], False, None, None, "5"), "shaft-a", told)
    link.start()
    stack.callback(link.stop)
    client = stack.enter_context(door.accept()[0])
    client.recv(1000)
    client.sendall(bytes.fromhex("2003000000"))  # CONNACK, accepted
    told.wait_for(Connected)
    client.sendall(bytes.fromhex("e0028e00"))  # DISCONNECT, session taken over
    assert told.wait_for(Disconnected).taken_over


def test_two_programs_under_one_id_throw_each_other_out(broker: Mosquitto, stack: ExitStack) -> None:
    """A second program under the same client id is at least noticed as a lost connection (failure 80)."""
    _, first = linked(stack, broker, "shaft-a")
    linked(stack, broker, "shaft-a")
    first.wait_for(Disconnected)


def test_an_answer_address_travels_with_a_request(broker: Mosquitto, stack: ExitStack) -> None:
    """An MQTT 5 client's correlation data comes back with the answer that is published for it."""
    sender, _ = linked(stack, broker, "sender")
    heard = listening(stack, broker, "hearer", "t/#")
    sender.publish("t/answer", b"{}", correlation=b"42")
    assert heard.wait_for(Received).correlation == b"42"


def test_a_fault_in_the_receiver_costs_one_message_and_not_the_connection(broker: Mosquitto, stack: ExitStack) -> None:
    """A message that cannot be queued is dropped with a line in the log; the next one arrives (failure 77)."""
    told = Told()

    def sore(happening: object) -> None:
        if isinstance(happening, Received) and happening.payload == b"bad":
            raise ValueError("boom")
        told(happening)  # type: ignore[arg-type]

    link = Link(broker.login(), "sore", sore, subscriptions=["t/#"])
    link.start()
    stack.callback(link.stop)
    told.wait_for(Connected)
    link.publish("t/1", b"bad")
    link.publish("t/2", b"good")
    assert told.wait_for(Received).payload == b"good"
    assert link.alive


@pytest.mark.parametrize("retain", [False, True], ids=["waiting in the session", "retained"])
def test_a_message_that_cannot_be_read_does_not_keep_us_off_the_broker(
    broker: Mosquitto, stack: ExitStack, retain: bool
) -> None:
    """Whoever may publish to a program cannot throw it out for ever with one odd message: it is left out, once."""
    link, told = linked(stack, broker, "shaft-a", "t/#", persistent=True)
    attacker, took = linked(stack, broker, "attacker")
    odd = Properties(PacketTypes.PUBLISH)
    odd.UserProperty = ("note", "\ufeff")
    attacker._client.publish("t/1", b"odd", qos=1, retain=retain, properties=odd)
    took.wait_for(Acknowledged)
    attacker.publish("t/2", b"good")
    assert told.wait_for(Received).payload == b"good"
    link.stop()
    again, later = linked(stack, broker, "shaft-a", "t/#", persistent=True)
    attacker.publish("t/3", b"good as well")
    assert later.wait_for(Received).payload == b"good as well"
    assert again.connected and not any(isinstance(each, Disconnected) for each in told.seen + later.seen[:-1])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_network_thread_is_noticed(broker: Mosquitto, stack: ExitStack) -> None:
    """When paho's own thread dies the link says that it is not alive, although paho still says connected."""
    link, _ = linked(stack, broker, "one", "t/#")
    assert link.alive

    def fatal(*_: object) -> None:
        raise SystemExit

    link._client.on_message = fatal
    link.publish("t/1", b"x")
    until(lambda: not link.alive, 10, "the thread's death is seen")
