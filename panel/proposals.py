"""What waits for a second person at the counter, in words: what, whom, how much, papers, maker, until when (R32).

A body is shown as far as it is what it should be; what is not is left out and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bridge.contract.messages import REQUESTS, AccountRow, DecisionRow, ProposalRow, Proposals, Request
from bridge.contract.people import same_person
from bridge.contract.units import NANO_PER_FEN
from panel import moving_in
from panel.formats import yuan
from panel.guard import i_may, me
from panel.mirror import View
from panel.money_acts import ACTS, METHODS, REASONS, REGISTERS, act_title, told_label
from panel.moving_in import MOVE_IN
from panel.states import RATE_WORDS
from panel.words import t

SHOWN = frozenset({*ACTS, MOVE_IN})
"""Kinds of proposals that are decided at the counter."""

DECISIONS = {MOVE_IN: ("approve-move-in", "reject-move-in")}
"""Requests that approve and reject; acts with money share theirs."""


def decision_of(what: str, approve: bool) -> str:
    """The request that decides a proposal of this kind."""
    return DECISIONS.get(what, ("approve-money", "reject-money"))[0 if approve else 1]


def title_of(what: str) -> str:
    return t(moving_in.TITLE) if what == MOVE_IN else act_title(what)


def says_of(what: str) -> str:
    """What it does, in a sentence."""
    return t(moving_in.SAYS if what == MOVE_IN else ACTS[what].says)


@dataclass(frozen=True)
class Waiting:
    """A proposal as people see it. `mine` is true for its maker, who cannot approve it."""

    row: ProposalRow
    title: str
    account: str
    tenant: AccountRow | None
    amount_nano: int | None
    told: list[tuple[str, str]]
    mine: bool
    whole: bool
    """Its body is what its act needs, as the contract says."""

    @property
    def kind(self) -> str:
        """What it is, where its title says whom it is about."""
        return title_of(self.row.what)

    @property
    def opens(self) -> bool:
        """It opens an account and moves no money."""
        return self.row.what == MOVE_IN

    @property
    def amount(self) -> str | None:
        return None if self.amount_nano is None else yuan(self.amount_nano)


@dataclass(frozen=True)
class Decided:
    """What became of a proposal."""

    row: DecisionRow
    title: str
    tenant: AccountRow | None
    word: str
    good: bool


def waiting(view: View) -> list[Waiting]:
    """Every proposal about money or a tenancy, the soonest deadline first."""
    fact = view.get(Proposals)
    rows = [row for row in fact.proposals if row.what in SHOWN] if fact else []
    return [_waiting(view, row) for row in sorted(rows, key=lambda row: row.until)]


def waiting_of(view: View, account: str) -> list[Waiting]:
    """Those about one account."""
    return [each for each in waiting(view) if account in (each.account, each.row.body.get("to_account"))]


def waiting_for_me(view: View) -> int:
    """How many this person may decide now: their own are for somebody else."""
    return sum(not each.mine for each in waiting(view)) if i_may("approve-money") else 0


def decided(view: View) -> list[Decided]:
    """The newest decisions about money and tenancies."""
    fact = view.get(Proposals)
    return [_decided(view, row) for row in fact.decided if row.what in SHOWN] if fact else []


def _waiting(view: View, row: ProposalRow) -> Waiting:
    body = row.body
    account = body["account"] if isinstance(body.get("account"), str) else ""
    fen = body.get("amount_fen")
    nano = fen * NANO_PER_FEN if type(fen) is int and abs(fen) < 10**12 else None
    title = moving_in.title(body) if row.what == MOVE_IN else title_of(row.what)
    return Waiting(
        row, title, account, view.accounts.get(account), nano, told_of(view, row.what, body),
        same_person(me().name, row.who), _whole(row),
    )  # fmt: skip


def _whole(row: ProposalRow) -> bool:
    asking = dict.fromkeys(Request.model_fields, "somebody")
    try:
        REQUESTS[row.what].model_validate({**row.body, **asking})
    except ValidationError:
        return False
    return True


def told_of(view: View, what: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """(label, text) of all that stands in a proposal beside whom and how much."""
    if what == MOVE_IN:
        return moving_in.told(view, body)
    found: list[tuple[str, str]] = []
    for name in ("to_account", "meter", "entry", "method", "reference", "reason", "why", "consent", "papers"):
        text = body.get(name)
        if isinstance(text, str) and text:
            found.append((told_label(what, name), _word(view, name, text)))
    for rate in REGISTERS:
        if isinstance(text := body.get(rate), str):
            found.append((t(RATE_WORDS[rate]), text))
    if type(share := body.get("share_percent")) is int:
        found.append((told_label(what, "share"), str(share)))
    if type(cap := body.get("weekly_cap_fen")) is int:
        found.append((told_label(what, "cap"), yuan(cap * NANO_PER_FEN) if 0 < cap < 10**12 else t("no cap")))
    return found


def _word(view: View, key: str, text: str) -> str:
    if key == "to_account":
        row = view.accounts.get(text)
        return f"{row.room} {row.name} · {text}" if row else text
    table = {"method": METHODS, "reason": REASONS}.get(key, {})
    return t(table[text]) if text in table else text


def _decided(view: View, row: DecisionRow) -> Decided:
    return Decided(row, title_of(row.what), view.accounts.get(row.account or ""), decided_word(row), row.approved)


def decided_word(row: DecisionRow) -> str:
    """What became of a proposal, in a word or three."""
    if row.approved:
        return t("Approved and done")
    if row.decided_by == "policy":
        return t("Not decided in time")
    return t("Taken back") if same_person(row.decided_by, row.who) else t("Rejected")
