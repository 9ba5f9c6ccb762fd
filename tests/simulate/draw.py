"""The building of a gateway as the seed draws it: rooms, loads, prices, settings, registers near their top."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from firmware_sim.loads import WUS_PER_WH
from firmware_sim.metrology import FULL_SCALE_STEPS, STEP_WUS, Metrology
from tests.bench.policy_site import KINDS, SINGLE, TOU, Plan, Room, RoomMeter, Steps, a_policy

POLL_S = 900
HOME = {"total": 560_000}
"""Micro-yuan per kWh of a household; steps come on top."""
NEAR_TOP = ("999000.00", "180000.00", "240000.00", "380000.00", "199000.00")
"""Where the total will soon begin anew (`near_top`); the rates do so much later, as in a real meter."""

MODBUS_LINE, MODBUS_FROM, SLAVES = 2, 3, 90
"""A part of the rooms has Modbus meters on a line of their own, where there are some meters."""

FIRST_DAY, DAYS_ON = date(2026, 1, 12), 240
BEFORE_CHANGES = (date(2026, 3, 27), date(2026, 10, 23))
"""Shortly before Europe's clocks change: what is short begins here, so that it sees one."""


def drawn(seed: int, number: int, meters: int, days: int, faulty: bool) -> Plan:
    """The plan of gateway `number`. Every second one stands where clocks change twice a year."""
    chance = random.Random(f"simulate:{seed}:{number}")
    rooms = tuple(_wanting(random.Random(f"close:{seed}:{number}"), _rooms(chance, number, meters, faulty)))
    modbus = any(meter.slave for room in rooms for meter in room.meters)
    zone = "Europe/Berlin" if number % 2 else "Asia/Shanghai"
    first = FIRST_DAY + timedelta(days=chance.randrange(DAYS_ON))
    if number % 2 and days < DAYS_ON:
        first = chance.choice(BEFORE_CHANGES)
    start = datetime.combine(first, datetime.min.time(), UTC) + timedelta(minutes=chance.randrange(1440))
    policy = a_policy(chance, POLL_S, first) | {"stale_min": 25, "brake_meters": 5}
    policy |= {"emergency_credit": chance.choice(("0.00", "5.00", "20.00"))}
    policy |= {"overdraft": chance.choice(("0.00", "0.00", "5.00"))}
    return Plan(
        seed=seed * 1000 + number,
        zone=zone,
        start=start,
        days=days,
        rooms=rooms,
        policy=policy,
        lines=3 if modbus else 2,
        modbus=frozenset({MODBUS_LINE}) if modbus else frozenset(),
        poll_s=POLL_S,
        gateway=f"g{number}",
        prices={"single": SINGLE, "tou": TOU, "home": HOME},
        steps={"home": Steps(chance.randint(1, 28), ((20_000, 150_000), (90_000, 450_000)))},
    )


def near_top(metrology: Metrology, hours: float, watts: int) -> None:
    """Bring a meter's total, and what it remembers of it, to so many hours of its load below the full scale."""
    left = int(hours * watts) // 20 * 10 * WUS_PER_WH
    shift = (FULL_SCALE_STEPS * STEP_WUS - left - metrology.total_wus) // STEP_WUS
    metrology.total_wus += shift * STEP_WUS
    checkpoints = metrology.history.checkpoints
    checkpoints[:] = [(at_us, total + shift * STEP_WUS) for at_us, total in checkpoints]
    frozen = [(day, (steps[0] + shift, *steps[1:])) for day, steps in metrology.freezes]
    metrology.freezes.clear()
    metrology.freezes.extend(frozen)


def _rooms(chance: random.Random, number: int, meters: int, faulty: bool) -> list[Room]:
    rooms, placed = [], 0
    while placed < meters:
        count = 2 if meters - placed > 1 and chance.random() < 0.15 else 1
        tariff = chance.choice(("single", "tou", "home"))
        own = [_meter(chance, number, placed + which, faulty) for which in range(count)]
        if MODBUS_FROM < placed < MODBUS_FROM + SLAVES and placed % 5 == 0:
            own = [_modbus(meter, placed + which) for which, meter in enumerate(own)]
        hourly_w = sum(meter.watts * meter.multiplier for meter in own) // 2
        days = chance.uniform(0.3, 6)
        rooms.append(Room(f"a{placed:03d}", tariff, max(int(hourly_w * 24 * days * 0.08), 100), tuple(own)))
        placed += count
    return rooms


def _wanting(chance: random.Random, rooms: list[Room]) -> Iterator[Room]:
    """Some tenants want light by themselves, some by the button of their meter, if it has one (R6)."""
    for room in rooms:
        close = chance.choice((None, None, None, "permit", "permit", "direct"))
        yield room if any(meter.slave for meter in room.meters) else replace(room, close=close)


def _meter(chance: random.Random, number: int, which: int, faulty: bool) -> RoomMeter:
    """Addresses repeat from gateway to gateway: what is one's is never another's."""
    plain = RoomMeter(
        id=f"m{which:03d}", line=which % 2, address=f"{1000 + which:012d}", kind=chance.choice(KINDS),
        watts=int(10 ** chance.uniform(2.5, 3.9)), seed=chance.randrange(10**6),
        multiplier=chance.choice((1, 1, 1, 1, 30)), own_hours=chance.random() < 0.7,
        relay="permit" if chance.random() < 0.1 else "direct",
    )  # fmt: skip
    near = chance.random() < 0.3
    return replace(plain, registers=NEAR_TOP) if near and faulty else plain


def _modbus(meter: RoomMeter, which: int) -> RoomMeter:
    """A three-phase meter without rates, lamp or memory of midnights; its relay is moved by forced control."""
    address, number = str(1 + which), f"{7000 + which:012d}"
    return replace(meter, line=MODBUS_LINE, model="acrel-dtsy1352", address=address, number=number, own_hours=False,
                   relay="direct")  # fmt: skip
