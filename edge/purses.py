"""A meter that has a prepayment of its own, beside an account of ours: its tenant pays twice; a person is told (R14).

Status word 3 of DL/T 645-2007 says it in bits 8 and 9: 00 not prepaid, 01 energy, 10 money; 11 is nobody's meaning.
What two reads agree on is believed. What was told stands in the book, so that a restart tells nobody again. Such a
meter also opens its relay when its own money is gone; then that is said, and not that nobody knows why.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Literal

from edge import model
from edge.answers import REFUSED_S
from edge.codec.errors import CodecError
from edge.core import Core
from edge.line.request import WATCH, Reply
from edge.live import Live
from edge.model import Model, Values
from edge.state import AILMENTS, MeterState

log = logging.getLogger("riser.purses")

KINDS = {0x0000: "", 0x0100: "energy", 0x0200: "money"}
"""Bits 8 and 9 of status word 3, and what is prepaid in the meter."""

COUNTS = "purse-counts"

TEXTS = {
    COUNTS: "what is prepaid in the meter counts down while this gateway bills it too, so its tenant pays twice (R14): "
    "switch the prepay function off in the meter",
    AILMENTS[COUNTS]: "what is prepaid in the meter no longer counts down beside this gateway's account",
}

LEFT = "purse-remaining"
"""The question for the amount left. A meter of a model without a purse is asked it only where it says that money is
prepaid in it."""

LEFT_EVERY_S = 60.0
"""Line seconds between two such questions; one that was refused rests as others do."""

EMPTY = "the meter holds its relay open by itself: its own purse is empty; top it up, or switch its prepay function off"
WARNS = "the meter may hold its relay open by itself as a warning: its own purse is low; press its button and top it up"
PERHAPS = (
    "the meter has a purse of its own and may hold its relay open by itself: look at its display; "
    "top it up, or switch its prepay function off"
)

OPENED: dict[str, Literal["empty", "low", "perhaps"]] = {EMPTY: "empty", WARNS: "low", PERHAPS: "perhaps"}
"""Each sentence and its word for programs (`own_purse` of a relay)."""


class Purses:
    """Takes the status words of meters that have one."""

    def __init__(self, core: Core):
        self._core = core
        self._newest: dict[str, str] = {}
        self._ask_after: dict[str, float] = {}

    def changed(self, meter: str) -> None:
        """What is remembered of it was another meter's."""
        self._newest.pop(meter, None)
        self._ask_after.pop(meter, None)

    def heard(self, meter: MeterState, values: Values) -> None:
        """A status was read."""
        word = values.get("status_word_3")
        prepaid = None if word is None else KINDS.get(int(word, 16) & 0x0300)
        if prepaid is None:
            return
        if self._newest.get(meter.id) != prepaid:
            self._newest[meter.id] = prepaid
            return  # A right sum can still be a wrong frame: the next status tells.
        live = self._core.lives[meter.id]
        live.values |= {"purse_counts": bool(prepaid), "purse_of": prepaid or None}
        if prepaid == "money":
            self._ask_what_is_left(meter, live)
        elif _with_a_purse(live.model.id) is not None:
            live.values.pop("purse_remaining_fen", None)  # Asked for here alone; a purse model has rows of its own.
        self._compare(meter, bool(prepaid) and meter.account is not None)

    def _compare(self, meter: MeterState, paid_twice: bool) -> None:
        core = self._core
        if paid_twice is (COUNTS in meter.ailing) or core.cannot_write is not None:
            return  # With a full disk it is told when that takes entries again.
        alarm = COUNTS if paid_twice else AILMENTS[COUNTS]
        fields = {"meter": meter.id, "account": meter.account, "alarm": alarm, "text": TEXTS[alarm]}
        core.append(("alarm/1", core.own_id("alarm"), fields))
        log.warning("meter %s: %s", meter.id, TEXTS[alarm])

    def _ask_what_is_left(self, meter: MeterState, live: Live) -> None:
        """Of a meter whose model has no purse: a person who is told of the purse wants to know what is in it."""
        core, kind, now = self._core, _with_a_purse(live.model.id), self._core.clock.monotonic()
        if kind is None or now < self._ask_after.get(meter.id, -1e9):
            return
        self._ask_after[meter.id] = now + LEFT_EVERY_S
        frame = kind.ask(LEFT, meter.row["address"], 0, core.preamble(meter))
        core.submit(meter, WATCH, LEFT, frame, lambda reply: self._left(meter, kind, reply))

    def _left(self, meter: MeterState, kind: Model, reply: Reply) -> None:
        if reply.raw is None:
            return  # It is asked again in a minute.
        try:
            self._core.lives[meter.id].values.update(kind.values(LEFT, reply.parts, self._core.terms.zone))
        except CodecError as trouble:
            log.info("meter %s, %s: %s", meter.id, LEFT, trouble)
            self._ask_after[meter.id] = reply.ended + REFUSED_S
        self._core.changed("meter", meter.id)


@cache
def _with_a_purse(id: str) -> Model | None:
    """The purse model beside a plain one, by its name; None where there is none, as beside a purse model itself."""
    return model.load(f"{id}-purse") if f"{id}-purse" in model.known() else None


def why_open(live: Live) -> str | None:
    """Why a relay stands open that nobody here ordered open, where the meter's own purse tells; else None.

    The amount says it where it is known and money is what counts: with energy prepaid it may well be 0.00. A meter that
    only says that it has a purse may have used it up.
    """
    if not live.values.get("purse_counts"):
        return None
    if live.values.get("purse_of") != "money":
        return PERHAPS
    left, overdrawn = live.values.get("purse_remaining_fen"), live.values.get("purse_overdrawn_fen")
    if left == 0 or overdrawn:
        return EMPTY
    if left is None:
        return PERHAPS
    return WARNS if left <= live.values.get("purse_alarm_2_fen", 0) else None
