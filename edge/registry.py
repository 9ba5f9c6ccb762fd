"""What is installed, for people and for programs that do not open the book: TinyDB on a storage that survives a cut.

A fold of the book with the seq it was folded to. Delete it: it is rebuilt. The only importer of tinydb.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.storages import Storage

from bridge.contract.units import text_of
from edge.state import State


class AtomicStorage(Storage):
    """Temp file, fsync, rename, fsync the directory; TinyDB's own storage overwrites its only copy."""

    def __init__(self, path: Path):
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        try:
            tables = json.loads(self._path.read_text(encoding="utf-8"))
            int(tables["folded"]["1"]["seq"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None  # Damaged: it is only a fold, and is written anew.
        return tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        scratch = self._path.with_suffix(".new")
        with scratch.open("w", encoding="utf-8") as out:
            json.dump(data, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        scratch.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def locks_of(state: State) -> list[dict[str, Any]]:
    """The meters that are locked for work, for the tool that switches by hand while no gateway runs (R5)."""
    return [
        {
            "meter": meter.id, "address": meter.row["address"], "circuit": meter.row.get("circuit"), "by": lock.by,
            "since": text_of(lock.since), "why": lock.why,
        }
        for meter in state.meters.values()
        if (lock := meter.lock) is not None
    ]  # fmt: skip


class Registry:
    """registry.json: tables `meters`, `accounts`, `tariffs`, `locks`, and `folded` with the seq."""

    def __init__(self, directory: Path):
        self._path = directory / "registry.json"
        self._db = TinyDB(self._path, storage=AtomicStorage)

    def seq(self) -> int:
        """The seq the registry was folded to, 0 when there is none."""
        rows = self._db.table("folded").all()
        return int(rows[0]["seq"]) if rows else 0

    def refresh(self, state: State) -> None:
        """Write what is installed, when the registry was folded from an older book, or from another one."""
        folded = {"seq": state.installed_seq, "epoch": state.epoch}
        if self._db.table("folded").all() == [folded]:
            return
        tables = {
            "folded": {"1": folded},
            "meters": {str(n): meter.row for n, meter in enumerate(state.meters.values(), 1)},
            "accounts": {str(n): account.row for n, account in enumerate(state.accounts.values(), 1)},
            "tariffs": {str(n): versions[-1] for n, versions in enumerate(state.tariffs.values(), 1)},
            "locks": {str(n): row for n, row in enumerate(locks_of(state), 1)},
        }
        self._db.storage.write(tables)
        self._db = TinyDB(self._path, storage=AtomicStorage)

    def meters(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self._db.table("meters").all()]

    def accounts(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self._db.table("accounts").all()]
