"""The curve of a meter's power over a day, the day before under it, with the hours of each rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import request
from markupsafe import Markup

from bridge.contract.messages import MeterRow, Tariff, Window
from bridge.contract.units import RATES, instant_of
from panel.charts import Day, power_chart, power_scale
from panel.history import Point
from panel.parts import Parts
from panel.states import Room


def has_power(meter: MeterRow) -> bool:
    """It tells its power; others, such as water meters, have no curve and no empty place for one."""
    return "power_w" in meter.quantities


def chart_of(stand: Parts, room: Room) -> dict[str, Any]:
    wall = stand.wall()
    today = wall.now.date()
    try:
        wanted = date.fromisoformat(request.args.get("day", "")[:10])
    except ValueError:
        wanted = today
    wanted = min(wanted, today) if wanted.year > 2000 else today
    start, end = (_midnight(stand, wanted + timedelta(days=days)) for days in (0, 1))
    points = stand.history.power(room.meter.id, start, end)
    points += _live(room, points, end, stand.stale_s)
    before = stand.history.power(room.meter.id, _midnight(stand, wanted - timedelta(days=1)), start)
    length = start.astimezone(UTC) - _midnight(stand, wanted - timedelta(days=1)).astimezone(UTC)
    moved = [replace(point, at=point.at + length) for point in before]
    windows = _windows(stand, room, start)
    drawn = power_chart(Day(start, end, wall.instant), points, moved, windows, stand.stale_s)
    return {
        "chart": drawn if points or before else Markup(""),
        "scale": power_scale(points, moved),
        "day": wanted,
        "yesterday": wanted - timedelta(days=1),
        "tomorrow": wanted + timedelta(days=1) if wanted < today else None,
        "highest": _highest(points),
        "rates": _rates(windows),
        "dashed": bool(before),
    }


def _live(room: Room, points: Sequence[Point], end: datetime, stale_s: float) -> list[Point]:
    """The newest power, where the archive does not hold it yet: the curve ends with the figure beside it."""
    facts = room.facts
    if not points or facts is None or facts.power_w is None or facts.power_read_at is None:
        return []
    at = instant_of(facts.power_read_at)
    goes_on = at < end and 0 < (at - points[-1].at).total_seconds() <= stale_s
    return [Point(at, facts.power_w)] if goes_on else []


def _rates(windows: Sequence[Window]) -> dict[str, list[str]]:
    """Rate to its hours, for the key under the curve; the dearest first, as the rates are numbered."""
    found = {rate: [f"{w.from_}–{w.to}" for w in windows if w.rate == rate] for rate in RATES}
    return {rate: spans for rate, spans in found.items() if spans}


def _highest(points: Sequence[Point]) -> Point | None:
    return max(points, key=lambda point: point.power_w, default=None)


def _midnight(stand: Parts, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=stand.site.zone)


def _windows(stand: Parts, room: Room, at: datetime) -> list[Window]:
    """The rates of the day, from the tariff version in force at its start."""
    tariff = stand.mirror.view().get(Tariff, room.tenant.tariff) if room.tenant and room.tenant.tariff else None
    if tariff is None or not tariff.versions:
        return []
    earlier = [version for version in tariff.versions if instant_of(version.effective_at) <= at]
    return max(earlier, key=lambda version: version.version).windows if earlier else tariff.versions[0].windows
