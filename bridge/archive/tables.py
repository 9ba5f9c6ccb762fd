"""The archive's tables: bridge writes, panel reads. SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import fcntl
from pathlib import Path

from sqlalchemy import BigInteger, Column, Engine, Index, Integer, MetaData, String, Table, Text, create_engine, event

METADATA = MetaData()

MAKING = 0x52697365
"""Number of PostgreSQL's advisory lock under which the tables are made; any number that nobody else uses would do."""

ENTRY = Table(
    "entry",
    METADATA,
    Column("gateway", String(32), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(160), nullable=False),
    Column("at_us", BigInteger, nullable=False, doc="microseconds since 1970 UTC"),
    Column("kind", String(32), nullable=False),
    Column("account", String(32)),
    Column("meter", String(32)),
    Column("amount_nano", BigInteger, doc="what the entry adds to that account's posted balance"),
    Column("body", Text, nullable=False, doc="canonical JSON, the very characters of the book"),
    Column("boot", String(64), nullable=False),
    Column("mono_ns", BigInteger, nullable=False),
    Column("trusted", Integer, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("entry_account", "gateway", "account", "seq"),
    Index("entry_meter", "gateway", "meter", "seq"),
    Index("entry_kind", "gateway", "kind", "seq"),
)

READING = Table(
    "reading",
    METADATA,
    Column("gateway", String(32), primary_key=True),
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, doc="number of the sweep"),
    Column("meter", String(32), primary_key=True),
    Column("read_at_us", BigInteger, nullable=False),
    Column("energy_wh", BigInteger, nullable=False),
    Column("power_w", Integer),
    Column("relay", String(8)),
    Index("reading_meter", "gateway", "meter", "read_at_us"),
)

WATER = Table(
    "water",
    METADATA,
    Column("gateway", String(32), primary_key=True),
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, doc="number of the sweep"),
    Column("meter", String(32), primary_key=True),
    Column("read_at_us", BigInteger, nullable=False),
    Column("volume_l", BigInteger, nullable=False),
    Column("relay", String(8)),
    Index("water_meter", "gateway", "meter", "read_at_us"),
)

FORMER = Table(
    "former",
    METADATA,
    Column("gateway", String(32), primary_key=True),
    Column("epoch", String(64), primary_key=True, doc="one that has ended"),
    Column("seq", BigInteger, nullable=False, doc="its newest entry that the restored book has"),
    Column("seen", BigInteger, nullable=False, doc="its newest entry that stood here when it ended"),
    Column("follower", String(64), nullable=False, doc="the epoch that goes on from there"),
)

_KEYS = ("gateway", "seq", "hash")

LEFT = Table(
    "left_entry",
    METADATA,
    Column("gateway", String(32), primary_key=True),
    Column("epoch", String(64), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    *(Column(each.name, each.type, nullable=each.nullable) for each in ENTRY.c if each.name not in _KEYS),
    Column("hash", String(64), primary_key=True),
)
"""Entries of epochs that have ended, which the gateway's book has no more (`former.py`)."""

SWEPT = (READING, WATER)
"""The rows of a sweep stand in one of these: electricity has watts and watt-hours, water has litres."""


def open_engine(url: str, data_directory: Path) -> Engine:
    """The archive's engine. `sqlite` alone means `archive.db` in the data directory, in WAL mode."""
    if url == "sqlite":
        url = f"sqlite:///{data_directory / 'archive.db'}"
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _settings(connection, _record) -> None:  # type: ignore[no-untyped-def]
            connection.execute("PRAGMA busy_timeout=5000")
            connection.execute("PRAGMA synchronous=NORMAL")

    _make_tables(engine)
    return engine


def _make_tables(engine: Engine) -> None:
    """Bridge and panel may open a new archive at the same moment: lock first, then look, then make what is missing."""
    if engine.dialect.name == "sqlite":
        # A lock of our own: SQLite does not wait for another process that is about to switch a new file to WAL.
        with Path(f"{engine.url.database}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            METADATA.create_all(engine)
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MAKING})")
        METADATA.create_all(connection)
