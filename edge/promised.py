"""Requests that were accepted and of which no entry tells yet: whoever asked hears the end of it, also over a restart.

A meter is being read for them. When the process stops they are told so; where the power went meanwhile the next run
tells them, from a note beside the book. What only reads, and may be asked every minute, leaves no note on the card.
"""

from __future__ import annotations

from typing import Any

from edge.asked import Asked, Status, answer_in
from edge.core import Core
from edge.read_back import AnswerById

NOTE = "promised:"
NOTED = frozenset({"replace-meter", "change-multiplier"})
PROMISED = NOTED | {"read"}

STOPPED = "the gateway was stopped while the meter was being read for this; nothing was done. Ask again"
FAILED: dict[str, Any] = {"status": "failed", "error": STOPPED}


class Promised:
    """Knows what was accepted and not answered, of this run and of the one before."""

    def __init__(self, core: Core, answer: AnswerById):
        self._core, self._answer = core, answer
        self._open: dict[str, str] = {}
        self._former = core.book.notes_of(NOTE)
        self._spent: list[str] = []

    def told(self, asked: Asked, status: Status) -> None:
        """It is about to be answered with this status."""
        if asked.operation not in PROMISED:
            return
        if status == "accepted":
            if asked.id not in self._open and asked.operation in NOTED and self._core.cannot_write is None:
                self._core.book.save_notes({_note(asked.operation, asked.id): 1})
            self._open[asked.id] = asked.operation
        elif (operation := self._open.pop(asked.id, None)) in NOTED:
            self._spent.append(_note(operation, asked.id))

    def connected(self) -> None:
        """The broker takes answers: tell those whom the run before has left waiting, with what stands in the book."""
        for note in self._former:
            operation, _, id = note.removeprefix(NOTE).partition(":")
            known = self._core.book.find(id)
            self._answer(id, operation, **(FAILED if known is None else answer_in(self._core, known)))
        self._spent += self._former
        self._former = []

    def tick(self, connected: bool) -> None:
        """Notes of what was answered while the broker listened are not needed any more."""
        if self._spent and connected and self._core.cannot_write is None:
            self._core.book.drop_notes([note for note in self._spent if not self._is_open(note)])
            self._spent = []

    def _is_open(self, note: str) -> bool:
        """It was asked again meanwhile."""
        return note in [_note(operation, id) for id, operation in self._open.items()]

    def stopping(self, connected: bool) -> None:
        """The process ends: nobody is left waiting."""
        for id, operation in self._open.items():
            self._answer(id, operation, **FAILED)
            self._spent.append(_note(operation, id))
        self._open.clear()
        self.tick(connected)


def _note(operation: str, id: str) -> str:
    return f"{NOTE}{operation}:{id}"
