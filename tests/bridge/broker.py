"""A real Mosquitto for tests: on a free loopback port, with its own directory, to be killed and started again.

Started by root, Mosquitto would drop to its own user and could not read a private directory: `user root` keeps it.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

from bridge.contract.secrets import BrokerLogin

STARTS_WITHIN_S = 10.0


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """One broker. `users` maps names to passwords; without them anybody may come in.

    `acl` is the text of an access file. Sessions and retained messages survive `kill` because every change is saved.
    """

    def __init__(self, directory: Path, users: dict[str, str] | None = None, acl: str | None = None):
        self.directory = directory / "mosquitto"
        self.directory.mkdir()
        self.port = free_port()
        self.lines: list[str] = []
        self._child: subprocess.Popen[str] | None = None
        settings = [
            f"listener {self.port} 127.0.0.1",
            "user root",
            "persistence true",
            f"persistence_location {self.directory}/",
            "autosave_on_changes true",
            "autosave_interval 1",
            "set_tcp_nodelay true",
            "log_dest stderr",
            f"allow_anonymous {'false' if users else 'true'}",
        ]
        if users:
            passwords = self.directory / "passwords"
            passwords.touch(mode=0o600)
            for user, password in users.items():
                subprocess.run(["mosquitto_passwd", "-b", passwords, user, password], check=True, capture_output=True)
            settings.append(f"password_file {passwords}")
        if acl is not None:
            (self.directory / "acl").write_text(acl)
            settings.append(f"acl_file {self.directory / 'acl'}")
        self._configuration = self.directory / "mosquitto.conf"
        self._configuration.write_text("\n".join(settings) + "\n")

    def start(self) -> Mosquitto:
        """Start and wait until it says that it runs."""
        self._child = child = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", str(self._configuration)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        running = threading.Event()
        threading.Thread(target=self._listen, args=(child, running), daemon=True).start()
        if not running.wait(STARTS_WITHIN_S):
            self.kill()
            raise AssertionError("mosquitto does not start:\n" + "\n".join(self.lines))
        return self

    def _listen(self, child: subprocess.Popen[str], running: threading.Event) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            self.lines.append(line.rstrip())
            if line.rstrip().endswith("running"):
                running.set()

    def kill(self) -> None:
        """As if the power went: no farewell, no last save."""
        self._end("kill")

    def stop(self) -> None:
        """In order."""
        self._end("terminate")

    def _end(self, how: str) -> None:
        child, self._child = self._child, None
        if child is not None:
            getattr(child, how)()
            child.wait(10)

    def login(self, user: str | None = None, password: str | None = None, protocol: str = "5") -> BrokerLogin:
        """How a program reaches this broker."""
        return BrokerLogin("127.0.0.1", self.port, False, user, password, protocol)

    def __enter__(self) -> Mosquitto:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
