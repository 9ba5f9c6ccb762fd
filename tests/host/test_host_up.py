"""`riser up`, `status` and `request` as a person types them, with small stand-ins for the four programs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.contract import secrets
from bridge.contract.clock import ScaledClock, SystemClock, from_environment
from bridge.contract.messages import Topics
from host import demo
from host.doctor import see_broker
from host.exits import FAILED, FINE, IN_USE, NOT_RUNNING, USAGE
from host.ports import first_free
from tests.host.conftest import ROOT, alive, eventually

pytestmark = pytest.mark.processes

SITE = '[site]\nname = "East"\ngateway = "east"\n[panel]\nport = {panel}\n[broker]\nport = {broker}\n'


class Machine:
    """A data directory, a site file, and `riser` typed at it."""

    def __init__(self, directory: Path):
        self.data, self.site = directory / "data", directory / "site.toml"
        self.panel_port = first_free("127.0.0.1", 18_080)
        self.site.write_text(SITE.format(panel=self.panel_port, broker=first_free("127.0.0.1", 18_900)))
        programs = directory / "programs.toml"
        fakes = [f'{name} = ["{sys.executable}", "-m", "tests.host.fake_{name}"]' for name in ("edge", "panel")]
        programs.write_text("[programs]\n" + "\n".join(fakes))
        self.environ = {**os.environ, "RISER_DATA": str(self.data), "RISER_PROGRAMS": str(programs)}
        self.started: list[subprocess.Popen[str]] = []

    def riser(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "riser.py"), *words],
            env=self.environ, capture_output=True, text=True, timeout=60, cwd="/",
        )  # fmt: skip

    def up(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "riser.py"), "up", *words],
            env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/",
        )  # fmt: skip
        self.started.append(process)
        return process

    def status(self) -> dict:
        return json.loads(self.riser("status", "--json").stdout)

    def ready(self) -> bool:
        return self.status()["ready"]

    def pids(self) -> list[int]:
        return [program["pid"] for program in self.status()["programs"].values()]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    it = Machine(tmp_path)
    yield it
    for process in it.started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=40)


def ended(process: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[int, str]:
    process.send_signal(number)
    said = process.communicate(timeout=40)[0]
    return process.returncode, said


def test_from_start_to_end(machine: Machine) -> None:
    """A site starts and says when it is ready; status, top-up and doctor work from elsewhere; Ctrl-C ends all."""
    process = machine.up("--site", str(machine.site))
    assert eventually(machine.ready, 40)
    status = machine.status()
    assert list(status) == ["ready", "programs", "broker", "panel", "meters", "seq", "clock", "mode"]
    assert set(status["programs"]) == {"broker", "edge", "panel"}
    assert all(each["state"] == "running" and each["restarts"] == 0 for each in status["programs"].values())
    assert status["broker"]["credentials_file"] == str(machine.data / "secrets/shell.json")
    assert (
        json.loads(Path(status["broker"]["credentials_file"]).read_text())["broker"]["url"] == status["broker"]["url"]
    )
    assert status["panel"] == {"url": f"http://127.0.0.1:{machine.panel_port}"}
    assert (status["meters"], status["seq"], status["mode"]) == ({"installed": 4, "read": 4}, 7, "normal")
    assert status["clock"]["trusted"] is True
    assert "4 of 4 read in the last round" in machine.riser("status").stdout

    words = ("request", "topup", "account=7", "amount_fen=20000", "method=cash", "--who", "Li")
    asked = machine.riser(*words, "--json")
    assert (asked.returncode, json.loads(asked.stdout)[0]["data"]) == (FINE, {"who": "Li"})
    refused = machine.riser("request", "topup", "account=7", "amount_fen=2000000", "method=cash")
    assert (refused.returncode, refused.stdout) == (FAILED, "refused (R12): that is too much\n")

    sentences = [each["sentence"] for each in json.loads(machine.riser("doctor", "--json").stdout)["findings"]]
    assert "The gateway east is on line, mode normal, entry 7." in sentences
    assert f"The panel answers at http://127.0.0.1:{machine.panel_port}." in sentences
    login = replace(secrets.read(machine.data, "shell").broker, password="wrong")
    visit = see_broker.visit(login, Topics("riser", "east"), SystemClock())
    assert (visit.let_in, visit.refused, visit.heard) == (False, "Not authorized", {})

    pids = machine.pids()
    code, said = ended(process)
    assert code == FINE
    assert "Riser is ready: 4 of 4 meters read." in said and "Ctrl-C ends everything." in said
    assert not any(map(alive, pids))
    gone = machine.riser("status", "--json")
    assert gone.returncode == NOT_RUNNING
    assert json.loads(gone.stdout)["ready"] is False


def test_two_on_one_data_directory_are_refused(machine: Machine) -> None:
    """A second start on the same book is refused in one sentence that names the first; the first goes on."""
    machine.up("--site", str(machine.site))
    assert eventually(lambda: machine.status()["programs"], 20)
    second = machine.riser("up", "--site", str(machine.site))
    assert second.returncode == IN_USE
    assert f"Riser already runs on {machine.data} (process {machine.started[0].pid})" in second.stderr
    assert machine.started[0].poll() is None


def test_a_killed_riser_leaves_nothing_and_the_next_start_works(machine: Machine) -> None:
    """After kill -9 of Riser itself every program has ended within seconds; status says so; the next start is free."""
    process = machine.up("--site", str(machine.site))
    assert eventually(lambda: len(machine.status()["programs"]) == 3, 20)
    pids = machine.pids()
    process.kill()
    process.wait()
    assert eventually(lambda: not any(map(alive, pids)), 8)
    assert machine.riser("status").returncode == NOT_RUNNING
    machine.up("--site", str(machine.site))
    assert eventually(lambda: len(machine.status()["programs"]) == 3, 20)


def test_a_program_killed_comes_back_and_status_counts_it(machine: Machine) -> None:
    """A program that was killed is back within seconds, and status shows that it was restarted."""
    machine.up("--site", str(machine.site))
    assert eventually(machine.ready, 40)
    os.kill(machine.status()["programs"]["edge"]["pid"], signal.SIGKILL)
    assert eventually(lambda: machine.status()["programs"]["edge"]["restarts"] == 1, 10)
    assert eventually(machine.ready, 20)


def test_under_systemd_it_tells_its_state_and_no_password(machine: Machine, tmp_path: Path) -> None:
    """systemd hears when everything is started, that we work, and that we end; its journal holds no password."""
    machine.data.mkdir()
    (machine.data / "first-password.txt").write_text("9NRT-6CYT\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        machine.environ |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "RISER_UNATTENDED": "1"}
        process = machine.up("--site", str(machine.site))
        assert systemd.recv(200).decode().splitlines() == [
            "READY=1", f"STATUS=panel at http://127.0.0.1:{machine.panel_port}",
        ]  # fmt: skip
        assert [systemd.recv(200) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        assert set(machine.status()["programs"]) == {"broker", "edge", "panel"}
        assert eventually(machine.ready, 40)
        os.kill(process.pid, signal.SIGSTOP)
        systemd.settimeout(1.5)
        with pytest.raises(TimeoutError):
            for _ in range(1000):  # What was on its way; a stopped loop sends nothing after it.
                systemd.recv(200)
        systemd.settimeout(20)
        os.kill(process.pid, signal.SIGCONT)
        assert systemd.recv(200) == b"WATCHDOG=1"
        assert process.stdout is not None
        while "Sign in" not in (line := process.stdout.readline()):
            assert line
        assert f"admin, with the password in {machine.data / 'first-password.txt'}" in line
        code, said = ended(process, signal.SIGTERM)
        assert code == FINE and "9NRT" not in said
        last = b""
        while not last.startswith(b"STOPPING=1"):
            last = systemd.recv(200)


def test_in_a_container_the_panel_listens_where_the_surroundings_say(machine: Machine) -> None:
    """The site file says loopback, which no published port reaches; the image says otherwise, and its word counts."""
    machine.environ["RISER_PANEL_LISTEN"] = "0.0.0.0"
    process = machine.up("--site", str(machine.site))
    assert eventually(lambda: machine.riser("status", "--ready").returncode == FINE, 40)
    assert machine.status()["panel"] == {"url": f"http://127.0.0.1:{machine.panel_port}"}
    socket.create_connection(("127.0.0.2", machine.panel_port), timeout=5).close()
    assert ended(process)[0] == FINE
    assert machine.riser("status", "--ready").returncode == NOT_RUNNING


def test_a_panel_port_in_use_is_one_sentence(machine: Machine) -> None:
    """A taken port on a real site is told with what to do, and nothing is left running."""
    with socket.create_server(("127.0.0.1", machine.panel_port)):
        done = machine.riser("up", "--site", str(machine.site))
    assert done.returncode == IN_USE
    assert done.stderr.startswith(f"riser: port {machine.panel_port} for the panel is in use; end what uses it, or")
    assert done.stderr.count("\n") == 1


def test_a_wrong_site_file_tells_every_mistake_and_touches_nothing(machine: Machine) -> None:
    """All mistakes of a site file come at once, each with its path, before anything is made."""
    machine.site.write_text('[site]\nname = "East"\ngateway = "East!"\n[panel]\nprot = 1\n')
    done = machine.riser("up", "--site", str(machine.site))
    assert done.returncode == USAGE
    assert "site.gateway: an id is" in done.stderr and "panel.prot: there is no such setting" in done.stderr
    assert not machine.data.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("up",), "which site?"),
        (("up", "--demo", "--site", "x"), "--demo brings a site of its own"),
        (("up", "--speed", "2"), "--speed belongs to --demo"),
        (("up", "--demo", "--speed", "61"), "1<=x<=60"),
        (("up", "--site", "/nowhere.toml"), "there is no such file"),
        (("request", "dance"), "there is no request 'dance'"),
        (("request", "topup", "amount=3"), "`topup` takes account=..."),
        (("request", "topup", "amount_fen=3.50"), "amount_fen is a whole number"),
    ],
)
def test_wrong_words_get_one_sentence(machine: Machine, words: tuple[str, ...], sentence: str) -> None:
    """What was typed wrongly is answered with what to type, and exit code 2."""
    done = machine.riser(*words)
    assert (done.returncode, sentence in done.stderr) == (USAGE, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_request_without_riser_says_so(machine: Machine) -> None:
    """A request where nothing runs is answered at once and not after a time-out."""
    assert machine.riser("request", "read", "meter=a1").returncode == NOT_RUNNING


def test_the_demo_begins_afresh_and_keeps_the_last_book(machine: Machine) -> None:
    """Each demo has a fresh book and a fresh broker memory; the last book is kept aside, who may sign in stays."""
    data = machine.data / "demo"
    first = machine.up("--demo", "--no-browser")
    assert eventually(lambda: (data / "book.db").exists(), 20)
    (data / "panel.db").write_text("people")
    (data / "book.db").write_text("the first book")
    password = json.loads((data / "secrets/shell.json").read_text())["broker"]["password"]
    assert ended(first, signal.SIGTERM)[0] == FINE
    second = machine.up("--demo", "--no-browser", "--speed", "50")
    assert eventually(lambda: machine.status()["programs"].get("panel"), 20)
    assert (data / "book.db").read_text() == "a book"
    assert (data / "panel.db").read_text() == "people"
    assert json.loads((data / "secrets/shell.json").read_text())["broker"]["password"] == password
    kept = list((data / "kept").iterdir())
    assert [(each / "book.db").read_text() for each in kept] == ["the first book"]
    assert (kept[0] / "broker/store").is_dir()
    clock = from_environment({"RISER_CLOCK": json.loads((data / "run.json").read_text())["clock"]})
    assert isinstance(clock, ScaledClock) and clock.speed == 50 and clock.start == demo.START
    assert f"the last demo is kept in {kept[0]}" in ended(second)[1]


def test_the_demo_finds_another_port_for_the_panel(machine: Machine) -> None:
    """A demo starts beside whatever already uses its ports, and says where it went."""
    with contextlib.ExitStack() as stack:
        # Where somebody else has the port already, that is as good.
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", 8080)))
        machine.up("--demo", "--no-browser")
        assert eventually(lambda: machine.status()["panel"]["url"], 20)
        assert machine.status()["panel"]["url"] != "http://127.0.0.1:8080"


def test_old_demos_do_not_fill_the_disk(tmp_path: Path) -> None:
    """Of the demos before, the newest three are kept."""
    for number in range(5):
        (tmp_path / "book.db").write_text(f"{number}")
        demo.fresh(tmp_path)
    kept = sorted((each / "book.db").read_text() for each in (tmp_path / "kept").iterdir())
    assert kept == ["2", "3", "4"]


def test_a_first_password_is_shown_when_ready(machine: Machine) -> None:
    """While the first password waits to be changed, the person at the terminal reads it with the panel's address."""
    machine.data.mkdir()
    (machine.data / "first-password.txt").write_text("9NRT-6CYT\n")
    process = machine.up("--site", str(machine.site))
    lines: list[str] = []
    assert process.stdout is not None
    read: Callable[[], str] = process.stdout.readline
    while not any("Ctrl-C ends" in line for line in lines):
        lines.append(read())
    assert any("admin, password 9NRT-6CYT" in line for line in lines)
    assert ended(process)[0] == FINE
    for path in (machine.data / "log").iterdir():
        assert "9NRT" not in path.read_text()
