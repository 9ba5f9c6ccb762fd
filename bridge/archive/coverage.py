"""Which numbers of a gapless series are here, and which must be asked for: comparing is how the archive is repaired.

    here        1..120, 131..140
    announced   140                   ->  121 is the first that is missing
    given up    121..125              ->  126 (the gateway said that it no longer keeps the others)

Entries and sweeps of readings are both numbered from 1 without a hole; nothing else about them is known here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

ALWAYS_EMPTY = 0
"""Both series begin at 1."""


class Runs:
    """A set of whole numbers as runs, each (first, last), in order and never touching one another."""

    def __init__(self, runs: Iterable[tuple[int, int]] = ()):
        self._runs: list[tuple[int, int]] = []
        for first, last in runs:
            self.add(first, last)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._runs)

    def add(self, first: int, last: int) -> None:
        """Put first..last in."""
        if last < first:
            return
        at = self._after(first)
        if at and self._runs[at - 1][1] >= first - 1:
            at -= 1
        end = at
        while end < len(self._runs) and self._runs[end][0] <= last + 1:
            first, last = min(first, self._runs[end][0]), max(last, self._runs[end][1])
            end += 1
        self._runs[at:end] = [(first, last)]

    def end_of_run(self, number: int) -> int | None:
        """The last number of the run that holds `number`; None where it is in no run."""
        at = self._after(number)
        if at and self._runs[at - 1][1] >= number:
            return self._runs[at - 1][1]
        return None

    def begin_after(self, number: int) -> int | None:
        """The first number of the next run after `number`; None where no run follows."""
        at = self._after(number)
        return self._runs[at][0] if at < len(self._runs) else None

    def _after(self, number: int) -> int:
        """Index of the first run that begins after `number`."""
        return bisect_right(self._runs, number, key=lambda run: run[0])

    @property
    def largest(self) -> int:
        return self._runs[-1][1] if self._runs else ALWAYS_EMPTY


class Coverage:
    """What one gateway has announced of a series against what is stored here."""

    def __init__(self, stored: Iterable[tuple[int, int]] = (), newest: int = ALWAYS_EMPTY):
        self._here, self._given_up = Runs(stored), Runs()
        self.newest = max(newest, self._here.largest)

    def add(self, number: int) -> None:
        """This number is stored."""
        self._here.add(number, number)
        self.newest = max(self.newest, number)

    def expect(self, number: int) -> None:
        """This number exists, whether or not it can be stored."""
        self.newest = max(self.newest, number)

    def doubt(self, first: int, last: int) -> None:
        """What is stored of these is not believed until the gateway has sent it once more."""
        here, self._here = self._here, Runs()
        for begin, end in here:
            self._here.add(begin, min(end, first - 1))
            self._here.add(max(begin, last + 1), end)

    def announce(self, newest: int) -> None:
        """The gateway said which is its newest. What was given up beyond it counts again."""
        self._given_up = Runs((first, min(last, newest)) for first, last in self._given_up)
        self.newest = max(newest, self._here.largest)

    def give_up(self, first: int, last: int) -> None:
        """The gateway does not have these any more."""
        self._given_up.add(first, last)

    def hope_again(self) -> None:
        """Forget what was given up: another gateway process, or a restored one, may have it."""
        self._given_up = Runs()

    @property
    def through(self) -> int:
        """The contiguous high-water mark: everything up to here is stored or given up."""
        mark = ALWAYS_EMPTY
        while True:
            ends = [end for runs in (self._here, self._given_up) if (end := runs.end_of_run(mark + 1)) is not None]
            if not ends:
                return mark
            mark = max(ends)

    @property
    def missing(self) -> tuple[int, int] | None:
        """The first hole, (first, last), up to the newest; None when nothing is missing."""
        first = self.through + 1
        if first > self.newest:
            return None
        following = self._here.begin_after(first)
        return first, min(self.newest, (following or self.newest + 1) - 1)
