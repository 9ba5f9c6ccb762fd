"""Facts of the contract as a gateway would publish them: one healthy example of each, changed by keyword.

Every fact is a message of `bridge.contract.messages`, so the panel is tested against the real contract.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.cutting import Policy
from bridge.contract.messages import (
    Account,
    AccountRow,
    Availability,
    Info,
    MeterFacts,
    MeterRow,
    PortStatistics,
    Relay,
    Tariff,
)
from bridge.contract.site_prices import Tariff as TariffTable
from bridge.contract.site_prices import booked
from bridge.contract.units import instant_text

NOW = datetime(2026, 11, 20, 6, 50, 12, tzinfo=UTC)
"""14:50:12 in Shanghai, a Friday."""

YUAN = 10**9


def at(minutes_ago: float = 0.0, now: datetime = NOW) -> str:
    return instant_text(now - timedelta(minutes=minutes_ago))


def info(now: datetime = NOW, **more: Any) -> Info:
    words: dict[str, Any] = {
        "gateway": "jx-a", "name": "锦绣广场 A 井", "version": "0.1.0", "at": instant_text(now),
        "started_at": instant_text(now - timedelta(hours=30)), "zone": "Asia/Shanghai", "clock_trusted": True,
        "clock_why": "kernel says synchronised", "mode": "normal", "seq": 4711, "hash": "ab" * 32, "epoch": "e1",
        "sweep": 99, "meters_installed": 2, "meters_read": 2, "cut_window_open": True,
        "cut_window_next": instant_text(now.replace(hour=8, minute=0, second=0)),
        "ports": [{
            "id": "a1", "device": "/dev/ttyUSB0", "protocol": "dlt645-2007", "baud": 9600, "state": "open",
            "meters": 2, "read": 2, "round_s": 12.7, "round_at": instant_text(now - timedelta(seconds=8)),
            "asked": 12000, "failed": 96,
        }],
    }  # fmt: skip
    return Info.model_validate(words | more)


def row(id: str, room: str, account: str | None = None, **more: Any) -> MeterRow:
    words: dict[str, Any] = {
        "id": id, "name": "", "model": "dds-1", "model_name": "DDS 单相 5(60) A", "protocol": "dlt645-2007",
        "port": "a1", "address": f"2026031{int(re.sub('[^0-9]', '', room) or 1):05d}",
        "serial": f"2026031{int(re.sub('[^0-9]', '', room) or 1):05d}", "room": room, "floor": "2F", "shaft": "东井 A",
        "phases": 1, "multiplier": 1, "relay": "direct", "button": True, "account": account,
        "quantities": {"energy_wh": "Wh", "power_w": "W"},
    }  # fmt: skip
    return MeterRow.model_validate(words | more)


def tenant(id: str, name: str, room: str, meters: list[str], phone: str = "138 0000 6021") -> AccountRow:
    since = instant_text(NOW - timedelta(days=60))
    return AccountRow(id=id, name=name, room=room, phone=phone, tariff="shop", meters=meters, since=since)


def reading(minutes_ago: float = 0.1, now: datetime = NOW, **more: Any) -> MeterFacts:
    words: dict[str, Any] = {
        "read_at": at(minutes_ago, now), "quality": "good", "energy_wh": 18_531_180, "energy_sharp_wh": 2_218_460,
        "energy_peak_wh": 6_966_790, "energy_flat_wh": 5_904_180, "energy_valley_wh": 3_441_750, "power_w": 5920,
        "power_read_at": at(minutes_ago, now), "voltage_a_v": 228.4, "amps_a": 9.1, "power_factor": 0.98,
        "frequency_hz": 50.01, "electrical_read_at": at(1, now), "clock_offset_s": 12, "clock_read_at": at(700, now),
        "freeze_at": instant_text(now.replace(hour=16, minute=0, second=0) - timedelta(days=1)),
        "freeze_energy_wh": 18_492_880, "status_word_3": "0000", "energy_today_wh": 38_300,
    }  # fmt: skip
    return MeterFacts.model_validate(words | more)


def relay(observed: str = "closed", now: datetime = NOW, **more: Any) -> Relay:
    words: dict[str, Any] = {
        "desired": observed, "observed": observed, "observed_at": at(0.1, now), "observed_since": at(105, now),
        "holds": [], "why": "no hold", "following": True, "keep_power": False, "alarm": False,
    }  # fmt: skip
    return Relay.model_validate(words | more)


def on_port(id: str, **more: Any) -> dict[str, Any]:
    """A healthy meter's row in `port/<id>`."""
    words: dict[str, Any] = {
        "id": id, "asked": 420, "failed": 0, "lost_s": 0.0, "turnaround_s": 0.048, "slowest_s": 0.097,
        "asked_total": 51_000, "failed_total": 3,
        "last": {"at": at(0.2), "question": "fefefefe68060211032620681104333336351816",
                 "answer": "680602110326206891073333363573575abf16"},
    }  # fmt: skip
    return words | more


def port_statistics(*meters: dict[str, Any], now: datetime = NOW, **more: Any) -> PortStatistics:
    """A line on which one question in a hundred fails."""
    words: dict[str, Any] = {
        "at": at(0.1, now), "since": at(1800, now), "window_s": 880.0, "asked": 12_000, "failed": 96, "repeated": 90,
        "errors": {"noise": 90, "silent": 6, "refused": 2}, "bytes_out": 240_000, "bytes_in": 260_000, "wire_s": 396.0,
        "busy_s": 818.4, "lost_s": 44.0, "wire_percent": 45.0, "busy_percent": 93.0, "failed_percent": 0.8,
        "turnaround_s": 0.041, "slowest_s": 0.212, "asked_total": 1_512_000, "failed_total": 4_100,
        "repeated_total": 3_900, "errors_total": {"noise": 3_900, "silent": 200, "refused": 2, "closed": 12},
        "bytes_out_total": 30_000_000, "bytes_in_total": 33_000_000, "lost_s_total": 5_120.0,
        "meters": list(meters or [on_port("a206")]),
    }  # fmt: skip
    return PortStatistics.model_validate(words | more)


def hold(kind: str, why: str = "", by: str = "李强", now: datetime = NOW) -> dict[str, str]:
    return {"kind": kind, "why": why, "by": by, "since": at(300, now)}


def standing(state: str = "on", available: float = 235.23, now: datetime = NOW, **more: Any) -> Account:
    nano = round(available * 100) * 10**7
    words: dict[str, Any] = {
        "at": at(0.1, now), "state": state, "balance": available, "available_nano": nano,
        "posted_nano": nano + 32_310_000_000,
        "provisional_nano": 32_310_000_000, "provisional_wh": 38_300, "billed_through": "2026-11-19",
        "level": 0, "episode": 0, "load_w": 5920, "price_now": "1.0254", "days_left": 9.2, "restore_above_nano": YUAN,
        "can_cut": True,
    }  # fmt: skip
    return Account.model_validate(words | more)


def protection(kind: str = "keep-power", hours: float = 72, now: datetime = NOW, **more: Any) -> dict[str, Any]:
    """A person's word that nobody cuts a tenant, `hours` from now on."""
    words = {"kind": kind, "why": "病人在家", "by": "王敏", "since": at(60, now), "until": at(-60 * hours, now)}
    return words | more


REST = {date(2026, 11, 26): ("holiday", None), date(2026, 11, 28): ("make-up", None),
        date(2026, 12, 2): ("protected", "换变压器")}  # fmt: skip
"""Days of the policy below that are not what their weekday says."""


def policy(now: datetime = NOW, zone: str = "Asia/Shanghai", **more: Any) -> Policy:
    """Cuts on workdays from 9 to 16; a holiday, a make-up Saturday and a protected day among the fourteen days."""
    there = ZoneInfo(zone)
    first, days = now.astimezone(there).date(), []
    for day in (first + timedelta(days=ahead) for ahead in range(14)):
        kind, why = REST.get(day, ("weekend" if day.weekday() > 4 else "workday", None))
        hours = [datetime(day.year, day.month, day.day, hour, tzinfo=there) for hour in (9, 16)]
        opened = (
            [{"from": instant_text(hours[0]), "to": instant_text(hours[1])}] if kind in ("workday", "make-up") else []
        )
        days.append({"date": day.isoformat(), "kind": kind, "why": why, "open": opened})
    words: dict[str, Any] = {
        "at": at(1, now), "lead_s": 1800, "cut_limit_nano": 0, "restore_above_nano": YUAN,
        "levels_nano": [50 * YUAN, 20 * YUAN, 10 * YUAN], "level_repeats": [0, 1, 2], "quiet_from": "22:00",
        "quiet_to": "07:00", "stale_s": 900, "warning_counts": "delivered", "brake_meters": 5, "days": days,
    }  # fmt: skip
    return Policy.model_validate(words | more)


def available(
    state: str = "online", minutes_ago: float = 38, now: datetime = NOW, why: str | None = None
) -> Availability:
    return Availability.model_validate({"state": state, "since": at(minutes_ago, now), "why": why})


def tariff() -> Tariff:
    windows = [("00:00", "07:00", "valley"), ("07:00", "10:00", "flat"), ("10:00", "12:00", "peak"),
               ("12:00", "14:00", "flat"), ("14:00", "19:00", "peak"), ("19:00", "21:00", "sharp"),
               ("21:00", "23:00", "flat"), ("23:00", "24:00", "valley")]  # fmt: skip
    return Tariff.model_validate({
        "name": "商业分时",
        "versions": [{
            "version": 7, "effective_at": at(30_000), "kind": "tou", "approved_by": "王敏",
            "prices": {"sharp": "1.2480", "peak": "1.0254", "flat": "0.6410", "valley": "0.3080"},
            "windows": [{"from": a, "to": b, "rate": r} for a, b, r in windows],
        }],
    })  # fmt: skip


def proposed_price(who: str = "王敏", id: str = "p-7", tariff: str = "shop") -> dict[str, Any]:
    """A single price of 0.88 yuan that waits for a second person, as a row of `proposals`."""
    table = {"id": tariff, "name": "商业单一", "kind": "single", "price": "0.88"}
    body = {"price": booked(TariffTable.model_validate(table)), "version": 8, "effective_at": None, "why": "新合同"}
    return {"id": id, "what": "price", "body": body, "who": who, "role": "finance", "at": at(60), "until": at(-4000)}


def charge(
    account: str, meter: str, days_ago: int = 0, balance_nano: int = 35_490_000_000, now: datetime = NOW
) -> dict[str, Any]:
    """A charge of one whole day with four rates, the figures of R11: 60.27 kWh, 51.826116 yuan."""
    end_at = now.replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=days_ago + 1)
    start = {"total": 18_432_610, "sharp": 2_210_340, "peak": 6_920_170, "flat": 5_871_800, "valley": 3_430_300}
    used = {"sharp": 8_120, "peak": 26_740, "flat": 19_360, "valley": 6_050}
    price = {"sharp": 1_248_000, "peak": 1_025_400, "flat": 641_000, "valley": 308_000}
    end = {rate: start[rate] + used.get(rate, sum(used.values())) for rate in start}
    lines = [{"rate": r, "wh": used[r], "price_micro": price[r], "amount_nano": used[r] * price[r]} for r in used]
    amount = sum(line["amount_nano"] for line in lines)  # type: ignore[misc]
    return {
        "account": account, "meter": meter,
        "start": {"registers_wh": start, "at": instant_text(end_at - timedelta(days=1)), "source": "freeze"},
        "end": {
            "registers_wh": end, "at": instant_text(end_at), "read_at": instant_text(end_at + timedelta(seconds=72)),
            "source": "freeze", "frames": [["68AAAA68110433323433D616", "6806021103262068911833323433B616"]],
        },
        "multiplier": 1, "tariff": "商业分时", "version": 7, "lines": lines, "wh": 60_270, "amount_nano": amount,
        "days": 1, "moves": [], "balance_after_nano": balance_nano,
    }  # fmt: skip
