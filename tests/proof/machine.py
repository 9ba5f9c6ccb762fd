"""A machine with all real programs, to be killed: laid out as `riser up` does, each started again when it ends.

Edge, bridge and panel reach the broker over a wire of ours each, which can go dead.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from bridge.contract import secrets
from bridge.contract.messages import Topics
from host import runfile
from host.layout import Wish, lay_out
from host.ports import first_free
from host.program import Program
from host.programs import BROKER, SIM, broker_program, programs
from host.supervise import how_it_ended
from panel.users import Database, Users
from tests.proof.relay import Relay

ROOT = Path(__file__).parents[2]
TOPICS = Topics("riser", "proof")
ACCOUNTS = ("a1", "a2", "a3")
PEOPLE = dict.fromkeys(("clerk-1", "clerk-2", "clerk-3"), "one-time-0123456789")
START_AGAIN_S = 0.3

SITE = """
[site]
name = "Proof"
gateway = "proof"
[broker]
port = {broker}
[panel]
port = {panel}
[clock]
trust = "always"
[[ports]]
id = "line-1"
device = "{line}"
protocol = "dlt645-2007"
baud = 9600
[[tariffs]]
id = "shop"
name = "Shop"
kind = "single"
price = "0.8500"
"""
METER = """
[[meters]]
id = "m{n}"
model = "dlt645-1p"
port = "line-1"
address = "20260311000{n}"
serial = "20260311000{n}"
room = "R{n}"
relay = "direct"
[[accounts]]
id = "a{n}"
name = "Tenant {n}"
room = "R{n}"
tariff = "shop"
meters = ["m{n}"]
opening = "100.00"
"""


class Machine:
    """The programs, their keeper, and what can be done to them."""

    def __init__(self, directory: Path):
        self.directory, self.data, site = directory, directory / "data", directory / "site.toml"
        text = SITE.format(
            broker=first_free("127.0.0.1", 19_500), panel=first_free("127.0.0.1", 19_800),
            line=directory / "lines" / "line-1",
        )  # fmt: skip
        site.write_text(text + "".join(METER.format(n=n) for n in range(1, len(ACCOUNTS) + 1)), encoding="utf-8")
        self.layout = layout = lay_out(self.data, Wish(site=site, browser=False), lambda words: None)
        assert layout.broker is not None
        self.broker_port = urlsplit(layout.broker_url).port or 0
        plain = {key: value for key, value in os.environ.items() if not key.startswith("RISER_")}
        lines = (sys.executable, "-m", "firmware_sim", "--site", str(site), "--run", str(directory / "lines"))
        listed = [broker_program(layout.broker), Program(SIM, lines, plain, ROOT), *programs(layout.wiring)]
        self.programs = {program.name: program for program in listed}
        self.relays = {name: self._wired(name) for name in ("edge", "bridge", "panel")}
        users = Users(Database(self.data / "panel.db"), self.data)
        for name, password in PEOPLE.items():
            users.add(name, "finance", password)
        self._logs = {name: (directory / f"{name}.log").open("ab") for name in self.programs}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._due: dict[str, float] = {}
        self.starts, self.ends = Counter[str](), Counter[str]()
        self.more: dict[str, dict[str, str]] = {}
        """What a program finds in its environment at its next start, once."""
        self._disturbed = (time.monotonic(), "the beginning")
        self._starting: dict[str, float] = {}
        self.slowest_start_s = 0.0
        self._lock, self._stopping = threading.RLock(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def _wired(self, role: str) -> Relay:
        """A wire of ours between a program and the broker."""
        made, path = Relay(self.broker_port), secrets.path_of(self.data, role)
        tables = json.loads(path.read_text())
        tables["broker"]["url"] = f"mqtt://127.0.0.1:{made.port}"
        secrets.write(self.data, role, tables)
        return made

    # --- keeping ---

    def start(self) -> None:
        """All programs; returns when the panel hears the gateway."""
        self._keeper.start()
        self._say_that_it_runs()

    def _say_that_it_runs(self) -> None:
        """The run file, by which `riser request` finds us."""
        layout, pid = self.layout, os.getpid()
        runfile.write(runfile.Run(
            pid=pid, pid_started=runfile.started_ticks(pid) or 0, started_at="", demo=False, data=str(self.data),
            site=str(layout.wiring.site_file), base="riser", gateway="proof", clock="", broker_url=layout.broker_url,
            panel_url=layout.panel_url, programs={},
        ))  # fmt: skip

    def _keep(self) -> None:
        """The thread that starts the programs must live as long as they: so says the parent-death signal."""
        while not self._stopping.wait(0.02):
            with self._lock:
                for name in self.programs:
                    process = self._processes.get(name)
                    if process is not None and process.poll() is None:
                        self._look(name)
                        continue
                    due = self._due.setdefault(name, time.monotonic() + (START_AGAIN_S if process else 0))
                    if time.monotonic() >= due:
                        self._launch(name)

    def _look(self, name: str) -> None:
        """A program that was started is back once its port or its book is open."""
        if (began := self._starting.get(name)) is not None and self._serves(name):
            self.slowest_start_s = max(self.slowest_start_s, time.monotonic() - began)
            del self._starting[name]
            self.disturb(f"{name} came back")

    def _serves(self, name: str) -> bool:
        if name == "edge":
            return self.book_holder() is not None
        port = {BROKER: self.broker_port, "panel": urlsplit(self.layout.panel_url).port}.get(name)
        with socket.socket() as trial:
            trial.settimeout(0.1)  # Without a network it would wait for minutes, and all with it.
            return port is None or trial.connect_ex(("127.0.0.1", port)) == 0

    def _launch(self, name: str) -> None:
        program, before = self.programs[name], self._processes.get(name)
        if before is not None:
            self.ends[f"{name}: {how_it_ended(before.returncode)}"] += 1
        self._due.pop(name, None)
        self.starts[name] += 1
        self._starting[name] = time.monotonic()
        words = [str(os.getpid()), program.user or "-", *program.argv]
        environ = {**program.environ, **self.more.pop(name, {}), "RISER_PARENT": str(os.getpid())}
        self._processes[name] = subprocess.Popen(
            [sys.executable, "-I", "-S", str(ROOT / "host" / "child.py"), *words], cwd=program.directory,
            env=environ, stdin=subprocess.DEVNULL, stdout=self._logs[name], stderr=self._logs[name],
            start_new_session=True,
        )  # fmt: skip

    def stop(self) -> None:
        """Everything, in order."""
        self._stopping.set()
        self._keeper.join(5)
        for name in ("panel", "bridge", "edge", SIM, BROKER):
            process = self._processes.get(name)
            if process is None or process.poll() is not None:
                continue
            os.killpg(process.pid, signal.SIGCONT)
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
        for relay in self.relays.values():
            relay.stop()
        for log in self._logs.values():
            log.close()
        runfile.remove(self.data)
        self.layout.lock.close()

    # --- harm ---

    @property
    def killed(self) -> int:
        """Programs that were ended by SIGKILL and started again."""
        return sum(many for how, many in self.ends.items() if how.endswith("SIGKILL"))

    def pid(self, name: str) -> int | None:
        """The program's process, None between two of them."""
        with self._lock:
            process = self._processes.get(name)
            return process.pid if process is not None and process.poll() is None else None

    def signal(self, name: str, number: int) -> bool:
        """Send a signal to the program and all that it started. False where it is just starting."""
        if (pid := self.pid(name)) is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            self.disturb(f"{name} got signal {number}")
            os.killpg(pid, number)
            return True
        return False

    def disturb(self, what: str) -> None:
        """Whoever waits for an answer is not late before now."""
        self._disturbed = (time.monotonic(), what)

    def disturbed(self) -> tuple[float, str]:
        """When something was last done to the programs or wires, or one came back; and what."""
        starting = next(iter(self._starting.copy()), None)
        return (time.monotonic(), f"{starting} is starting") if starting else self._disturbed

    def book_holder(self) -> int | None:
        """The process of the edge where it has the book's lock."""
        pid = self.pid("edge")
        if pid is None or not (lock := self.data / "book.lock").exists():
            return None
        held = f" {pid} .*:{lock.stat().st_ino} 0 EOF$"
        return pid if re.search(f"FLOCK .*{held}", Path("/proc/locks").read_text(), re.MULTILINE) else None

    def second_edge(self) -> subprocess.Popen[bytes]:
        """Another edge on the same book begins; its words are in its pipe."""
        argv, environ, pipe = self.programs["edge"].argv, dict(self.programs["edge"].environ), subprocess.PIPE
        return subprocess.Popen(argv, cwd=ROOT, env=environ, stdout=pipe, stderr=subprocess.STDOUT)

    def tail(self, name: str) -> str:
        """The newest words of a program."""
        return (self.directory / f"{name}.log").read_text(errors="replace")[-2000:]


def until(condition: Callable[[], object], limit_s: float) -> bool:
    """Wait for something; False when it did not come."""
    over = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > over:
            return False
        time.sleep(0.05)
    return True
