"""A line's figures as its page shows them: shares of the time, errors and whose they are, meters in a chosen order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.contract.line_health import NEARLY_ALL, count_of, judge_meter
from bridge.contract.messages import Availability, MeterRow, PortStatistics
from bridge.contract.port_statistics import UNSENT_ERRORS, MeterOnPort, RawExchange
from panel.line_words import KINDS, LOUD
from panel.mirror import View
from panel.switches import place_of
from panel.words import t


@dataclass(frozen=True)
class Share:
    """A piece of the bar: where it begins and how wide it is, in percent of the time."""

    name: str
    word: str
    start: float
    width: float


@dataclass(frozen=True)
class Mishap:
    """One kind of error. `where` names its meter or blames the line; empty, as the advice is, for an accident."""

    kind: str
    word: str
    advice: str
    count: int
    total: int
    where: str
    loud: bool


@dataclass(frozen=True)
class OnLine:
    """A meter on its line. `row` is None while it was not asked; `kinds` are its errors in words."""

    meter: MeterRow
    row: MeterOnPort | None
    silent_since: str | None
    percent: float | None
    kinds: str

    @property
    def much(self) -> bool:
        """More than an accident, by the limits that doctor judges by."""
        return self.row is not None and judge_meter(self.row).bad


def shares_of(facts: PortStatistics) -> list[Share]:
    """How the time was used: bytes, waiting, waiting in vain, and what was free. Empty while there was no time."""
    if facts.window_s <= 0:
        return []
    wire, busy, lost = (_within(100 * part / facts.window_s) for part in (facts.wire_s, facts.busy_s, facts.lost_s))
    widths = (
        ("wire", t("bytes on the wire"), wire),
        ("wait", t("waiting for answers"), max(0.0, busy - wire - lost)),
        ("lost", t("waiting in vain"), lost),
    )
    found, start = [], 0.0
    for name, word, width in widths:
        width = min(width, 100 - start)
        found.append(Share(name, word, start, width))
        start += width
    return [*found, Share("free", t("free|line"), start, 100 - start)]


def _within(percent: float) -> float:
    return min(100.0, max(0.0, percent))


def mishaps_of(facts: PortStatistics, meters: Sequence[OnLine]) -> list[Mishap]:
    """Every kind that happened, what needs somebody first, then the most frequent."""
    found = []
    for kind, (word, advice) in KINDS.items():
        count, total = count_of(facts.errors, kind), count_of(facts.errors_total, kind)
        if count or total:
            loud = _is_loud(kind, count, meters)
            # An accident needs no advice; what is no fault of the line, such as a refusal, is explained all the same.
            told = loud or (count > 0 and kind not in LOUD)
            where = _where(kind, count, meters) if told else ""
            found.append(Mishap(kind, t(word), t(advice) if told else "", count, total, where, loud))
    return sorted(found, key=lambda each: (not each.loud, -each.count, -each.total))


def _is_loud(kind: str, count: int, meters: Sequence[OnLine]) -> bool:
    """One damaged answer is an accident; more than one in a hundred of a meter's is a fault somebody can find."""
    rows = [(count_of(each.row.errors, kind), each.row.asked) for each in meters if each.row is not None]
    return kind in LOUD and count > 0 and (kind == "closed" or any(n > 1 and 100 * n >= asked for n, asked in rows))


def _where(kind: str, count: int, meters: Sequence[OnLine]) -> str:
    if not count or kind in UNSENT_ERRORS:  # No meter can help it.
        return ""
    with_it = [(count_of(each.row.errors, kind), place_of(each.meter)) for each in meters if each.row is not None]
    with_it = sorted(((n, room) for n, room in with_it if n), key=lambda each: -each[0])
    if not with_it:
        return ""
    most, room = with_it[0]
    if most >= NEARLY_ALL * count:
        return t("only {room}", room=room) if len(with_it) == 1 else t("nearly all of them {room}", room=room)
    return t("{n} meters, most often {room}: look at the line itself", n=len(with_it), room=room)


def meters_of(port: str, facts: PortStatistics | None, view: View, by: str) -> list[OnLine]:
    """The meters of a line: those that fail most first, or the slowest first."""
    rows = {row.id: row for row in facts.meters} if facts is not None else {}
    found = []
    for meter in view.meters.values():
        if meter.port == port:
            row, seen = rows.get(meter.id), view.get(Availability, meter.id)
            since = seen.since if seen is not None and seen.state == "offline" else None
            percent = 100 * row.failed / row.asked if row is not None and row.asked > 0 else None
            found.append(OnLine(meter, row, since, percent, _kinds(row)))
    return sorted(found, key=_slowest if by == "slow" else _failing)


def _kinds(row: MeterOnPort | None) -> str:
    if row is None or row.errors is None:
        return ""
    counts = [(count_of(row.errors, kind), word) for kind, (word, _) in KINDS.items()]
    told = sorted(((n, word) for n, word in counts if n), key=lambda each: -each[0])
    return t(", |between words").join(f"{n} × {t(word)}" for n, word in told)


def _failing(one: OnLine) -> tuple[bool, float, int, str]:
    total = one.row.failed_total if one.row is not None else 0
    return one.silent_since is None, -(one.percent or 0), -total, one.meter.room


def _slowest(one: OnLine) -> tuple[bool, float, str]:
    slow = one.row.turnaround_s if one.row is not None else None
    return slow is None, -(slow or 0), one.meter.room


def bytes_of(hex: str | None) -> str:
    """Hex digits in pairs, as they are read aloud."""
    return " ".join(hex[at : at + 2] for at in range(0, len(hex), 2)) if hex else ""


def decode_of(last: RawExchange) -> str:
    """What to type to see an exchange explained: the answer, what came instead, or at least the question."""
    return f"./riser decode {last.answer or last.heard or last.question}"
