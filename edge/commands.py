"""One order to a meter at a time: sent, answered or not, and always read back, because only its status tells.

Whether an order is right is decided elsewhere (`relays.py`, `lamps.py`). Here stands how it is carried out: one
attempt at a time, growing pauses, an alarm that a person sees, and the frame's own expiry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from edge.codec import dlt645_orders
from edge.codec.errors import CodecError
from edge.core import Core
from edge.cuttable import closing
from edge.line.request import RESTORE, WATCH, Reply
from edge.state import MeterState
from edge.switch_words import TURNS, line_broke, not_following, not_moved
from edge.task import Task

log = logging.getLogger("riser.relays")

PAUSES_S = {"trip": (10.0, 60.0, 600.0, 3600.0), "close": (2.0, 5.0, 10.0, 30.0, 60.0), "lamp": (3.0, 10.0, 60.0)}
"""Line seconds after an attempt that did not lead to the wanted state; the last one repeats."""

VALVE_PAUSES_S = (60.0, 600.0, 1800.0)
"""The same for a valve, either way: each turn costs its battery, so it is turned a few times an hour at most."""

BUTTON = "press the button"
"""The step of a close that is permitted: what is left is a person's."""

BUTTON_PAUSE_S = 3600.0
"""Once closing is permitted it is a person's turn; the permission is renewed this seldom."""

ALARM_AFTER = {"trip": 3, "close": 3}
"""Attempts after which a person is told that the relay does not follow; a lamp that stays dark is no alarm. A valve
that said yes and has not arrived in all its time is told of at once: the next attempt is minutes away."""

LOOK_EVERY_S = 3.0
"""A valve on its way is looked at so often. It moves for a minute, and the line has other meters to read meanwhile."""

VALID_S = 600.0
"""A control frame is void this long after it left, by the meter's own clock, whose drift this allows for."""


class Commands:
    """The orders that are under way."""

    def __init__(self, core: Core, password_of: Callable[[str], dlt645_orders.Password]):
        self._core, self._password_of = core, password_of
        self._tasks: dict[tuple[str, str], Task] = {}
        self.take: Callable[[MeterState, str, Reply], bool]
        self.looked: Callable[[MeterState], None]

    # --- attempts ---

    def task(self, meter: MeterState, wish: str) -> Task | None:
        return self._tasks.get((meter.id, wish))

    def of(self, meter: MeterState) -> list[Task]:
        return [task for (id, _), task in self._tasks.items() if id == meter.id]

    def step(self, meter: MeterState) -> str | None:
        """Where the newest relay order stands, in a word."""
        steps = [task.step for task in self.of(meter) if task.wish != "lamp" and task.step]
        return steps[0] if steps else None

    def at_its_button(self, meter: MeterState) -> bool:
        """Closing was permitted, and supply is still to come back that way: what is left is a person's."""
        return self.step(meter) == BUTTON and closing(self._core, meter) == "permit"

    def idle(self, meter: MeterState) -> bool:
        """True when nothing is under way and nothing waits for its next attempt."""
        return not self._tasks or not any((meter.id, wish) in self._tasks for wish in PAUSES_S)

    def moving(self, meter: MeterState) -> Literal["opening", "closing"] | None:
        """Where a valve is on its way to: it was told, has not been read back there, and its time is not over."""
        if not self._is_valve(meter):
            return None
        now = self._core.clock.monotonic()
        for task in self.of(meter):
            if task.busy and task.step in ("sent", "done") and now < task.until:
                return TURNS[task.wish]
        return None

    def _is_valve(self, meter: MeterState) -> bool:
        relay = self._core.lives[meter.id].model.relay
        return relay is not None and relay.is_valve

    def left(self, meter: MeterState, task: Task) -> None:
        """The order's bytes have left: from now on it may move."""
        relay = self._core.lives[meter.id].model.relay
        task.step, task.until = "sent", self._core.clock.monotonic() + (relay.settle_s if relay else 0.0)

    def tick(self) -> None:
        """Look again at the valves that are on their way."""
        now = self._core.clock.monotonic()
        for (id, _), task in list(self._tasks.items()):
            relay = self._core.lives[id].model.relay
            if task.look_at is not None and task.look_at <= now and relay is not None:
                task.look_at = None
                self._read_back(self._core.state.meters[id], task, relay.row)

    def begin(self, meter: MeterState, wish: str, act: Callable[[MeterState, Task], None]) -> None:
        """Make an attempt unless one is under way or its pause is not over."""
        task = self._tasks.setdefault((meter.id, wish), Task(wish))
        now = self._core.clock.monotonic()
        if task.busy or now < task.not_before:
            return
        task.busy, task.attempts = True, task.attempts + 1
        act(meter, task)

    def drop(self, meter: MeterState, wish: str, idle_only: bool = False) -> None:
        """The wish is fulfilled, or nobody wishes it any more."""
        task = self._tasks.get((meter.id, wish))
        if task is not None and not (idle_only and task.busy):
            del self._tasks[meter.id, wish]

    def by_its_button(self, meter: MeterState) -> bool:
        """People hold it off, and its button would close it all the same: that was permitted before (R6)."""
        return bool(self._core.lives[meter.id].permitted) and meter.held_by_people

    def only(self, meter: MeterState, wish: str, command: str) -> None:
        """What was begun by another command begins anew; one that is on the wire is read back first."""
        if (task := self._tasks.get((meter.id, wish))) and task.command not in ("", command):
            self.drop(meter, wish, idle_only=True)

    def has_left(self, meter: MeterState, wish: str, command: str) -> bool:
        """That order has left and was not read back yet."""
        task = self._tasks.get((meter.id, wish))
        return task is not None and task.busy and task.command == command and task.step in ("sent", "done")

    def returned(self, meter: MeterState) -> None:
        """The meter answers again after a silence: what waited for a pause is tried at once."""
        for task in self.of(meter):
            task.not_before = 0.0

    def ended(self, meter: MeterState, task: Task, why: str) -> None:
        """An attempt is over and the wanted state was not read back."""
        valve = self._is_valve(meter)
        pauses = VALVE_PAUSES_S if valve else PAUSES_S[task.wish]
        enough = 1 if valve and task.step == "done" else ALARM_AFTER.get(task.wish)
        task.busy, task.step, task.look_at = False, None, None
        task.not_before = self._core.clock.monotonic() + pauses[min(task.attempts, len(pauses)) - 1]
        level = logging.DEBUG if task.wish == "lamp" else logging.INFO
        log.log(level, "meter %s: %s, attempt %d: %s", meter.id, task.wish, task.attempts, why)
        due = enough is not None and task.attempts >= enough and not task.alarmed
        if due and self._core.cannot_write is None:
            task.alarmed = True
            text = not_following(valve, task.wish, task.attempts, why)
            log.warning("meter %s: %s", meter.id, text)
            fields = {"meter": meter.id, "alarm": "not-following", "text": text}
            self._core.append(("alarm/1", self._core.own_id("alarm"), fields))
        self._core.changed("relay", meter.id)

    # --- orders ---

    def order(
        self,
        meter: MeterState,
        task: Task,
        priority: int,
        command: str,
        *,
        handshake: bool = False,
        answered: Callable[[], None] | None = None,
        left: Callable[[], None] | None = None,
    ) -> None:
        """Send one control frame; `left` is called when it surely left, `answered` when the meter took it, both before
        it is read back."""
        task.command = command
        task.number = self._core.submit(
            meter,
            priority,
            task.wish,
            self._frame(meter, command),
            lambda reply: self._commanded(meter, task, left, answered, reply),
            handshake=handshake,
        )

    def _frame(self, meter: MeterState, command: str) -> bytes:
        core = self._core
        registered = {m.row["address"] for m in core.state.meters.values() if m.row["port"] == meter.row["port"]}
        offset_s = core.lives[meter.id].clock_offset_s or 0
        until = core.now() + timedelta(seconds=max(VALID_S, 120.0 * core.clock.speed) + offset_s)
        password, until = self._password_of(meter.id), until.astimezone(core.terms.zone)
        kind, preamble = core.lives[meter.id].model, core.preamble(meter)
        return kind.order(command, meter.row["address"], registered, password, until, preamble)

    def _commanded(
        self, meter: MeterState, task: Task, left: Callable[[], None] | None, answered: Callable[[], None] | None,
        reply: Reply,
    ) -> None:  # fmt: skip
        """The meter answered an order, or did not: either way only its status tells what happened."""
        relay = self._core.lives[meter.id].model.relay
        assert relay is not None  # Nobody else is given orders.
        if reply.error == "closed" and task.step == "sent":
            # Nobody knows how much of it left. When the line is back the relay is looked at, and then decided anew.
            self.ended(meter, task, line_broke(relay.is_valve))
            return
        if reply.error in ("withdrawn", "closed"):
            self.ended(meter, task, f"the order did not leave ({reply.error})")
            return
        if left is not None:
            left()
        if reply.raw is not None:
            try:
                relay.obeyed(reply.raw)
            except CodecError as refusal:
                self.ended(meter, task, str(refusal))
                return
            task.step, task.obeyed = "done", task.obeyed + 1
            if answered is not None:
                answered()
        self._core.changed("relay", meter.id)
        task.until = self._core.clock.monotonic() + relay.settle_s
        self._read_back(meter, task, relay.row)

    def _read_back(self, meter: MeterState, task: Task, row: str) -> None:
        priority = RESTORE if task.wish == "close" and not self._is_valve(meter) else WATCH
        frame = self._core.question(meter, row)
        self._core.submit(meter, priority, row, frame, lambda reply: self._seen_back(meter, task, reply))

    def _seen_back(self, meter: MeterState, task: Task, reply: Reply) -> None:
        if reply.raw is not None:
            self.take(meter, reply.request.purpose, reply)
        live = self._core.lives[meter.id]
        seen = live.relay_open
        if task.wish == "lamp":
            self.ended(meter, task, "read back" if reply.raw else "no answer")
            self.looked(meter)
        elif task.wish == "trip" and seen and self.by_its_button(meter) and task.step != "done":
            self.ended(meter, task, "no answer")
        elif seen is (task.wish == "trip"):
            task.busy, task.step, task.alarmed = False, "read back", False
        elif task.command == "permit" and task.wish == "close" and reply.raw is not None and (
            task.step == "done" if live.permitted is None else live.permitted
        ):  # fmt: skip
            task.busy, task.step = False, BUTTON
            task.not_before = self._core.clock.monotonic() + BUTTON_PAUSE_S
            self._core.changed("relay", meter.id)
        elif self._core.clock.monotonic() < task.until and reply.error != "closed":
            if self._is_valve(meter):
                task.look_at = self._core.clock.monotonic() + LOOK_EVERY_S
            else:
                self._read_back(meter, task, reply.request.purpose)
        else:
            self.ended(meter, task, not_moved(self._is_valve(meter)) if reply.raw else "no answer")
