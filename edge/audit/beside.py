"""What is kept beside the journal must agree with it: the registry, the outbox's cursor, an anchor from outside (I25).

These are folds and notes, never the truth; where one knows of entries that the book no longer has, the book was cut.
"""

from __future__ import annotations

import re
from typing import Any

from edge.audit.lie import Lie, Report
from edge.entry import Snapshot
from edge.opening import UNREADABLE, loaded
from edge.registry import locks_of
from edge.snapshot import VERSION
from edge.state import State

TRIGGERS = {"journal_keeps", "journal_stays"}

_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{8,64})\Z")

Anchor = tuple[int, str]


def anchor_of(text: str) -> Anchor:
    """`SEQ:HASH`, as a statement prints it; the hash may be cut to 8 digits or more. Raises ValueError."""
    found = _ANCHOR.match(text.strip().lower())
    if found is None:
        raise ValueError(f"{text[:80]!r} is no anchor; write SEQ:HASH as a statement prints it")
    return int(found[1]), found[2]


def anchored(anchor: Anchor, seq: int, digest: str) -> None:
    """Compare the entry that an anchor names. Raises Lie."""
    if seq == anchor[0] and not digest.startswith(anchor[1]):
        raise Lie(
            seq, None, f"its hash is {digest[:16]}...: the book was written anew", f"{anchor[1]}, the anchor (I17)"
        )


def cut(newest: int, known: int, who: str) -> None:
    """Somebody knows of entry `known`. Raises Lie where the book ends before it."""
    if known > newest:
        raise Lie(newest + 1, None, f"the book ends at entry {newest}, and {who} knows of entry {known}: "
                  "its end is missing (I17)", f"entries up to {known}")  # fmt: skip


def snapshot(kept: Snapshot, state: State, report: Report) -> None:
    """The snapshot of the fold, where the fold has come to it: it is compared, and nothing is derived from it. Raises
    Lie."""
    if kept.version != VERSION or not kept.whole:
        report.remarks.append("the snapshot of the fold is another version's or damaged; the edge does not use it")
        return
    try:
        same = kept.hash == state.hash and loaded(kept) == state
    except UNREADABLE:
        same = False
    if not same:
        raise Lie(None, f"the snapshot of entry {kept.seq}", "it is not what the entries say",
                  "the state as it is folded from them; the edge must not open with it")  # fmt: skip
    report.count("snapshots of the fold")


def compare(
    state: State, report: Report, notes: dict[str, int], registry: dict[str, Any] | None, triggers: set[str]
) -> None:
    """The stored state against the fold. Raises Lie."""
    cut(state.seq, notes.get("entry_cursor", 0), "the outbox's note of what the broker acknowledged")
    report.count("notes beside the journal", len(notes))
    if registry is None:
        report.remarks.append("no registry.json beside the book; the edge writes it at its next start")
    else:
        _registry(state, registry, report)
    if missing := TRIGGERS - triggers:
        raise Lie(None, "the table journal", f"its triggers {', '.join(sorted(missing))} are gone",
                  "triggers that refuse every change (R10)")  # fmt: skip
    if total := sum(state.ledger.values()):
        raise Lie(None, "the ledger", f"all accounts together come to {total} nano-yuan", "0 (I1)")
    report.count("ledger accounts", len(state.ledger))


def _registry(state: State, registry: dict[str, Any], report: Report) -> None:
    folded = registry["folded"]["1"]
    if folded.get("epoch") != state.epoch:
        report.remarks.append("registry.json is of another book; the edge writes it anew at its next start")
        return
    cut(state.seq, int(folded["seq"]), "registry.json")
    if int(folded["seq"]) != state.installed_seq:
        report.remarks.append("registry.json is older than the book; the edge writes it anew")
        return
    own: dict[str, list[dict[str, Any]]] = {
        "meters": [meter.row for meter in state.meters.values()],
        "accounts": [account.row for account in state.accounts.values()],
        "tariffs": [versions[-1] for versions in state.tariffs.values()],
        "locks": locks_of(state),
    }
    for table, rows in own.items():
        told = list(registry.get(table, {}).values())
        for number, row in enumerate(rows):
            if number >= len(told) or told[number] != row:
                name = row.get(table.removesuffix("s"))
                raise Lie(None, f"registry.json, {table}, {name}", "it is not what the book says", str(row))
        if len(told) != len(rows):
            raise Lie(None, f"registry.json, {table}", f"it has {len(told)} rows", str(len(rows)))
        report.count("rows of registry.json", len(rows))
