"""A long book read by two processes: one follows everything and leaves most charges to the other to price again.

They share nothing but the file. Only that all is well is taken from both together; where either finds something, or
ends otherwise, one process alone goes through the book once more and names the first entry that lies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zlib import crc32

from edge.audit.entries import Entries
from edge.audit.lie import Lie, Report
from edge.audit.opened import Reader, RowUnreadable, Unreadable

LONG = 50_000
"""Entries from which a second process is worth its start: some seconds of work."""

OF_FOUR = 4
"""The one that follows everything prices the charges of a quarter of the meters: then both take equally long."""

ROOT = Path(__file__).parents[2]


def worth(reader: Reader) -> bool:
    return reader.seq >= LONG and (os.cpu_count() or 1) > 1


def first(meter: str) -> bool:
    """Charges of this meter are priced again by the process that follows everything."""
    return crc32(meter.encode()) % OF_FOUR == 0


class Other:
    """The second process. End it."""

    def __init__(self, reader: Reader):
        command = [sys.executable, "-m", "edge.audit.halves", str(reader.path.absolute()), str(reader.seq)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def joined(self, report: Report) -> bool:
        """Add what it counted. False where it found something, or did not come to its end."""
        told, _ = self._process.communicate()
        if self._process.returncode != 0:
            return False
        for what, number in json.loads(told).items():
            report.count(what, number)
        return True

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def main(path: str, until: str) -> int:
    """Price the other meters' charges up to an entry; what was counted goes to standard output."""
    report = Report(path)
    try:
        reader = Reader(Path(path))
        entries = Entries(report, reader, lambda meter: not first(meter))
        for row in reader.rows():
            if row[0] > int(until):
                break
            entries.price(row)
    except (Lie, RowUnreadable, Unreadable):
        return 1  # What it is, and where, says the one that follows everything.
    print(json.dumps(report.checked))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
