"""The books when all has ended: each answered payment once, none that nobody asked for, the copy the same."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

from edge.audit.verify import verify
from tests.proof.machine import Machine
from tests.proof.payers import FEN, Ledger
from tests.proof.race import TAKEN

COLUMNS = "seq, id, at, kind, body, boot, mono_ns, trusted, prev_hash, hash"

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
    amounts = {id: body["amount_fen"] for (id, _), body in zip(rows, bodies, strict=True)}
    raced = {id for id, each in ledger.raced.items() if len(each) > 1 and id in ledger.asked}
    done = {id for id, answers in ledger.answers.items() if any(answer["status"] == "done" for answer in answers)}
    found = {
        "was answered and is not in the book": sorted(done - set(booked)),
        "stands twice in the book": [id for id, many in (*booked.items(), *receipts.items()) if many > 1],
        "is in the book and nobody asked for it": sorted(set(booked) - set(ledger.asked)),
        "was refused": sorted(id for id in ledger.asked if id in ledger.answers and id not in done | raced),
        "was answered in two ways": [
            id for id, answers in ledger.answers.items()
            if id not in raced and len({answer["status"] for answer in answers}) > 1
        ],
        "was never answered": ledger.open,
        "was shown at the panel with another receipt than the book has": [
            id for id, receipt in ledger.pages.items() if receipt and told.get(id) != receipt
        ],
        "was answered with another receipt or amount than the book has": sorted(
            id for id, answers in ledger.answers.items() for answer in answers
            if answer.get("data") and (answer["data"]["receipt"], answer["data"]["amount_fen"]) != (
                told.get(id), amounts.get(id))
        ),
        "was asked for twice at once and is not in the book": sorted(raced - set(booked)),
        "was asked for twice at once and refused for another reason": sorted({
            id for id in raced for answer in ledger.answers.get(id, ())
            if answer["status"] == "refused" and TAKEN not in answer.get("error", TAKEN)
        }),
        "has an amount that nobody paid": sorted(
            id for id, amount in amounts.items() if amount not in ledger.raced.get(id, {FEN})
        ),
    }  # fmt: skip
    violations = [f"{id} {what}" for what, ids in found.items() for id in ids[:TOLD]]
    if (lie := verify(machine.data).lie) is not None:
        violations.append(f"riser verify: {lie.sentence()}")
    lost, doubled, unasked, refused, *_ = (len(ids) for ids in found.values())
    return {
        "booked": len(rows), "lost": lost, "doubled": doubled, "unasked": unasked, "refused": refused,
        "edge_starts_booked": starts, "violations": violations,
    }  # fmt: skip


def behind(machine: Machine) -> list[int]:
    """Entries that the bridge's copy does not have, or not as the book has them; the newest is not waited for."""
    path, copy = machine.data / "archive.db", set[tuple[Any, ...]]()
    if path.exists():  # Read first: the book, which grows, has all that it has.
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as archive:
            copy.update(archive.execute(f"SELECT {COLUMNS.replace('at,', 'at_us,')} FROM entry"))
    with closing(sqlite3.connect(f"file:{machine.data / 'book.db'}?mode=ro", uri=True, timeout=10)) as book:
        rows = set(book.execute(f"SELECT {COLUMNS} FROM journal"))
    newest = max(rows)[0]
    return sorted({row[0] for row in rows ^ copy if row in copy or row[0] < newest})
