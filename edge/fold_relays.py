"""Trips, holds and what a relay was read back as, in the fold (R5, I7-I11); `fold.apply` is the only caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridge.contract.units import micros_of_text
from edge.entry import Entry
from edge.holds import LOCKOUT, Hold, Ordered, Unanswered
from edge.restored import is_former
from edge.state import MeterState, State
from edge.waiting import Run, Waiting

Fields = dict[str, Any]

CUTS_KEPT = 2
"""So many of a meter's newest cuts are kept for the brake (R4): the newest counts, and the one before where that is
withdrawn."""

PAID_AND_DARK = "paid-and-dark"
"""The alarm that somebody who has paid has no supply."""


def _start(state: State, entry: Entry, fields: Fields) -> None:
    state.run = Run(entry.boot, fields["line_s"], entry.mono_ns) if "line_s" in fields else None


def wants_supply(state: State, entry: Entry, meter: MeterState, why: str) -> None:
    """The cause to close it (I10). Who waits already waits since the first one."""
    before = meter.waiting or Waiting()
    if meter.restore is None or meter.waiting is None:
        meter.waiting = Waiting(since_s=state.run.line_s_of(entry) if state.run else None)
    # A lock that comes and goes in an empty room asks for no light; a person's `on` does.
    way = before.way if meter.account is None and entry.fields.get("operation") == "unlock" else None
    meter.waiting = replace(meter.waiting, way=way, of_backup=False)
    meter.restore = why


def told_dark(state: State, entry: Entry, meter: MeterState) -> None:
    """A person was told of it."""
    meter.waiting = replace(meter.waiting or Waiting(), told_s=state.run.line_s_of(entry) if state.run else None)


def _trip(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    meter.trips = [*meter.trips[-4:], entry.at]
    held = meter.holds.get("arrears")
    # After a restore who has light again may have the hold still: that cut counts too, and its hold is a new one.
    anew = held is None or (is_former(state.restored, held.seq) and meter.known == "closed")
    if fields["cause"] == "arrears" and anew:
        meter.restore = None
        meter.holds["arrears"] = Hold("arrears", f"episode {fields['episode']}", "policy", entry.at, entry.seq)
        state.cuts[meter.id] = [*state.cuts.get(meter.id, []), _powered_s(state, meter, fields)][-CUTS_KEPT:]


def _powered_s(state: State, meter: MeterState, fields: Fields) -> int:
    """The powered second of a cut: the lead that stands in its evidence, counted from the delivery (R1)."""
    account = state.accounts.get(meter.account or "")
    if account is None or account.final is None or account.final.delivered_powered_s is None:
        return 0
    return account.final.delivered_powered_s + int(fields["warned_s"])


def _withdrawn(state: State, entry: Entry, fields: Fields) -> None:
    """No byte left, so nobody was cut: the hold that the evidence set, and its mark for the brake, are taken back."""
    meter = state.meters[fields["meter"]]
    hold = meter.holds.get("arrears")
    if hold is not None and hold.seq == fields["evidence_seq"]:
        del meter.holds["arrears"]
        del state.cuts.get(meter.id, [])[-1:]
        meter.trips = [at for at in meter.trips if at != hold.since]


def ordered(entry: Entry, fields: Fields) -> Ordered:
    """Whose wish an entry of a request is, and when it was issued."""
    return Ordered(entry.id.rpartition(":")[0], micros_of_text(fields["issued_at"]), fields["who"], entry.seq)


def _hold(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    holds = meter.holds
    if fields["hold"] == LOCKOUT:
        state.installed_seq = entry.seq  # Who switches by hand, without a gateway, looks at registry.json.
    if "operation" in fields:  # A person's request, and not of a Riser that wrote none.
        meter.ordered = ordered(entry, fields)
        if fields["request"]["answer"]["status"] == "accepted":
            wanted = "open" if fields["set"] else "closed"
            state.unanswered[entry.id] = Unanswered(meter.id, fields["operation"], wanted)
    if fields["set"]:
        meter.restore = None
        off = fields.get("off", True)
        holds[fields["hold"]] = Hold(fields["hold"], fields["why"], fields["who"], entry.at, entry.seq, off)
        return
    holds.pop(fields["hold"], None)
    if not holds:
        wants_supply(state, entry, meter, f"{fields['hold']} lifted by {fields['who']}: {fields['why']}")


def _done(state: State, entry: Entry, fields: Fields) -> None:
    state.unanswered.pop(fields["request"], None)


def _relay(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    meter.observed, meter.observed_since = fields["observed"], entry.at
    if meter.observed != "unknown":
        meter.known, meter.known_since = meter.observed, entry.at
    if meter.observed == "closed":
        meter.restore = None
        if meter.waiting is not None and meter.waiting.way is not None:
            meter.waiting = replace(meter.waiting, way=None)


APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {
    "start/1": _start,
    "trip/1": _trip,
    "withdrawn/1": _withdrawn,
    "hold/1": _hold,
    "done/1": _done,
    "relay/1": _relay,
}
