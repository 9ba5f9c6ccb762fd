"""What an archive holds of a book's former epochs: after a restore the gateway's newest entries are here alone.

A gateway that was restored from a backup goes on from entry `seq` in a new epoch. What stands here behind that entry
belongs to the epoch before: it is set aside, never deleted, under gateway, epoch, number and hash. `FORMER` notes that
an epoch has ended, and which one goes on from where; so a bridge that starts again knows in which epoch it is.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.archive.rows import Restore
from bridge.archive.tables import ENTRY, FORMER, LEFT

Row = dict[str, Any]


class Former:
    """The former epochs of an archive's gateways. Methods raise SQLAlchemy's errors; a failed one changed nothing."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._insert: Any = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def epoch_now(self, gateway: str, epoch: str | None) -> str | None:
        """The epoch that goes on from this one, as far as is known here."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(FORMER.c.epoch, FORMER.c.follower).where(FORMER.c.gateway == gateway))
            followers = {row.epoch: row.follower for row in rows}
        while epoch is not None and epoch in followers:
            epoch = followers.pop(epoch)
        return epoch

    def ended(self, gateway: str, restore: Restore, epoch: str | None) -> int:
        """The epoch of the backup ended, and so did the one that the gateway was in until now, where it had gone on
        from there already: what stands here behind the backup is set aside under the first. Returns how many."""
        epochs = {restore.before, restore.first, epoch or restore.before} - {restore.epoch}
        with self._engine.begin() as connection:
            ours = (FORMER.c.gateway == gateway, FORMER.c.epoch.in_(epochs))
            known = connection.scalar(select(func.max(FORMER.c.seen)).where(*ours)) or 0
            seen = connection.scalar(select(func.max(ENTRY.c.seq)).where(ENTRY.c.gateway == gateway)) or 0
            connection.execute(delete(FORMER).where(*ours))
            mark = {"gateway": gateway, "seq": restore.seq, "seen": max(seen, known), "follower": restore.epoch}
            connection.execute(self._insert(FORMER), [{**mark, "epoch": each} for each in sorted(epochs)])
            return self._aside(connection, gateway, restore.before, restore.seq)

    def set_aside(self, gateway: str, epoch: str) -> int:
        """The gateway keeps another book than the one here, and nobody knows yet since when: all of it is kept aside,
        and may be asked for once `info` says which epoch has ended. Returns how many rows."""
        with self._engine.begin() as connection:
            return self._aside(connection, gateway, epoch, 0)

    def _aside(self, connection: Connection, gateway: str, epoch: str, seq: int) -> int:
        ours = (ENTRY.c.gateway == gateway, ENTRY.c.seq > seq)
        names = [column.name for column in ENTRY.c]
        rows = select(*ENTRY.c, literal(epoch)).where(*ours)
        connection.execute(self._insert(LEFT).from_select([*names, "epoch"], rows).on_conflict_do_nothing())
        return connection.execute(delete(ENTRY).where(*ours)).rowcount

    def holds(self, gateway: str, epoch: str, seq: int) -> tuple[int, int] | None:
        """(the newest number of that epoch that was ever here, how many are missing behind `seq`); None where the
        archive had not come as far as `seq` when it ended: then it cannot say what followed."""
        ours = (LEFT.c.gateway == gateway, LEFT.c.epoch == epoch, LEFT.c.seq > seq)
        marked = (FORMER.c.gateway == gateway, FORMER.c.epoch == epoch)
        with self._engine.connect() as connection:
            behind = select(func.max(LEFT.c.seq), func.count(LEFT.c.seq.distinct())).where(*ours)
            newest, many = connection.execute(behind).one()
            seen = connection.scalar(select(FORMER.c.seen).where(*marked))
        if newest is not None:
            return newest, newest - seq - many
        return (seq, 0) if seen is not None and seen >= seq else None

    def after(self, gateway: str, epoch: str, at: tuple[int, str], kinds: tuple[str, ...]) -> Row | None:
        """The next entry of these kinds behind (seq, hash). Of a number that two books used, both come."""
        seq, hash = at
        ours = (LEFT.c.gateway == gateway, LEFT.c.epoch == epoch, LEFT.c.kind.in_(kinds))
        behind = or_(LEFT.c.seq > seq, and_(LEFT.c.seq == seq, LEFT.c.hash > hash))
        with self._engine.connect() as connection:
            row = connection.execute(
                select(LEFT).where(*ours, behind).order_by(LEFT.c.seq, LEFT.c.hash).limit(1)
            ).first()
        return None if row is None else dict(row._mapping)
