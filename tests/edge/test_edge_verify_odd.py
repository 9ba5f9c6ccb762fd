"""A book whose tables beside the journal hold what no Riser writes: `riser verify` says so in a sentence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.audit.opened import Unreadable
from edge.audit.verify import main, verify
from host.exits import USAGE
from tests.edge.building import Building


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("odd")
    building = Building(directory, meters={"a206"}, idle_s=5)
    building.connect()
    building.run(minutes=3)
    building.stop_edge()
    return directory


NOTES = "DROP TABLE note; CREATE TABLE note (name, value);"
SNAPSHOTS = "DROP TABLE IF EXISTS snapshot; CREATE TABLE snapshot (seq, hash, version, body, digest);"


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        (f"{NOTES} INSERT INTO note VALUES (NULL, 1)", "note"), (f"{NOTES} INSERT INTO note VALUES (7, 1)", "note"),
        (f"{NOTES} INSERT INTO note VALUES ('sweep', 'many')", "note"),
        (f"{NOTES} INSERT INTO note VALUES (CAST(x'ff' AS TEXT), 1)", "note"),
        (f"{SNAPSHOTS} INSERT INTO snapshot VALUES (1, NULL, 'v', 'b', 'd')", "snapshot"),
        (f"{SNAPSHOTS} INSERT INTO snapshot VALUES ('x', 'h', 'v', 'b', 'd')", "snapshot"),
    ],
)  # fmt: skip
def test_what_no_riser_writes_is_named(
    book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], sql: str, table: str
) -> None:
    """The table is named, nothing is thrown at whoever asks, and the exit code says that it cannot be read."""
    odd = tmp_path / "book.db"
    with sqlite3.connect(odd) as writing:
        sqlite3.connect(book / "book.db").backup(writing)
        writing.executescript(sql)
    writing.close()
    with pytest.raises(Unreadable, match=f"table {table}"):
        verify(tmp_path)
    assert main([str(tmp_path)]) == USAGE and f"table {table}" in capsys.readouterr().err
