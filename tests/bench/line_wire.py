"""One judged line: the wire's own time, its meters, and what can be done to both: kill, damage, pull."""

from __future__ import annotations

import contextlib
import os
import termios
import time
import tty
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from bridge.contract.clock import Clock
from firmware_sim.line import Meter, collide
from firmware_sim.shaft import Wiring
from firmware_sim.wire import EARS

BITS = 11
TURNAROUND_S = {"dlt645-2007": 0.020, "modbus-rtu": 0.010}
"""DL/T 645-2007 §5.3 asks for 20 ms at least; Modbus names no time, and meters of the field take about 10 ms."""

PORTION_S = 0.005
"""An answer is handed over in portions of about this long, as adapters do; a slow byte is a portion by itself."""

GAP_CHARACTERS = 3.5
CONTACT_S = 0.1
"""A bistable relay's contact moves within this time, so that one exchange later the status word shows it."""

NEVER = float("inf")


class JudgedLine:
    """One line. `due` is the next instant at which it has something to say, `exact` that it is an answer's end."""

    def __init__(self, wiring: Wiring, meters: Sequence[Meter], directory: Path, clock: Clock):
        self.id, self._link, self._clock = wiring.line_id, directory / wiring.line_id, clock
        self._byte_s, self._turnaround_s = BITS / wiring.baud, TURNAROUND_S[wiring.protocol]
        self._gap_s = GAP_CHARACTERS * self._byte_s if wiring.protocol == "modbus-rtu" else 0.0
        self._speed, self._dlt = getattr(termios, f"B{wiring.baud}"), wiring.protocol == "dlt645-2007"
        self._ear, _ = EARS[wiring.protocol]
        self._meters = {(m.wire if self._dlt else bytes([m.slave])): m for m in meters}  # type: ignore[attr-defined]
        for meter in meters:
            if self._dlt:
                meter.relay.delay_s = CONTACT_S  # type: ignore[attr-defined]
        self._dead: set[str] = set()
        self._dice, self._damage = Random(0), 0.0
        self.over: list[dict[str, Any]] = []
        self._portions: deque[tuple[float, bytes]] = deque()
        self._exchange: dict[str, Any] | None = None
        self.due, self.exact, self.master, self._slave = NEVER, False, -1, -1
        self._buffer, self._first_s, self._count, self._free_s = bytearray(), 0.0, 0, 0.0
        self.plug()

    # --- what happens to a line ---

    def kill(self, meters: list[str]) -> None:
        self._dead |= set(meters)

    def revive(self, meters: list[str]) -> None:
        self._dead -= set(meters)

    def damage(self, share: float, seed: int) -> None:
        """Spoil this share of the answers from now on."""
        self._damage, self._dice = share, Random(seed)

    def relays(self, opened: bool) -> None:
        """Put all relays there, as a bad week left them."""
        for meter in self._meters.values():
            meter.relay.open = meter.relay.commanded_open = opened  # type: ignore[attr-defined]

    def pull(self) -> None:
        """The adapter is pulled: device and name are gone."""
        if self.master >= 0:
            self._link.unlink(missing_ok=True)
            os.close(self.master)
            os.close(self._slave)
            self.master = self._slave = -1
            self._portions.clear()
            self._buffer.clear()
            self.due, self._exchange = NEVER, None

    def plug(self) -> None:
        """The adapter is there, under its name. The slave stays open here, so that masters may come and go."""
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        beside = self._link.with_name(f".{self._link.name}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(os.ttyname(self._slave))
        beside.replace(self._link)

    # --- the wire ---

    def hear(self) -> None:
        """Bytes came from the master."""
        now = time.monotonic()
        try:
            piece = os.read(self.master, 4096)
        except OSError:
            return
        if termios.tcgetattr(self.master)[5] != self._speed:
            return  # Spoken at another speed than the meters': to them it is no character at all.
        if not self._buffer:
            self._first_s, self._count = now, 0
        self._buffer += piece
        self._count += len(piece)
        while (frame := self._ear(self._buffer, False)) is not None:
            self._question(frame, now)
            self._first_s, self._count = now, 0

    def _question(self, heard: bytes, now: float) -> None:
        frame = heard.lstrip(b"\xfe") if self._dlt else heard  # These meters need no wake-up bytes.
        begin = max(self._first_s, self._free_s)
        end = max(begin + self._count * self._byte_s, now)
        gap = self._first_s - self._free_s
        row: dict[str, Any] = {
            "line": self.id, "arrived": self._first_s, "begin": begin, "asked": self._count, "shortest": len(frame),
            "early": bool(self._free_s and gap < self._gap_s), "collided": gap < 0, "frame": frame.hex(),
        }  # fmt: skip
        if self._exchange is not None and gap < 0:  # It talked into an answer: both are lost, and time is not regained.
            self._portions.clear()
            self._note(self._free_s, "")
        answer = self._answer(frame, end)
        row["meter"] = self._asked(frame)
        self._exchange, start = row, end + self._turnaround_s
        if not answer:
            self._note(end, "")
            return
        spoilt = self._spoil(answer) if self._damage and self._dice.random() < self._damage else None
        row["answer"] = answer.hex()
        row["damaged"] = spoilt is not None
        heard = answer if spoilt is None else spoilt
        step = max(1, round(PORTION_S / self._byte_s))
        for at in range(0, len(heard), step):
            part = heard[at : at + step]
            self._portions.append((start + (at + len(part)) * self._byte_s, part))
        self._free_s = self._portions[-1][0]
        self.due, self.exact = self._portions[0][0], len(self._portions) == 1

    def _asked(self, frame: bytes) -> str:
        meter = self._meters.get(frame[1:7] if self._dlt else frame[:1])
        return "" if meter is None else meter.meter_id

    def _answer(self, frame: bytes, end: float) -> bytes:
        """What the line carries in answer; computed while the question is still on the wire, as of its end."""
        at = self._clock.now() + timedelta(seconds=max(0.0, end - time.monotonic()) * self._clock.speed)
        one = self._meters.get(frame[1:7] if self._dlt else frame[:1])
        asked = [one] if one is not None else list(self._meters.values())
        replies = [m.answer(frame, at, end) for m in asked if m.meter_id not in self._dead]
        heard = [reply for reply in replies if reply]
        return b"" if not heard else heard[0] if len(heard) == 1 else collide(heard)

    def _spoil(self, answer: bytes) -> bytes:
        """One bit turned, one byte lost, the end cut off, or a byte from nowhere in the middle."""
        first = answer.index(0x68) if self._dlt else 0  # Damage to wake-up bytes leaves a whole answer behind it.
        spot, kind = self._dice.randrange(first, len(answer)), self._dice.randrange(4)
        if kind == 0:
            return answer[:spot] + bytes([answer[spot] ^ 1 << self._dice.randrange(8)]) + answer[spot + 1 :]
        if kind == 1:
            return answer[:spot] + answer[spot + 1 :]
        spot = max(spot, first + 1)  # So does a byte before the first.
        return answer[:spot] if kind == 2 else answer[:spot] + b"\x55" + answer[spot:]

    def speak(self) -> None:
        """Hand over what is due. An answer ends when its last byte is handed over: should we be stopped between that
        and our next look at the clock, the master has it already."""
        while self._portions and (now := time.monotonic()) >= self.due:
            due, part = self._portions.popleft()
            with contextlib.suppress(BlockingIOError):  # Nobody reads: lost, as on a wire.
                os.write(self.master, part)
            if self._portions:
                self.due, self.exact = self._portions[0][0], len(self._portions) == 1
            else:
                self._note(due, self._exchange["answer"] if self._exchange else "", now - due)

    def _note(self, end: float, answer: str, late_s: float = 0.0) -> None:
        row, self._exchange = self._exchange, None
        self.due, self.exact = NEVER, False
        self._free_s = end + late_s
        if row is not None:
            row.setdefault("damaged", False)
            self.over.append({**row, "answer": answer, "end": end + late_s, "late_s": late_s})
