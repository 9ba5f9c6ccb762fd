"""Everything the edge publishes leaves here, as fast as the broker acknowledges it.

The book is the outbox, and this its cursor. Retained facts are kept by topic, newest only; entries and sweeps go
in order from what the broker has acknowledged. The cursor is saved lazily, because sending an entry twice is
harmless. While off line nothing is queued but answers, which people wait for.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bridge.contract.messages import Entry as EntryMessage
from bridge.contract.messages import Message, Reading, ReadingRow, Status, Topics
from bridge.contract.units import instant_of_micros, instant_text
from edge.book import Book, Entry

log = logging.getLogger("riser.outbox")

WINDOW = 60
"""Messages on the way at the same time; paho's own queue stays nearly empty."""

AT_ONCE = 500
"""Responses and events that wait while the broker is slow; older ones are dropped, the book has what matters."""

REPLAYS_AT_MOST = 1000
"""Replayed messages that may wait; a bound on memory (I23)."""

SAVE_EVERY_S = 5.0

DENIED_S = 30.0
"""After a refusal by the broker the book is offered again from the cursor this much later."""


class Sender(Protocol):
    """What the outbox needs of a connection."""

    @property
    def connected(self) -> bool: ...
    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None: ...


@dataclass(frozen=True)
class _Soon:
    """An event, or an answer that somebody waits for."""

    topic: str
    payload: bytes
    correlation: bytes | None = None
    answer: bool = False


class Outbox:
    """Publishes facts, entries, sweeps, responses."""

    def __init__(self, book: Book, topics: Topics, link: Sender, monotonic: Callable[[], float]):
        self._book, self._topics, self._link, self._monotonic = book, topics, link, monotonic
        self._unsent: dict[str, bytes] = {}
        self._published: dict[str, bytes] = {}
        self._soon: deque[_Soon] = deque(maxlen=AT_ONCE)
        self._replays: deque[tuple[str, bytes]] = deque()
        self._flying: dict[int, tuple[str, int]] = {}
        self.cursors = {"entry": book.note("entry_cursor"), "sweep": book.note("sweep_cursor")}
        self._next = {name: number + 1 for name, number in self.cursors.items()}
        self._acked: dict[str, set[int]] = {"entry": set(), "sweep": set()}
        self._saved, self._saved_at = dict(self.cursors), monotonic()
        self.denied: str | None = None
        self._denied_at = 0.0

    # --- what to publish ---

    def fact(self, message: Message, id: str = "") -> None:
        """A retained fact; published when it differs from what the broker has."""
        topic, payload = self._topics.of(type(message), id), message.payload()
        if self._published.get(topic) == payload:
            self._unsent.pop(topic, None)
        else:
            self._unsent[topic] = payload

    def tell(self, message: Message, id: str = "") -> None:
        """An event or answer, told once."""
        self._soon.append(_Soon(self._topics.of(type(message), id), message.payload()))

    def answer(self, topic: str, payload: bytes, correlation: bytes | None = None) -> None:
        """It is told when the broker is there again, if it is not there now."""
        self._soon.append(_Soon(topic, payload, correlation, answer=True))

    def gone(self, kind: type[Message], id: str) -> None:
        """A fact that is told no more: what an earlier version retained is removed from the broker."""
        self.clear(self._topics.of(kind, id))

    def clear(self, topic: str) -> None:
        """Remove a retained message from the broker."""
        if self._link.connected:
            self._link.publish(topic, b"", retain=True)

    def replay(self, entries_from: int | None, readings_from: int | None) -> dict[str, int] | None:
        """Queue entries and sweeps once more; returns what will be sent, as `replay`'s answer says it.

        None while too much waits already: somebody asks faster than the broker takes, and asks again later.
        """
        told: dict[str, int] = {}
        if len(self._replays) > REPLAYS_AT_MOST:
            return None
        if entries_from is not None:
            entries = list(self._book.entries(entries_from, 500))
            self._replays.extend((self._topics.of(EntryMessage), entry_message(e).payload()) for e in entries)
            if entries:
                told |= {"entries_from": entries[0].seq, "entries_to": entries[-1].seq}
        if readings_from is not None:
            sweeps = self._book.sweeps(readings_from, 200)
            self._replays.extend((self._topics.of(Reading), sweep_message(*s, replayed=True).payload()) for s in sweeps)
            if sweeps:
                told |= {"readings_from": sweeps[0][0], "readings_to": sweeps[-1][0]}
        return told

    # --- sending ---

    def connected(self) -> None:
        """A new connection: brokers forget, so the loop renders every fact again, and entries go from the cursor."""
        self._flying.clear()
        self._published.clear()
        self._replays.clear()
        self._rewind()
        self.fact(Status(state="online"))

    def _rewind(self) -> None:
        """Send again from what the broker has acknowledged."""
        self._next = {name: number + 1 for name, number in self.cursors.items()}
        self._acked = {"entry": set(), "sweep": set()}

    def acknowledged(self, mid: int, error: str | None) -> None:
        """The broker took a message, or refused it."""
        flown = self._flying.pop(mid, None)
        if error is not None and self.denied is None:
            self.denied, self._denied_at = error, self._monotonic()
            log.error("the broker refuses what we publish: %s; look at its access rules", error)
        if flown is None or error is not None or flown[0] not in self.cursors:
            return
        name, number = flown
        acked = self._acked[name]
        acked.add(number)
        while self.cursors[name] + 1 in acked:
            self.cursors[name] += 1
            acked.discard(self.cursors[name])

    def pump(self) -> None:
        """Send what the window allows: answers first, then facts, then the book, then what was asked for again."""
        if not self._link.connected:  # An event of before is news to nobody; an answer is waited for.
            self._soon = deque((each for each in self._soon if each.answer), AT_ONCE)
            return
        if self.denied is not None and self._monotonic() - self._denied_at >= DENIED_S:
            self.denied = None
            self._rewind()
        while self._soon and len(self._flying) < WINDOW:
            soon = self._soon[0]
            if not self._fly(soon.topic, soon.payload, ("soon", 0), correlation=soon.correlation):
                return
            self._soon.popleft()
        while self._unsent and len(self._flying) < WINDOW:
            topic = next(iter(self._unsent))
            if not self._fly(topic, self._unsent[topic], ("fact", 0), retain=True):
                return
            self._published[topic] = self._unsent.pop(topic)
        if self._next["entry"] <= self._book.seq:
            self._pump_entries()
        if self._next["sweep"] <= self._book.sweep_number:
            self._pump_sweeps()
        while self._replays and len(self._flying) < WINDOW:
            topic, payload = self._replays.popleft()
            self._fly(topic, payload, ("replay", 0))

    def _pump_entries(self) -> None:
        room = WINDOW - len(self._flying)
        if room <= 0:
            return
        for entry in self._book.entries(self._next["entry"], room):
            if not self._fly(self._topics.of(EntryMessage), entry_message(entry).payload(), ("entry", entry.seq)):
                return
            self._next["entry"] = entry.seq + 1

    def _pump_sweeps(self) -> None:
        room = WINDOW - len(self._flying)
        saved = self._book.sweep_number - self._book.unsaved_sweeps
        if room <= 0 or self._next["sweep"] > saved:
            return
        for number, at, rows in self._book.sweeps(self._next["sweep"], room):
            if number > self._next["sweep"]:
                self.cursors["sweep"] = number - 1  # Trimmed in the meantime: they will not come any more.
            if not self._fly(self._topics.of(Reading), sweep_message(number, at, rows).payload(), ("sweep", number)):
                return
            self._next["sweep"] = number + 1

    def _fly(
        self,
        topic: str,
        payload: bytes,
        what: tuple[str, int],
        *,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> bool:
        mid = self._link.publish(topic, payload, retain=retain, correlation=correlation)
        if mid is None:
            return False
        self._flying[mid] = what
        return True

    def save(self, force: bool = False) -> None:
        """Save the cursors now and then; what is lost is sent again, which is harmless."""
        now = self._monotonic()
        if self.cursors != self._saved and (force or now - self._saved_at >= SAVE_EVERY_S):
            self._book.save_notes({f"{name}_cursor": number for name, number in self.cursors.items()})
            self._saved, self._saved_at = dict(self.cursors), now


def entry_message(entry: Entry) -> EntryMessage:
    """An entry of the book as its message."""
    return EntryMessage(
        seq=entry.seq,
        id=entry.id,
        at=instant_of_micros(entry.at).isoformat(timespec="microseconds"),
        boot=entry.boot,
        mono_ns=entry.mono_ns,
        trusted=entry.trusted,
        kind=entry.kind,
        body=entry.body,
        prev_hash=entry.prev_hash,
        hash=entry.hash,
    )


def sweep_message(number: int, at: int, rows: list[dict], replayed: bool = False) -> Reading:  # type: ignore[type-arg]
    """A stored sweep as its message."""
    readings = [ReadingRow(**{**row, "read_at": instant_text(instant_of_micros(row["read_at"]))}) for row in rows]
    return Reading(number=number, at=instant_text(instant_of_micros(at)), replayed=replayed, readings=readings)
