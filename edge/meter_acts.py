"""A meter replaced, a multiplier changed (R22, R23): the meter is read twice, one proposes, another one approves (R32).

The proposal holds the readings, so what is approved hours later counts from the moment of the proposal, and nothing
between is lost. Until it is decided no day of the account is closed and nobody is cut on it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from bridge.contract import meter_requests as r
from bridge.contract.units import micros_of
from edge.asked import Answer, Asked, Refusal, instant_asked
from edge.billing.money import Forbidden
from edge.core import Core, Draft
from edge.fold_meters import CHANGES
from edge.meter_plans import Fields, MeterPlans, stood
from edge.proposals import HALF_A_DAY, Proposals
from edge.state import MeterState, Proposal
from edge.two_reads import Found, TwoReads

log = logging.getLogger("riser.requests")


class MeterActs:
    """One method for each operation."""

    def __init__(self, core: Core, proposals: Proposals, answer: Answer):
        self._core, self._proposals, self._answer = core, proposals, answer
        self._reading: dict[str, Asked] = {}  # by meter, whose readings are on their way
        self.plans: MeterPlans
        self.refuse: Callable[[Asked, Refusal | Forbidden], None]

    # --- proposing ---

    def replace_meter(self, asked: Asked, body: r.ReplaceMeter) -> None:
        if not (meter := self._meter(asked, body.meter)):
            return
        row = self.plans.row(meter, body.model, body.address, body.serial)
        if body.removed_at is not None:
            instant_asked("removed_at", body.removed_at)
        if body.closing is not None:  # Before the line is troubled: what cannot be is refused at once.
            self.plans.displayed(meter, body.closing, body.removed_at, micros_of(self._core.now()))
        self._read(asked, meter, row, lambda found: self._replacement(meter, body, row, found))

    def _replacement(self, meter: MeterState, body: r.ReplaceMeter, row: Fields, found: Found) -> tuple[Fields, Fields]:
        if body.serial is not None and found.serial not in (None, body.serial):
            raise Refusal("R22", f"the meter at {row['address']} says it is {found.serial}, and {body.serial} is on "
                          "the plate; look at the address")  # fmt: skip
        if found.serial is not None and found.serial == meter.serial:
            raise Refusal("R22", f"the meter at {row['address']} says it is {found.serial}, which is the old one; "
                          "take that off the line first")  # fmt: skip
        before = micros_of(found.sample.read_at)
        if body.closing is None:
            removed = before if body.removed_at is None else micros_of(instant_asked("removed_at", body.removed_at))
            last = self.plans.last(meter, min(before, removed))
        else:
            last = self.plans.displayed(meter, body.closing, body.removed_at, before)
        mark, serial = found.mark("opening"), found.serial or body.serial
        kept = {
            "meter": meter.id, "row": row | {"serial": serial}, "serial": serial, "last": last, "mark": mark,
            "serial_frames": found.serial_frames, "stood": stood(meter), "papers": body.papers, "why": body.why,
        }  # fmt: skip
        told = {"opening": mark["registers_wh"], "serial": serial}
        return kept, told | ({"closing": last["registers_wh"], "closing_source": last["source"]} if last else {})

    def change_multiplier(self, asked: Asked, body: r.ChangeMultiplier) -> None:
        if not (meter := self._meter(asked, body.meter)):
            return
        if body.multiplier == meter.multiplier:
            raise Refusal("R23", f"the multiplier of meter {meter.id} is {meter.multiplier} already")
        if meter.quarantined is not None:
            raise Refusal("I15", f"a reading of meter {meter.id} is set aside; release it first")
        self._read(asked, meter, meter.row, lambda found: self._ratio(meter, body, found))

    def _ratio(self, meter: MeterState, body: r.ChangeMultiplier, found: Found) -> tuple[Fields, Fields]:
        if found.serial is not None and meter.serial not in (None, found.serial):
            raise Refusal("R23", f"it says it is {found.serial}, {meter.serial} is meant")
        mark = found.mark("read")
        self.plans.follows(meter, mark)
        kept = {
            "meter": meter.id, "multiplier": body.multiplier, "mark": mark, "stood": stood(meter),
            "papers": body.papers, "why": body.why,
        }  # fmt: skip
        return kept, {"register_wh": mark["registers_wh"]["total"], "multiplier": body.multiplier}

    def _meter(self, asked: Asked, id: str) -> MeterState | None:
        """The meter of a proposal that may be made now; None where it is being read for it already. Raises Refusal."""
        if (meter := self._core.state.meters.get(id)) is None:
            raise Refusal("R7", f"there is no meter {id[:32]!r} on this gateway")
        if not self._core.book.trusted:
            raise Refusal("R25", "the clock is not trusted, so nobody can tell when the day is divided")
        if (busy := self._reading.get(id)) is not None:
            if (busy.id, busy.sha256) != (asked.id, asked.sha256):
                raise Refusal("R22", f"meter {id} is being read for another request; ask again in a minute")
            self._answer(asked, "accepted")
            return None
        if meter.changing is not None:
            raise Refusal("R22", f"proposal {meter.changing} about meter {id} waits for a decision; decide it first")
        return meter

    def _read(
        self, asked: Asked, meter: MeterState, row: Fields, plan: Callable[[Found], tuple[Fields, Fields]]
    ) -> None:
        self._reading[meter.id] = asked
        self._answer(asked, "accepted")
        TwoReads(self._core, meter, row, lambda found: self._was_read(asked, meter, plan, found)).begin()

    def _was_read(
        self, asked: Asked, meter: MeterState, plan: Callable[[Found], tuple[Fields, Fields]], found: Found | str
    ) -> None:
        """Propose what was read. What failed is not written down, so the same request may be made again."""
        core = self._core
        del self._reading[meter.id]
        if isinstance(found, str) or core.cannot_write is not None:
            full = f"{core.cannot_write}; nothing was booked or done. Ask again later"
            self._answer(asked, "failed", rule="R22", error=found if isinstance(found, str) else full)
            return
        try:
            kept, told = plan(found)
            signed = {"who": asked.body.who, "role": asked.body.role, "proposal": "?"}
            self.plans.drafts(asked.operation, kept, signed)  # What could not be approved is not proposed.
            self._proposals.propose(asked, asked.operation, kept, HALF_A_DAY, meter=meter.id, **told)
        except (Refusal, Forbidden) as refusal:
            self.refuse(asked, refusal)
            return
        log.info("meter %s: %s proposed by %s", meter.id, asked.operation, asked.body.who)
        core.changed("relay", meter.id)

    # --- deciding ---

    def approve_meter(self, asked: Asked, body: r.ApproveMeter) -> None:
        """Everything in one transaction: the decision, the charge, and what counts from then on."""
        core, proposal = self._core, self._decidable(asked, body.proposal)
        meter = core.state.meters[proposal.body["meter"]]
        signed = {
            "who": proposal.who, "role": proposal.role, "approved_by": asked.body.who, "proposal": proposal.id,
        }  # fmt: skip
        drafts: list[Draft] = self.plans.drafts(proposal.what, proposal.body, signed)
        data = {"proposal": proposal.id, "approved": True, "meter": meter.id, "seq": core.book.seq + 1 + len(drafts)}
        answer: dict[str, Any] = {"status": "done", "data": data}
        core.append(self._proposals.decision(asked, proposal, True, answer, body.why), *drafts)
        self._answer(asked, **answer)
        core.changed("proposals")
        log.info("meter %s: %s of %s, approved by %s", meter.id, proposal.what, proposal.who, asked.body.who)

    def reject_meter(self, asked: Asked, body: r.RejectMeter) -> None:
        self._proposals.reject(asked, body.proposal, self._what(body.proposal), body.why)

    def _decidable(self, asked: Asked, id: str) -> Proposal:
        return self._proposals.decidable(asked, id, self._what(id))

    def _what(self, id: str) -> str:
        """The kind of a proposal about a meter. Raises Refusal."""
        proposal = self._core.state.proposals.get(id)
        if proposal is None or proposal.what not in CHANGES:
            raise Refusal("R32", f"there is no proposal {id[:32]!r} of this kind on this gateway")
        return proposal.what
