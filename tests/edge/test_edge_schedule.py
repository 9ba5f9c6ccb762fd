"""Midnights in every zone: one for each local day, on days of 23, 24 and 25 hours (R26, I14)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from edge.billing.tariff import local_midnight
from edge.schedule import Schedule

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Santiago", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe")


@pytest.mark.parametrize("name", ZONES)
def test_every_local_day_has_its_midnight(name: str) -> None:
    """Going from midnight to midnight through a year meets each local day once, also where midnight vanishes."""
    zone = ZoneInfo(name)
    schedule = Schedule(zone)
    now, met = local_midnight(date(2025, 12, 31), zone), []
    while now < datetime(2027, 1, 2, tzinfo=UTC):
        now = schedule.next_midnight(now)
        met.append(now.astimezone(zone).date())
    assert met == [met[0] + timedelta(days=n) for n in range(len(met))] and len(met) >= 365


@pytest.mark.parametrize("name", ZONES)
def test_the_next_midnight_is_the_next(name: str) -> None:
    """From any hour of a year the next midnight lies ahead, and no other lies between."""
    zone = ZoneInfo(name)
    schedule = Schedule(zone)
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(367)]
    midnights = [local_midnight(day, zone) for day in days]
    now = midnights[0]
    while now < midnights[-2]:
        assert schedule.next_midnight(now) == min(each for each in midnights if each > now)
        now += timedelta(hours=7, minutes=13)
