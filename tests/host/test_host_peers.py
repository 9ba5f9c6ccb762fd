"""Foreign programs that the tests need: installed where that is allowed, else one sentence says what to type."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from host import mosquitto, peers


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine with apt-get and without mbpoll; the commands that were run on it."""
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 100 if "install" in command else 0, "", "E: no such package")

    monkeypatch.setattr(peers, "PEERS", {"mbpoll": lambda: None, "libmodbus5": lambda: "libmodbus.so.5"})
    monkeypatch.setattr(peers.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(peers.subprocess, "run", run)
    return ran


def test_without_leave_to_install_it_is_said_what_to_type(
    lacking: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked for a password; the sentence names only what is missing."""
    monkeypatch.setattr(mosquitto, "become_root", lambda: None)
    said: list[str] = []
    peers.try_to_install(said.append)
    assert said == ["mbpoll missing; type: sudo apt-get install -y mbpoll"] and lacking == []


def test_with_leave_it_is_installed_and_a_failure_is_told(
    lacking: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call of apt-get for what is missing; where that fails, its last line and what to type."""
    monkeypatch.setattr(mosquitto, "become_root", list)
    said: list[str] = []
    peers.try_to_install(said.append)
    assert [command[-1] for command in lacking] == ["update", "mbpoll"]
    assert "E: no such package" in said[-1] and "sudo apt-get install -y mbpoll" in said[-1]


def test_where_all_is_here_nothing_happens(lacking: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """No word and no command."""
    monkeypatch.setattr(peers, "PEERS", {"mbpoll": lambda: "/usr/bin/mbpoll"})
    said: list[str] = []
    peers.try_to_install(said.append)
    assert said == [] and lacking == []
