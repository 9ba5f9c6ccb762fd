"""A made-up building for `riser bench policy`: rooms, meters, loads, prices and settings, as the seed draws them.

The same draw is written twice, as a site file for the edge and as a shaft file for its meters, and kept as plain
numbers for the judge.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

WINDOWS = (("00:00", "valley"), ("07:00", "flat"), ("09:00", "peak"), ("11:30", "flat"), ("14:00", "peak"),
           ("17:00", "flat"), ("19:00", "sharp"), ("21:00", "flat"))  # fmt: skip
"""Hours of the price by time of use: (from, rate)."""

TOU = {"sharp": 1_248_000, "peak": 1_025_400, "flat": 641_000, "valley": 308_000}
SINGLE = {"total": 850_000}
"""Micro-yuan per kWh."""

STARTS = (
    date(2026, 2, 12), date(2026, 2, 25), date(2026, 4, 2), date(2026, 4, 29), date(2026, 5, 6), date(2026, 6, 17),
    date(2026, 7, 13), date(2026, 8, 26), date(2026, 9, 17), date(2026, 9, 23), date(2026, 10, 7), date(2026, 11, 19),
    date(2026, 3, 27), date(2026, 10, 23),
)  # fmt: skip
"""Days before holidays, make-up days, weekends, and the nights on which Europe's clocks change."""

KINDS = ("constant", "steady", "shop", "restaurant", "office", "dwelling", "night")


@dataclass(frozen=True)
class RoomMeter:
    """One meter of a room. `own_hours`: it keeps the price's hours in rate registers of its own."""

    id: str
    line: int
    address: str
    kind: str
    watts: int
    seed: int
    multiplier: int = 1
    own_hours: bool = True
    relay: str = "direct"
    registers: tuple[str, ...] = ("5000.00", "800.00", "1200.00", "2000.00", "1000.00")
    """What it shows at the beginning: the total, and the registers of the rates."""
    model: str = "dlt645-3p"
    number: str = ""
    """What it says is its own number; on DL/T 645 lines its address."""

    @property
    def serial(self) -> str:
        return self.number or self.address

    @property
    def slave(self) -> int | None:
        """Its address where it speaks Modbus."""
        return int(self.address) if self.number else None

    @property
    def wire(self) -> bytes:
        """Its address as it goes over the line."""
        return bytes((int(self.address),)) if self.number else bytes.fromhex(self.address)[::-1]


@dataclass(frozen=True)
class Room:
    """One tenancy and its meters."""

    account: str
    tariff: str
    opening_fen: int
    meters: tuple[RoomMeter, ...]
    close: str | None = None
    """How its tenant wants supply to come back (R6); None: as its meters say."""


@dataclass(frozen=True)
class Steps:
    """A price that rises with what an account has used since the `day` of a month: (above Wh, micro-yuan more)."""

    day: int
    bounds: tuple[tuple[int, int], ...]

    def added_nano(self, used_wh: int) -> int:
        """What so much use costs more than the price."""
        tops = [above for above, _ in self.bounds[1:]] + [used_wh]
        inside = [max(min(used_wh, top) - above, 0) for (above, _), top in zip(self.bounds, tops, strict=True)]
        return sum(wh * micro for wh, (_, micro) in zip(inside, self.bounds, strict=True))


@dataclass(frozen=True)
class Plan:
    """One building, and how long it is watched."""

    seed: int
    zone: str
    start: datetime
    days: int
    rooms: tuple[Room, ...]
    policy: dict[str, Any]
    lines: int = 2
    baud: int = 9600
    poll_s: int = 1800
    trust: str = "auto"
    gateway: str = "bench"
    told: bool = False
    """Facts are rendered for a panel; without one the edge does all the same."""
    prices: dict[str, dict[str, int]] = field(default_factory=lambda: {"single": SINGLE, "tou": TOU})
    steps: dict[str, Steps] = field(default_factory=dict)
    """By price, for households."""
    modbus: frozenset[int] = frozenset()
    """Lines that speak Modbus; the others speak DL/T 645."""

    def protocol(self, line: int) -> str:
        return "modbus-rtu" if line in self.modbus else "dlt645-2007"


def drawn(seed: int, rooms: int, days: int) -> Plan:
    """The building of a seed."""
    chance = random.Random(f"policy:{seed}")
    poll_s = chance.choice((1800, 3600, 3600, 3600))
    start = datetime.combine(chance.choice(STARTS), datetime.min.time(), UTC) + timedelta(
        hours=chance.randrange(24), minutes=chance.randrange(60)
    )
    return Plan(
        seed=seed,
        zone=chance.choice(("Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai", "Europe/Berlin")),
        start=start,
        days=days,
        rooms=tuple(_room(chance, number) for number in range(1, rooms + 1)),
        policy=a_policy(chance, poll_s, start.date()),
        poll_s=poll_s,
        told=chance.random() < 0.05,
    )


def _room(chance: random.Random, number: int) -> Room:
    tariff = chance.choice(("single", "single", "tou"))
    meters = []
    for which in range(2 if chance.random() < 0.15 else 1):
        serial = number * 10 + which
        meters.append(RoomMeter(
            id=f"m{serial:03d}", line=number % 2, address=f"{serial:012d}", kind=chance.choice(KINDS),
            watts=int(10 ** chance.uniform(2.5, 4.0)), seed=chance.randrange(10**6),
            multiplier=chance.choice((1, 1, 1, 1, 30)), own_hours=chance.random() < 0.7,
            relay="permit" if chance.random() < 0.1 else "direct",
        ))  # fmt: skip
    mean_w = sum(meter.watts * meter.multiplier for meter in meters) // 2
    opening_fen = int(mean_w / 1000 * 0.8 * chance.uniform(0.2, 60) * 100)
    return Room(f"a{number:03d}", tariff, opening_fen, tuple(meters))


def a_policy(chance: random.Random, poll_s: int, start: date) -> dict[str, Any]:
    """Settings a site may have; the hours lie off the hours at which Europe's clocks change."""
    begins = chance.choice((6 * 60, 9 * 60, 9 * 60, 10 * 60 + 30))
    some_days = [start + timedelta(days=chance.randrange(8)) for _ in range(2)]
    return {
        "lead_min": chance.choice((30, 30, 30, 45, 120)),
        "cut_at": chance.choice(("0.00", "0.00", "-5.00")),
        "restore_above": chance.choice(("1.00", "5.00")),
        "cut_window": {
            "from": f"{begins // 60:02d}:{begins % 60:02d}",
            "to": chance.choice(("16:00", "16:00", "11:15", "22:00")),
            "days": chance.choice(("workdays", "workdays", "all")),
        },
        "rest_days": some_days[:1] if chance.random() < 0.3 else [],
        "work_days": some_days[1:] if chance.random() < 0.3 and some_days[0] != some_days[1] else [],
        "stale_min": max(15, poll_s * 3 // 120),
        "brake_meters": chance.choice((2, 3, 5)),
        "brake_percent": chance.choice((10, 25)),
    }


def site_text(plan: Plan) -> str:
    """The site file of a plan."""
    policy = dict(plan.policy)
    window = policy.pop("cut_window", None)
    texts = [f'[site]\nname = "bench"\ngateway = "{plan.gateway}"\nzone = "{plan.zone}"',
             f'[clock]\ntrust = "{plan.trust}"', "[policy]",
             *(f"{key} = {_toml(value)}" for key, value in policy.items())]  # fmt: skip
    if window is not None:
        texts.append("[policy.cut_window]\n" + "\n".join(f'{key} = "{value}"' for key, value in window.items()))
    texts += [f'[[ports]]\nid = "line-{n}"\ndevice = "sim/line-{n}"\nprotocol = "{plan.protocol(n)}"\n'
              f"baud = {plan.baud}\npoll_s = {plan.poll_s}" for n in range(plan.lines)]  # fmt: skip
    texts += [tariff_text(id, prices, plan.steps.get(id)) for id, prices in plan.prices.items()]
    for room in plan.rooms:
        texts += [f'[[meters]]\nid = "{m.id}"\nmodel = "{m.model}"\nport = "line-{m.line}"\naddress = "{m.address}"\n'
                  f'serial = "{m.serial}"\nroom = "{room.account}"\nmultiplier = {m.multiplier}\n'
                  f'relay = "{m.relay}"' for m in room.meters]  # fmt: skip
    for room in plan.rooms:
        names = ", ".join(f'"{meter.id}"' for meter in room.meters)
        sign, fen = ("-" if room.opening_fen < 0 else ""), abs(room.opening_fen)
        texts.append(f'[[accounts]]\nid = "{room.account}"\nname = "{room.account}"\nroom = "{room.account}"\n'
                     f'tariff = "{room.tariff}"\nmeters = [{names}]\n'
                     f'opening = "{sign}{fen // 100}.{fen % 100:02d}"'
                     + ("\nhousehold = true" if room.tariff in plan.steps else "")
                     + (f'\nclose = "{room.close}"' if room.close else ""))  # fmt: skip
    return "\n".join(texts) + "\n"


def price_text(micro: int) -> str:
    return f"{micro // 10**6}.{micro % 10**6:06d}".rstrip("0").ljust(6, "0")


def price_of(id: str, prices: dict[str, int], steps: Steps | None = None) -> dict[str, Any]:
    """A price as a request or a site file has it."""
    if "total" in prices:
        single: dict[str, Any] = {"id": id, "name": id, "kind": "single", "price": price_text(prices["total"])}
        if steps is not None:
            bounds = [{"above": str(above // 1000), "add": price_text(micro)} for above, micro in steps.bounds]
            single["steps"] = {"period": "month", "day": steps.day, "bounds": bounds}
        return single
    ends = [begins for begins, _ in WINDOWS[1:]] + ["24:00"]
    windows = [{"from": a, "to": b, "rate": rate} for (a, rate), b in zip(WINDOWS, ends, strict=True)]
    rates = {rate: price_text(micro) for rate, micro in prices.items()}
    return {"id": id, "name": id, "kind": "tou", "prices": rates, "windows": windows}


def tariff_text(id: str, prices: dict[str, int], steps: Steps | None = None) -> str:
    told = price_of(id, prices, steps)
    return "[[tariffs]]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in told.items())


def shaft_text(plan: Plan) -> str:
    """The shaft file of the same plan."""
    hours = ", ".join(f'{{ from = "{begins}", rate = "{rate}" }}' for begins, rate in WINDOWS)
    texts = [f'[shaft]\nname = "bench"\nzone = "{plan.zone}"\nseed = {plan.seed}\nhistory_days = 2',
             '[[day_tables]]\nname = "flat"\nwindows = [{ from = "00:00", rate = "flat" }]',
             f'[[day_tables]]\nname = "hours"\nwindows = [{hours}]']  # fmt: skip
    texts += [f'[[lines]]\nid = "line-{n}"\nprotocol = "{plan.protocol(n)}"\nbaud = {plan.baud}\nparity = "E"'
              for n in range(plan.lines)]  # fmt: skip
    for room in plan.rooms:
        for m in room.meters:
            table = "hours" if room.tariff == "tou" and m.own_hours else "flat"
            texts.append(f'[[meters]]\nid = "{m.id}"\nline = "line-{m.line}"\nmodel = "{m.model}"\n'
                         f'address = "{m.address}"\nserial = "{m.serial}"\nday_table = "{table}"\n'
                         f"registers = {_toml(list(m.registers))}\n"
                         f"offset_s = {m.seed % 5 - 2}\ndrift_ppm = {m.seed % 21 - 10}\n"
                         f'load = {{ kind = "{m.kind}", watts = {m.watts}, seed = {m.seed} }}')  # fmt: skip
    return "\n".join(texts) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, int) else f'"{value}"'
