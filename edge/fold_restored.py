"""A restore in the fold, and what comes back after it (I5); `fold.apply` is the only caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edge.entry import Entry
from edge.restored import Restored, why
from edge.state import State
from edge.waiting import Waiting

Fields = dict[str, Any]


def _restored(state: State, entry: Entry, fields: Fields) -> None:
    told = {key: fields[key] for key in ("epoch", "before", "seq", "made_at")}
    before = state.restored
    state.restored = Restored(**told, hash=entry.prev_hash, heard=fields["seq"])
    if before is not None:
        state.restored.settled |= before.settled  # Nobody brings that a second time.
    state.recovering = why(fields["made_at"], fields["seq"], state.genesis["zone"])
    for meter in state.meters.values():
        if meter.restore is not None:
            meter.waiting = replace(meter.waiting or Waiting(), of_backup=True)


def _missed(state: State, entry: Entry, fields: Fields) -> None:
    if state.restored is not None:
        state.restored.missed.append(entry.seq)
        if fields["former"]["kind"] == "exit/1" and "account" in fields:
            state.restored.settled.add(fields["account"])


def _brought_back(state: State, entry: Entry, fields: Fields) -> None:
    if state.restored is not None:
        state.restored.through, state.restored.holes = fields["through"], fields["holes"]


def came_back(state: State, entry: Entry) -> None:
    """Any entry that tells of one of the former epoch."""
    restored, former = state.restored, entry.fields["former"]
    if restored is not None:
        restored.heard = max(restored.heard, former["seq"])
        if entry.kind != "missed/1":
            restored.brought[former["mark"]] = (former["seq"], entry.seq)


APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {
    "restored/1": _restored,
    "missed/1": _missed,
    "brought-back/1": _brought_back,
}
