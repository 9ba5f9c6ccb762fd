"""What a permitted request does: a hold set or lifted, a meter read, the brake released. Money: `money_acts.py`.

Each act decides, writes its entry with the answer in it, and answers; a relay's request is answered a second time
when status word 3 says so (R7). A `Refusal` leaves everything as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from bridge.contract import messages
from bridge.contract.switch_requests import Close, Off, On, Trip
from bridge.contract.units import instant_of_micros, instant_text, micros_of, wall_time
from edge.asked import Answer, Asked, Refusal, Status, overtaken_at
from edge.core import Core
from edge.holds import LOCKOUT
from edge.line.request import PERSON, Reply
from edge.purses import why_open
from edge.read_back import ReadBack
from edge.relays import Relays
from edge.state import MeterState
from edge.switch_words import (
    ask_otherwise,
    lifted_in_vain,
    locked_words,
    no_off_now,
    stays_off,
)

log = logging.getLogger("riser.requests")

READERS_AT_MOST = 20
"""Askers who wait for the same reading; a meter is asked once for all of them."""

READ_QUESTIONS = ("energy", "volume", "power", "status")


class Acts:
    """One method for each operation of `messages.REQUESTS` that changes a relay or asks a meter."""

    def __init__(self, core: Core, relays: Relays, answer: Answer, read_back: ReadBack):
        self._core, self._relays, self._answer, self._read_back = core, relays, answer, read_back
        self._reading: dict[str, list[Asked]] = {}
        self.take: Callable[[MeterState, str, Reply], bool]
        self.released: Callable[[MeterState], None]

    # --- relays ---

    def relay_meter(self, id: str) -> MeterState:
        """The meter, where it has something to switch. Raises Refusal."""
        if (meter := self._core.state.meters.get(id)) is None:
            raise Refusal("R7", f"there is no meter {id[:32]!r} on this gateway")
        if meter.row["relay"] == "none" or not self._core.lives[id].model.relay:
            raise Refusal("R7", f"meter {id} has no relay or valve that can be controlled")
        return meter

    def trip(self, asked: Asked, body: Trip) -> None:
        self._said_to_a_relay(asked)
        self.off(asked, body)

    def close(self, asked: Asked, body: Close) -> None:
        self._said_to_a_relay(asked)
        self.on(asked, body)

    def _said_to_a_relay(self, asked: Asked) -> None:
        """For a valve a relay's word would mean the opposite, or nothing: what it should be called is told instead."""
        meter = self.relay_meter(asked.body.meter)
        if self._core.lives[meter.id].model.relay_is_valve:
            raise Refusal("R7", ask_otherwise(meter.id, asked.operation))

    def off(self, asked: Asked, body: Off) -> None:
        meter = self.relay_meter(body.meter)
        self.may_go_off(meter)
        self._not_kept_on(meter)
        if (hold := meter.holds.get(body.hold)) is not None:
            raise Refusal("R5", f"the hold `{body.hold}` is already set by {hold.by}: {hold.why}")
        self.hold(asked, meter, body.hold, True)

    def may_go_off(self, meter: MeterState) -> None:
        """Raises Refusal where no person can switch it off as things stand."""
        if self._core.mode not in ("normal", "time"):
            valve = self._core.lives[meter.id].model.relay_is_valve
            raise Refusal("I22", no_off_now(valve, self._core.mode))
        if self._core.lives[meter.id].keep_power:
            raise Refusal("R3", "the meter itself is set to keep power on; lift that first")

    def _not_kept_on(self, meter: MeterState) -> None:
        """Raises Refusal where somebody has promised the tenant power (R3). A lock for work at the wires may."""
        account = self._core.state.accounts.get(meter.account or "")
        standing = account.protected(micros_of(self._core.now())) if account else []
        if kept := next((each for each in standing if each.kind == "keep-power"), None):
            until = wall_time(instant_of_micros(kept.until), self._core.terms.zone)
            raise Refusal(
                "R3", f"{kept.by} keeps supply on for this tenant until {until}: {kept.why}; lift that first, or lock "
                "the meter for work at the wires"
            )  # fmt: skip

    def on(self, asked: Asked, body: On) -> None:
        """Lifts a person's hold; of a room that the last tenant left cut off theirs as well, for nobody could pay for
        it any more. Whoever moves in by then has light, and is warned before it goes (R1)."""
        meter = self.relay_meter(body.meter)
        if (locked := locked_words(meter, self._core.terms.zone)) is not None:
            raise Refusal("R5", f"meter {meter.id} is {locked}; nobody closes it before it is unlocked")
        lifted: set[str] = {body.hold} | ({"arrears"} if meter.account is None else set())
        others = set(meter.holds) - lifted
        if others and not lifted & meter.holds.keys():
            names = ", ".join(sorted(others))
            raise Refusal("R5", stays_off(self._core.lives[meter.id].model.relay_is_valve, names))
        kinds = sorted(lifted & meter.holds.keys()) or [body.hold]
        self.hold(asked, meter, kinds[0], False, *kinds[1:])

    def hold(self, asked: Asked, meter: MeterState, kind: str, on: bool, *more: str, **told: Any) -> None:
        """Set or lift a hold, `more` with it, and answer when it was read back. `told` is written of it; a lock that
        is set with `off` false waits for nothing."""
        at = overtaken_at(asked, meter.ordered, self._core)
        if meter.ordered is not None and at is not None and not (on and kind == LOCKOUT):  # A lock is always taken.
            raise Refusal("R7", f"this was asked before what {meter.ordered.who} asked of meter {meter.id} at {at}, "
                          "which came first and stands; ask anew if it is still wanted")  # fmt: skip
        core, live, off = self._core, self._core.lives[meter.id], told.get("off", True)
        wanted = "open" if on else "closed"
        left = sorted(meter.holds.keys() | {kind}) if on else sorted(meter.holds.keys() - {kind, *more})
        settled = not off or bool(left and not on)
        answer: dict[str, Any] = {"status": "done" if settled else "accepted", "data": {"holds": left}}
        if settled and left and not on:
            answer["data"]["text"] = lifted_in_vain(live.model.relay_is_valve, ", ".join(left), kind)
        elif not on and not settled and not meter.holds and (own := why_open(live)) is not None:
            answer["data"]["text"] = own  # It is tried, and may not last.
        fields = {"meter": meter.id, "account": meter.account, "set": on, "why": asked.body.why}
        told = {**told, "operation": asked.operation, "issued_at": asked.body.issued_at}
        signed = asked.written(answer)
        by = {key: signed[key] for key in ("who", "role")}
        core.append(
            *(("hold/1", f"{asked.id}:{each}", {**fields, "hold": each, **by}) for each in more),
            ("hold/1", asked.id, {**fields, "hold": kind, **told, **signed}),
        )
        self._answer(asked, **answer)
        if not settled:
            self._read_back.waits(asked.id, asked.operation, meter, wanted)
        core.changed("relay", meter.id)
        self._relays.consider(meter)
        self._read_back.settle(meter)

    # --- reading and the brake ---

    def read(self, asked: Asked, body: messages.Read) -> None:
        """A reading changes nothing, so it is not written down; a repeat reads again."""
        meter = self._core.state.meters.get(body.meter)
        if meter is None:
            raise Refusal("R7", f"there is no meter {body.meter[:32]!r} on this gateway")
        joined = self._reading.setdefault(meter.id, [])
        if len(joined) >= READERS_AT_MOST:
            raise Refusal(
                "R7", f"meter {meter.id} is being read for {len(joined)} others already; see its newest values"
            )
        self._answer(asked, "accepted")
        joined.append(asked)
        if len(joined) > 1:
            return  # The meter is being asked; this asker hears the same answer.
        live = self._core.lives[meter.id]
        names = [name for name in READ_QUESTIONS if name in live.model.rows.keys() - live.lacks]
        last = names[-1]
        for name in names:
            frame = self._core.question(meter, name)
            self._core.submit(
                meter, PERSON, name, frame, lambda reply, name=name: self._was_read(meter, name, name == last, reply)
            )

    def _was_read(self, meter: MeterState, name: str, last: bool, reply: Reply) -> None:
        answered = reply.raw is not None and self.take(meter, name, reply)
        if not last:
            return
        if not answered:
            error = f"meter {meter.id} did not answer ({reply.error or 'refused'}); it is asked again in the next round"
            self._answer_readers(meter, "failed", rule="R7", error=error)
            return
        live = self._core.lives[meter.id]
        data: dict[str, Any] = {"read_at": instant_text(reply.at), "power_w": live.values.get("power_w")}
        if live.sample is not None:
            registers = live.sample.registers_wh
            data |= {"volume_l": registers["total"]} if live.model.quantity == "volume" else {"registers_wh": registers}
        self._answer_readers(meter, "done", data=data)

    def _answer_readers(self, meter: MeterState, status: Status, **more: Any) -> None:
        for asked in self._reading.pop(meter.id, []):
            self._answer(asked, status, **more)

    def release(self, asked: Asked, body: messages.Release) -> None:
        """A person has looked at a meter whose reading was set aside."""
        meter = self._core.state.meters.get(body.meter)
        if meter is None:
            raise Refusal("R7", f"there is no meter {body.meter[:32]!r} on this gateway")
        if meter.quarantined is None:
            raise Refusal("R20", f"no reading of meter {meter.id} is set aside")
        answer: dict[str, Any] = {"status": "done", "data": {"released": meter.quarantined}}
        self._core.append(("release/1", asked.id, {"meter": meter.id, "why": body.why, **asked.written(answer)}))
        self.released(meter)
        self._answer(asked, **answer)

    def brake(self, asked: Asked, body: messages.Brake) -> None:
        if self._core.state.brake is None:
            raise Refusal("R4", "the brake on mass cuts is not on")
        answer: dict[str, Any] = {"status": "done", "data": {"released": True}}
        self._core.append(("brake/1", asked.id, {"set": False, "why": body.why, **asked.written(answer)}))
        self._answer(asked, **answer)
        self._core.changed("info")
