"""A tenant moves in while the book runs (R19, R32, R33): one proposes, another approves, only then an account begins.

Its meters are then read twice, and it is charged from there; what they counted without a tenant stays nobody's. Every
rule is looked at twice, as with the acts with money: when it is proposed and when it is approved.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from bridge.contract.request import Request
from bridge.contract.site_payers import FIELDS, categories_of
from bridge.contract.site_prices import HOUSEHOLD, SHOP, is_household
from bridge.contract.tenancy_requests import ApproveMoveIn, MoveIn, RejectMoveIn
from bridge.contract.units import instant_exact, wall_time
from edge.accounts import POLICY
from edge.asked import Answer, Asked, Refusal
from edge.billing.tariff import Version, in_force, version_of
from edge.close_way import all_have_buttons
from edge.core import Core, Draft
from edge.install import lacking
from edge.pricing import ENERGY, WATER
from edge.proposals import THREE_DAYS, Proposals
from edge.state import MeterState

log = logging.getLogger("riser.requests")

WHAT = "move-in"
"""Its kind among the proposals."""

PEOPLE = "people"
"""Who an account is by that people opened; one that came with an empty book is by the site file."""

Words = dict[str, Any]


class Tenancies:
    """The operations `move-in`, `approve-move-in` and `reject-move-in`."""

    def __init__(self, core: Core, proposals: Proposals, answer: Answer):
        self._core, self._proposals, self._answer = core, proposals, answer

    def move_in(self, asked: Asked, body: MoveIn) -> None:
        words = body.model_dump(exclude=set(Request.model_fields))
        self._possible(words)
        told = {"account": body.account, "meters": body.meters}
        self._proposals.propose(asked, WHAT, words, THREE_DAYS, **told)

    def approve_move_in(self, asked: Asked, body: ApproveMoveIn) -> None:
        """The decision, the account and what holds its meters open, in one transaction."""
        core, proposal = self._core, self._proposals.decidable(asked, body.proposal, WHAT)
        if not core.book.trusted:
            raise Refusal("R25", "the clock is not trusted, so nobody can tell when this tenancy would begin")
        words = proposal.body
        self._possible(words, proposal.id)
        account = words["account"]
        fields = {
            **words, "since": instant_exact(core.now()), "by": PEOPLE, "who": proposal.who, "role": proposal.role,
            "approved_by": asked.body.who, "proposal": proposal.id,
        }  # fmt: skip
        data = {"proposal": proposal.id, "approved": True, "account": account, "seq": core.book.seq + 2}
        answer: dict[str, Any] = {"status": "done", "data": data}
        core.append(
            self._proposals.decision(asked, proposal, True, answer, body.why),
            ("account/1", f"account:{account}", fields),
            *self._held_open(account, words["meters"]),
        )
        self._answer(asked, **answer)
        core.changed("proposals")
        log.info("account %s moved in by %s, approved by %s", account, proposal.who, asked.body.who)

    def reject_move_in(self, asked: Asked, body: RejectMoveIn) -> None:
        self._proposals.reject(asked, body.proposal, WHAT, body.why)

    def _held_open(self, account: str, meters: list[str]) -> list[Draft]:
        """A meter that the last tenant left cut off stays off until the new one has paid (R5, R6): the reason is theirs
        from now on, and no episode of somebody else's arrears."""
        why = f"account {account} has moved in and has not paid yet"
        told = {"account": account, "hold": "arrears", "set": True, "why": why, **POLICY}
        cut = (id for id in meters if "arrears" in self._core.state.meters[id].holds)
        return [("hold/1", f"moved-in:{account}:{id}", {"meter": id, **told}) for id in cut]

    # --- what is refused ---

    def _possible(self, words: Words, own: str | None = None) -> None:
        """Raises Refusal for a tenancy that cannot begin as things stand. `own` is the proposal that is looked at."""
        core, account = self._core, words["account"]
        if account in core.state.accounts:
            raise Refusal("R10", f"account {account} had a tenancy here, and an id is used once; give a new one")
        for other in self._proposals.waiting(WHAT):
            if other.id != own and other.body["account"] == account:
                raise Refusal("R32", f"proposal {other.id} about account {account} waits for a decision; "
                              "decide it first")  # fmt: skip
        seen: set[str] = set()
        for id in words["meters"]:
            if id in seen:
                raise Refusal("R7", f"meter {id} is named twice")
            seen.add(id)
            self._free(id, own, words.get("close"))
        self._payable(words)

    def _free(self, id: str, own: str | None, close: str | None) -> None:
        """Raises Refusal for a meter that nobody can move into now."""
        if (meter := self._core.state.meters.get(id)) is None:
            raise Refusal("R7", f"there is no meter {id[:32]!r} on this gateway")
        if meter.account is not None:
            raise Refusal("R33", f"meter {id} is account {meter.account}'s; settle that tenancy first")
        if meter.quarantined is not None:
            raise Refusal("I15", f"a reading of meter {id} is set aside; release it first")
        moving = (each.id for each in self._proposals.waiting(WHAT) if each.id != own and id in each.body["meters"])
        if (waits := meter.changing or next(moving, None)) is not None:
            raise Refusal("R32", f"proposal {waits} about meter {id} waits for a decision; decide it first")
        kind = self._core.lives[id].model
        if close == "permit" and meter.row["relay"] != "none":
            all_have_buttons(self._core, [meter])
        if kind.purse and meter.row.get("purse") != "off":
            raise Refusal("R14", f"meter {id} keeps a balance of its own, and nobody is billed twice; "
                          "nobody is charged for it here")  # fmt: skip

    def _payable(self, words: Words) -> None:
        """Raises Refusal for prices and a category by which this account or one of its meters cannot be charged."""
        core, now = self._core, self._core.now()
        priced = {unit: self._counting(words[name], unit, now) for name, unit in FIELDS.items() if words[name]}
        for id in words["meters"]:
            meter = core.state.meters[id]
            unit = core.balances.unit(meter)
            if unit not in priced and unit == WATER:
                raise Refusal("R27", f"meter {id} has no price; give the account a water_tariff, a price per m3")
            if unit not in priced:
                raise Refusal("R27", f"meter {id} has no price; give the account a tariff, a price per kWh")
            self._told_apart(meter, priced[unit] if unit == ENERGY else [])
        if any(each.steps for versions in priced.values() for each in versions) and not is_household(words):
            raise Refusal("R29", f"account {words['account']} is no household, and steps are for households only")
        known = {HOUSEHOLD, SHOP} | categories_of(each[-1] for each in core.state.tariffs.values())
        if (category := words["category"]) is not None and category not in known:
            raise Refusal("R7", f"no surcharge is for category {category}; there are {', '.join(sorted(known))}")

    def _counting(self, id: str, unit: str, now: datetime) -> list[Version]:
        """The version of a tariff that is in force, and those that begin later. Raises Refusal."""
        versions = [version_of(fields) for fields in self._core.state.tariffs.get(id, ())]
        if not versions:
            raise Refusal("R27", f"there is no tariff {id!r} on this gateway")
        if versions[0].unit != unit:
            raise Refusal("R27", f"tariff {id} is a price per {versions[0].unit}, and one per {unit} is wanted")
        first = in_force(versions, now)
        if first.effective_at > now:
            raise Refusal("R27", f"tariff {id} begins at {wall_time(first.effective_at, self._core.terms.zone)}; "
                          "a tenant moves in when it has begun")  # fmt: skip
        return [first, *(each for each in versions if each.effective_at > now)]

    def _told_apart(self, meter: MeterState, versions: list[Version]) -> None:
        """R28, as for a price that is proposed: registers per rate, and one of them missing."""
        kind = self._core.lives[meter.id].model
        for version in versions:
            if version.by_hours and (missing := lacking(kind.rates, version.prices_micro)):
                raise Refusal("R28", f"meter {meter.id} keeps registers per rate and none for {', '.join(missing)}, "
                              f"which tariff {version.tariff} has; give it another price")  # fmt: skip
