"""Acts with money that two people do: one proposes, another approves, and only then anything moves (R12, R32, R33).

Every rule is looked at twice: when it is proposed, so that a hopeless proposal is refused at once, and again when it
is approved. The approval and the act are written in one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.contract import money_messages as m
from bridge.contract.request import Request
from bridge.contract.units import NANO_PER_FEN
from edge.asked import Asked, Refusal
from edge.billing import money
from edge.billing.money import Moves, Standing
from edge.core import Draft
from edge.corrected_reading import CorrectedReading
from edge.money_acts import MoneyActs
from edge.proposals import HALF_A_DAY, THREE_DAYS, Proposals
from edge.standing import receipt_of, standing_of
from edge.state import AccountState, Proposal

log = logging.getLogger("riser.requests")

AGREED = ("refund", "compensate", "deduct", "correct", "correct-reading", "bring", "defer", "settle",
          "approve-money", "reject-money")  # fmt: skip
"""The operations here."""

Words = dict[str, Any]

ASKING = frozenset(Request.model_fields)
"""Who asks and when: of the request, not of the act."""

Final = Callable[[AccountState], tuple[list[Draft], int]]
"""The last charges of a tenancy, not yet written, and the balance with them."""


@dataclass
class Plan:
    """What an act would write: `first` the entries before it, `more` its fields beside the words of its request."""

    kind: str
    standing: Standing
    moves: Moves
    first: list[Draft] = field(default_factory=list)
    more: Words = field(default_factory=dict)
    taker: Standing | None = None


class AgreedMoney:
    """One method for each operation that waits for a second person, and those that decide."""

    def __init__(self, acts: MoneyActs, proposals: Proposals):
        self._acts, self._core, self._proposals = acts, acts.core, proposals
        self.final: Final
        self._corrected = CorrectedReading(self._core)
        self._plans: dict[str, Callable[[Standing, AccountState, Words], Plan]] = {
            "refund": self._refund, "compensate": self._compensate, "deduct": self._deduct, "correct": self._correct,
            "correct-reading": self._correct_reading,
            "bring": self._bring, "defer": self._defer, "settle": self._settle,
        }  # fmt: skip

    # --- proposing ---

    def _propose(self, asked: Asked, body: Request) -> None:
        words = body.model_dump(exclude=set(ASKING))
        self._plan(asked.operation, words)
        within = THREE_DAYS if asked.operation in ("bring", "settle") else HALF_A_DAY
        self._proposals.propose(asked, asked.operation, words, within, account=words["account"])

    refund = compensate = deduct = correct = correct_reading = bring = defer = settle = _propose

    # --- deciding ---

    def approve_money(self, asked: Asked, body: m.ApproveMoney) -> None:
        """Carry out what was proposed, if every rule still allows it now."""
        core, proposal = self._core, self._proposals.decidable(asked, body.proposal, self._what(body.proposal))
        plan = self._plan(proposal.what, proposal.body)
        seq = core.book.seq + 2 + len(plan.first)  # After the decision and what comes first.
        act = self._draft(plan, proposal, asked, receipt_of(core, seq))
        fields = act[2]
        data: dict[str, Any] = {
            "proposal": proposal.id, "approved": True, "seq": seq, "receipt": fields["receipt"],
            "balance_nano": fields["balance_after_nano"], "account": fields["account"],
        }  # fmt: skip
        data |= {key: fields[key] for key in ("amount_fen", "amount_nano") if key in fields}
        answer: dict[str, Any] = {"status": "done", "data": data}
        decision = self._proposals.decision(asked, proposal, True, answer, body.why)
        core.append(decision, *plan.first, act)
        self._acts.answer(asked, **answer)
        core.changed("proposals")
        log.info("%s: %s of %s, approved by %s", act[1], act[0], proposal.who, asked.body.who)
        for standing in (plan.standing, plan.taker):
            if standing is not None:
                self._acts.look(core.state.accounts[standing.account])

    def reject_money(self, asked: Asked, body: m.RejectMoney) -> None:
        self._proposals.reject(asked, body.proposal, self._what(body.proposal), body.why)

    def _what(self, id: str) -> str:
        """The kind of a proposal about money."""
        proposal = self._core.state.proposals.get(id)
        if proposal is None or proposal.what not in self._plans:
            raise Refusal("R32", f"there is no proposal {id[:32]!r} of this kind on this gateway")
        return proposal.what

    def _draft(self, plan: Plan, proposal: Proposal, asked: Asked, receipt: str) -> Draft:
        name = plan.kind.partition("/")[0]
        id = f"{name}:{plan.standing.account}" if plan.kind == "opening-balance/1" else f"{name}:{proposal.id}"
        signed = {"who": proposal.who, "role": proposal.role, "approved_by": asked.body.who, "proposal": proposal.id}
        balance = {"receipt": receipt, "moves": plan.moves, "balance_after_nano": plan.standing.after(plan.moves)}
        return plan.kind, id, {**proposal.body, **plan.more, **balance, **signed}

    # --- what each would do ---

    def _plan(self, what: str, words: Words) -> Plan:
        """What an act would write as things stand now. Raises Forbidden or Refusal, and has changed nothing then."""
        account = self._acts.account(words["account"])
        plan = self._plans[what](standing_of(self._core, account), account, words)
        plan.standing.after(plan.moves)
        return plan

    def _refund(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        return Plan("refund/1", standing, money.refund(standing, words["method"], _nano(words)))

    def _compensate(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        money.explained(words["reason"], words["why"])
        return Plan("compensation/1", standing, money.compensation(standing, _nano(words)))

    def _deduct(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        money.explained(words["reason"], words["why"])
        moves = money.deduction(standing, _nano(words), words["consent"], self._core.terms.limits)
        return Plan("deduction/1", standing, moves)

    def _correct(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        taker = standing_of(self._core, self._acts.account(words["to_account"]))
        moves = money.correction(standing, taker, _nano(words), self._core.terms.limits)
        more = {"to_balance_after_nano": taker.after(moves)}
        return Plan("correction/1", standing, moves, more=more, taker=taker)

    def _correct_reading(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        fields = self._corrected.fields(account, words)
        return Plan("reading-correction/1", standing, fields["moves"], more=fields)

    def _bring(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        moves = money.opening(standing, _nano(words), account.purse.brought_in)
        return Plan("opening-balance/1", standing, moves, more={"by": "people"})

    def _defer(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        return Plan("debt/1", standing, money.defer(standing, _nano(words)))

    def _settle(self, standing: Standing, account: AccountState, words: Words) -> Plan:
        money.open_to_money(standing)
        first, posted_nano = self.final(account)
        moves = money.settle(standing, posted_nano, words["method"])
        refunded = sum(each["amount_nano"] for each in moves if each["to"] == money.TILL + words["method"])
        residue = sum(each["amount_nano"] for each in moves if each["to"] == money.RESIDUE)
        residue -= sum(each["amount_nano"] for each in moves if each["from"] == money.RESIDUE)
        charges = [id for kind, id, _ in first if kind == "charge/2"]
        more = {
            "amount_fen": refunded // NANO_PER_FEN, "residue_nano": residue, "charges": charges,
            "meters": list(account.meters),
        }  # fmt: skip
        return Plan("exit/1", standing_after(standing, posted_nano), moves, first, more)


def standing_after(standing: Standing, posted_nano: int) -> Standing:
    """The same tenant once the final charges stand."""
    return replace(standing, posted_nano=posted_nano, available_nano=posted_nano)


def _nano(words: Words) -> int:
    return int(words["amount_fen"]) * NANO_PER_FEN
