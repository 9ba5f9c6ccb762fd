"""What holds mean, and who waits for an answer about one (R5, R7); `fold.apply` is the only caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.contract.units import micros_of_text
from edge.entry import Entry
from edge.holds import LOCKOUT, Hold, Ordered, Unanswered
from edge.state import State

Fields = dict[str, Any]


def _hold(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    holds = meter.holds
    if fields["hold"] == LOCKOUT:
        state.installed_seq = entry.seq  # Who switches by hand, without a gateway, looks at registry.json.
    if "operation" in fields:  # A person's request, and not of a Riser that wrote none.
        key, _, _ = entry.id.rpartition(":")
        meter.ordered = Ordered(key, micros_of_text(fields["issued_at"]), fields["who"])
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
        meter.restore = f"{fields['hold']} lifted by {fields['who']}: {fields['why']}"


def _done(state: State, entry: Entry, fields: Fields) -> None:
    state.unanswered.pop(fields["request"], None)


APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {"hold/1": _hold, "done/1": _done}
