"""The books when all has ended: each answered payment once, none that nobody asked for, the copy complete."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

from edge.audit.verify import verify
from tests.proof.machine import Machine
from tests.proof.payers import FEN, Ledger

TOLD = 10
"""So many of a kind are named."""


def settled(machine: Machine, ledger: Ledger) -> dict[str, Any]:
    """What stands in the book, beside what was asked and answered."""
    with closing(sqlite3.connect(machine.data / "book.db")) as book:
        rows = book.execute("SELECT id, body FROM journal WHERE kind = 'topup/1'").fetchall()
        starts = book.execute("SELECT count(*) FROM journal WHERE kind = 'start/1'").fetchone()[0]
    bodies = [json.loads(body) for _, body in rows]
    booked, receipts = Counter(id for id, _ in rows), Counter(body["receipt"] for body in bodies)
    told = {id: body["receipt"] for (id, _), body in zip(rows, bodies, strict=True)}
    done = {id for id, answers in ledger.answers.items() if any(answer["status"] == "done" for answer in answers)}
    found = {
        "was answered and is not in the book": sorted(done - set(booked)),
        "stands twice in the book": [id for id, many in (*booked.items(), *receipts.items()) if many > 1],
        "is in the book and nobody asked for it": sorted(set(booked) - set(ledger.asked)),
        "was refused": sorted(id for id in ledger.asked if id in ledger.answers and id not in done),
        "was answered in two ways": [
            id for id, answers in ledger.answers.items() if len({answer["status"] for answer in answers}) > 1
        ],
        "was never answered": ledger.open,
        "was shown at the panel with another receipt than the book has": [
            id for id, receipt in ledger.pages.items() if receipt and told.get(id) != receipt
        ],
    }
    violations = [f"{id} {what}" for what, ids in found.items() for id in ids[:TOLD]]
    if any(body["amount_fen"] != FEN for body in bodies):
        violations.append("an amount is not what was paid")
    if (lie := verify(machine.data).lie) is not None:
        violations.append(f"riser verify: {lie.sentence()}")
    lost, doubled, unasked, refused, *_ = (len(ids) for ids in found.values())
    return {
        "booked": len(rows), "lost": lost, "doubled": doubled, "unasked": unasked, "refused": refused,
        "edge_starts_booked": starts, "violations": violations,
    }  # fmt: skip


def behind(machine: Machine) -> int:
    """Entries that the bridge's copy does not have yet."""
    with closing(sqlite3.connect(f"file:{machine.data / 'book.db'}?mode=ro", uri=True, timeout=10)) as book:
        newest = book.execute("SELECT max(seq) FROM journal").fetchone()[0]
    path = machine.data / "archive.db"
    if not path.exists():
        return newest
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as archive:
        return newest - archive.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0]
