"""What a status says of a relay or valve: believed once ordered and answered or seen twice, then written down (I11).

A relay that moves by itself is an alarm and a person's business; a paid tenant who stays dark is one as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from bridge.contract.switching import VALVE_IS
from bridge.contract.units import instant_text
from edge.accounts import FIRST_LOOK_S
from edge.commands import Commands
from edge.core import Core, Draft
from edge.cuttable import may_be_locked
from edge.fold_relays import PAID_AND_DARK
from edge.line.request import WATCH, Reply
from edge.model import Seen
from edge.state import MeterState
from edge.switch_words import LOCKED_MAYBE, already_on, found_moved, still_off

log = logging.getLogger("riser.relays")

DARK_S, DARK_AGAIN_S = 600.0, 3600.0
"""Line seconds a paid tenant may be dark before a person is told (T2), and until they are told again; over restarts."""

NOW_IS = {"on": "closed", "off": "open", "fault": "unknown", "unknown": "unknown"}
"""As the book and `meter/<id>/relay` call it: a relay that is closed, or a valve that is open, gives supply."""

RELOOKS = 2
"""A doubted status is read again at once, so often; then it is the next round's turn, and the line is free."""


class Looking:
    """Takes states."""

    def __init__(self, core: Core, commands: Commands, consider: Callable[[MeterState], None]):
        self._core, self._commands, self._consider = core, commands, consider
        self.moves = 0
        """How often a status was believed that was otherwise than the one before."""

    def observed(self, meter: MeterState, seen: Seen, reply: Reply) -> None:
        """A status was read: note a relay that stands otherwise than before, once two reads agree on it."""
        core, live = self._core, self._core.lives[meter.id]
        now_is = NOW_IS[seen.supply]
        if now_is == "unknown" and self._commands.moving(meter) is not None:
            core.changed("relay", meter.id)
            return  # A valve between its ends stands nowhere yet; when its time is over this counts.
        if not self._believed(meter, seen, now_is):
            live.seen_doubt = seen
            self._look_again(meter)
            return
        self.moves += live.seen != seen
        live.seen, live.seen_doubt, live.relooks = seen, None, 0
        live.seen_began, live.seen_at = reply.began, reply.at
        if seen.lamp:
            live.lamp_says = live.lamp_obeyed
        if core.cannot_write is not None:
            pass  # Shown as it is; the next run finds it otherwise than the book has it, and writes it down then.
        elif live.model.relay and now_is != meter.observed:
            self._moved(meter, now_is, reply)
        elif now_is == "closed" and meter.restore is not None and self._settled(meter):
            # Nothing is left to close: the cause must not close a relay that opens by itself hours later (I10).
            why = already_on(live.model.relay_is_valve)
            core.append(self._relay_draft(meter, now_is, why, reply))
        core.changed("relay", meter.id)
        self._consider(meter)

    def _look_again(self, meter: MeterState) -> None:
        core, live = self._core, self._core.lives[meter.id]
        if live.relooks < RELOOKS and live.model.relay is not None:
            live.relooks += 1
            row = live.model.relay.row
            core.submit(meter, WATCH, row, core.question(meter, row), lambda again: self._looked_again(meter, again))

    def _believed(self, meter: MeterState, seen: Seen, now_is: str) -> bool:
        """A right sum can still be a wrong frame: a change is believed when ordered and answered, or seen twice."""
        live = self._core.lives[meter.id]
        if live.seen_doubt is not None and live.seen_doubt.decides_as(seen):
            return True
        moved = live.model.relay and now_is != meter.observed
        if moved and not self._done(meter, "trip" if now_is == "open" else "close"):
            return False
        if live.seen is None:
            return True
        if live.lamp_on != seen.lamp and not self._done(meter, "lamp"):
            return False
        return live.keep_power == seen.keep_power

    def _done(self, meter: MeterState, wish: str) -> bool:
        """True when the meter was ordered so and said that it obeyed."""
        task = self._commands.task(meter, wish)
        return task is not None and task.step == "done"

    def _looked_again(self, meter: MeterState, reply: Reply) -> None:
        if reply.raw is not None:
            self._commands.take(meter, reply.request.purpose, reply)

    def _settled(self, meter: MeterState) -> bool:
        """True when no trip is under way that could still move the relay."""
        live = self._core.lives[meter.id]
        waited = self._core.clock.monotonic() - live.tripped_mono
        moving_s = live.model.relay.settle_s if live.model.relay else 0.0
        return self._commands.task(meter, "trip") is None and waited > 3 * moving_s

    def _moved(self, meter: MeterState, now_is: str, reply: Reply) -> None:
        core = self._core
        # A trip that is under way tells an opening, and no closing: it may have been begun while nobody could tell.
        cut = meter.held_off or _tripped_since(meter) or self._commands.task(meter, "trip") is not None
        told = cut if now_is == "open" else meter.restore is not None or self._closing(meter)
        lost, as_before = now_is == "unknown", now_is == meter.known
        first = not lost and meter.known is None
        by_itself = not (first or lost or as_before or told)
        why = "as ordered" if told else "moved by itself or by hand" if by_itself else "it tells again how it stands"
        why = "first look" if first and not told else "nobody can tell how it stands" if lost else why
        core.append(self._relay_draft(meter, now_is, why, reply))
        if by_itself:
            text = found_moved(core.lives[meter.id].model.relay_is_valve, now_is)
            core.append(("alarm/1", core.own_id("alarm"), {"meter": meter.id, "alarm": "relay-moved", "text": text}))

    def _closing(self, meter: MeterState) -> bool:
        """An order of ours to close it left moments ago; its cause is gone, for somebody holds it off since."""
        live = self._core.lives[meter.id]
        moving_s = live.model.relay.settle_s if live.model.relay else 0.0
        return self._core.clock.monotonic() - live.closed_mono < 3 * moving_s

    def _relay_draft(self, meter: MeterState, now_is: str, why: str, reply: Reply) -> Draft:
        word_3, seen = self._core.lives[meter.id].word_3, self._core.lives[meter.id].seen
        valve = self._core.lives[meter.id].model.relay_is_valve
        stands = "fault" if seen is not None and seen.supply == "fault" else VALVE_IS[now_is]
        fields = {
            "meter": meter.id,
            "account": meter.account,
            "observed": now_is,
            **({} if word_3 is None else {"word_3": f"{word_3:04X}"}),
            **({"valve": stands} if valve else {}),
            "read_at": instant_text(reply.at),
            "wanted": "open" if meter.held_off else "closed",
            "why": why,
        }
        return ("relay/1", self._core.own_id(f"relay:{meter.id}"), fields)

    def watch(self, meter: MeterState) -> None:
        """Paid and still dark, whatever the reason, also a silent meter: after ten minutes a person is told (I9). While
        the disk takes nothing it is shown and logged; the first run that can write tells it then."""
        core, live, now_s = self._core, self._core.lives[meter.id], self._core.line_s()
        if meter.restore is None or not self.long_dark(meter):
            return
        if live.seen is None and now_s - core.began_line_s <= FIRST_LOOK_S:
            return  # What was ordered before this start may have come about; the meter is looked at first.
        for told_s in (live.dark_told_s, None if meter.waiting is None else meter.waiting.told_s):
            if told_s is not None and now_s - told_s < DARK_AGAIN_S:
                return
        live.dark_told_s = now_s
        text = still_off(live.model.relay_is_valve, meter.restore, self._commands.at_its_button(meter))
        text = LOCKED_MAYBE if may_be_locked(self._core, meter) else text
        log.warning("meter %s: %s", meter.id, text)
        if core.cannot_write is None:
            fields = {"meter": meter.id, "account": meter.account, "alarm": PAID_AND_DARK, "text": text}
            core.append(("alarm/1", core.own_id("alarm"), fields))
        core.changed("relay", meter.id)

    def long_dark(self, meter: MeterState) -> bool:
        """Its cause to close has stood for ten minutes in which the gateway ran; from this start on where the book does
        not say since when."""
        core = self._core
        if meter.restore is None or (core.cannot_write is not None and core.lives[meter.id].relay_open is False):
            return False  # The light is on; without a disk the book cannot say so yet.
        since_s = None if meter.waiting is None else meter.waiting.since_s
        return core.line_s() - (core.began_line_s if since_s is None else since_s) > DARK_S


def _tripped_since(meter: MeterState) -> bool:
    """Evidence of a trip stands in the book and its outcome does not: the process ended in between, and somebody paid
    before the relay was looked at (failure 36)."""
    seen_at = meter.known_since or 0
    return meter.restore is not None and any(at >= seen_at for at in meter.trips)
