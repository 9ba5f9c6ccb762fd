"""The judge at the wire for people who come and go, borrow and are given back: whose money it is, and whose light.

Like the bench's (`policy_judge.py`) it looks at no book: it is told by those who were at the counter.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from firmware_sim.loads import WUS_PER_WH
from tests.bench.policy_judge import CONTROL, DIRECT, TRIP, Judge
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import Plan, Room
from tests.bench.policy_truth import at_wall, load_of, micros, opened
from tests.simulate import modbus_wire, stepped
from tests.simulate.stepped import SteppedUsed, added_nano, used_of

NANO_PER_FEN = 10**7


class HouseJudge(Judge):
    """Of one house."""

    def __init__(self, plan: Plan, kernel_since: Callable[[], float | None]):
        super().__init__(plan, kernel_since)
        self.lent_nano = dict.fromkeys(self.rooms, 0)
        """What is not repaid of an emergency credit (R16)."""
        self.permitted: list[Callable[[Seen], None]] = []
        """Who is told that a meter's button closes it now (R6)."""
        self._newest_us = 0
        self._first_days: dict[str, int] = {}
        for seen in self.by_id.values():
            seen.used = used_of(seen.meter, seen.room.tariff, self.prices)

    # --- steps ---

    def left_nano(self, account: str, at: datetime) -> int:
        self._newest_us = micros(at)
        left = super().left_nano(account, at)
        used = [seen.used for seen in self.rooms[account]]
        energies = [each.energy for each in used if isinstance(each, SteppedUsed)]
        return left - added_nano(self.prices, self.rooms[account][0].room.tariff, energies) if energies else left

    def slack_nano(self, account: str) -> int:
        near = stepped.slack_nano(self.prices, self.rooms[account], self._newest_us)
        return super().slack_nano(account) + near + sum(map(self._by_its_own_table, self.rooms[account]))

    def _by_its_own_table(self, seen: Seen) -> int:
        """Until its first midnight a meter whose own time table is not the price's is billed by its registers, and all
        its use is flat (R28)."""
        if seen.room.tariff != "tou" or seen.meter.own_hours or seen.meter.slave:
            return 0
        if seen.meter.id not in self._first_days:
            begins, wall = micros(self.plan.start), self.plan.start.astimezone(self.hours.zone)
            midnight = micros(at_wall(wall.date() + timedelta(days=1), 0, self.hours.zone))
            flat = self.prices.newest("tou")["flat"]
            apart = sum(
                abs(micro - flat) * load_of(seen.meter, self.hours.zone).energy_wus(since, until)
                for since, until, micro in self.prices.pieces("tou", begins, midnight)
            )
            self._first_days[seen.meter.id] = apart * seen.meter.multiplier // WUS_PER_WH
        return self._first_days[seen.meter.id]

    def _known_steps_nano(self, account: str) -> int:
        """What the steps cost at most by what the meters have told; untold use climbs none."""
        seens = self.rooms[account]
        told = [each.used.told_energy[:1] for each in seens if isinstance(each.used, SteppedUsed)]
        if not told:
            return 0
        added = added_nano(self.prices, seens[0].room.tariff, [each for one in told for each in one])
        unsaid_wh = sum(seen.unsaid_nano for seen in seens) // min(self.prices.newest(seens[0].room.tariff).values())
        highest = max(micro for _, micro in self.prices.steps[seens[0].room.tariff].bounds)
        return max(added - unsaid_wh * highest, 0)

    def pays(self, account: str, fen: int, at: datetime) -> int:
        """A payment was confirmed: what was lent is repaid first, the rest is the tenant's. Returns fen repaid."""
        repaid = min(self.lent_nano[account], fen * NANO_PER_FEN)
        self.lent_nano[account] -= repaid
        self.given(account, fen - repaid // NANO_PER_FEN, at)
        return repaid // NANO_PER_FEN

    def given(self, account: str, fen: int, at: datetime) -> None:
        """A tenant has so much more, by whatever act; a payment that only repaid what was lent ends no episode."""
        if fen > 0 and self.rooms.get(account):
            self.payment(account, fen, at)

    def took(self, account: str, fen: int, owed_again_fen: int = 0) -> None:
        """A tenant has so much less."""
        self.paid[account] -= fen * NANO_PER_FEN
        self.lent_nano[account] += owed_again_fen * NANO_PER_FEN

    def lends(self, account: str, fen: int, at: datetime) -> None:
        self.lent_nano[account] += fen * NANO_PER_FEN
        self.given(account, fen, at)

    # --- a Modbus line ---

    def asks(self, frame: bytes, at: datetime, mono: float) -> None:
        if frame[:1] not in self.meters:
            super().asks(frame, at, mono)
        elif (asked := modbus_wire.question(frame)) is not None and asked.order == TRIP:
            self._trip(self.meters[frame[:1]], at, mono)
        elif asked is not None and asked.order == DIRECT:
            self._close(self.meters[frame[:1]], at)

    def answers(self, frame: bytes, reply: bytes, at: datetime, mono: float) -> None:
        if frame[:1] not in self.meters:
            super().answers(frame, reply, at, mono)
            self._twins_moved(frame, at)
            return
        seen, asked = self.meters[frame[:1]], modbus_wire.question(frame)
        if asked is None:
            return
        if asked.order is not None:
            self.moved(seen, at)
        for item, word in modbus_wire.told(asked, reply).items():
            self._told(seen, item, word, at, mono)

    def _twins_moved(self, frame: bytes, at: datetime) -> None:
        """An order moves every contact whose meter has that address, also one that was given it by mistake."""
        asked = opened(frame)
        if asked is not None and asked[1] == CONTROL:
            for each in self.by_id.values():
                if not each.meter.slave and each.device.wire == asked[0]:  # type: ignore[attr-defined]
                    self.moved(each, at)
                    if each.device.relay.permitted:  # type: ignore[attr-defined]
                        for told in self.permitted:
                            told(each)

    def was_told(self, account: str, sent_mono: float) -> None:
        """A person has told the tenant of the warning; there is no lamp, or nobody looked at it."""
        for seen in self.rooms[account]:
            if seen.lit_s is None:
                seen.ordered, seen.lit_s = True, self.powered_s(sent_mono)
                for each in self.lit:
                    each(seen)

    # --- tenants who come and go ---

    def moves_out(self, account: str, at: datetime) -> None:
        """What is used from now on is nobody's, and nobody's warning counts any more."""
        for seen in self.rooms[account]:
            seen.used.until(at)
            seen.vacant, seen.ordered, seen.lit_s = True, False, None

    def moves_in(self, room: Room, seens: list[Seen]) -> None:
        """A tenant without money: what is used from the next reading on is theirs."""
        self.paid[room.account] = self.lent_nano[room.account] = 0
        for seen in seens:
            self.rooms[seen.room.account] = []
            stood, flowing = seen.used.stands is not None, seen.used.flowing
            seen.room, seen.used = room, used_of(seen.meter, room.tariff, self.prices)
            seen.used.flowing, seen.used.stands = flowing, 0 if stood else None
            seen.slack_nano = seen.unsaid_nano = 0
            seen.guessed_days.clear()
            seen.vacant, seen.unopened, seen.unsure_until = False, True, None
        self.rooms[room.account] = seens

    def opened(self, seen: Seen, at: datetime) -> None:
        """The first register stands: what was used before it was charged to nobody (R19). It may be the very reading
        after which somebody moved in, and no other one comes for a round."""
        seen.unopened = False
        seen.used.since_us = micros(at) if seen.used.since_us is None else seen.used.since_us
        seen.unsaid_nano += seen.used.until(at)

    def _known_nano(self, account: str) -> int:
        if any(seen.unopened for seen in self.rooms[account]):
            return self.paid[account] + self.slack_nano(account)
        return super()._known_nano(account) - self._known_steps_nano(account)

    def _trip(self, seen: Seen, at: datetime, mono: float) -> None:
        if seen.vacant and not seen.held:
            self._violated("R33", seen, at, "nobody lives there, and it is cut")
        super()._trip(seen, at, mono)

    def _close(self, seen: Seen, at: datetime) -> None:
        if seen.vacant and seen.cut and not seen.cause and not seen.held:
            self._violated("R5", seen, at, "nobody lives there and no person asked, and it is closed")
        super()._close(seen, at)
