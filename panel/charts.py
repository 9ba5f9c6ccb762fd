"""A day's power as a picture, drawn on the server: a hole in the readings is a hole in the line, never a bridge.

viewBox 860 x 252: kW at the left, local hours below, the tariff's rates as a band under the axis,
today filled, yesterday dashed. No colour is set here; the stylesheet does it by class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

from markupsafe import Markup, escape

from bridge.contract.messages import Window
from bridge.contract.site import wall_minutes
from panel.formats import kilowatts, span
from panel.history import Point
from panel.words import t

LEFT, RIGHT, TOP, BOTTOM = 40.0, 850.0, 14.0, 214.0
WORDS_FROM = 30.0
"""A narrower hole tells its length only to the pointer: the words would cover the line beside it."""

WIDE, NARROW = 14.0, 7.5
"""About how wide a Chinese sign and a letter are where they are largest, on a phone."""

BUCKETS = 288
"""Points in the line at most: one for five minutes, which is also what 860 pixels can show."""


@dataclass(frozen=True)
class Day:
    """The local day that is drawn; 23 or 25 hours long twice a year. `now` is the right edge of what can be known."""

    start: datetime
    end: datetime
    now: datetime

    def x(self, at: datetime) -> float:
        # Instants in one zone subtract as wall times; in UTC they subtract as time that passed.
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        share = (at.astimezone(UTC) - start) / (end - start)
        return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share))


def scale_w(largest_w: int) -> tuple[int, int]:
    """(top of the scale, step) in W so that at most five lines stand above zero."""
    step = 100
    while True:
        for factor in (1, 2, 5):
            if step * factor * 5 >= largest_w:
                lines = max(1, -(-largest_w // (step * factor)))
                return lines * step * factor, step * factor
        step *= 10


def gap_s(points: Sequence[Point], stale_s: float) -> float:
    """Calendar seconds between two readings that make a hole: the site's limit, or three usual distances."""
    distances = [(b.at - a.at).total_seconds() for a, b in pairwise(points)]
    return max(stale_s, 3 * median(distances)) if distances else stale_s


def runs(points: Sequence[Point], hole_s: float) -> list[list[Point]]:
    """Readings cut where a hole is."""
    found: list[list[Point]] = []
    for point in points:
        if found and (point.at - found[-1][-1].at).total_seconds() <= hole_s:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def thinned(run: Sequence[Point], width_s: float) -> list[Point]:
    """At most one point for each `width_s`: the mean of its readings, at the first one's instant."""
    buckets: dict[int, list[Point]] = {}
    for point in run:
        buckets.setdefault(int((point.at - run[0].at).total_seconds() // width_s), []).append(point)
    return [Point(some[0].at, sum(p.power_w for p in some) // len(some)) for some in buckets.values()]


def power_chart(
    day: Day, today: Sequence[Point], before: Sequence[Point], windows: Iterable[Window], stale_s: float
) -> Markup:
    """The picture. `before` is yesterday, already moved by one day; `windows` are the tariff's rates."""
    top_w, step_w = scale_of(today, before)

    def y(watts: int) -> float:
        return _y(watts, top_w)

    width_s = (day.end.astimezone(UTC) - day.start.astimezone(UTC)).total_seconds() / BUCKETS
    hole_s = gap_s(today, stale_s)
    drawn = [thinned(run, width_s) for run in runs(today, hole_s)]
    dashed = [thinned(run, width_s) for run in runs(before, gap_s(before, stale_s))]
    pieces = [*_axis(top_w, step_w), *_holes(day, today, hole_s)]
    for run in drawn:
        line = " ".join(f"{day.x(p.at):.1f},{y(p.power_w):.1f}" for p in run)
        ends = f"{day.x(run[0].at):.1f},{BOTTOM:.0f}", f"{day.x(run[-1].at):.1f},{BOTTOM:.0f}"
        pieces.append(f'<polygon class="ar" points="{ends[0]} {line} {ends[1]}"/>')
        pieces.append(f'<polyline class="ln" points="{line}"/>')
    for run in dashed:
        line = " ".join(f"{day.x(p.at):.1f},{y(p.power_w):.1f}" for p in run)
        pieces.append(f'<polyline class="lim" fill="none" points="{line}"/>')
    pieces += [*_now(day, today), *_band(day, windows), *_hours(day)]
    label = escape(t("Power over the day"))
    if today:
        label = escape(t("Power over the day, highest {kw} kW", kw=kilowatts(max(p.power_w for p in today))))
    return Markup(f'<svg class="chart" viewBox="0 0 860 252" role="img" aria-label="{label}">{"".join(pieces)}</svg>')


def power_scale(today: Sequence[Point], before: Sequence[Point]) -> Markup:
    """The scale alone, which stays where it is while the day is moved under it on a phone."""
    figures = "".join(_figures(*scale_of(today, before)))
    return Markup(f'<svg class="chart scale" viewBox="0 0 {LEFT:.0f} 252" aria-hidden="true">{figures}</svg>')


def scale_of(today: Sequence[Point], before: Sequence[Point]) -> tuple[int, int]:
    return scale_w(max([500, *(p.power_w for p in (*today, *before))]))


def _y(watts: int, top_w: int) -> float:
    return BOTTOM - (BOTTOM - TOP) * max(0, watts) / top_w


def _axis(top_w: int, step_w: int) -> list[str]:
    lines = (_y(watts, top_w) for watts in range(0, top_w + 1, step_w))
    return [*(f'<path class="ax" d="M{LEFT:.0f} {y:.1f}H{RIGHT:.0f}"/>' for y in lines), *_figures(top_w, step_w)]


def _figures(top_w: int, step_w: int) -> list[str]:
    """kW at each line."""
    decimals = 0 if step_w % 1000 == 0 else 1
    return [
        f'<text x="{LEFT - 8:.0f}" y="{_y(w, top_w) + 4:.1f}" text-anchor="end">{w / 1000:.{decimals}f}</text>'
        for w in range(0, top_w + 1, step_w)
    ]


def _holes(day: Day, points: Sequence[Point], hole_s: float) -> list[str]:
    edges = [at.astimezone(UTC) for at in (day.start, *(p.at for p in points), min(day.now, day.end))]
    found = []
    for a, b in pairwise(edges):
        if (b - a).total_seconds() <= hole_s:
            continue
        x1, x2 = day.x(a), day.x(b)
        words = escape(t("no readings for {span}", span=span((b - a).total_seconds())))
        place = f'x="{x1:.1f}" y="{TOP:.0f}" width="{x2 - x1:.1f}" height="{BOTTOM - TOP:.0f}"'
        found.append(f'<rect class="hb" {place}><title>{words}</title></rect>')
        if x2 - x1 > WORDS_FROM:
            x = _middle(x1, x2, str(words))
            found.append(f'<text x="{x:.1f}" y="{TOP + 14:.0f}" text-anchor="middle">{words}</text>')
    return found


def _middle(x1: float, x2: float, words: str) -> float:
    """Where the middle of a hole's words stands: by its later end, which a phone shows; never beyond the picture."""
    half = sum(WIDE if ord(each) > 0x2E7F else NARROW for each in words) / 2
    middle = x2 - 6 - half if x2 - x1 > 2 * half + 12 else (x1 + x2) / 2
    return min(max(middle, LEFT + half + 4), RIGHT - half)


def _now(day: Day, points: Sequence[Point]) -> list[str]:
    if not points or day.now >= day.end:
        return []
    last = points[-1]
    x, words = day.x(day.now), f"{kilowatts(last.power_w)} kW"
    side, anchor = (x + 6, "start") if x < RIGHT - 80 else (x - 6, "end")
    return [
        f'<path class="now" d="M{x:.1f} {TOP:.0f}V{BOTTOM:.0f}"/>',
        f'<text class="strong" x="{side:.1f}" y="{TOP + 12:.0f}" text-anchor="{anchor}">{words}</text>',
    ]


def _band(day: Day, windows: Iterable[Window]) -> list[str]:
    found = []
    for window in windows:
        x1, x2 = (day.x(_wall(day.start, wall_minutes(text))) for text in (window.from_, window.to))
        rate = window.rate if window.rate.isalpha() else "flat"
        found.append(
            f'<rect class="rb-{rate}" x="{x1 + 0.5:.1f}" y="217" width="{max(0, x2 - x1 - 1):.1f}" height="6"/>'
        )
    return found


def _hours(day: Day) -> list[str]:
    found = []
    for hour in range(0, 25, 3):
        anchor = "end" if hour == 24 else "middle"
        x = day.x(_wall(day.start, hour * 60))
        found.append(f'<text x="{x:.1f}" y="240" text-anchor="{anchor}">{hour:02d}:00</text>')
    return found


def _wall(start: datetime, minutes: int) -> datetime:
    """A local wall time of that day as an instant: wall arithmetic first, so that long and short days fit."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if minutes >= 1440:
        return midnight + timedelta(days=1)
    return midnight.replace(hour=minutes // 60, minute=minutes % 60)
