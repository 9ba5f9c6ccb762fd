"""Maker and checker (R32): who proposes does not approve, whatever their role; a deadline ends what nobody decides.

A proposal is an entry that does nothing. A decision is one too, written in one transaction with what it brings about:

    proposal = proposals.decidable(asked, body.proposal, "price")         raises Refusal
    core.append(proposals.decision(asked, proposal, True, answer), ("tariff/2", ...))
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from bridge.contract.people import same_person
from bridge.contract.units import instant_exact, instant_of_micros, instant_text, micros_of, wall_time
from edge.asked import Answer, Asked, Refusal
from edge.core import Core, Draft
from edge.state import Proposal

log = logging.getLogger("riser.requests")

HALF_A_DAY, THREE_DAYS = timedelta(hours=12), timedelta(days=3)
"""How long a proposal may wait: what concerns one tenant's money, and what can be planned."""

OPEN_AT_MOST = 500
"""Proposals that wait for a decision; more is a program that asks in a circle."""

GATEWAY = "policy"
"""Decides, without a role, what nobody else has decided in time."""


class Proposals:
    """Everything that waits for a second person on one edge."""

    def __init__(self, core: Core, answer: Answer):
        self._core, self._answer = core, answer

    def waiting(self, what: str | None = None) -> list[Proposal]:
        """Those that nobody has decided, the oldest first; only of one kind where `what` names it."""
        open_now = (each for each in self._core.state.proposals.values() if each.decision is None)
        return [each for each in open_now if what in (None, each.what)]

    def propose(self, asked: Asked, what: str, body: dict[str, Any], within: timedelta, **data: Any) -> str:
        """Write a proposal down and answer with its id, its deadline and `data`. `body` is all that approving needs.

        Raises Refusal while no deadline can be told.
        """
        core = self._core
        if not core.book.trusted:
            raise Refusal("R25", "the clock is not trusted, so no deadline can be set; propose it again when it is")
        if len(self.waiting()) >= OPEN_AT_MOST:
            raise Refusal("R32", f"{OPEN_AT_MOST} proposals wait for a decision already; decide some of them first")
        id, until = f"p-{core.book.seq + 1}", core.now() + within
        answer: dict[str, Any] = {"status": "done", "data": {"proposal": id, "until": instant_text(until), **data}}
        fields = {"proposal": id, "what": what, "body": body, "until": instant_exact(until), **asked.written(answer)}
        core.append(("proposal/1", asked.id, fields))
        self._answer(asked, **answer)
        core.changed("proposals")
        return id

    def decidable(self, asked: Asked, id: str, what: str, approving: bool = True) -> Proposal:
        """The proposal that the asker may decide now. Its maker may take it back and never approve it. Raises
        Refusal."""
        proposal = self._core.state.proposals.get(id)
        if proposal is None or proposal.what != what:
            raise Refusal("R32", f"there is no proposal {id[:32]!r} of this kind on this gateway")
        if (decision := proposal.decision) is not None:
            at = self._wall(decision.at)
            if decision.approved:
                raise Refusal("R32", f"proposal {id} was approved by {decision.who} at {at}; it stays so")
            raise Refusal("R32", f"proposal {id} was rejected by {decision.who} at {at}; propose it anew")
        if self._core.book.trusted and micros_of(self._core.now()) > proposal.until:
            raise Refusal("R32", f"proposal {id} was to be decided by {self._wall(proposal.until)}; propose it anew")
        if approving and same_person(asked.body.who, proposal.who):
            raise Refusal("R32", f"{proposal.who} has proposed this, and nobody approves their own; ask somebody else")
        if approving and asked.login is not None and asked.login == proposal.login:
            raise Refusal("R32", f"the user {proposal.login} of this machine has proposed this, whatever the name; "
                          "another user approves it here, or another person in the panel")  # fmt: skip
        return proposal

    def decision(
        self, asked: Asked, proposal: Proposal, approved: bool, answer: dict[str, Any], why: str = ""
    ) -> Draft:
        """The entry that decides; append it together with what it brings about, then answer."""
        fields = {"proposal": proposal.id, "approved": approved, "why": why, **asked.written(answer)}
        return "decision/1", asked.id, fields

    def reject(self, asked: Asked, id: str, what: str, why: str) -> None:
        """Say no, with a reason; nothing else happens, and the proposal stays in the book (R32). Raises Refusal."""
        proposal = self.decidable(asked, id, what, approving=False)
        answer: dict[str, Any] = {"status": "done", "data": {"proposal": id, "approved": False}}
        self._core.append(self.decision(asked, proposal, False, answer, why))
        self._answer(asked, **answer)
        self._core.changed("proposals")

    def tick(self) -> None:
        """End what nobody decided in time. A calendar that is not believed ends nothing."""
        core, waiting = self._core, self.waiting()
        if not waiting or not core.book.trusted:
            return
        now = micros_of(core.now())
        late = [each for each in waiting if each.until < now]
        for proposal in late:
            why = "nobody decided it in time"
            fields = {"proposal": proposal.id, "approved": False, "who": GATEWAY, "role": "", "why": why}
            core.append(("decision/1", f"decision:{proposal.id}", fields))
            log.warning("proposal %s (%s) of %s: %s", proposal.id, proposal.what, proposal.who, why)
        if late:
            core.changed("proposals")

    def _wall(self, micros: int) -> str:
        return wall_time(instant_of_micros(micros), self._core.terms.zone)
