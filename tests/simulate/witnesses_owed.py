"""What must happen and could be forgotten: light for who has paid (I9), days that close (I14), meters that are charged,
cuts of who has nothing left (R1), an answer to everybody who asks (I5), a gateway that is well again when all else is.

The other invariants look at what stands in the book; a program that does nothing would break none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tests.simulate.counter import Counter
from tests.simulate.house import House
from tests.simulate.known import Known, Tenancy
from tests.simulate.till import Till

Said = Iterator[str]

DISK_WELL_S = 600.0
DAY, LOOK, HOURS_OPEN = timedelta(days=1), timedelta(minutes=10), timedelta(hours=3)

CLOSED_AFTER = {True: timedelta(hours=1), False: timedelta(hours=13)}
"""So long after midnight a day is closed, where nothing is wrong, and where a meter may have been silent (R24)."""


def normal(house: House, whole: bool) -> Said:
    """Where nothing is wrong a gateway is in mode normal, also when all that was wrong has ended (`whole`); and it
    notices soon that its disk is well."""
    mode, why, weather = house.edge.core.mode, house.edge.core.mode_why, house.weather
    if mode != "normal" and (house.fair or whole):
        yield f"nothing is wrong, and the gateway stays in mode {mode}: {why}"
    elif mode == "disk" and weather.disk is None and house.mono - weather.well_since > DISK_WELL_S:
        yield f"its disk has been well for {house.mono - weather.well_since:.0f} s, and it stays in mode disk: {why}"


def answers(house: House, till: Till, counter: Counter) -> Said:
    """Who asks while nothing is wrong is answered, a minute later at the latest."""
    for one in (*till.payments.values(), *counter.wishes.values()):
        if one.answered is None and not one.dropped and one.asked > 1:
            yield f"{one.transaction} was asked for {one.asked} times while nothing was wrong, and is not answered"


def dark(house: House, known: Known) -> dict[str, float]:
    """Meters that only a cut for arrears holds off, and how much more than the limit to restore their tenant has for
    certain by the load and the payments, in yuan."""
    if house.edge.core.mode != "normal" or known.recovering:
        return {}
    now, judge, found = house.clock.true.now(), house.judge, {}
    for id, point in known.points.items():
        seen = judge.by_id[id]
        if point.holds != {"arrears"} or point.account != seen.room.account or seen.unopened or seen.vacant:
            continue
        over = judge.left_nano(point.account, now) - judge.restore_nano - judge.slack_nano(point.account)
        if over > 0:
            found[id] = over / 1e9
    return found


def i9(found: dict[str, float]) -> Said:
    """Who has paid is not left cut off."""
    for id, over in found.items():
        yield f"{id} is held off for arrears, and its tenant has {over:.2f} yuan more than it takes to have light"


@dataclass(frozen=True)
class Due:
    """A tenant whose money is used up for certain: since when, with what paid, and the warning that stands then."""

    since: datetime
    paid_nano: int
    final_seq: int | None
    delivered_seq: int | None


def due(house: House, known: Known, before: dict[str, Due]) -> dict[str, Due]:
    """By account, by the load and the payments."""
    now, judge, found = house.clock.true.now(), house.judge, {}
    for account, seens in judge.rooms.items():
        settled = seens and not any(seen.vacant or seen.unopened for seen in seens)
        if settled and judge.left_nano(account, now) + judge.slack_nano(account) < judge.limit_nano:
            tenancy = known.tenancies[account]
            fresh = Due(now, judge.paid[account], tenancy.final_seq, tenancy.delivered_seq)
            old = before.get(account, fresh)
            found[account] = old if replace(fresh, since=old.since) == old else fresh
    return found


def r1(house: House, found: dict[str, Due]) -> Said:
    """Where nothing is wrong, who has had nothing left for a day, and a warning since then or none, is cut off by now:
    unless the hours allow hardly any of that day, a person keeps the meter on, or has not told who has no lamp."""
    now, judge = house.clock.true.now(), house.judge
    if sum(judge.hours.open(now - ago * LOOK) for ago in range(DAY // LOOK)) * LOOK < HOURS_OPEN:
        return
    for account, one in sorted(found.items()):
        seens = judge.rooms[account]
        untold = one.delivered_seq is None and all(seen.meter.slave for seen in seens)
        for seen in seens if now - one.since >= DAY and not untold else ():
            if not (seen.device.relay.open or seen.held or seen.kept):  # type: ignore[attr-defined]
                yield f"{seen.meter.id} has light, and its tenant has had nothing left since {one.since.isoformat()}"


def i14(house: House, known: Known) -> Said:
    """Each lasting tenancy is closed through the last day that is over."""
    if house.edge.core.mode != "normal" or known.zone is None:
        return
    wall = house.clock.true.now().astimezone(known.zone)
    due = (wall - CLOSED_AFTER[house.fair]).date() - timedelta(days=1)
    for account, tenancy in known.tenancies.items():
        if tenancy.ended is not None or _day(known, tenancy) > due or _waits(known, tenancy):
            continue
        if tenancy.closed is None or tenancy.closed < due:
            yield f"{account} is closed through {tenancy.closed}, and {due} is over"


def _day(known: Known, tenancy: Tenancy) -> date:
    return datetime.fromtimestamp(tenancy.since_us / 1e6, known.zone).date()


def _waits(known: Known, tenancy: Tenancy) -> bool:
    """A meter is to be replaced or its multiplier to be changed: where its day is divided is decided first (R22)."""
    waiting = [body for id, body in known.asked.items() if id not in known.decided]
    return any(body.get("meter") in tenancy.meters for body in waiting)
