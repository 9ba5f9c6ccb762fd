"""What two people agreed on: a proposal, its decision by another person in time, and an act that is what was proposed
(R32, I18)."""

from __future__ import annotations

from typing import Any

from bridge.contract.people import same_person
from bridge.contract.units import micros_of_text
from edge.audit.lie import Wrong, must
from edge.book import Entry
from edge.pricing import ENERGY
from edge.state import Proposal, State

Fields = dict[str, Any]

ASKED = {
    "refund/1": "refund", "compensation/1": "compensate", "deduction/1": "deduct", "correction/1": "correct",
    "reading-correction/1": "correct-reading", "debt/1": "defer", "exit/1": "settle", "opening-balance/1": "bring",
}  # fmt: skip
"""What each act was proposed as."""

PEOPLE = "people"

BEGINS_WITHIN_US = 60_000_000
"""A tenancy begins when it is approved: its entry is written within moments, on a slow disk too."""


class Agreed:
    """The proposals of one book, against its state so far."""

    def __init__(self, state: State):
        self._state = state

    def proposed(self, entry: Entry, fields: Fields) -> None:
        must(fields["proposal"], f"p-{entry.seq}", "its proposal")

    def decided(self, entry: Entry, fields: Fields) -> None:
        """Raises Wrong."""
        proposal = self._proposal(fields)
        if proposal.decision is not None:
            raise Wrong(f"{proposal.id} was decided by entry {proposal.decision.seq}", "one decision")
        if fields["approved"] and same_person(fields["who"], proposal.who):
            raise Wrong(f"{fields['who']} made and approved it (I18)", "two people")
        if fields["approved"] and proposal.login is not None and fields["request"].get("login") == proposal.login:
            raise Wrong(f"the user {proposal.login} of one machine made and approved it (I18)", "two people")
        if fields["approved"] and entry.trusted and entry.at > proposal.until:
            raise Wrong(f"{proposal.id} was approved too late (R32)", "a decision in time")

    def act(self, kind: str, fields: Fields) -> None:
        """Money that two people move. Raises Wrong."""
        if kind == "opening-balance/1" and fields["by"] != PEOPLE:
            return  # It came with the site file.
        proposal = self._approved(fields, ASKED[kind])
        signed = proposal.who, proposal.role, proposal.decision.who  # type: ignore[union-attr]
        must((fields["who"], fields["role"], fields["approved_by"]), signed, "who made and approved it")
        self._as_proposed(proposal, {key: fields.get(key) for key in proposal.body})

    def tenancy(self, entry: Entry, fields: Fields) -> None:
        """An account that begins: a new id, and by people with meters that nobody has, as two agreed. Raises Wrong."""
        state, account = self._state, fields["account"]
        if account in state.accounts:
            raise Wrong(f"account {account} had a tenancy before", "a new account")
        if fields["by"] != PEOPLE:
            must("proposal" in fields, False, "that a proposal brought it")
            return  # It came with the site file, at the beginning.
        for id in fields["meters"]:
            if (owner := state.meters[id].account) is not None:
                raise Wrong(f"meter {id} is account {owner}'s", "a meter without a tenant")
        proposal = self._approved(fields, "move-in")
        signed = proposal.who, proposal.role, proposal.decision.who  # type: ignore[union-attr]
        must((fields["who"], fields["role"], fields["approved_by"]), signed, "who made and approved it")
        self._as_proposed(proposal, {key: fields.get(key) for key in proposal.body})
        if entry.trusted and abs(micros_of_text(fields["since"]) - entry.at) > BEGINS_WITHIN_US:
            raise Wrong(f"it begins at {fields['since']}", "the moment of its approval")

    def price(self, fields: Fields) -> None:
        """A version of a price, by people or by the site file. Raises Wrong."""
        known = self._state.tariffs.get(fields["tariff"], [])
        must(fields["version"], max((each["version"] for each in known), default=0) + 1, "its version")
        if known:
            must(fields.get("unit", ENERGY), known[-1].get("unit", ENERGY), "its unit")
        if "proposal" not in fields:
            return
        proposal = self._approved(fields, "price")
        signed = proposal.who, proposal.decision.who  # type: ignore[union-attr]
        must((fields["proposed_by"], fields["by"]), signed, "who proposed and approved it")
        body = proposal.body
        told = {**body, "price": {key: fields.get(key) for key in body["price"]}, "why": fields["why"]}
        self._as_proposed(proposal, told)
        if body["effective_at"] is not None:
            must(fields["effective_at"], body["effective_at"], "its effective_at")

    def _proposal(self, fields: Fields) -> Proposal:
        if (proposal := self._state.proposals.get(fields["proposal"])) is None:
            raise Wrong(f"there is no proposal {fields['proposal']!r}", "a proposal/1 before it")
        return proposal

    def _approved(self, fields: Fields, what: str) -> Proposal:
        """The proposal of an act: of its kind, and approved by the entry that stands just before what it brought."""
        proposal = self._proposal(fields)
        if proposal.what != what or proposal.decision is None or not proposal.decision.approved:
            raise Wrong(f"{proposal.id} is no approved proposal to {what} (R32)", "one that was approved")
        return proposal

    def _as_proposed(self, proposal: Proposal, told: Fields) -> None:
        for key, value in proposal.body.items():
            must(told[key], value, f"its {key}, by {proposal.id},")
