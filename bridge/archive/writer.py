"""The archive's sink: every entry and reading goes into the tables, and what is missing is asked for until it is there.

Nothing counts as here before its transaction has ended. After any trouble (a lost message, a kill, a full disk)
the retained `info` says how far the gateway is, the tables say how far we are, and `replay` fills the difference.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine

from bridge.archive.coverage import Coverage
from bridge.archive.refill import Refill
from bridge.archive.rows import Restore, body_of, entry_row, reading_rows, restores
from bridge.archive.store import OtherBook, Row, Store
from bridge.contract.asking import query
from bridge.contract.clock import Clock
from bridge.contract.messages import Entry, Info, Reading, Response, Status, Topics
from bridge.contract.units import instant_of, micros_of
from bridge.facts import Fact, filter_of
from bridge.mqtt import Received
from bridge.sink import Publish, Sink

log = logging.getLogger("riser.archive")

UNWRITTEN_AT_MOST = 16
"""The gateway writes its readings every 8 sweeps; twice that many may differ after a kill."""

REOPEN_S = 5.0
"""Real seconds between two tries to open an archive that cannot be opened."""


@dataclass
class _Gateway:
    """What is known of one gateway: what came and is not stored yet, and how far both sides are."""

    entries: Refill = field(default_factory=lambda: Refill("entries"))
    readings: Refill = field(default_factory=lambda: Refill("readings"))
    new_entries: list[Row] = field(default_factory=list)
    new_sweeps: dict[int, list[Row]] = field(default_factory=dict)
    answers: list[Response] = field(default_factory=list)
    info: Info | None = None
    info_is_new: bool = False
    epoch: str | None = None
    started_at: str | None = None
    online: bool = False
    contradictions: set[int] = field(default_factory=set)

    @property
    def refills(self) -> tuple[Refill, Refill]:
        return self.entries, self.readings

    def begin_again(self) -> None:
        """The gateway is here, perhaps after a restart: nothing that was asked before is on its way."""
        for refill in self.refills:
            refill.begin_again()


class ArchiveWriter(Sink):
    """Writes the archive. `open_engine` is called until it succeeds, so an archive that is down costs nothing else."""

    name = "archive"

    def __init__(self, base: str, publish: Publish, clock: Clock, open_engine: Callable[[], Engine]):
        self._base, self._publish, self._clock, self._open_engine = base, publish, clock, open_engine
        self.subscriptions = subscriptions(base)
        self._gateways: dict[str, _Gateway] = {}
        self._store: Store | None = None
        self._open_next_s = 0.0
        self._trouble: Exception | None = None

    def connected(self) -> None:
        for state in self._gateways.values():
            state.online = False

    def take(self, came: Fact | Received) -> None:
        if not isinstance(came, Fact):
            return
        state = self._gateways.setdefault(came.gateway, _Gateway())
        match came.message:
            case Entry() as entry:
                state.new_entries.append(entry_row(came.gateway, entry))
            case Reading() as sweep:
                state.new_sweeps[sweep.number] = reading_rows(came.gateway, sweep)
            case Info() as info:
                state.info, state.info_is_new = info, True
            case Status() as status:
                if status.state == "online" and not state.online:
                    state.begin_again()
                state.online = status.state == "online"
            case Response() as response if came.id == "replay":
                state.answers.append(response)

    def settle(self) -> None:
        try:
            store = self._opened()
        except Exception:
            for state in self._gateways.values():
                state.new_entries, state.new_sweeps = [], {}  # Asked for when there is something to write them to.
            raise
        trouble: Exception | None = None
        for gateway, state in self._gateways.items():
            try:
                self._settle_one(store, gateway, state)
            except Exception as error:  # One gateway's trouble is not another's; told after all had their turn.
                trouble = error
        if trouble is not None:
            raise trouble

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    # --- one gateway ---

    def _settle_one(self, store: Store, gateway: str, state: _Gateway) -> None:
        # Before anything of the new epoch is stored: its numbers are those of entries that stand nowhere else.
        for restore in restores(state.info, state.new_entries):
            self._follow(store, gateway, state, restore)
        self._store_new(store, gateway, state)
        if state.info_is_new and state.info is not None:
            self._compare(store, gateway, state, state.info)
            state.info_is_new = False
        answers, state.answers = state.answers, []
        for response in answers:
            for refill in state.refills:
                if sentence := refill.answered(response, self._clock.monotonic()):
                    log.warning("%s: %s", gateway, sentence)
        for refill in state.refills:
            self._ask(gateway, state, refill)
        if state.entries.coverage.missing is None:
            state.contradictions.clear()

    def _follow(self, store: Store, gateway: str, state: _Gateway, restore: Restore) -> None:
        """The gateway goes on from a backup of the epoch that is archived here: what it lost is kept aside."""
        if state.epoch == restore.epoch or store.hash_at(gateway, restore.seq) not in (restore.hash, None):
            return
        if state.epoch not in (None, restore.before, store.former.epoch_now(gateway, restore.before)):
            return
        gone = store.former.ended(gateway, restore, state.epoch)
        state.epoch, state.entries.coverage = restore.epoch, Coverage(store.entry_runs(gateway))
        state.entries.begin_again()
        if state.info is not None:
            state.entries.coverage.announce(state.info.seq)
        words = "%s: restored from a backup that ends at entry %d; %d entries that it lost are kept here"
        log.warning(words, gateway, restore.seq, gone)

    def _store_new(self, store: Store, gateway: str, state: _Gateway) -> None:
        """Write what came. Where that fails it counts as never come, and is asked for again."""
        entries, sweeps = state.new_entries, state.new_sweeps
        state.new_entries, state.new_sweeps = [], {}
        if not entries and not sweeps:
            return
        state.entries.coverage.expect(max((row["seq"] for row in entries), default=0))
        state.readings.coverage.expect(max(sweeps, default=0))
        try:
            store.put(gateway, entries, sweeps)
        except OtherBook as other:
            if other.seq not in state.contradictions:
                state.contradictions.add(other.seq)
                begins_anew = any(row["seq"] == 1 for row in entries) and other.seq == 1
                self._forget(store, gateway, state, str(other), readings=begins_anew)
                return
            log.error("%s: %s, also after a refill; stored as the gateway sends it", gateway, other)
            store.put(gateway, entries, sweeps, unchecked=True)
        for row in entries:
            state.entries.coverage.add(row["seq"])
            if row["seq"] == 1:
                state.epoch = store.former.epoch_now(gateway, body_of(row["body"]).get("epoch"))
        for number in sweeps:
            state.readings.coverage.add(number)

    def _compare(self, store: Store, gateway: str, state: _Gateway, info: Info) -> None:
        """Hold what the gateway says of itself against what is stored."""
        stored_hash = store.hash_at(gateway, info.seq)
        if state.epoch is not None and state.epoch != info.epoch:
            self._forget(store, gateway, state, f"the gateway's book is now of epoch {info.epoch}", readings=True)
        elif stored_hash is not None and stored_hash != info.hash and info.seq not in state.contradictions:
            state.contradictions.add(info.seq)
            self._forget(store, gateway, state, f"entry {info.seq} now has another hash", readings=False)
        if info.started_at != state.started_at:
            self._doubt_tail(store, gateway, state, info)
            state.started_at = info.started_at
        state.entries.coverage.announce(info.seq)
        state.readings.coverage.announce(info.sweep)

    def _doubt_tail(self, store: Store, gateway: str, state: _Gateway, info: Info) -> None:
        """The gateway was started: sweeps that it announced and lost in a kill have had, or will have, their
        numbers used again. Those beyond its newest go; the last ones of its earlier runs are fetched once more.
        """
        started_at_us = micros_of(instant_of(info.started_at))
        if gone := store.forget_unwritten(gateway, info.sweep, started_at_us):
            log.warning("%s: %d readings dropped that the gateway lost when it was killed", gateway, gone)
        state.readings.coverage = Coverage(store.reading_runs(gateway))
        if last := store.newest_before(gateway, started_at_us):
            state.readings.coverage.doubt(max(1, last - UNWRITTEN_AT_MOST + 1), last)

    def _forget(self, store: Store, gateway: str, state: _Gateway, why: str, *, readings: bool) -> None:
        kept = store.keep_aside(f"{self._clock.now():%Y-%m-%d}")
        if state.epoch is not None and not readings:
            store.former.set_aside(gateway, state.epoch)  # A restored book looks so until its `info` says what it is.
        gone = store.forget(gateway, readings=readings)
        state.entries.coverage, state.epoch = Coverage(), None
        state.entries.begin_again()
        if readings:
            state.readings.coverage = Coverage()
            state.readings.begin_again()
        if state.info is not None:
            state.entries.coverage.announce(state.info.seq)
            state.readings.coverage.announce(state.info.sweep)
        words = "%s: the archive belongs to an old book (%s): %d rows were deleted and are fetched anew%s"
        log.warning(words, gateway, why, gone, f"; a copy is kept in {kept}" if kept else "")

    def _ask(self, gateway: str, state: _Gateway, refill: Refill) -> None:
        # Requests to a gateway that is off line would wait in its session and be answered all at once later.
        now_s = self._clock.monotonic()
        if not state.online or (first := refill.due(now_s)) is None:
            return
        topic, payload, transaction = query(Topics(self._base, gateway), "replay", **{f"{refill.series}_from": first})
        if self._publish(topic, payload) is not None:
            refill.asked(transaction, now_s)
            log.info("%s: asking for %s from %d", gateway, refill.series, first)

    def _opened(self) -> Store:
        """The store, opened at the first call; where that failed, tried again every five seconds."""
        if self._store is not None:
            return self._store
        now_s = self._clock.monotonic()
        if self._trouble is not None and now_s < self._open_next_s:
            raise self._trouble  # Still the same one: nothing works again before it was tried again.
        self._open_next_s = now_s + REOPEN_S
        try:
            self._store = self._open()
        except Exception as trouble:
            self._trouble = trouble
            raise
        return self._store

    def _open(self) -> Store:
        store = Store(self._open_engine())
        for gateway in store.gateways():
            state = self._gateways.setdefault(gateway, _Gateway())
            state.entries.coverage = Coverage(store.entry_runs(gateway))
            state.readings.coverage = Coverage(store.reading_runs(gateway))
            state.epoch = store.epoch(gateway)
        return store


def subscriptions(base: str) -> list[str]:
    """What the archive listens to, of every gateway of the site."""
    facts = [filter_of(base, message) for message in (Status, Info, Entry, Reading)]
    return [*facts, filter_of(base, Response, "replay")]
