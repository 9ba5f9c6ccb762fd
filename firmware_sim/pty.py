"""One line on one pseudo-terminal, served by one thread at the pace of its baud rate.

A program opens DIR/<line id> as it would open /dev/ttyUSB0. The reply begins when the request would have been
on a real wire to its end and the meter has thought, and its bytes come no faster than the baud rate allows.
All of that is real time: the calendar may be scaled, the wire is not. The adapter can be pulled and put back.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from bridge.contract.clock import Clock

from .line import BITS_PER_BYTE, Line
from .wire import EARS

ANSWERS_WITHIN_S = 0.5
"""DL/T 645-2007 §5.3, Td; a meter that takes longer is late, and the line does not wait for it."""

BAUDS = {getattr(termios, f"B{baud}"): baud for baud in (600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}

CHUNK_S = 0.010
# Bytes are handed over in portions of about this long, as a USB adapter does.


class PtyLine:
    """A `Line` behind a pseudo-terminal. `lock` guards the meters; `changed` is called before a reply that
    acknowledges something a restart must not lose."""

    def __init__(
        self,
        line: Line,
        protocol: str,
        baud: int,
        link: Path,
        clock: Clock,
        lock: threading.Lock,
        changed: Callable[[], None],
    ):
        self.line, self.link, self.clock = line, link, clock
        self._take, self._quiet_s = EARS[protocol]
        self._speed = getattr(termios, f"B{baud}")
        self._spoken(baud)
        self._lock, self._changed = lock, changed
        self._late: list[tuple[float, bytes]] = []
        self._woken, self._wake = os.pipe()
        self.plugged = False
        self._thread: threading.Thread
        self._plug()

    def start(self) -> None:
        """Put the symlink in place and begin to answer."""
        self._thread.start()
        self._name()

    def stop(self) -> None:
        """Stop answering, close the pseudo-terminal, take the symlink away if it is still ours."""
        self.unplug()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)

    @property
    def alive(self) -> bool:
        """False after the thread died of a defect; the simulator must then end rather than look healthy."""
        return not self.plugged or self._thread.is_alive()

    # -- the adapter -------------------------------------------------------------------------------------------

    def unplug(self) -> None:
        """Somebody pulls the adapter: device and name are gone, and the kernel tells whoever has it open."""
        if not self.plugged:
            return
        os.write(self._wake, b"x")
        self._thread.join()
        os.read(self._woken, 1)
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(self.link) == self.device:
                self.link.unlink()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)
        self.plugged, self._late = False, []

    def plug(self) -> None:
        """The adapter is back under its name, as another device than before."""
        if self.plugged:
            return
        before = self.device
        self._plug()
        if self.device == before:  # The kernel gives the lowest free number; a USB adapter rarely gets its old one.
            kept = self._master, self._slave
            self._plug()
            for descriptor in kept:
                os.close(descriptor)
        self.start()

    def _plug(self) -> None:
        self._master, self._slave = os.openpty()
        # The slave stays open here, so that the line outlives every program that opens and closes it.
        tty.setraw(self._slave)
        settings = termios.tcgetattr(self._slave)
        settings[4] = settings[5] = self._speed
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self.plugged = True
        self._thread = threading.Thread(target=self._serve, name=self.line.line_id, daemon=True)

    def _name(self) -> None:
        beside = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(self.device)
        beside.replace(self.link)

    # -- the line's thread -------------------------------------------------------------------------------------

    def _serve(self) -> None:
        buffer = bytearray()
        first_s, count = 0.0, 0
        while True:
            ready = self._hear(self._quiet_s if buffer else None)
            if ready is None:
                return
            if ready:
                arrived = os.read(self._master, 4096)
                baud = BAUDS.get(termios.tcgetattr(self._master)[5], 0)
                if baud not in self.line.speeds:
                    continue  # Spoken at another speed than the meters': to them it is no character at all.
                self._spoken(baud)
                if not buffer:
                    first_s, count = self.clock.monotonic(), 0
                buffer += arrived
                count += len(arrived)
                if self.line.line_id in self.line.faults.echo:
                    self._put(arrived)
            while (frame := self._take(buffer, not ready)) is not None:
                heard_s = max(self.clock.monotonic(), first_s + count * self._byte_s)
                if not self._exchange(frame, heard_s, buffer):
                    return
                first_s, count = self.clock.monotonic(), len(buffer)

    def _spoken(self, baud: int) -> None:
        self._baud, self._byte_s = baud, BITS_PER_BYTE / baud

    def _hear(self, timeout_s: float | None) -> bool | None:
        """True when bytes came within the time, False when none did, None when the line is being stopped."""
        until_s = None if timeout_s is None else self.clock.monotonic() + timeout_s
        while True:
            due_s = min([at for at, _ in self._late] + ([] if until_s is None else [until_s]), default=None)
            left_s = None if due_s is None else max(0.0, due_s - self.clock.monotonic())
            ready, _, _ = select.select([self._master, self._woken], [], [], left_s)
            if self._woken in ready:
                return None
            self._speak_late()
            if ready:
                return True
            if until_s is not None and self.clock.monotonic() >= until_s:
                return False

    def _exchange(self, frame: bytes, heard_s: float, buffer: bytearray) -> bool:
        """Answer one request that was on the wire until `heard_s`. False when the line is being stopped."""
        if not self._wait_until(heard_s):
            return False
        with self._lock:
            before = self.line.settings_seq
            reply, think_s = self.line.answer(frame, self.clock.now(), self.clock.monotonic(), self._baud)
            changed = self.line.settings_seq != before
        if changed:
            self._changed()
        if reply and think_s > ANSWERS_WITHIN_S:
            # Only the late meter is busy: the line goes on, and the answer comes into whatever is asked by then.
            self._late.append((heard_s + think_s, reply))
            return True
        return not reply or self._send(reply, heard_s + think_s, buffer)

    def _send(self, reply: bytes, start_s: float, buffer: bytearray) -> bool:
        portion = max(1, int(CHUNK_S / self._byte_s))
        for spot in range(0, len(reply), portion):
            part = reply[spot : spot + portion]
            if not self._wait_until(start_s + (spot + len(part)) * self._byte_s):
                return False
            if spot + portion >= len(reply):
                self._forget_what_came_meanwhile(buffer)
            self._put(part)
        return True

    def _speak_late(self) -> None:
        """Put those late answers on the line whose time has come, whatever else is said there."""
        now_s = self.clock.monotonic()
        for answer in [each for each in self._late if each[0] <= now_s]:
            self._late.remove(answer)
            self._put(answer[1])

    def _put(self, part: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # Nobody reads and the queue is full: lost, as on a wire.
            os.write(self._master, part)

    def _forget_what_came_meanwhile(self, buffer: bytearray) -> None:
        """A half-duplex meter is deaf while it thinks and speaks."""
        buffer.clear()
        with contextlib.suppress(BlockingIOError):
            while os.read(self._master, 4096):
                pass

    def _wait_until(self, mono_s: float) -> bool:
        """Wait for an instant of the line's own time. False when the line is being stopped."""
        while (left_s := mono_s - self.clock.monotonic()) > 0:
            due_s = min((at - self.clock.monotonic() for at, _ in self._late), default=left_s)
            if select.select([self._woken], [], [], max(0.0, min(left_s, due_s)))[0]:
                return False
            self._speak_late()
        return True
