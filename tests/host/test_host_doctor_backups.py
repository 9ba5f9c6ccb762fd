"""What doctor says of the newest backup: how old, where it lies, and that there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from host.doctor import backups, see_files
from host.doctor.seen import BackupSeen, ClockSeen, DiskSeen, Snapshot
from tests.host import doctor_snapshots
from tests.host.doctor_snapshots import NOW


def snapshot(seen: BackupSeen | None, begun: bool = True, demo: bool = False) -> Snapshot:
    whole = doctor_snapshots.snapshot()
    disk = DiskSeen("/", "ext4", 10**10, 10**11, None, None, False, {}, None, book_begun=begun)
    clock = ClockSeen(NOW, True, True)
    return replace(whole, disk=disk, clock=clock, backup=seen, place=replace(whole.place, demo=demo))


NIGHT = BackupSeen(NOW - timedelta(hours=9), "/mnt/usb/b.riser.tar", 4711)


@pytest.mark.parametrize(
    ("seen", "severity", "words"),
    [
        (NIGHT, "good", "proved by restoring it"),
        (BackupSeen(), "worth knowing", "No backup of this book is known here"),
        (BackupSeen(trouble="backup.json is damaged"), "worth knowing", "backup.json is damaged"),
        (replace(NIGHT, at=NOW - timedelta(hours=60)), "worth knowing", "the last nights brought none"),
        (replace(NIGHT, at=NOW - timedelta(days=9)), "wrong", "9 days of payments stand nowhere else"),
        (replace(NIGHT, there=False), "worth knowing", "is not there now"),
        (replace(NIGHT, same_disk=True), "worth knowing", "both go together"),
    ],
)
def test_the_newest_backup_is_judged(seen: BackupSeen, severity: str, words: str) -> None:
    """Two nights without one are worth knowing, a week is wrong; a copy on the same card is no copy."""
    (finding,) = backups.findings(snapshot(seen))
    assert (finding.severity, words in finding.sentence) == (severity, True), finding


def test_where_there_is_nothing_to_lose_nothing_is_said() -> None:
    """Before the first book, in the demo, and where nobody could look."""
    assert backups.findings(snapshot(BackupSeen(), begun=False)) == []
    assert backups.findings(snapshot(BackupSeen(), demo=True)) == []
    assert backups.findings(snapshot(None)) == []


def test_the_note_of_a_backup_is_read(tmp_path: Path) -> None:
    """A whole note, none, and a damaged one."""
    assert see_files.backup(tmp_path) == BackupSeen()
    (tmp_path / "backup.json").write_text("{")
    assert see_files.backup(tmp_path).trouble == "backup.json is damaged"
    note = {"at": NOW.isoformat(), "file": str(tmp_path / "x"), "seq": 7, "same_disk": True}
    (tmp_path / "backup.json").write_text(json.dumps(note))
    assert see_files.backup(tmp_path) == BackupSeen(NOW, str(tmp_path / "x"), 7, True, False)
