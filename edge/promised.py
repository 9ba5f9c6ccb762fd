"""Requests that were accepted and of which no entry tells yet: whoever asked hears the end of it, also over a restart.

A meter is being read for them. When the process stops they are told so; where the power went meanwhile the next run
tells them, from a note beside the book. What only reads, and may be asked every minute, leaves no note on the card.
"""

from __future__ import annotations

from edge.asked import Asked, Status
from edge.core import Core
from edge.read_back import AnswerById

NOTE = "promised:"
NOTED = frozenset({"replace-meter", "change-multiplier"})
PROMISED = NOTED | {"read"}

STOPPED = "the gateway was stopped while the meter was being read for this; nothing was done. Ask again"


class Promised:
    """Knows what was accepted and not answered, of this run and of the one before."""

    def __init__(self, core: Core, answer: AnswerById):
        self._core, self._answer = core, answer
        self._open: dict[str, str] = {}
        self._former = core.book.notes_of(NOTE)

    def told(self, asked: Asked, status: Status) -> None:
        """It is about to be answered with this status."""
        if asked.operation not in PROMISED:
            return
        if status != "accepted":
            self._kept(asked.id)
        elif asked.id not in self._open:
            if asked.operation in NOTED and self._core.cannot_write is None:
                self._core.book.save_notes({f"{NOTE}{asked.operation}:{asked.id}": 1})
            self._open[asked.id] = asked.operation

    def _kept(self, id: str) -> None:
        operation = self._open.pop(id, None)
        if operation in NOTED and self._core.cannot_write is None:
            self._core.book.drop_notes([f"{NOTE}{operation}:{id}"])

    def connected(self) -> None:
        """The broker takes answers: tell those whom the run before has left waiting."""
        for note in self._former:
            operation, _, id = note.removeprefix(NOTE).partition(":")
            if self._core.book.find(id) is None:  # Else the request was carried out, and its entry answers it.
                self._answer(id, operation, "failed", error=STOPPED)
        if self._former and self._core.cannot_write is None:
            self._core.book.drop_notes(self._former)
            self._former = []

    def stopping(self) -> None:
        """The process ends. What has a note is told once more by the next run, for the wire may be down now."""
        for id, operation in self._open.items():
            self._answer(id, operation, "failed", error=STOPPED)
