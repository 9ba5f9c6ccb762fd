"""The panel's sign of progress needs both: facts are taken in, and a browser would get its page (failure 47)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from panel_stage import Stage

from bridge.contract.clock import ManualClock
from bridge.contract.progress import SOCKET, Progress
from panel import pulse
from panel.pulse import Pulse, answers


class Watcher:
    """Hears the beats."""

    def __init__(self, path: Path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(str(path))

    def heard(self) -> bool:
        try:
            return self.socket.recv(100) == b"WATCHDOG=1"
        except BlockingIOError:
            return False


def test_a_panel_beats_only_while_it_takes_in_and_answers(tmp_path: Path) -> None:
    """A feed that hangs, or a server that answers nobody, is no beat, however well the other half does."""
    stage, watcher, well = Stage(tmp_path), Watcher(tmp_path / "n"), [True]
    clock: ManualClock = stage.clock
    it = Pulse(stage.feed, lambda: well[0], Progress(clock, {SOCKET: str(tmp_path / "n")}), clock)

    def look(*, turns: bool, answered: bool) -> bool:
        stage.feed.turns += turns
        well[0] = answered
        clock.advance(pulse.LOOK_EVERY_S)
        it.look()
        return watcher.heard()

    assert look(turns=True, answered=True)
    assert not look(turns=False, answered=True)
    assert not look(turns=True, answered=False)
    assert look(turns=True, answered=True)
    watcher.socket.close()


class Health(BaseHTTPRequestHandler):
    status, release = 200, threading.Event()

    def do_GET(self) -> None:
        if self.status == 0:
            self.release.wait(10)
            return
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """One line a look would fill the test's output."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    it = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=it.serve_forever, daemon=True).start()
    yield it
    Health.release.set()
    it.shutdown()
    it.server_close()


def test_only_an_answer_counts(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready or waiting for the broker: both are answers. A server that accepts and says nothing is stuck."""
    port = server.server_address[1]
    for status, well in ((200, True), (503, True), (500, False)):
        monkeypatch.setattr(Health, "status", status)
        assert answers("0.0.0.0", port) is well
    monkeypatch.setattr(Health, "status", 0)
    monkeypatch.setattr(pulse, "ANSWER_WITHIN_S", 0.3)
    assert not answers("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    assert not answers("127.0.0.1", port)
