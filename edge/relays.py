"""Desired against observed, one meter at a time (R5, R6, I7-I11). The state shown is what was read back.

A trip goes: the meter's own number, registers and status are read afresh; the port says ready; everything is
checked once more; the evidence is written and synced; the bytes leave; the relay is read back. A close needs a
cause that stands in the book. What does not follow is tried again with growing pauses and ends in an alarm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bridge.contract.units import instant_text, micros_of
from edge.accounts import Accounts
from edge.bus import PERSON, RESTORE, TRIP, WATCH, Reply, Request
from edge.codec import dlt645
from edge.codec.errors import CodecError
from edge.core import Core, Draft
from edge.evidence import EVIDENCE_READS, draft_of, stale_evidence
from edge.live import Live
from edge.model import Values
from edge.state import MeterState

log = logging.getLogger("riser.relays")

PAUSES_S = {"trip": (10.0, 60.0, 600.0, 3600.0), "close": (2.0, 5.0, 10.0, 30.0, 60.0), "lamp": (3.0, 10.0, 60.0)}
"""Line seconds after an attempt that did not lead to the wanted state; the last one repeats."""

ALARM_AFTER = {"trip": 3, "close": 3, "lamp": 1_000_000}
"""Attempts after which a person is told that the relay does not follow."""

READ_BACK_S = 10.0
"""Relays and their feedback take seconds; the status word is read until it matches or so long."""

TRIPS_A_DAY = 3
"""No tug of war: a relay that closes by itself is tripped at most once an hour and so often a day."""

VALID_S = 600.0
"""A control frame is void this long after it left, by the meter's own clock, whose drift this allows for."""

Decode = Callable[[MeterState, str, Values, Reply], None]


@dataclass
class Task:
    """What is being done about one relay or lamp."""

    wish: str
    busy: bool = False
    attempts: int = 0
    not_before: float = 0.0
    until: float = 0.0
    step: str | None = None
    alarmed: bool = False
    missing: list[str] = field(default_factory=list)


class Relays:
    """Brings relays and lamps to what they should be."""

    def __init__(self, core: Core, accounts: Accounts, password_of: Callable[[str], dlt645.Password]):
        self._core, self._accounts, self._password_of = core, accounts, password_of
        self._tasks: dict[tuple[str, str], Task] = {}
        self.take: Callable[[MeterState, str, Reply], bool]

    # --- what is wanted ---

    def desired(self, meter: MeterState) -> str:
        """`open` while any hold is set or a cut for arrears is due and allowed, else `closed`."""
        return "open" if meter.holds or self._cut_is_due(meter) else "closed"

    def _cut_is_due(self, meter: MeterState) -> bool:
        account = self._core.state.accounts.get(meter.account or "")
        if account is None or account.final is None or account.final.delivered_seq is None:
            return False  # R1 at a glance: this is asked for every meter several times a second.
        return self._accounts.verdict(account, meter).allowed

    def restless(self, meter: MeterState) -> bool:
        """True when time alone may bring something to do about this meter."""
        account = self._core.state.accounts.get(meter.account or "")
        if meter.holds or meter.restore is not None or (account is not None and account.final is not None):
            return True
        return self._core.lives[meter.id].lamp_on

    def step(self, meter: MeterState) -> str | None:
        """Where the newest relay command stands, in a word."""
        for kind in ("trip", "close"):
            task = self._tasks.get((meter.id, kind))
            if task is not None and task.step:
                return task.step
        return None

    def following(self, meter: MeterState) -> bool:
        return not any(task.alarmed for (id, _), task in self._tasks.items() if id == meter.id)

    # --- looking ---

    def consider(self, meter: MeterState) -> None:
        """Compare desired with observed and begin what is missing. Cheap; called after everything that may matter."""
        live = self._core.lives[meter.id]
        if not live.model.relay or meter.row["relay"] == "none" or live.relay_open is None:
            return
        self._lamp(meter, live)
        if live.relay_open:
            self._tasks.pop((meter.id, "trip"), None)
            if meter.restore is not None and not meter.holds:
                self._begin(meter, "close", self._close)
        else:
            self._tasks.pop((meter.id, "close"), None)
            if self.desired(meter) == "open" and self._trip_allowed(meter):
                self._begin(meter, "trip", self._check_before_trip)
            elif not meter.holds:
                self._drop_idle(meter, "trip")

    def _drop_idle(self, meter: MeterState, kind: str) -> None:
        task = self._tasks.get((meter.id, kind))
        if task is not None and not task.busy:
            del self._tasks[meter.id, kind]

    def _trip_allowed(self, meter: MeterState) -> bool:
        """A hold for arrears never trips by itself: the whole check is made again for each attempt."""
        core = self._core
        if set(meter.holds) - {"arrears"}:
            return core.mode in ("normal", "time")
        if not self._cut_is_due(meter):
            return False
        hour_ago = micros_of(core.now() - timedelta(hours=1))
        day_ago = micros_of(core.now() - timedelta(days=1))
        moved_by_itself = meter.observed_since is not None and any(at < meter.observed_since for at in meter.trips)
        if meter.observed == "closed" and moved_by_itself and "arrears" in meter.holds:
            return all(at < hour_ago for at in meter.trips) and sum(at > day_ago for at in meter.trips) < TRIPS_A_DAY
        return True

    def _begin(self, meter: MeterState, kind: str, act: Callable[[MeterState, Task], None]) -> None:
        task = self._tasks.setdefault((meter.id, kind), Task(kind))
        now = self._core.clock.monotonic()
        if task.busy or now < task.not_before:
            return
        pauses = PAUSES_S[kind]
        task.busy, task.not_before = True, now + READ_BACK_S + pauses[min(task.attempts, len(pauses) - 1)]
        task.attempts += 1
        act(meter, task)

    def _ended(self, meter: MeterState, task: Task, why: str) -> None:
        """An attempt is over and the wanted state was not read back."""
        pauses = PAUSES_S[task.wish]
        task.busy, task.step = False, None
        task.not_before = self._core.clock.monotonic() + pauses[min(task.attempts, len(pauses)) - 1]
        log.warning("meter %s: %s, attempt %d: %s", meter.id, task.wish, task.attempts, why)
        if task.attempts >= ALARM_AFTER[task.wish] and not task.alarmed:
            task.alarmed = True
            text = f"the relay does not follow ({task.wish}, {task.attempts} attempts): {why}"
            fields = {"meter": meter.id, "alarm": "not-following", "text": text}
            self._core.append(("alarm/1", self._core.own_id("alarm"), fields))
        self._core.changed("relay", meter.id)

    # --- tripping ---

    def _check_before_trip(self, meter: MeterState, task: Task) -> None:
        task.missing = list(EVIDENCE_READS)
        priority = PERSON if set(meter.holds) - {"arrears"} else TRIP
        for name in EVIDENCE_READS:
            frame = self._core.question(meter, name)
            self._core.submit(
                meter, priority, name, frame, lambda reply, name=name: self._checked(meter, task, name, reply)
            )

    def _checked(self, meter: MeterState, task: Task, name: str, reply: Reply) -> None:
        if reply.raw is None or not self.take(meter, name, reply):
            if task.busy:
                self._ended(meter, task, f"no fresh {name} before the trip ({reply.error or 'refused'})")
            return
        if name in task.missing:
            task.missing.remove(name)
        if task.missing or not task.busy:
            return
        if self._core.lives[meter.id].relay_open or self.desired(meter) != "open":
            task.busy = False
            self.consider(meter)
            return
        if (trouble := stale_evidence(self._core, meter)) is not None:
            self._ended(meter, task, trouble)
            return
        self._send(meter, task, PERSON if set(meter.holds) - {"arrears"} else TRIP, "trip", "trip")

    def ready(self, request: Request, port: str) -> None:
        """The port is at a trip or close: check everything once more, write why, let the bytes leave (I7, I8, I10)."""
        core, meter = self._core, self._core.state.meters[request.meter]
        look = self._last_look if request.purpose == "trip" else self._last_look_at_close
        if (trouble := look(meter)) is not None:
            core.ports[port].refuse(request.number)
            log.info("meter %s: %s withdrawn at the last look: %s", meter.id, request.purpose, trouble)
            return
        if request.purpose == "trip":
            draft = draft_of(core, meter, "manual" if set(meter.holds) - {"arrears"} else "arrears")
        else:
            draft = self._close_draft(meter)
        (entry,) = core.append(draft)
        if core.ports[port].go(request.number):
            log.info("meter %s: %s sent, its reason is entry %d", meter.id, request.purpose, entry.seq)
            if (task := self._tasks.get((meter.id, request.purpose))) is not None:
                task.step = "sent"
        else:
            fields = {"meter": meter.id, "evidence_seq": entry.seq, "why": "the first byte did not leave in time"}
            core.append(("withdrawn/1", f"withdrawn:{entry.seq}", fields))
        core.changed("relay", meter.id)

    def _last_look(self, meter: MeterState) -> str | None:
        if set(meter.holds) - {"arrears"}:
            mode = self._core.mode
            return None if mode in ("normal", "time") else f"the gateway is in mode {mode}"
        account = self._core.state.accounts.get(meter.account or "")
        if account is None:
            return "the meter has no tenant"
        verdict = self._accounts.verdict(account, meter)
        return stale_evidence(self._core, meter) if verdict.allowed else f"{verdict.rule}: {verdict.why}"

    # --- closing ---

    def _close(self, meter: MeterState, task: Task) -> None:
        self._send(meter, task, RESTORE, "close", "permit" if meter.row["relay"] == "permit" else "direct")

    def _last_look_at_close(self, meter: MeterState) -> str | None:
        if meter.restore is None:
            return "there is no cause to close any more"
        return f"a hold is set: {', '.join(meter.holds)}" if meter.holds else None

    def _close_draft(self, meter: MeterState) -> Draft:
        task = self._tasks.get((meter.id, "close"))
        fields = {
            "meter": meter.id,
            "account": meter.account,
            "command": meter.row["relay"],
            "cause": meter.restore,
            "attempt": task.attempts if task is not None else 1,
        }
        return ("close/1", self._core.own_id(f"close:{meter.id}"), fields)

    # --- the lamp ---

    def _lamp(self, meter: MeterState, live: Live) -> None:
        """The meter's alarm is on while a final warning stands, and taken back after a payment."""
        if not live.model.lamp:
            return
        account = self._core.state.accounts.get(meter.account or "")
        final = account.final if account is not None else None
        if account is not None and final is not None:
            if live.lamp_on and live.lamp_episode == account.episode:
                self._tasks.pop((meter.id, "lamp"), None)
                self._accounts.delivered(account, meter)
            else:
                self._begin(meter, "lamp", lambda m, task: self._light(m, task, "alarm"))
        elif live.lamp_on:
            self._begin(meter, "lamp", lambda m, task: self._light(m, task, "alarm-off"))
        else:
            self._tasks.pop((meter.id, "lamp"), None)

    def _light(self, meter: MeterState, task: Task, command: str) -> None:
        frame = self._control(meter, command)
        self._core.submit(meter, WATCH, command, frame, lambda reply: self._commanded(meter, task, reply))

    # --- any command ---

    def _send(self, meter: MeterState, task: Task, priority: int, purpose: str, command: str) -> None:
        frame = self._control(meter, command)
        self._core.submit(
            meter, priority, purpose, frame, lambda reply: self._commanded(meter, task, reply), handshake=True
        )

    def _control(self, meter: MeterState, command: str) -> bytes:
        core = self._core
        registered = {m.row["address"] for m in core.state.meters.values() if m.row["port"] == meter.row["port"]}
        offset_s = core.lives[meter.id].clock_offset_s or 0
        until = core.now() + timedelta(seconds=max(VALID_S, 120.0 * core.clock.speed) + offset_s)
        password = self._password_of(meter.id)
        return dlt645.control(command, meter.row["address"], registered, password, until.astimezone(core.terms.zone))

    def _commanded(self, meter: MeterState, task: Task, reply: Reply) -> None:
        """The meter answered a command, or did not: either way only the status word tells what happened."""
        if reply.error in ("withdrawn", "closed"):
            self._ended(meter, task, f"the command did not leave ({reply.error})")
            return
        if reply.raw is not None:
            try:
                dlt645.value_of(reply.raw)
            except CodecError as refusal:
                self._ended(meter, task, str(refusal))
                return
            if task.step:
                task.step = "done"
            if reply.request.purpose == "alarm" and (account := self._core.state.accounts.get(meter.account or "")):
                self._core.lives[meter.id].lamp_episode = account.episode
        self._core.changed("relay", meter.id)
        task.until = self._core.clock.monotonic() + READ_BACK_S
        self._read_back(meter, task)

    def _read_back(self, meter: MeterState, task: Task) -> None:
        priority = RESTORE if task.wish == "close" else WATCH
        frame = self._core.question(meter, "status")
        self._core.submit(meter, priority, "status", frame, lambda reply: self._seen_back(meter, task, reply))

    def _seen_back(self, meter: MeterState, task: Task, reply: Reply) -> None:
        if reply.raw is not None:
            self.take(meter, "status", reply)
        live = self._core.lives[meter.id]
        reached = {"trip": live.relay_open is True, "close": live.relay_open is False}
        if task.wish == "lamp":
            task.busy = False
            if reply.raw is not None:
                self.consider(meter)
        elif reached[task.wish]:
            task.busy, task.step, task.alarmed = False, "read back", False
        elif meter.row["relay"] == "permit" and task.wish == "close" and reply.raw is not None:
            task.busy, task.step = False, "press the button"
            task.not_before = self._core.clock.monotonic() + PAUSES_S["close"][-1]
        elif self._core.clock.monotonic() < task.until and reply.error != "closed":
            self._read_back(meter, task)
        else:
            self._ended(meter, task, "read back, and the relay has not moved" if reply.raw else "no answer")

    def observed(self, meter: MeterState, word_3: int, reply: Reply) -> None:
        """A status word was read: note a relay that stands otherwise than before."""
        core, live = self._core, self._core.lives[meter.id]
        live.word_3, live.word_3_mono = word_3, reply.ended
        now_is = "open" if live.relay_open else "closed"
        if live.model.relay and now_is != meter.observed:
            wanted = "open" if meter.holds else "closed"
            first = meter.observed == "unknown"
            ordered = bool(meter.holds) if now_is == "open" else meter.restore is not None
            told = ordered or (meter.id, "trip") in self._tasks
            why = "first look" if first else "as ordered" if told else "moved by itself or by hand"
            fields: dict[str, Any] = {
                "meter": meter.id,
                "account": meter.account,
                "observed": now_is,
                "word_3": f"{word_3:04X}",
                "read_at": instant_text(reply.at),
                "wanted": wanted,
                "why": why,
            }
            core.append(("relay/1", core.own_id(f"relay:{meter.id}"), fields))
            if not (first or told):
                text = f"the relay was found {now_is} and nobody here had ordered it"
                core.append(
                    ("alarm/1", core.own_id("alarm"), {"meter": meter.id, "alarm": "relay-moved", "text": text})
                )
        core.changed("relay", meter.id)
        self.consider(meter)
