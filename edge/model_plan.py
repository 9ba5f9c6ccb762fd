"""One request for several rows where that is cheaper on the line than one request each.

`Model.plan(names)` gives questions; a question makes its frame and splits its reply into each row's values. Rows of one
Modbus function are joined when the registers between them cost less than another exchange, and only over holes
that the model's file tolerates; rows of one DL/T 645 or CJ/T 188 identifier are one question anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from edge.codec import modbus
from edge.codec.errors import CodecError
from edge.model_values import Values

if TYPE_CHECKING:
    from edge.model import Model
    from edge.model_row import Row

EXCHANGE_BYTES = 8 + 5
"""What one more read costs on the line: eight bytes of question, five around the registers of its reply."""

TURNAROUND_S = 0.02
"""What a quick meter thinks before it answers; the line stands idle meanwhile, and the gap before it is as long."""

JOINED = (3, 4)
"""Functions whose rows can share a request."""


@dataclass(frozen=True)
class Question:
    """One request to a meter, and the rows that its reply answers."""

    model: Model
    rows: tuple[Row, ...]
    start: int = 0
    count: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)

    def frame(self, address: str, slot: int = 0, preamble: int | None = None) -> bytes:
        """The bytes that ask a meter at `address`."""
        return self.model.request(self.rows[0], self.start, self.count, address, slot, preamble)

    def values(self, parts: Sequence[bytes], zone: tzinfo) -> dict[str, Values | CodecError]:
        """Each row's values, or what is wrong with them: one bad row does not spoil the others. A refusal is every
        row's; one of a joint question may mean a single register, so ask its rows one by one before believing it."""
        try:
            raw = self.model.contents(parts)
        except CodecError as error:
            return dict.fromkeys(self.names, error)
        found: dict[str, Values | CodecError] = {}
        for row in self.rows:
            piece = raw
            if row.di is None and row.function in JOINED:
                piece = raw[2 * (row.start - self.start) : 2 * (row.start - self.start + row.count)]
            try:
                found[row.name] = self.model.read(row, piece, zone)
            except CodecError as error:
                found[row.name] = error
        return found


def planned(model: Model, rows: Sequence[Row], baud: int) -> list[Question]:
    """Questions for `rows`, in the order in which the first row of each was named."""
    questions: list[Question] = []
    by_register = sorted((row for row in rows if row.function in JOINED), key=lambda row: (row.function, row.start))
    for row in by_register:
        if questions and (joined := _joined(model, questions[-1], row, baud)) is not None:
            questions[-1] = joined
        else:
            questions.append(Question(model, (row,), row.start, row.count))
    for row in rows:
        if row.function in JOINED:
            continue
        same = next((n for n, each in enumerate(questions) if row.di is not None and each.rows[0].di == row.di), None)
        if same is None:
            questions.append(Question(model, (row,), row.start, row.count))
        else:
            questions[same] = Question(model, (*questions[same].rows, row))
    place = {row.name: number for number, row in enumerate(rows)}
    return sorted(questions, key=lambda each: min(place[name] for name in each.names))


def _joined(model: Model, question: Question, row: Row, baud: int) -> Question | None:
    """The question with one more row, which begins at or behind its own start; None where two are better."""
    end = question.start + question.count
    hole, count = row.start - end, max(end, row.start + row.count) - question.start
    if row.function != question.rows[0].function or hole > model.hole or count > model.most_registers:
        return None
    idle_bytes = 2 * TURNAROUND_S * baud / modbus.FRAMING_BITS
    if 2 * hole >= EXCHANGE_BYTES + idle_bytes:
        return None
    return Question(model, (*question.rows, row), question.start, count)
