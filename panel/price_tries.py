"""What a price would have cost: the gateway's answer to `preview-price` as a table people read before they decide.

The sums are the gateway's own; nothing is added up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.contract.asking import new_transaction
from bridge.contract.messages import AccountRow
from bridge.contract.sound import unsound
from bridge.contract.units import is_transaction
from panel.commands import Asked, Conflict
from panel.edge_words import said
from panel.parts import Parts, parts
from panel.telling import rule_words
from panel.words import t

OPERATION = "preview-price"
MONTHS = 13
"""That can be chosen: this one and a year back."""

SHOWN = 200
"""Accounts in the table, those whose bill changes most; the sums are those of all."""


class TriedRow(BaseModel):
    """One account. `why` is there instead of figures where it cannot be billed so."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    account: str
    charges: int = 0
    wh: int = 0
    old_nano: int = 0
    new_nano: int = 0
    difference_nano: int = 0
    interpolated: bool = False
    why: str | None = None


class Tried(BaseModel):
    """The data of the answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    month: str
    unit: str
    accounts: list[TriedRow] = Field(max_length=10_000)
    wh: int
    old_nano: int
    new_nano: int
    difference_nano: int
    bought_nano: int | None = None
    markup_percent: int | None = None

    @property
    def empty(self) -> bool:
        return not any(row.charges for row in self.accounts)


@dataclass(frozen=True)
class Try:
    """The card. `tried` is None until it is worked out, or when it was refused; then `sentence` says why."""

    transaction: str
    finished: bool
    tried: Tried | None
    rows: list[tuple[AccountRow | None, TriedRow]]
    odd: list[tuple[AccountRow | None, TriedRow]]
    """Accounts that cannot be billed by this price."""
    sentence: str = ""
    good: bool | None = None


def months(today: date) -> list[str]:
    """Local months that can be chosen, the newest first."""
    found, first = [], today.replace(day=1)
    for _ in range(MONTHS):
        found.append(f"{first:%Y-%m}")
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def chosen_month(text: str, today: date) -> str:
    """The month that was asked for; else the last whole one."""
    return text if text in months(today) else months(today)[1]


def ask_for(table: dict[str, object], month: str, who: str, transaction: str) -> Asked:
    """Ask what a price would have cost, once for each form; anew where too many waited (R7). Raises NotSent."""
    commands, number = parts().commands, transaction if is_transaction(transaction) else new_transaction()
    if (known := commands.find(number)) is not None and known.newest and known.newest.rule == "R7":
        number = new_transaction()
    for again in (number, new_transaction()):
        try:
            return commands.query(OPERATION, str(table["id"]), who=who, transaction=again, price=table, month=month)
        except Conflict:
            continue  # The form was changed since, or another month chosen: another question.
    raise AssertionError("a new transaction is nobody's")


def try_of(stand: Parts, asked: Asked) -> Try:
    """Put the answer into a table."""
    newest = asked.newest
    if asked.broker_refused:
        return _without(asked, t("The broker did not take the request; nothing was done."), False)
    if newest is None and stand.commands.silent(asked):
        return _without(asked, t("The gateway has not answered (30 s). A large building needs longer."), None)
    if newest is None or newest.status == "accepted":
        return _without(asked, t("The gateway is working it out."), None)
    if newest.status == "refused":
        told = t("Refused: {words} ({rule}).", words=rule_words(newest.rule), rule=newest.rule) if newest.rule else ""
        return _without(asked, " ".join(filter(None, (told, said(newest.error)))) or t("Refused."), False)
    try:
        tried = Tried.model_validate(newest.data)
    except ValidationError:
        return _without(asked, t("The answer cannot be read by this version of the panel."), False)
    if unsound(tried):
        return _without(asked, t("The answer cannot be read by this version of the panel."), False)
    accounts = stand.mirror.view().accounts
    pairs = [(accounts.get(row.account), row) for row in tried.accounts]
    rows = sorted((pair for pair in pairs if pair[1].why is None), key=lambda pair: -abs(pair[1].difference_nano))
    return Try(asked.transaction, True, tried, rows[:SHOWN], [pair for pair in pairs if pair[1].why is not None])


def _without(asked: Asked, sentence: str, good: bool | None) -> Try:
    return Try(asked.transaction, asked.finished, None, [], [], sentence, good)
