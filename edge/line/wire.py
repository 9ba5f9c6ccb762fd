"""A line and the bytes on it: its device, protocol, speed and framing; the only importer of pyserial."""

from __future__ import annotations

import errno
import logging
import os
import select
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import serial

from edge.codec import PROTOCOLS

log = logging.getLogger("riser.bus")


class Wire(Protocol):
    """Bytes to and from a line. `read` returns what has come within `timeout_s`, or nothing. Raises OSError."""

    def write(self, frame: bytes) -> None: ...
    def read(self, timeout_s: float) -> bytes: ...
    def drain(self) -> None: ...
    def close(self) -> None: ...


class SerialWire:
    """A serial port. Pseudo-terminals are opened 8N1, because they take parity once and then refuse it."""

    def __init__(self, device: Path, baud: int, parity: str):
        simulated = device.resolve().is_relative_to("/dev/pts")
        try:
            self._port = serial.Serial(
                str(device), baud, parity="N" if simulated else parity, timeout=0, write_timeout=2, exclusive=True
            )
        except termios.error as error:  # Not an OSError, though it means the same: the device went while it was opened.
            raise OSError(*error.args) from None
        if not simulated:
            try:
                self._port.set_low_latency_mode(True)
            except (OSError, ValueError, AttributeError, NotImplementedError) as error:
                log.info("%s keeps its own latency timer (%s); reads are a little slower", device, error)

    def write(self, frame: bytes) -> None:
        self._port.write(frame)

    def read(self, timeout_s: float) -> bytes:
        readable, _, _ = select.select([self._port.fileno()], [], [], max(timeout_s, 0))
        if not readable:
            return b""
        piece = os.read(self._port.fileno(), 4096)
        if not piece:
            raise OSError(errno.EIO, "the device says that there is something to read, and there is nothing")
        return piece

    def drain(self) -> None:
        try:
            self._port.reset_input_buffer()
        except termios.error as error:  # The adapter was pulled; this is what tcflush says then.
            raise OSError(*error.args) from None

    def close(self) -> None:
        self._port.close()


@dataclass(frozen=True)
class Line:
    """What a port is: its id, device, protocol and speed."""

    id: str
    device: Path
    protocol: str
    baud: int
    parity: str

    def wire_s(self, count: int) -> float:
        """Seconds that `count` bytes take on this line."""
        return count * PROTOCOLS[self.protocol].FRAMING_BITS / self.baud

    def open(self) -> Wire:
        return SerialWire(self.device, self.baud, self.parity)
