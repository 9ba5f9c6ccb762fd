"""Readings that the book keeps beside its entries: what an interpolation or an estimate says it rests on stands there,
or something else does, or it was trimmed long ago.

Sweeps are telemetry, without hashes and for some weeks only. What they say counts against an entry; what they cannot
say any more is counted and told, not held against it.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import pairwise

from edge.audit.lie import Report, Wrong
from edge.audit.opened import Reader
from edge.state import Mark, Registers

STANDS, GONE = "readings found again among the sweeps", "readings that guesses rest on, taken as told"

READINGS = lru_cache(maxsize=1024)
"""A midnight without supply is that of all meters; its readings stand in the same sweeps."""


def remark(report: Report) -> None:
    """Say what could not be looked up."""
    if number := report.checked.get(GONE):
        report.remarks.append(
            f"{number} readings that interpolated or estimated registers rest on are not among the kept sweeps; "
            "what follows from them was worked out again, they themselves are taken as told"
        )


class Kept:
    """The sweeps of one book, looked into where a guess needs it."""

    def __init__(self, reader: Reader, report: Report):
        self._reader, self._report = reader, report
        self._instants: list[int] | None = None
        self._numbers: list[int] = []
        self._sweep = READINGS(self._read)

    def look(self, meter: str, mark: Mark, until: int, saved: bool) -> None:
        """Compare a reading with the sweeps that were made up to `until`; `saved` says that it was taken from there.
        Raises Wrong where another one stands there, or none where it must."""
        instants = self._all()
        whole = bool(instants) and instants[0] <= mark.at
        for place in range(bisect_left(instants, mark.at), len(instants)):
            if instants[place] > until:
                break
            found = self._sweep(self._numbers[place])
            if found is None:
                whole = False
            elif (registers := found.get((meter, mark.at))) is not None:
                if registers != mark.registers_wh:
                    raise Wrong(f"a reading that its end rests on is {mark.registers_wh}",
                                f"{registers}, as sweep {self._numbers[place]} has it")  # fmt: skip
                self._report.count(STANDS)
                return
        if whole and saved:
            raise Wrong("a reading that its end rests on is in no sweep of that time", "a reading that was taken")
        self._report.count(GONE)

    def _all(self) -> list[int]:
        """When the sweeps were made, in their order; none where the clock was set back meanwhile."""
        if self._instants is None:
            rows = self._reader.sweep_instants()
            rising = all(one[1] <= other[1] for one, other in pairwise(rows))
            self._numbers, self._instants = [row[0] for row in rows], [row[1] for row in rows] if rising else []
        return self._instants

    def _read(self, number: int) -> dict[tuple[str, int], Registers] | None:
        if (rows := self._reader.sweep(number)) is None:
            return None
        return {(row["meter"], row["read_at"]): row["registers_wh"] for row in rows if "registers_wh" in row}
