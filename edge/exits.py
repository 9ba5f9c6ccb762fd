"""The last charges of a tenancy (R33): each meter to its final reading, the fee of the day, and the day closed.

A final reading is the newest one that was accepted, fresh and beyond doubt; whoever settles reads the meters first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bridge.contract.entries import CHARGES
from bridge.contract.units import instant_exact, instant_text, micros_of
from edge.billing.money import Forbidden
from edge.closing import Closing, closing_of
from edge.core import Core, Draft
from edge.state import AccountState, MeterState


class Exits:
    """Works out the end of tenancies; writes nothing but an alarm about a meter that cannot be charged."""

    def __init__(self, core: Core, closing: Closing):
        self._core, self._closing = core, closing

    def final(self, account: AccountState) -> tuple[list[Draft], int]:
        """The entries that bring an account to its end, and the posted balance with them. Raises Forbidden."""
        core = self._core
        if core.state.recovering is not None:  # A settled account takes no money any more.
            raise Forbidden("I5", "payments of after the backup may be missing still; settle when the book is complete")
        if not core.book.trusted:
            raise Forbidden("R25", "the clock is not trusted, so a final reading has no time; settle when it is")
        today = core.now().astimezone(core.terms.zone).date()
        through = account.closed_through or self._closing.day_before(account)
        if (day := through + timedelta(days=1)) < today:
            raise Forbidden("R33", f"{day} is not closed yet; settle when it is")
        meters = [core.state.meters[id] for id in account.meters]
        readings = [(meter, self._mark(meter, core.now())) for meter in meters]
        drafts: list[Draft] = []
        posted, counters = core.state.posted_nano(account.id), dict(account.counters)
        for meter, mark in readings:
            draft = self._closing.charge(account, meter, today, mark, posted, counters)
            if draft is None or draft[0] not in CHARGES:
                if draft is not None and core.book.find(draft[1]) is None:
                    core.append(draft)  # The alarm; it stands by itself, whatever becomes of the exit.
                raise Forbidden("R33", f"meter {meter.id} cannot be charged to its final reading; its alarm says why")
            kind, _, fields = draft
            drafts.append((kind, f"charge:{meter.id}:exit:{account.id}", fields))
            posted = fields["balance_after_nano"]
        fees = list(self._closing.fees(account, today, posted))
        posted = fees[-1][2]["balance_after_nano"] if fees else posted
        charges, fee_ids = [id for _, id, _ in drafts], [id for _, id, _ in fees]
        charges = [*account.open_charges, *charges]
        return [*drafts, *fees, closing_of(account, today, charges, fee_ids, [], posted)], posted

    def _mark(self, meter: MeterState, now: datetime) -> dict[str, Any]:
        """The final reading of a meter, as a charge's end. Raises Forbidden."""
        live = self._core.lives[meter.id]
        sample = live.sample
        if meter.changing is not None:
            waits = f"proposal {meter.changing} about meter {meter.id} waits for a decision; decide it first"
            raise Forbidden("R33", waits)
        if meter.quarantined is not None:
            raise Forbidden("I15", f"a reading of meter {meter.id} is set aside; release it first")
        age_s = live.read_age_s(now)
        fresh = age_s is not None and 0 <= age_s <= self._core.terms.stale_s and live.quality == "good"
        if sample is None or not fresh or meter.billed is None or micros_of(sample.read_at) <= meter.billed.at:
            raise Forbidden("R33", f"meter {meter.id} has no fresh final reading; read it now and settle then")
        return {
            "registers_wh": sample.registers_wh,
            "at": instant_exact(sample.read_at),
            "read_at": instant_text(sample.read_at),
            "source": "read",
            "frames": [list(pair) for pair in sample.frames],
        }
