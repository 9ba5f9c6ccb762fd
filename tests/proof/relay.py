"""A wire between a program and its broker that can go dead: bytes stop, and neither side is told (half open).

`freeze` keeps both connections and carries nothing; `thaw` carries again what waited; `cut` ends them with a reset.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading

CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset, not a farewell."""


class Relay:
    """One loopback port that leads to another one."""

    def __init__(self, target: int):
        self._target, self._frozen, self._still = target, threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._peers: dict[socket.socket, socket.socket] = {}
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def freeze(self) -> None:
        """Nothing is carried any more once this returns."""
        self._still.clear()
        self._frozen.set()
        self._still.wait(10)

    def thaw(self) -> None:
        self._frozen.clear()

    def cut(self) -> None:
        """Both ends get a reset."""
        with self._lock:
            ends, self._peers = list(self._peers), {}
        for end in ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.close()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        self.cut()
        self._listener.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._frozen.is_set():
                self._still.set()
                self._stopping.wait(0.02)
                continue
            with self._lock, selectors.DefaultSelector() as waiting:
                waiting.register(self._listener, selectors.EVENT_READ)
                for end in self._peers:
                    waiting.register(end, selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in waiting.select(0.02)]
            for end in ready:
                if end is self._listener:
                    self._accept()
                else:
                    assert isinstance(end, socket.socket)
                    self._carry(end)

    def _accept(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=1)
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.settimeout(5)
        with self._lock:
            self._peers |= {near: far, far: near}

    def _carry(self, end: socket.socket) -> None:
        other = self._peers.get(end)
        if other is None:
            return
        try:
            if data := end.recv(CHUNK):
                other.sendall(data)
                return
        except OSError:
            pass
        with self._lock:
            self._peers.pop(end, None), self._peers.pop(other, None)
        end.close(), other.close()
