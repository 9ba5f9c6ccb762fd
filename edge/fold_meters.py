"""What a replaced meter and a changed multiplier mean (R22, R23); `fold.apply` is the only caller.

The metering point stays: its tenant, its holds and what its account owes. What belonged to the meter that was taken off
goes with it: its registers, number, relay, clock, covers, and the days by which it was estimated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge.charged import mark_of, opened, proven
from edge.entry import Entry
from edge.fold_relays import wants_supply
from edge.state import MeterState, Proposal, State

Fields = dict[str, Any]

REPLACE, CHANGE_RATIO = "replace-meter", "change-multiplier"
CHANGES = (REPLACE, CHANGE_RATIO)
"""Kinds of proposals that change a meter; both hold its id as `meter`."""


def proposed(state: State, proposal: Proposal) -> None:
    """Nothing is charged on before it is decided: the reading that it rests on divides the day."""
    if proposal.what in CHANGES:
        state.meters[proposal.body["meter"]].changing = proposal.id


def decided(state: State, proposal: Proposal) -> None:
    if proposal.what in CHANGES:
        state.meters[proposal.body["meter"]].changing = None


def _replacement(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    meter.row = {**fields["row"], "meter": meter.id}
    meter.serial, meter.table_found = None, None
    opened(meter, fields)
    _from_here_on(state, entry, meter)
    meter.observed, meter.observed_since, meter.known, meter.known_since = "unknown", None, None, None
    meter.quarantined = meter.quarantined_wh = meter.clock_set_at = None
    meter.covers, meter.ailing, meter.trips = {}, set(), []
    # A new meter may stand switched off; with no hold set it is to give supply (I10).
    meter.restore = None
    if meter.row["relay"] != "none" and not meter.holds:
        wants_supply(state, entry, meter, f"the meter was replaced, proposal {fields['proposal']}")


def _ratio(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    meter.row = {**meter.row, "multiplier": fields["multiplier"]}
    if meter.billed is not None:
        meter.billed = mark_of(fields)
        proven(meter, meter.billed)
    _from_here_on(state, entry, meter)


def _from_here_on(state: State, entry: Entry, meter: MeterState) -> None:
    """Nothing of before is carried over the cut: its registers counted something else."""
    meter.borders, meter.days, meter.estimated_days = [], [], 0
    meter.since, state.installed_seq = entry.at, entry.seq


APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {"replacement/1": _replacement, "ratio/1": _ratio}
