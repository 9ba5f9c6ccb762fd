"""The truth and the few things every part of the loop needs: append to the book, ask a port, know a balance.

Only the loop's thread touches it. An act is: decide (pure), append, fsync, fold, and only then do or tell.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bridge.contract.clock import Clock
from bridge.contract.entries import TARIFFS
from bridge.contract.units import instant_of_micros
from edge import model, opening
from edge.balances import Balances
from edge.billing.policy import Terms
from edge.book import Book, Entry
from edge.entry import Draft, Sealed
from edge.fold import apply
from edge.line.request import Port, Reply, Request
from edge.live import Live, Sample
from edge.pricing import Pricing
from edge.state import MeterState

log = logging.getLogger("riser.edge")

HEARTBEAT_S = 60
"""Powered time is persisted this often; after a restart only what was persisted counts (R1)."""

RECALLED_SWEEPS = 2000
"""How far back a restart looks for the newest reading of a meter that is silent now."""

NOT_ASKED = ("late", "closed", "withdrawn")
"""Errors of a request that says nothing about its meter: it was never asked."""


class Ear(Protocol):
    """Somebody who wants to hear of entries and changed facts; called by the loop after the fsync."""

    def entry(self, entry: Entry) -> None: ...
    def changed(self, what: str, id: str) -> None: ...


class CannotWrite(Exception):
    """The disk takes no entries now: nothing was written, so nothing may be done or told. Try when it has room."""


class Core:
    """Book, state, live observations, ports and clock of one edge."""

    def __init__(self, book: Book, terms: Terms, clock: Clock):
        self.book, self.terms, self.clock = book, terms, clock
        self.state = opening.state_of(book)
        self.lives: dict[str, Live] = {}
        self.ports: dict[str, Port] = {}
        self.ears: list[Ear] = []
        self.mode, self.mode_why = "normal", None  # type: str, str | None
        self.cannot_write: str | None = None
        self.differs: str | None = None
        """Why the book on the disk was found not to be what this edge goes by (mode `book`)."""
        self.clock_moved_s = 0
        """How far from ours most meters' common time is, while that is waited for (`common_time.py`)."""
        self.clock_asked = False
        """The kernel believes a calendar that has just moved: the meters' clocks are read first (`witnesses.py`)."""
        self.clock_unheard = False
        """What most meters say together is not known yet since the calendar moved (`common_time.py`)."""
        self.clock_stepped_mono = -1e9
        """Line second since which the meters' clocks are read anew: the calendar was set, or is in doubt."""
        self.true_now: Callable[[], datetime | None] = clock.now
        self._numbers = itertools.count(1)
        self.pricing = Pricing(self.state, terms.zone)
        self.balances = Balances(self)
        self._powered_base_s = book.note("powered_s")
        self._started_elapsed = self._beat_elapsed = clock.elapsed()
        self.began_line_s, self._started_mono = book.note("line_s"), clock.monotonic()
        self._handlers: dict[int, Callable[..., None]] = {}
        self._asked_of: dict[int, tuple[MeterState, int]] = {}  # each request's meter, and since when it was that one
        self.refresh()
        self._recall()

    def _recall(self) -> None:
        """The newest saved readings of each meter: a restart does not forget what was used and not yet billed.

        Of the newest two the lesser counts: each was accepted by itself, and one wrong frame may be among them.
        """
        missing = set(self.lives)
        for _, _, rows in self.book.newest_sweeps(RECALLED_SWEEPS):
            for row in rows:
                if row["meter"] in missing and "registers_wh" in row:
                    meter, believed = self.state.meters[row["meter"]], row.get("believed", True)
                    another = row["read_at"] <= meter.since or (meter.since and not believed)
                    if another or row["read_at"] <= (meter.released_at or 0):
                        missing.discard(row["meter"])  # From here back it was, or may have been, another meter; or
                        continue  # a person has taken the register as it stood then, whatever was read before.
                    live, read_at = self.lives[row["meter"]], instant_of_micros(row["read_at"])
                    saved = Sample(row["registers_wh"], read_at, -1e9, (), believed=believed)
                    if live.floor is not None:
                        missing.discard(row["meter"])
                    if live.floor is None or saved.registers_wh["total"] < live.floor.registers_wh["total"]:
                        live.floor = saved
            if not missing:
                return

    # --- the book ---

    def append(self, *drafts: Draft | Sealed) -> list[Entry]:
        """Write entries in one transaction, fold them, then tell. Raises sqlite3.Error or CannotWrite: then nothing
        happened."""
        if self.cannot_write is not None:
            raise CannotWrite(self.cannot_write)
        entries = self.book.append(*drafts)
        for entry in entries:
            apply(self.state, entry, hashed=True)
        for entry in entries:
            if entry.kind == "replacement/1":  # What was seen of the old meter is nothing that the new one said.
                self.lives.pop(entry.fields["meter"])
        if any(entry.kind in ("meter/1", "replacement/1", "account/1", *TARIFFS) for entry in entries):
            self.refresh()
        for entry in entries:
            for ear in self.ears:
                ear.entry(entry)
        return entries

    def own_id(self, what: str) -> str:
        """An id for an entry that the edge makes itself and that no request asks for: one per seq, never repeated."""
        return f"{what}:{self.book.seq + 1}"

    def refresh(self) -> None:
        """Make place for what is installed now."""
        for meter in self.state.meters.values():
            if meter.id not in self.lives:
                self.lives[meter.id] = Live(model.of_row(meter.row))
        self.pricing.refresh()

    def changed(self, what: str, id: str = "") -> None:
        """Tell that a fact should be published again: `meter`, `relay`, `account`, `availability`, `info`, ..."""
        for ear in self.ears:
            ear.changed(what, id)

    # --- the ports ---

    def submit(
        self,
        meter: MeterState,
        priority: int,
        purpose: str,
        frame: bytes,
        handler: Callable[..., None],
        *,
        handshake: bool = False,
        not_after: float | None = None,
        learned_wait: bool = False,
        answered: bool = True,
        live: Live | None = None,
    ) -> int | None:
        """Queue one exchange; `handler(reply)` is called in the loop with its outcome. None without such a port.

        `live` is that of a meter which is not installed yet and stands where this one stood.
        """
        port = self.ports.get(meter.row["port"])
        if port is None:
            return None
        newcomer, live = live is not None, live or self.lives[meter.id]
        now, number = self.clock.monotonic(), next(self._numbers)
        courtesy, gently = live.courtesy, live.courtesy.gentle(now)
        manner = courtesy.manner(live.model.manner, now, learned_wait)
        request = Request(number, priority, meter.id, purpose, frame, handshake, not_after, manner, answered)

        def handled(reply: Reply) -> None:
            if answered and reply.error not in NOT_ASKED:
                courtesy.heard(gently, reply)
            if self.outdated(number) and not newcomer:
                reply = replace(reply, raw=None, more=(), error="withdrawn")  # The old meter does not speak for this.
            self._asked_of.pop(number, None)
            handler(reply)

        self._handlers[number], self._asked_of[number] = handled, (meter, meter.since)
        port.put(request)
        return request.number

    def handler_of(self, number: int) -> Callable[..., None] | None:
        """The handler of a request that was answered; each is handed out once."""
        return self._handlers.pop(number, None)

    def outdated(self, number: int) -> bool:
        """True for a request that was made for a meter which has been replaced since."""
        meter, since = self._asked_of.get(number, (None, 0))
        return meter is not None and meter.since != since

    def question(self, meter: MeterState, name: str, slot: int = 0) -> bytes:
        """The bytes that ask a meter one of its model's questions."""
        return self.lives[meter.id].model.ask(name, meter.row["address"], slot, self.preamble(meter))

    def question_frame(self, meter: MeterState, question: model.Question) -> bytes:
        """The bytes that ask a meter for several rows at once."""
        return question.frame(meter.row["address"], 0, self.preamble(meter))

    def preamble(self, meter: MeterState) -> int:
        """Wake-up bytes that this meter gets now."""
        live = self.lives[meter.id]
        return live.courtesy.preamble(live.model.preamble, self.clock.monotonic())

    # --- time ---

    def now(self) -> datetime:
        return self.clock.now()

    def powered_s(self) -> int:
        """Calendar seconds this book's gateway has run, over all restarts; off time counts as zero (R1)."""
        return self._powered_base_s + int(self.clock.elapsed() - self._started_elapsed)

    def line_s(self) -> float:
        """Line seconds this book's gateway has run, over all restarts; `began_line_s` of them before this one."""
        return self.began_line_s + self.clock.monotonic() - self._started_mono

    def beat(self) -> None:
        """Persist powered time when it is due."""
        if self.clock.elapsed() - self._beat_elapsed >= HEARTBEAT_S:
            self._beat_elapsed = self.clock.elapsed()
            self.save_times()

    def save_times(self) -> None:
        self.book.save_notes({"powered_s": self.powered_s(), "line_s": int(self.line_s())})
