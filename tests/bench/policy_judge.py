"""The judge of `riser bench policy`: looks at the frames on the wire and at what was done to the building, at no book.

A trip is right only if the tenant's money was used up, a lamp had been ordered in this episode and seen lit the whole
lead of powered time ago, the hours allowed it, the reading and the meter's number were fresh, the clock was to be
believed, and not too many went before it within the hour. A close needs a cause, and no person's hold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.bench.policy_borders import Borders
from tests.bench.policy_seen import Seen, Violation
from tests.bench.policy_site import Plan
from tests.bench.policy_truth import Hours, Prices, Used, micros, opened

READ, CONTROL, ANSWER = 0x11, 0x1C, 0x80
TRIP, PERMIT, DIRECT, LAMP, LAMP_OFF = 0x1A, 0x1B, 0x1C, 0x2A, 0x2B
ENERGY, STATUS, NUMBER = "0001ff00", "04000503", "04000402"
OPEN, LIT, KEPT = 0x0010, 0x0080, 0x1000

FRESH_S = 62.0
"""Readings of a trip are at most a minute old, and then two exchanges long on their way."""

OVERTAKEN_S = 60.0
"""An order to put one lamp of a tenant out ends the warning of all; but it may have waited for a silent meter while the
next warning began at another."""

KERNEL_S = 12.0
"""So long after the kernel's word the edge must have heard it."""


class Judge:
    """Hears every frame, is told of every payment, hold and accident, and keeps its own account."""

    def __init__(self, plan: Plan, kernel_since: Callable[[], float | None]):
        self.plan, self.hours, self.prices = plan, Hours(plan), Prices(plan)
        self._kernel_since, self._borders = kernel_since, Borders(self.prices)
        self.meters = {
            m.wire: Seen(room, m, Used(m, room.tariff, self.prices))
            for room in plan.rooms for m in room.meters
        }  # fmt: skip
        self.by_id = {seen.meter.id: seen for seen in self.meters.values()}
        self.rooms = {room.account: [s for s in self.meters.values() if s.room is room] for room in plan.rooms}
        self.paid = {room.account: room.opening_fen * 10**7 for room in plan.rooms}
        self.violations: list[Violation] = []
        self.lit: list[Callable[[Seen], None]] = []
        self.trips = self.closes = 0
        self.smallest_gap_s: float | None = None
        self.off_s = self.calendar_off_s = 0.0
        self.doubts: Callable[[], bool] = lambda: False
        """Does the gateway say that it does not believe its own clock? What it reads then is of no certain moment."""
        self._cuts: list[tuple[datetime, str]] = []
        self.limit_nano = _nano(plan.policy.get("cut_at", "0.00"))
        self.restore_nano = _nano(plan.policy.get("restore_above", "1.00"))
        self.lead_s = 60 * plan.policy.get("lead_min", 30)

    # --- money ---

    def left_nano(self, account: str, at: datetime) -> int:
        """What a tenant has left, by the load and the payments."""
        return self.paid[account] - sum(seen.used.until(at) for seen in self.rooms[account])

    def _known_nano(self, account: str) -> int:
        """What a tenant has at most, by what the meters have told: a silent one may have been read long ago, and of
        its newest two readings the lesser counts after a restart."""
        told = sum(seen.used.told() - seen.unsaid_nano for seen in self.rooms[account])
        return self.paid[account] - told + self.slack_nano(account)

    def slack_nano(self, account: str) -> int:
        """By how much the edge may honestly know less: register steps, the first reading, borders read late."""
        dearest, slack = self.prices.dearest(self.rooms[account][0].room.tariff), 0
        for seen in self.rooms[account]:
            wh = 60 + seen.meter.watts * 1.3 * 45 / 3600  # Forty-five seconds until the first reading was confirmed.
            slack += int(wh * seen.meter.multiplier * dearest) + seen.slack_nano
        return slack

    def payment(self, account: str, fen: int, at: datetime) -> None:
        """A payment was confirmed to the tenant. Supply comes back where it is enough by what the meters have told."""
        self.paid[account] += fen * 10**7
        left, slack = self.left_nano(account, at), self.slack_nano(account)
        unsure = any(seen.unsure_until is not None and at < seen.unsure_until for seen in self.rooms[account])
        for seen in self.rooms[account]:
            if left > self.limit_nano + slack and not unsure:
                seen.ordered, seen.lit_s = False, None  # The episode is over; its warning counts for nothing more.
            if max(left + slack, self._known_nano(account)) > self.restore_nano:
                seen.cause = True

    def moved(self, seen: Seen, at: datetime) -> None:
        """The contact may stand otherwise from now on."""
        seen.used.until(at)
        relay = seen.device.relay  # type: ignore[attr-defined]
        on_its_way = relay.order is not None and not relay.stuck
        seen.used.flowing = not (relay.order.opens if on_its_way else relay.open)

    # --- the wire ---

    def asks(self, frame: bytes, at: datetime, mono: float) -> None:
        """The first byte of a question or order leaves."""
        heard = opened(frame)
        if heard is None or heard[0] not in self.meters or heard[1] != CONTROL:
            return
        seen, what = self.meters[heard[0]], heard[2][8]
        if what == TRIP:
            self._trip(seen, at, mono)
        elif what in (PERMIT, DIRECT):
            self._close(seen, at)
        elif what == LAMP_OFF:
            for each in self.rooms[seen.room.account]:
                if each is seen or mono - each.ordered_mono > OVERTAKEN_S:
                    each.ordered, each.lit_s = False, None

    def answers(self, frame: bytes, reply: bytes, at: datetime, mono: float) -> None:
        """What came back over the line."""
        asked, told = opened(frame), opened(reply)
        if asked is None or asked[0] not in self.meters:
            return
        seen = self.meters[asked[0]]
        if asked[1] == CONTROL:
            self.moved(seen, at)
        if told is None or told[0] != asked[0] or told[1] != asked[1] | ANSWER:
            return
        if asked[1] == CONTROL and asked[2][8] == LAMP:
            seen.ordered, seen.ordered_mono = True, mono
        elif asked[1] == READ:
            self._read(seen, told[2], at, mono)

    def _read(self, seen: Seen, data: bytes, at: datetime, mono: float) -> None:
        self._told(seen, data[:4][::-1].hex(), int.from_bytes(data[4:6], "little"), at, mono)

    def _told(self, seen: Seen, item: str, word: int, at: datetime, mono: float) -> None:
        """A meter has told something; `word` is its status."""
        before, seen.read_s[item] = seen.read_s.get(item), mono
        if item == ENERGY:
            seen.used.tell(at)
            first = seen.used.since_us is None
            if first:
                seen.used.since_us = micros(at)
            self._borders.read(seen, None if first else before, at, mono, self.calendar_off_s, self.doubts())
        elif item == STATUS:
            relay = seen.device.relay  # type: ignore[attr-defined]
            seen.kept = relay.keep_power and bool(word & KEPT)
            if seen.ordered and relay.alarm and word & LIT and seen.lit_s is None:
                seen.lit_s = self.powered_s(mono)
                for each in self.lit:
                    each(seen)

    def lost(self, at: datetime, mono: float, copied_us: int | None = None) -> None:
        """The gateway has gone, or a copy of before `copied_us` is put back."""
        self._borders.lost(self.meters.values(), at, mono, copied_us)

    # --- verdicts ---

    def powered_s(self, mono: float) -> float:
        return mono - self.off_s

    def _violated(self, rule: str, seen: Seen, at: datetime, why: str) -> None:
        wall = at.astimezone(self.hours.zone).isoformat(timespec="seconds")
        self.violations.append(Violation(rule, wall, seen.meter.id, why))

    def _trip(self, seen: Seen, at: datetime, mono: float) -> None:
        number_s = mono - seen.read_s.get(NUMBER, -1e9)
        if number_s > FRESH_S or seen.device.serial != seen.meter.serial:  # type: ignore[attr-defined]
            self._violated("R3", seen, at, f"its number was read back {number_s:.0f} s before, or is another one's")
        seen.cut, seen.cause = True, False
        if seen.held:
            return  # A person's own order.
        self.trips += 1
        self._money(seen, at)
        self._warning(seen, at, mono)
        open_by = [at] if abs(self.calendar_off_s) > 3600 else [at, at + timedelta(seconds=self.calendar_off_s)]
        if not any(map(self.hours.open, open_by)):
            self._violated("R2", seen, at, "protected time")
        if seen.kept:
            self._violated("R3", seen, at, "keep-power was set, and read")
        if (age_s := mono - seen.read_s.get(ENERGY, -1e9)) > FRESH_S:
            self._violated("R3", seen, at, f"its registers were read {age_s:.0f} s before")
        since = self._kernel_since()
        if self.plan.trust == "auto" and since is not None and mono - since > KERNEL_S:
            self._violated("R3", seen, at, "the clock was not to be believed")
        if not seen.again:
            self._brake(seen, at)
        seen.again = True

    def _money(self, seen: Seen, at: datetime) -> None:
        left, slack = self.left_nano(seen.room.account, at), self.slack_nano(seen.room.account)
        if left > self.limit_nano + slack:
            self._violated(
                "R1", seen, at, f"{(left - self.limit_nano) / 1e9:.2f} yuan above the limit, slack {slack / 1e9:.2f}"
            )

    def _warning(self, seen: Seen, at: datetime, mono: float) -> None:
        lit = [each.lit_s for each in self.rooms[seen.room.account] if each.lit_s is not None]
        if not lit:
            self._violated("R1", seen, at, "no lamp was ordered and seen lit in this episode")
            return
        gap_s = self.powered_s(mono) - min(lit)
        self.smallest_gap_s = gap_s if self.smallest_gap_s is None else min(gap_s, self.smallest_gap_s)
        if gap_s < self.lead_s:
            self._violated("R1", seen, at, f"{gap_s:.1f} s of {self.lead_s} s after the lamp was lit")

    def _brake(self, seen: Seen, at: datetime) -> None:
        policy, installed = self.plan.policy, len(self.meters)
        most = max(policy.get("brake_meters", 5), installed * policy.get("brake_percent", 10) // 100)
        self._cuts = [(then, id) for then, id in self._cuts if at - then < timedelta(hours=1)]
        self._cuts.append((at, seen.meter.id))
        if len({id for _, id in self._cuts}) > most:
            self._violated("R4", seen, at, f"more than {most} meters within an hour")

    def brake_released(self) -> None:
        """A named person looked at it."""
        self._cuts.clear()

    def _close(self, seen: Seen, at: datetime) -> None:
        self.closes += 1
        seen.cut = seen.again = False
        if seen.held:
            self._violated("R5", seen, at, "closed under a person's hold")
        elif not seen.cause and self._known_nano(seen.room.account) <= self.restore_nano:
            self._violated("R5", seen, at, "closed without a payment or a person")


def _nano(yuan: str) -> int:
    return round(float(yuan) * 100) * 10**7
