"""Entries of the book in the words of the people they are about, and the story of an account's warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.contract.entries import CHARGES, PRICED, REPLACED
from bridge.contract.messages import Account
from panel import bill
from panel.bill_words import source_word
from panel.concerning import MONEY
from panel.final_warning import channel, how_words, must_be_told
from panel.formats import Wall, yuan
from panel.history import Line
from panel.money_told import balance_nano, moved_nano
from panel.pages.cut_reason import why_cut
from panel.pages.entry_words import words_of
from panel.parts import Parts
from panel.words import t

FIRST_LOOK = "first look"
"""Why of a relay entry that only says how the relay stood when it was looked at for the first time."""

OPENED = ("fee/1", "reading-correction/1", *REPLACED, *(kind for kind in MONEY if kind != "topup/1"))
"""Kinds that have a page which explains them, reached from their row; a charge's row opens first, a top-up's receipt
is its page."""

STORY_WITHIN = 120
"""Among so many newest entries the story is looked for; further back lies what nobody waits for any more."""

STORY = ("level/1", "final/1", "delivered/1", "relay/1", "cancelled/1", "protection/1")


@dataclass(frozen=True)
class Row:
    """An entry as the list shows it. `state` paints its icon; `charge` is its explanation when it opens."""

    seq: int
    at: Any
    state: str
    icon: str
    word: str
    what: str
    unit: str
    wh: int | None
    amount_nano: int | None
    balance_nano: int | None
    charge: Charge | None
    why: list[tuple[str, str]]
    """The reasons of a cut-off, told when it opens."""
    receipt: bool
    page: bool
    """What it was about leads to the page that explains it."""


@dataclass(frozen=True)
class Charge:
    """Why a charge is what it is: the two readings, their difference, the price, the exact product."""

    start: dict[str, Any]
    end: dict[str, Any]
    multiplier: int
    tariff: str
    version: int
    wh: int
    amount_nano: int
    rates: list[dict[str, Any]]
    total: tuple[int | None, int | None]
    start_source: str
    end_source: str
    days: Any
    estimated: bool


def charge_of(body: dict[str, Any]) -> Charge:
    """Open a charge onto its readings. A register stands beside a line that is all of its difference."""
    start, end = body["start"], body["end"]
    before, after = start["registers_wh"], end["registers_wh"]
    lines = bill.ordered_lines(body)
    once = [line["rate"] for line in lines if line["kind"] == "rate"]
    rates = []
    for line in lines:
        own = line["kind"] == "rate" and body.get("by") != "borders" and once.count(line["rate"]) == 1
        there = line["rate"] if own else ""
        rates.append(line | {"before": before.get(there), "after": after.get(there)})
    return Charge(
        start, end, body.get("multiplier", 1), body.get("tariff_name") or body.get("tariff", ""),
        body.get("version", 0), body["wh"], body["amount_nano"], rates, (before.get("total"), after.get("total")),
        source_word(str(start.get("source", ""))), source_word(str(end.get("source", ""))), body.get("days"),
        "estimate" in body.get("guessed", ()),
    )  # fmt: skip


def rows_of(lines: list[Line], account: str, stand: Parts, wall: Wall) -> list[Row]:
    """The rows of an account's history."""
    return [_row(line, account, stand, wall) for line in lines]


def _row(line: Line, account: str, stand: Parts, wall: Wall) -> Row:
    body = line.body
    charge = charge_of(body) if line.kind in CHARGES else None
    return Row(
        line.seq, line.at, *words_of(line, account, wall), str(body.get("unit") or "kWh"),
        body["wh"] if line.kind in PRICED else None, moved_nano(line, account), balance_nano(line, account), charge,
        why_cut(line, stand, wall) if line.kind == "trip/1" else [], line.kind == "topup/1",
        charge is not None or line.kind in OPENED or line.kind.startswith("tariff/"),
    )  # fmt: skip


def story_of(lines: list[Line], account: Account | None, wall: Wall) -> list[dict[str, Any]]:
    """Warnings and their delivery, newest first, what is to come on top: {state, icon, word, at, text, out, todo}."""
    story: list[dict[str, Any]] = []
    if account and account.cut_at and account.can_cut and not account.protected_until and not must_be_told(account):
        text = t("One more read first; no cut if the balance holds.")
        story.append(
            {
                "state": "",
                "icon": "cut",
                "word": t("Cut-off (not yet)"),
                "at": account.cut_at,
                "text": text,
                "todo": True,
            }
        )
    delivered: list[str] = []
    for line in lines:
        if line.kind == "delivered/1":
            delivered.append(t("{channel} {time}", channel=_channel(line.body), time=wall.clock(line.at, True)))
            continue
        if line.kind not in STORY or line.body.get("why") == FIRST_LOOK:
            continue
        state, icon, word, what = words_of(line, line.account or "", wall)
        step: dict[str, Any] = {"state": state, "icon": icon, "word": word, "at": line.at, "text": what, "out": []}
        if line.kind == "final/1":
            left = t("{balance} yuan left", balance=yuan(line.body.get("available_nano")))
            step |= {"text": left, "out": delivered, "undelivered": not delivered}
        story.append(step)
        delivered = [] if line.kind == "final/1" else delivered
    return story[:8]


def _channel(body: dict[str, Any]) -> str:
    """The lamp; or the person who told the tenant, and how."""
    if body.get("channel") == "person" and body.get("who"):
        return t("{who} {how}", who=str(body["who"]), how=how_words(str(body.get("how") or ""))).strip()
    return channel(str(body.get("channel", "")))
