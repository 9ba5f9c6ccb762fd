"""The prices ahead at a steady load: hours as they come, the steps that this load climbs meanwhile (R29), and where
another price begins (R27)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.billing.steps import Steps, addition_at

Span = tuple[datetime, datetime, int]
"""(from, to, micro-yuan per kWh)"""


def until(spans: Iterable[Span], end: datetime) -> Iterator[Span]:
    """Spans up to an instant."""
    for begins, ends, micro in spans:
        if begins >= end:
            return
        yield begins, min(ends, end), micro


def climbing(
    spans: Iterable[Span], load_w: int, used_wh: int, steps: Steps, since: date, zone: ZoneInfo
) -> Generator[Span, None, tuple[date | None, int]]:
    """Spans cut where the load, on top of what was used of the period so far, comes to the next bound; what a unit
    costs more from there on is added. `spans` end at midnights, where a period may begin anew; `since` is when the
    tenant moved in. Returns the period in which the last one ends, and the Wh that are used of it then."""
    period: date | None = None
    used_ws = used_wh * 3600  # Watt-seconds: nothing is rounded on the way.
    for begins, ends, micro in spans:
        own = steps.begins(begins.astimezone(zone).date())
        if own != period:
            used_ws = used_ws if period is None else 0
            period, bounds = own, steps.for_period(own, since)
        while begins < ends:
            above_ws = next((step.above_wh * 3600 for step in bounds if step.above_wh * 3600 > used_ws), None)
            left_s = -((begins - ends) // timedelta(seconds=1))
            seconds = left_s if above_ws is None else min(left_s, -((used_ws - above_ws) // load_w))
            until = min(begins + timedelta(seconds=seconds), ends)
            yield begins, until, micro + addition_at(used_ws // 3600, bounds)
            used_ws, begins = used_ws + load_w * seconds, until
    return period, used_ws // 3600
