"""A meter on the line, installed or not yet: its number and its registers, each read twice, for a bill begins there.

Nothing of it reaches the meter that the book has there: what a newcomer says is the newcomer's (failure 9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.contract.units import instant_exact, instant_text
from edge import gate, model
from edge.codec.errors import CodecError, Refused
from edge.core import Core
from edge.line.request import PERSON, Reply
from edge.live import Live, Sample, registers_of
from edge.read_times import read_at
from edge.state import MeterState

TRIES = 3
"""A question whose answer does not come, or comes damaged, is asked so often."""

ROUNDS = 3
"""Registers that do not agree, or a number, are read anew so often."""


@dataclass(frozen=True)
class Found:
    """What two looks at a meter agree on. `sample` is the second of the registers, `frames` are both exchanges."""

    serial: str | None
    sample: Sample
    frames: list[list[str]]
    serial_frames: list[list[str]]

    def mark(self, source: str) -> dict[str, Any]:
        """The register as an entry holds it."""
        return {
            "registers_wh": self.sample.registers_wh,
            "at": instant_exact(self.sample.read_at),
            "read_at": instant_text(self.sample.read_at),
            "source": source,
            "frames": self.frames,
        }


@dataclass
class _Heard:
    reply: Reply
    values: dict[str, Any]


@dataclass
class TwoReads:
    """One look at a meter: `row` says where it is, `done` is called once, with what was found or why nothing was."""

    core: Core
    meter: MeterState
    row: dict[str, Any]
    done: Callable[[Found | str], None]
    _heard: list[_Heard] = field(default_factory=list)
    _tries: int = 0
    _rounds: int = 0

    def begin(self) -> None:
        self._model = model.of_row(self.row)
        self._live = Live(self._model)
        self._tells_number = "serial" in self._model.rows
        self._ask()

    def _names(self) -> list[str]:
        numbers = ["serial", "serial"] if self._tells_number else []
        return [*numbers, self._model.registers, self._model.registers]

    def _ask(self) -> None:
        name = self._names()[len(self._heard)]
        frame = self._model.ask(name, self.row["address"], 0, self._model.preamble)
        if self.core.submit(self.meter, PERSON, name, frame, self._answered, live=self._live) is None:
            self.done(f"there is no port {self.row['port']} here")

    def _answered(self, reply: Reply) -> None:
        name, why = self._names()[len(self._heard)], reply.error or "silent"
        if reply.raw is not None:
            try:
                self._heard.append(_Heard(reply, self._model.values(name, reply.parts, self.core.terms.zone)))
                self._tries = 0
                self._next()
                return
            except Refused:
                if name == "serial" and self._model.rows[name].optional:
                    self._tells_number, self._heard = False, []
                    self._ask()
                    return
                why = "refused"
            except CodecError:
                why = "noise"
        self._tries += 1
        if self._tries < TRIES and reply.error != "closed":
            self._ask()
            return
        self.done(f"no meter answers at {self.row['address']} on {self.row['port']} ({why}); look at its wiring, "
                  "address and speed, and ask again")  # fmt: skip

    def _next(self) -> None:
        if len(self._heard) < len(self._names()):
            self._ask()
            return
        found = self._agreed()
        if found is None:
            self._rounds, self._heard = self._rounds + 1, []
            if self._rounds < ROUNDS:
                self._ask()
            else:
                self.done(f"two readings of the meter at {self.row['address']} do not agree; ask again")
            return
        self.done(found)

    def _agreed(self) -> Found | None:
        *numbers, first, second = self._heard
        serials = {each.values.get("serial") for each in numbers}
        before, sample = (self._sample(each) for each in (first, second))
        if len(serials) > 1 or not {"total"} <= sample.registers_wh.keys() & before.registers_wh.keys():
            return None
        if not gate.at_once(self._model, before, sample, self.core.clock.speed):
            return None
        if gate.check(self._model, None, before, sample, None).action != "accept":
            return None
        frames, serial_frames = ([self._kept(each) for each in some] for some in ((first, second), numbers))
        return Found(next(iter(serials), None), sample, frames, serial_frames)

    def _sample(self, heard: _Heard) -> Sample:
        reply, core = heard.reply, self.core
        at, believed = read_at(core, reply)
        return Sample(registers_of(heard.values), at, reply.ended, (), core.clock.elapsed(), believed)

    def _kept(self, heard: _Heard) -> list[str]:
        return list(self._model.kept(heard.reply.request.frame, heard.reply.parts))
