"""Hears the beats of the children and counts their silence: the service manager's end of sd_notify(3).

One datagram socket in Linux' abstract space, so that no path is too long and the broker's user reaches it as well. The
kernel names the sender of each datagram, and its process group is the child: nobody else can beat for a child that
hangs. Silence counts only while we listen, so a suspended machine or a stopped `up` puts nobody in the wrong.
"""

from __future__ import annotations

import os
import secrets
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.contract.clock import Clock
from bridge.contract.progress import BEAT, SOCKET, WATCHING

FIRST_BEAT_S = 600.0
"""A program may fold a book of many years before its work begins; being killed for that would never end."""

LONGEST_LOOK_S = 1.0
"""Between two looks no more than this counts as silence; what lies beyond, we slept ourselves."""

UCRED = struct.Struct("3i")
"""pid, uid, gid of a sender (unix(7), SCM_CREDENTIALS)."""


@dataclass
class Watched:
    """A child that owes us beats."""

    limit_s: float
    silent_s: float = 0.0
    beaten: bool = False

    @property
    def patience_s(self) -> float:
        return self.limit_s if self.beaten else max(self.limit_s, FIRST_BEAT_S)


class Watchdog:
    """Every child that owes us beats, by its process group."""

    def __init__(self, clock: Clock):
        self._clock, self._looked_s = clock, clock.monotonic()
        self._watched: dict[int, Watched] = {}
        self._socket, self._address = _listen()

    def surroundings(self, environ: Mapping[str, str], limit_s: float | None) -> dict[str, str]:
        """A child's environment, with the words of the watch when it owes us beats and without them otherwise."""
        found = {key: value for key, value in environ.items() if key not in WATCHING}
        if limit_s is not None and self._socket is not None:
            found |= {SOCKET: self._address, "WATCHDOG_USEC": str(round(limit_s * 1_000_000))}
        return found

    def watch(self, group: int, limit_s: float | None) -> None:
        """From now on this process group beats at least every `limit_s`; None: it owes us nothing."""
        if limit_s is not None and self._socket is not None:
            self._watched[group] = Watched(limit_s)

    def forget(self, group: int) -> None:
        """This process group has ended."""
        self._watched.pop(group, None)

    def silent(self) -> dict[int, float]:
        """{group: seconds of its silence} of every child that has lost our patience. Each is named once."""
        now_s = self._clock.monotonic()
        passed_s, self._looked_s = min(now_s - self._looked_s, LONGEST_LOOK_S), now_s
        for each in self._watched.values():
            each.silent_s += passed_s
        for group in self._heard() & self._watched.keys():
            self._watched[group].silent_s, self._watched[group].beaten = 0.0, True
        over = {group: each.silent_s for group, each in self._watched.items() if each.silent_s >= each.patience_s}
        for group in over:
            self.forget(group)
        return over

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _heard(self) -> set[int]:
        """The process groups that have beaten since the last look."""
        found: set[int] = set()
        while self._socket is not None:
            try:
                words, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(UCRED.size))
            except BlockingIOError:
                break
            if BEAT in words.decode("utf-8", errors="replace").splitlines():
                found |= {_group(UCRED.unpack(cargo)[0]) for _, _, cargo in ancillary if len(cargo) == UCRED.size}
        return found


def _listen() -> tuple[socket.socket | None, str]:
    """Our socket and the children's word for it. Elsewhere than on Linux there is neither, and nobody is watched."""
    if sys.platform != "linux":
        return None, ""
    name = f"riser-{os.getpid()}-{secrets.token_hex(4)}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    listening.bind(f"\0{name}")
    return listening, f"@{name}"


def _group(pid: int) -> int:
    """The process group of a sender; 0, which is nobody's, when it has already gone."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
