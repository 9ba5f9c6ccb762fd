"""Our Mosquitto lets each program do its own work and nothing else: every role, topic and verb against the real one."""

from __future__ import annotations

import os
import pwd
import queue
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.contract.secrets import BrokerLogin
from bridge.contract.site import Site
from bridge.mqtt import Acknowledged, Connected, Happening, Link, Received
from host import mosquitto
from host.acl import DEMO, ROLES, rights
from host.exits import MISSING, Trouble
from host.passwords import hashed
from host.ports import answers, first_free, is_free
from tests.host.conftest import eventually

pytestmark = pytest.mark.processes

PASSWORDS = {role: f"password-of-{role}" for role in (*ROLES, DEMO)}

FACTS = {
    "riser/east/status", "riser/east/info", "riser/east/meters", "riser/east/meter/a1",
    "riser/east/meter/a1/availability", "riser/east/meter/a1/relay", "riser/east/meter/a1/event", "riser/east/reading",
    "riser/east/meter/a1/valve",
    "riser/east/account/7", "riser/east/account/7/event", "riser/east/accounts", "riser/east/tariff/shop",
    "riser/east/entry", "riser/east/response/topup", "riser/east/response/read",
}  # fmt: skip
PRESENCE = {"riser/bridge/status", "riser/panel/status"}
REQUESTS = {
    f"riser/east/request/{operation}"
    for operation in ("topup", "off", "on", "trip", "close", "read", "brake", "told", "replay")
}
HOME = {"homeassistant/status", "homeassistant/device/riser_east_a1/config"}
FOREIGN = {"riser/east/else", "riser/else", "another/topic"}
OTHER_EDGE = {"riser/west/status", "riser/west/meter/b1", "riser/west/request/trip"}
EVERYTHING = FACTS | PRESENCE | REQUESTS | HOME | FOREIGN | OTHER_EDGE
WEST_FACTS = {"riser/west/status", "riser/west/meter/b1"}

MAY_WRITE = {
    "edge": FACTS | REQUESTS,
    "bridge": {"riser/bridge/status", "riser/east/request/replay"} | HOME,
    "panel": {"riser/panel/status", "riser/west/request/trip"} | REQUESTS,
    "shell": REQUESTS | {"riser/west/request/trip"},
    "integrator": {"riser/east/request/read", "riser/east/request/replay", "homeassistant/status"},
    "notices": {"riser/east/request/told"},
    "demo": {"riser/east/request/topup"},
}
MAY_READ = {
    "edge": FACTS | REQUESTS,
    "bridge": FACTS | WEST_FACTS | PRESENCE | {"homeassistant/status"},
    "panel": FACTS | WEST_FACTS | PRESENCE,
    "shell": EVERYTHING - {"another/topic"},
    "integrator": (FACTS | WEST_FACTS | PRESENCE | HOME) - {"riser/east/accounts", "riser/east/entry"},
    "notices": (FACTS | WEST_FACTS | PRESENCE) - {"riser/east/entry"},
    "demo": {"riser/east/account/7", "riser/east/response/topup", "riser/east/response/read"},
}
"""Written by hand and apart from the table in `host/acl.py`: the edge's clearing of retained requests is its only
write below `request/`, the integrator sees neither names nor the book, who sends notices sees names and no book, the
demo pays and does nothing else."""


@dataclass
class Broker:
    child: mosquitto.BrokerChild
    process: subprocess.Popen[bytes]
    port: int
    directory: Path

    def link(self, user: str, password: str, subscriptions: list[str]) -> tuple[Link, queue.Queue[Happening]]:
        inbox: queue.Queue[Happening] = queue.Queue()
        login = BrokerLogin("127.0.0.1", self.port, False, user, password, "5")
        link = Link(login, f"test-{user}-{os.urandom(3).hex()}", inbox.put, subscriptions=subscriptions)
        link.start()
        assert isinstance(inbox.get(timeout=5), Connected)
        return link, inbox


SITE = Site.model_validate({"site": {"name": "East", "gateway": "east"}})


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Our broker with its generated files, and one more user for the test, who may do everything."""
    binary = mosquitto.find_binary()
    assert binary is not None, "Mosquitto is missing; `riser test` installs it"
    directory = tmp_path_factory.mktemp("site") / "broker"
    port = first_free("127.0.0.1", 18_830)
    said: list[str] = []
    child = mosquitto.prepare(binary, directory, SITE, port, PASSWORDS, said.append)
    with (directory / "passwords").open("a") as out:
        out.write(f"god:{hashed('almighty')}\n")
    with (directory / "acl").open("a") as out:
        out.write("\nuser god\ntopic readwrite #\n")
    process = subprocess.Popen(child.argv, stderr=subprocess.DEVNULL)
    assert eventually(lambda: answers("127.0.0.1", port))
    yield Broker(child, process, port, directory)
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize("role", PASSWORDS)
def test_who_may_write_what(broker: Broker, role: str) -> None:
    """A stolen password of one program publishes on no other program's topics (failure 85)."""
    link, inbox = broker.link(role, PASSWORDS[role], [])
    mids = {link.publish(topic, b"x"): topic for topic in sorted(EVERYTHING)}
    allowed = set()
    for _ in mids:
        answer = inbox.get(timeout=5)
        assert isinstance(answer, Acknowledged)
        if answer.error is None:
            allowed.add(mids[answer.mid])
    link.stop()
    assert allowed == MAY_WRITE[role]


@pytest.mark.parametrize("role", PASSWORDS)
def test_who_may_read_what(broker: Broker, role: str) -> None:
    """Each program hears what its work needs; names and phones reach panel, bridge and the person at the machine."""
    link, inbox = broker.link(role, PASSWORDS[role], ["#"])
    god, god_inbox = broker.link("god", "almighty", ["the/end"])
    mark = os.urandom(8)
    for topic in sorted(EVERYTHING):
        assert god.publish(topic, mark) is not None
    for _ in EVERYTHING:
        assert isinstance(god_inbox.get(timeout=5), Acknowledged)
    heard = set()
    # The broker keeps order for one receiver, so the last topic this role may read ends its wait.
    while heard < MAY_READ[role] or not inbox.empty():
        came = inbox.get(timeout=5)
        if isinstance(came, Received) and came.payload == mark:
            heard.add(came.topic)
    link.stop()
    god.stop()
    assert heard == MAY_READ[role]


def test_nobody_comes_in_without_a_password(broker: Broker) -> None:
    """Neither without a name nor with a wrong password does anybody reach the broker."""
    for user, password in ((None, None), ("panel", "guess"), ("mallory", "password-of-panel")):
        inbox: queue.Queue[Happening] = queue.Queue()
        login = BrokerLogin("127.0.0.1", broker.port, False, user, password, "5")
        link = Link(login, "intruder", inbox.put)
        link.start()
        assert not isinstance(inbox.get(timeout=5), Connected)
        link.stop()


def test_what_waits_for_one_program_has_an_end(broker: Broker) -> None:
    """A flood of large messages for a program that stands still fills some memory of the broker and not all of it."""
    stopped, _ = broker.link("edge", PASSWORDS["edge"], ["riser/east/request/+"])
    stopped._client.loop_stop()
    flood, answers = broker.link("integrator", PASSWORDS["integrator"], [])
    before_kb = memory_kb(broker)
    for _ in range(80):
        assert flood.publish("riser/east/request/read", os.urandom(8) + bytes(1_000_000)) is not None
        assert isinstance(answers.get(timeout=10), Acknowledged)
    grown_kb = memory_kb(broker) - before_kb
    flood.stop()
    stopped.stop()
    assert grown_kb < 60_000, "of 80 MB sent"


def memory_kb(broker: Broker) -> int:
    status = Path(f"/proc/{broker.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def test_the_broker_listens_on_loopback_alone(broker: Broker) -> None:
    """Unless the site file says otherwise nobody on the network can even knock."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.2", broker.port))
        other.listen()
    assert f"listener {broker.port} 127.0.0.1\n" in (broker.directory / "mosquitto.conf").read_text()


def test_the_brokers_files_are_private(broker: Broker) -> None:
    """Passwords and rights can be read by the broker's user alone."""
    for path in broker.directory.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert "password-of" not in (broker.directory / "passwords").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give its rights away")
def test_started_by_root_the_broker_is_not_root_where_its_user_can_enter(tmp_path: Path) -> None:
    """Started by root the broker becomes its own user; behind a closed door it stays root, and a person is told."""
    try:
        pwd.getpwnam(mosquitto.BROKER_USER)
    except KeyError:
        pytest.skip("this machine has no user mosquitto")
    said: list[str] = []
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(0o711)
    binary = mosquitto.find_binary() or ""
    opened = mosquitto.prepare(binary, tmp_path / "a/broker", SITE, 18_840, PASSWORDS, said.append)
    assert (opened.user, said) == ("mosquitto", [])
    assert (tmp_path / "a/broker/acl").owner() == "mosquitto"
    (tmp_path / "b").mkdir(mode=0o700)
    closed = mosquitto.prepare(binary, tmp_path / "b/broker", SITE, 18_840, PASSWORDS, said.append)
    assert closed.user is None
    assert "cannot enter" in said[0]
    assert "user root" in (tmp_path / "b/broker/mosquitto.conf").read_text()


def test_a_missing_broker_is_one_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Mosquitto and without the right to install it, the person gets the one line to type."""
    monkeypatch.setattr(mosquitto, "find_binary", lambda: None)
    monkeypatch.setattr(mosquitto, "become_root", lambda: None)
    monkeypatch.setattr("shutil.which", lambda name, **_: f"/usr/bin/{name}")
    with pytest.raises(Trouble, match="type: sudo apt-get install -y mosquitto") as caught:
        mosquitto.ensure_installed(lambda _: None)
    assert caught.value.code == MISSING


def test_installing_says_so_and_stops_the_packages_own_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it may, Riser installs Debian's package, says so, and stops the service that the package starts."""
    ran: list[list[str]] = []
    found = iter([None, "/usr/sbin/mosquitto"])

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(mosquitto, "find_binary", lambda: next(found))
    monkeypatch.setattr(mosquitto, "become_root", lambda: ["sudo", "-n"])
    monkeypatch.setattr("shutil.which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr(Path, "is_dir", lambda self: str(self) == "/run/systemd/system")
    said: list[str] = []
    assert mosquitto.ensure_installed(said.append) == "/usr/sbin/mosquitto"
    assert any(command[-4:] == ["install", "-y", "--no-install-recommends", "mosquitto"] for command in ran)
    assert ran[-1] == ["sudo", "-n", "systemctl", "disable", "--now", "mosquitto"]
    assert "installing Debian's package" in said[0]


def test_every_role_has_rights_and_a_stranger_none() -> None:
    """A program without a row in the table gets no user at the broker."""
    assert all(rights(role, "riser", "east", "homeassistant") for role in PASSWORDS)
    with pytest.raises(ValueError, match="no user"):
        rights("mallory", "riser", "east", "homeassistant")


def test_a_port_in_use_is_seen_and_the_next_one_found() -> None:
    """A port somebody listens on is not free, on whatever address they listen; the next free one is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert first_free("127.0.0.1", port) > port
    assert is_free("127.0.0.1", port)
