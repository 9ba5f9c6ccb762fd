"""The panel as a program: settings refused in one sentence, and one real start against a real broker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from panel_facts import info, reading, row

from bridge.contract import secrets
from bridge.contract.messages import Meters, PanelStatus, Status, Topics
from bridge.contract.secrets import BrokerLogin
from bridge.mqtt import Connected, Happening, Link, Received
from panel.__main__ import BadSetting, port_of, settings
from panel.parts import Demo

ROOT = Path(__file__).parents[2]
SITE = '[site]\nname = "锦绣广场"\ngateway = "jx-a"\n'


def test_missing_settings_are_named(tmp_path: Path) -> None:
    """Without a data directory or site file the panel says which setting is missing."""
    with pytest.raises(BadSetting, match="RISER_DATA and RISER_SITE"):
        settings({})
    (tmp_path / "site.toml").write_text(SITE)
    told = {"RISER_DATA": str(tmp_path), "RISER_SITE": str(tmp_path / "site.toml")}
    assert settings(told)[2] is None
    assert settings(told | {"RISER_DEMO": '{"account": "100206"}'})[2] == Demo("100206", 10_000)
    assert settings(told | {"RISER_DEMO": '{"account": "7", "amount_fen": 50000}'})[2] == Demo("7", 50_000)
    for bad in ("100206", "[]", '{"account": "7", "amount_fen": "much"}'):
        with pytest.raises(BadSetting, match="RISER_DEMO"):
            settings(told | {"RISER_DEMO": bad})


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "８０８０"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """The port from the environment is checked before anything listens."""
    (tmp_path / "site.toml").write_text(SITE)
    site = settings({"RISER_DATA": str(tmp_path), "RISER_SITE": str(tmp_path / "site.toml")})[1]
    assert port_of(site, {}) == 8080 and port_of(site, {"RISER_PANEL_PORT": "9000"}) == 9000
    with pytest.raises(BadSetting):
        port_of(site, {"RISER_PANEL_PORT": text})


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(condition, what: str, limit_s: float = 20.0):  # type: ignore[no-untyped-def]
    """Poll until the condition gives something."""
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {limit_s} s for {what}")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    if not Path(program).exists():
        pytest.skip("mosquitto is not installed")
    port = free_port()
    (tmp_path / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    os.chmod(tmp_path, 0o755)
    child = subprocess.Popen([program, "-c", str(tmp_path / "m.conf")], stderr=subprocess.DEVNULL)
    yield port
    child.terminate()
    child.wait(10)


def health(port: int) -> dict[str, object] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return json.load(answer)  # type: ignore[no-any-return]
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


@pytest.mark.processes
@pytest.mark.parametrize("watched", [False, True], ids=["alone", "under riser up"])
def test_the_program_starts_mirrors_and_says_goodbye(tmp_path: Path, broker: int, watched: bool) -> None:
    """A real start: ready with the broker, retained facts mirrored, off line when it ends.

    Alone it prints one line with the first password; under `riser up`, which shows it itself, no log holds it (I24).
    There it also beats, which needs its own web server (failure 47).
    """
    data, port = tmp_path / "data", free_port()
    login = {"url": f"mqtt://127.0.0.1:{broker}"}
    secrets.write(data, "panel", {"broker": login, "keys": {"panel": "ab" * 32}})
    (tmp_path / "site.toml").write_text(SITE)
    topics, heard, connected = Topics("riser", "jx-a"), [], threading.Event()

    def take(happening: Happening) -> None:
        if isinstance(happening, Connected):
            connected.set()
        elif isinstance(happening, Received):
            heard.append((happening.topic, happening.payload))

    edge = Link(BrokerLogin.of(login), "edge", take, subscriptions=[topics.of(PanelStatus)])
    edge.start()
    assert connected.wait(10)
    for message, id in (
        (Status(state="online"), ""),
        (info(), ""),
        (Meters(meters=[row("a1", "A1")]), ""),
        (reading(), "a1"),
    ):
        edge.publish(topics.of(type(message), id), message.payload(), retain=True)
    environment = os.environ | {
        "RISER_DATA": str(data), "RISER_SITE": str(tmp_path / "site.toml"), "RISER_PANEL_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    watcher = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    watcher.bind(str(tmp_path / "n"))
    watcher.settimeout(15)
    environment |= {"RISER_PARENT": str(os.getpid()), "NOTIFY_SOCKET": str(tmp_path / "n")} if watched else {}
    panel = subprocess.Popen(
        [sys.executable, "-m", "panel"], env=environment, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        ready = wait_for(lambda: (found := health(port)) and found["facts"] == 4 and found, "four facts")
        assert ready == {"ready": True, "broker": True, "gateway": "online", "facts": 4, "seq": 4711}
        wait_for(lambda: (topics.of(PanelStatus), b'{"state":"online"}') in heard, "the panel's own status")
        while watched and watcher.recv(100) != b"WATCHDOG=1":
            continue  # gunicorn's own words of its start.
    finally:
        watcher.close()
        panel.send_signal(signal.SIGTERM)
        output = panel.communicate(timeout=20)[0]
    lines = [line for line in output.splitlines() if line.startswith("First sign-in:")]
    password = (data / "first-password.txt").read_text(encoding="utf-8").strip()
    assert (password in output, len(lines)) == ((False, 0) if watched else (True, 1)), output
    assert watched or lines[0].startswith(f"First sign-in: user admin, one-time password {password}; you will be asked")
    assert panel.returncode == 0, output
    wait_for(lambda: heard and heard[-1][1] == b'{"state":"offline"}', "the last will")
    edge.stop()
