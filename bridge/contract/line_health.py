"""How a line and each of its meters do, judged in one place by the same limits for whoever tells it.

A meter that is off line is told by its name and since when; here are those that are heard, and how much of what they
are asked fails. One bad meter among thirty hardly moves the share of its line, so each is judged for itself as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bridge.contract.port_statistics import SENT_ERRORS, ErrorCounts, MeterOnPort

MUCH_PERCENT = 5
"""A good line fails less than once in a thousand; above this reads come late and a person should look."""

FEWEST, FEWEST_OF_METER = 50, 30
"""Questions to a line, and to one meter, from which on a share means something."""

FEWEST_FAILED = 4
"""Fewer failures of a meter are accidents, whatever their share: three are one short outage, which is told as such."""

NEARLY_ALL = 0.8
"""From this share of the errors on it is one meter's fault, else the line's."""


@dataclass(frozen=True)
class Judged:
    """Questions asked and failed, and how: the kinds that happened, the most frequent first. `bad` is the verdict."""

    id: str
    asked: int
    failed: int
    kinds: dict[str, int]
    bad: bool

    @property
    def percent(self) -> float:
        return 100 * self.failed / self.asked if self.asked > 0 else 0.0

    @property
    def kind(self) -> str:
        """What happens most; `silent` where nothing did."""
        return next(iter(self.kinds), "silent")


@dataclass(frozen=True)
class LineJudged:
    """A line. `judged` is False while too little was asked to say anything; `meters` are the heard ones."""

    line: Judged
    meters: tuple[Judged, ...]
    judged: bool

    @property
    def worst(self) -> Judged | None:
        """The meter that fails most often."""
        return max(self.meters, key=lambda each: (each.failed, each.id), default=None)

    @property
    def alone(self) -> Judged | None:
        """The meter whose fault nearly all of it is; None where it is the line's."""
        worst = self.worst
        return worst if worst is not None and worst.failed and worst.failed >= NEARLY_ALL * self.line.failed else None

    @property
    def bad_meters(self) -> list[Judged]:
        """Meters with a bad share of their own, the worst first."""
        return sorted((each for each in self.meters if each.bad), key=lambda each: (-each.percent, each.id))

    @property
    def state(self) -> str:
        """`bad`: the line; `meters`: single meters; `few`: too little was asked; `good`."""
        return "bad" if self.line.bad else "meters" if self.bad_meters else "good" if self.judged else "few"


def judge(rows: Iterable[MeterOnPort], off: Collection[str] = ()) -> LineJudged:
    """Judge a line by its meters' rows, without those that are `off` line."""
    heard = [each for each in rows if each.id not in off]
    meters = tuple(judge_meter(each) for each in heard)
    asked, failed = sum(each.asked for each in heard), sum(each.failed for each in heard)
    kinds = _sorted({kind: sum(each.kinds.get(kind, 0) for each in meters) for kind in SENT_ERRORS})
    bad = asked >= FEWEST and 100 * failed > MUCH_PERCENT * asked
    return LineJudged(Judged("", asked, failed, kinds, bad), meters, asked >= FEWEST)


def judge_meter(row: MeterOnPort) -> Judged:
    """Judge one meter by its own questions."""
    enough = row.asked >= FEWEST_OF_METER and row.failed >= FEWEST_FAILED
    kinds = _sorted({kind: count_of(row.errors, kind) for kind in SENT_ERRORS})
    return Judged(row.id, row.asked, row.failed, kinds, enough and 100 * row.failed > MUCH_PERCENT * row.asked)


def count_of(errors: ErrorCounts | None, kind: str) -> int:
    """How often a kind happened; never below 0, whatever a message says."""
    return max(0, getattr(errors, kind) or 0) if errors is not None else 0


def _sorted(kinds: dict[str, int]) -> dict[str, int]:
    return {kind: kinds[kind] for kind in sorted(kinds, key=lambda each: -kinds[each]) if kinds[kind]}
