"""A meter that was opened: its own count of openings and its newest record tell, and a person is told.

DL/T 645-2007 has no bit for an open cover. It counts openings (03300D00 cover, 03300E00 terminal cover) and keeps
records with begin and end; while a cover is open its newest record has no end. A count that changed is read twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from edge.codec.errors import CodecError
from edge.core import Core, Draft
from edge.line.request import WATCH, Reply
from edge.model import Values
from edge.state import MeterState

log = logging.getLogger("riser.covers")

COUNTS = {"cover": "cover_openings", "terminal-cover": "terminal_cover_openings"}
"""Question and the key of its count."""

RECORDS = {f"{question}-record": question for question in COUNTS}
"""The question for the newest record, and the one whose count it belongs to."""


class Covers:
    """Takes counts and records."""

    def __init__(self, core: Core):
        self._core = core
        self._doubts: dict[tuple[str, str], int] = {}

    def changed(self, meter: str) -> None:
        """What is remembered of it was another meter's."""
        self._doubts = {key: count for key, count in self._doubts.items() if key[0] != meter}

    def heard(self, meter: MeterState, question: str, values: Values) -> None:
        """A count was read. What is new is confirmed by a second read, then looked up in the meter's record."""
        count = values.get(COUNTS[question])
        if count is None:
            return
        known, key = meter.covers.get(question), (meter.id, question)
        if known is not None and count == known.count:
            self._doubts.pop(key, None)
            if known.is_open:
                self._ask(meter, f"{question}-record", count)
            return
        if self._doubts.get(key) != count:
            first = key not in self._doubts
            self._doubts[key] = count
            if first:
                self._core.submit(meter, WATCH, question, self._core.question(meter, question), self._again(meter))
            return
        del self._doubts[key]
        if known is not None and count < known.count:
            self._cleared(meter, question, count, known.count)
        elif count == 0:
            self._note(meter, question, count, {}, "first look")
        else:
            self._ask(meter, f"{question}-record", count)

    def _again(self, meter: MeterState) -> Callable[[Reply], None]:
        return lambda reply: self.heard(meter, reply.request.purpose, self._values(meter, reply))

    def _ask(self, meter: MeterState, record: str, count: int) -> None:
        frame = self._core.question(meter, record)
        self._core.submit(meter, WATCH, record, frame, lambda reply: self._recorded(meter, record, count, reply))

    def _recorded(self, meter: MeterState, record: str, count: int, reply: Reply) -> None:
        """The newest record, or none where the meter keeps only the count."""
        if reply.raw is None:
            return  # The count is read again in a few minutes.
        question, values = RECORDS[record], self._values(meter, reply)
        known = meter.covers.get(question)
        if known is None:
            self._note(meter, question, count, values, "first look")
        elif count > known.count:
            self._note(meter, question, count, values, "opened")
        elif known.is_open and values.get("closed_at") is not None:
            self._note(meter, question, count, values, "closed")

    def _values(self, meter: MeterState, reply: Reply) -> Values:
        """What a reply says; nothing where the meter has no such data or its contents are not usable."""
        if reply.raw is None:
            return {}
        live = self._core.lives[meter.id]
        try:
            return live.model.values(reply.request.purpose, reply.parts, self._core.terms.zone)
        except CodecError as trouble:
            log.info("meter %s, %s: %s", meter.id, reply.request.purpose, trouble)
            return {}

    # --- what is written ---

    def _cleared(self, meter: MeterState, question: str, count: int, before: int) -> None:
        cover = _name(question)
        text = f"the {cover} counts {count} openings and had counted {before}: cleared, or another meter"
        self._append(meter, question, count, {}, "cleared", [("cover-cleared", text)])

    def _note(self, meter: MeterState, question: str, count: int, values: Values, why: str) -> None:
        """One observation, and what a person is told of it: opened, closed again, or both at one look."""
        cover, told = _name(question), []
        opened_at, closed_at = (_wall(values.get(key)) for key in ("opened_at", "closed_at"))
        if why == "opened" or (why == "first look" and opened_at and not closed_at):
            at = opened_at or "--:--"
            told.append(("cover-opened", f"the {cover} was opened at {at} by the meter's clock; it counts {count}"))
        if closed_at and why != "first look":
            told.append(("cover-closed", f"the {cover} was closed again at {closed_at} by the meter's clock"))
        self._append(meter, question, count, values, why, told)

    def _append(
        self, meter: MeterState, question: str, count: int, values: Values, why: str, told: list[tuple[str, str]]
    ) -> None:
        core, seq = self._core, self._core.book.seq
        fields = {
            "meter": meter.id,
            "cover": question,
            "count": count,
            "opened_at": _wall(values.get("opened_at")),
            "closed_at": _wall(values.get("closed_at")),
            "why": why,
        }
        drafts: list[Draft] = [("cover/1", f"cover:{meter.id}:{seq + 1}", fields)]
        for alarm, text in told:
            alarmed = {"meter": meter.id, "account": meter.account, "alarm": alarm, "text": text}
            drafts.append(("alarm/1", f"alarm:{seq + 1 + len(drafts)}", alarmed))
        core.append(*drafts)
        for _, text in told:
            log.warning("meter %s: %s", meter.id, text)
        core.changed("meter", meter.id)


def _name(question: str) -> str:
    return question.replace("-", " ")


def _wall(at: datetime | None) -> str | None:
    """A time on the meter's own display."""
    return None if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
