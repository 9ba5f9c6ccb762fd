"""The archive's SQL: a batch of one gateway goes in whole or not at all, and putting it in twice changes nothing.

An entry that contradicts what is stored (same seq with another hash, or a neighbour whose chain does not meet it)
means that the gateway keeps another book than the one archived here: `put` writes nothing and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, FromClause, delete, func, select, union
from sqlalchemy.dialects import postgresql, sqlite

from bridge.archive.former import Former
from bridge.archive.rows import body_of
from bridge.archive.tables import ENTRY, READING, SWEPT, WATER

LOOKED_AT = 200_000
"""So many newest sweeps are searched for holes at start; the gateway trims what is older, so it cannot be had."""

KEPT_ASIDE = 3

Row = dict[str, Any]


class OtherBook(ValueError):
    """The entries come from another book than the stored ones; the stored ones must go."""

    def __init__(self, seq: int, why: str):
        self.seq = seq
        super().__init__(why)


class Store:
    """The tables of one archive. Methods raise SQLAlchemy's errors; a failed one changed nothing."""

    def __init__(self, engine: Engine):
        self._engine, self.former = engine, Former(engine)
        self._insert: Any = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def close(self) -> None:
        self._engine.dispose()

    def gateways(self) -> list[str]:
        """Every gateway that has rows."""
        with self._engine.connect() as connection:
            return sorted(
                {
                    *connection.scalars(select(ENTRY.c.gateway).distinct()),
                    *(name for table in SWEPT for name in connection.scalars(select(table.c.gateway).distinct())),
                }
            )

    def entry_runs(self, gateway: str) -> list[tuple[int, int]]:
        """The seqs that are stored, as runs (first, last)."""
        with self._engine.connect() as connection:
            seqs = select(ENTRY.c.seq.label("n")).where(ENTRY.c.gateway == gateway).subquery()
            return _runs(connection, seqs)

    def reading_runs(self, gateway: str) -> list[tuple[int, int]]:
        """The numbers of sweeps that are stored, as runs; what is too old to be had counts as there."""
        with self._engine.connect() as connection:
            floor = max(0, _newest(connection, gateway) - LOOKED_AT)
            old = [(1, floor)] if floor else []
            ours = (
                select(table.c.number.label("n")).where(table.c.gateway == gateway, table.c.number > floor)
                for table in SWEPT
            )
            return old + _runs(connection, union(*ours).subquery())

    def epoch(self, gateway: str) -> str | None:
        """The epoch that the stored book names in its first entry, or the one that goes on from it; None while that is
        not here."""
        with self._engine.connect() as connection:
            body = connection.scalar(select(ENTRY.c.body).where(ENTRY.c.gateway == gateway, ENTRY.c.seq == 1))
        found = body_of(body).get("epoch") if body else None
        return self.former.epoch_now(gateway, found if isinstance(found, str) else None)

    def hash_at(self, gateway: str, seq: int) -> str | None:
        """The hash of a stored entry."""
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(
                select(ENTRY.c.hash).where(ENTRY.c.gateway == gateway, ENTRY.c.seq == seq)
            )
        return found

    def put(
        self, gateway: str, entries: Sequence[Row], sweeps: dict[int, list[Row]], *, unchecked: bool = False
    ) -> None:
        """Store a batch in one transaction; `sweeps` are the rows of each sweep by its number.

        A sweep replaces a stored one of its number, because the gateway is right. Raises OtherBook, unless
        `unchecked` says that asking again brought the same contradiction: then the newest word wins.
        """
        with self._engine.begin() as connection:
            if entries:
                if unchecked:
                    entries = list({row["seq"]: row for row in entries}.values())
                    seqs = [row["seq"] for row in entries]
                    connection.execute(delete(ENTRY).where(ENTRY.c.gateway == gateway, ENTRY.c.seq.in_(seqs)))
                else:
                    _check(connection, gateway, entries)
                connection.execute(self._insert(ENTRY).on_conflict_do_nothing(), list(entries))
            if sweeps:
                for table in SWEPT:
                    ours = (table.c.gateway == gateway, table.c.number.in_(sorted(sweeps)))
                    connection.execute(delete(table).where(*ours))
            for table, key in ((READING, "energy_wh"), (WATER, "volume_l")):
                if rows := [row for sweep in sweeps.values() for row in sweep if key in row]:
                    connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def forget(self, gateway: str, *, readings: bool) -> int:
        """Delete the gateway's entries, and its readings where asked; return how many rows went."""
        with self._engine.begin() as connection:
            gone = connection.execute(delete(ENTRY).where(ENTRY.c.gateway == gateway)).rowcount
            for table in SWEPT if readings else ():
                gone += connection.execute(delete(table).where(table.c.gateway == gateway)).rowcount
        return gone

    def keep_aside(self, day: str) -> Path | None:
        """Copy an SQLite archive beside itself before rows of it are deleted: they may be all that is left of a lost
        book. One copy a day, the newest three; None where there is one already, or the archive is no file of ours.
        """
        if self._engine.dialect.name != "sqlite" or not self._engine.url.database:
            return None
        archive = Path(self._engine.url.database)
        aside = archive.with_name(f"{archive.stem}-before-{day}.db")
        if aside.exists():
            return None
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(aside),))
        for old in sorted(archive.parent.glob(f"{archive.stem}-before-*.db"))[:-KEPT_ASIDE]:
            old.unlink()
        return aside

    def newest_before(self, gateway: str, at_us: int) -> int:
        """The number of the newest sweep that was read before an instant; 0 where there is none."""
        with self._engine.connect() as connection:
            return _newest(connection, gateway, _newest(connection, gateway) - LOOKED_AT, at_us)

    def forget_unwritten(self, gateway: str, sweep: int, started_at_us: int) -> int:
        """Delete readings beyond `sweep` that are older than the gateway's start; return how many rows went.

        The gateway announced them and was killed before it stored them; it will use their numbers again.
        """
        gone = 0
        with self._engine.begin() as connection:
            for table in SWEPT:
                ours = (table.c.gateway == gateway, table.c.number > sweep, table.c.read_at_us < started_at_us)
                gone += connection.execute(delete(table).where(*ours)).rowcount
        return gone


def _newest(connection: Connection, gateway: str, above: int = 0, before_us: int | None = None) -> int:
    """The newest sweep's number, of those above a number and read before an instant; 0 where there is none."""
    found = [0]
    for table in SWEPT:
        ours = [table.c.gateway == gateway, table.c.number > above]
        ours += [table.c.read_at_us < before_us] if before_us is not None else []
        found.append(connection.scalar(select(func.max(table.c.number)).where(*ours)) or 0)
    return max(found)


def _runs(connection: Connection, all_numbers: FromClause) -> list[tuple[int, int]]:
    """The numbers of column `n` as runs (first, last)."""
    numbers = select(all_numbers.c.n).distinct().subquery()
    beside = select(
        numbers.c.n,
        func.lag(numbers.c.n).over(order_by=numbers.c.n).label("before"),
        func.lead(numbers.c.n).over(order_by=numbers.c.n).label("after"),
    ).subquery()
    begins = (beside.c.before.is_(None)) | (beside.c.before < beside.c.n - 1)
    ends = (beside.c.after.is_(None)) | (beside.c.after > beside.c.n + 1)
    firsts = connection.scalars(select(beside.c.n).where(begins).order_by(beside.c.n)).all()
    lasts = connection.scalars(select(beside.c.n).where(ends).order_by(beside.c.n)).all()
    return list(zip(firsts, lasts, strict=True))


def _check(connection: Connection, gateway: str, entries: Sequence[Row]) -> None:
    """Raise OtherBook where a new entry does not agree with a stored one or does not join its neighbours."""
    wanted = {row["seq"] + step for row in entries for step in (-1, 0, 1)}
    stored = {
        row.seq: (row.prev_hash, row.hash)
        for row in connection.execute(
            select(ENTRY.c.seq, ENTRY.c.prev_hash, ENTRY.c.hash).where(
                ENTRY.c.gateway == gateway, ENTRY.c.seq.in_(sorted(wanted))
            )
        )
    }
    for row in entries:
        seq = row["seq"]
        if seq in stored and stored[seq][1] != row["hash"]:
            raise OtherBook(seq, f"entry {seq} now has another hash")
        if seq - 1 in stored and stored[seq - 1][1] != row["prev_hash"]:
            raise OtherBook(seq, f"entry {seq} does not follow the stored entry {seq - 1}")
        if seq + 1 in stored and stored[seq + 1][0] != row["hash"]:
            raise OtherBook(seq, f"the stored entry {seq + 1} does not follow entry {seq}")
        stored[seq] = (row["prev_hash"], row["hash"])
