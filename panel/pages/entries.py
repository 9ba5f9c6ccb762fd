"""Entries of the book in the words of the people they are about, and the story of an account's warnings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bridge.contract.entries import CHARGES
from bridge.contract.messages import Account
from bridge.contract.units import RATES, instant_of
from panel.edge_words import person, reason, said
from panel.formats import Wall, yuan
from panel.history import Line
from panel.pages.cut_reason import why_cut
from panel.parts import Parts
from panel.states import HOLDS, RATE_WORDS
from panel.words import later, t

SOURCES = {
    "freeze": later("daily freeze"),
    "border": later("read at the border"),
    "live": later("read"),
    "opening": later("opening reading"),
    "load-record": later("load record"),
    "interpolated": later("between two readings"),
    "estimate": later("estimated"),
}

METHOD_WORDS = {
    "cash": later("Cash"), "transfer": later("Transfer"), "card": later("Card"), "online": later("Online"),
}  # fmt: skip


FIRST_LOOK = "first look"
"""Why of a relay entry that only says how the relay stood when it was looked at for the first time."""


@dataclass(frozen=True)
class Row:
    """An entry as the list shows it. `state` paints its icon; `charge` is its explanation when it opens."""

    seq: int
    at: Any
    state: str
    icon: str
    word: str
    what: str
    wh: int | None
    amount_nano: int | None
    balance_nano: int | None
    charge: Charge | None
    why: list[tuple[str, str]]
    """The reasons of a cut-off, told when it opens."""
    receipt: bool


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


def rate_word(rate: str) -> str:
    return t(RATE_WORDS[rate]) if rate in RATE_WORDS else rate


def source_word(source: str) -> str:
    return t(SOURCES[source]) if source in SOURCES else source


def charge_of(body: dict[str, Any]) -> Charge:
    """Open a charge onto its readings."""
    start, end = body["start"], body["end"]
    before, after = start["registers_wh"], end["registers_wh"]
    order = {"total": -1, **{rate: number for number, rate in enumerate(RATES)}}
    lines = sorted(body["lines"], key=lambda line: order.get(line["rate"], 99))
    rates = [line | {"before": before.get(line["rate"]), "after": after.get(line["rate"])} for line in lines]
    return Charge(
        start, end, body.get("multiplier", 1), body.get("tariff_name") or body.get("tariff", ""),
        body.get("version", 0), body["wh"], body["amount_nano"], rates, (before.get("total"), after.get("total")),
        source_word(str(start.get("source", ""))), source_word(str(end.get("source", ""))), body.get("days"),
    )  # fmt: skip


def rows_of(lines: list[Line], stand: Parts, wall: Wall) -> list[Row]:
    return [_row(line, stand, wall) for line in lines]


def _row(line: Line, stand: Parts, wall: Wall) -> Row:
    body = line.body
    state, icon, word, what = _words(line, wall)
    charge = charge_of(body) if line.kind in CHARGES else None
    return Row(
        line.seq, line.at, state, icon, word, what, body.get("wh") if charge else None,
        line.amount_nano, body.get("balance_after_nano"), charge,
        why_cut(line, stand, wall) if line.kind == "trip/1" else [], line.kind == "topup/1",
    )  # fmt: skip


def _words(line: Line, wall: Wall) -> tuple[str, str, str, str]:
    """(state class, icon, kind in words, what in words)."""
    body = line.body
    match line.kind:
        case "topup/1":
            method = t(METHOD_WORDS[body["method"]]) if body.get("method") in METHOD_WORDS else ""
            told = [method, t("receipt {number}", number=body.get("receipt", "")), str(body.get("reference", ""))]
            return "", "money", t("Top up"), " · ".join(part for part in told if part)
        case "charge/1" | "charge/2":
            return "", "down", t("Charge"), _span_words(body, wall)
        case "closing/1":
            missing = ", ".join(body.get("deferred", []))
            return (
                "s-stale",
                "stale",
                t("Day closed later"),
                t("{day}: no register of {meters} yet", day=body["date"], meters=missing),
            )
        case "opening-balance/1":
            return "", "money", t("Opening balance"), ""
        case "level/1":
            level = int(body["level"])
            below = t("balance below {limit} yuan", limit=yuan(body.get("threshold_nano")))
            return f"s-w{level}", f"w{level}", t("Low {n}", n=level), below
        case "final/1":
            cut_at = body.get("cut_at")
            return (
                "s-final",
                "final",
                t("Final warning"),
                t("cut {when} at the earliest, unless paid", when=wall.when(cut_at)) if cut_at else "",
            )
        case "delivered/1":
            return "", "ok", t("Warning delivered"), t("by {channel}", channel=_channel(str(body.get("channel", ""))))
        case "cancelled/1":
            return "", "ok", t("Warning over"), said(str(body.get("why", "")))
        case "trip/1":
            cause = t("for arrears") if body.get("cause") == "arrears" else t("by a person")
            return "s-cut", "open", t("Cut-off ordered"), cause
        case "relay/1" if body.get("observed") == "open":
            return "s-cut", "cut", t("Supply cut"), t("read back from the meter")
        case "relay/1":
            return "s-on", "on", t("Supply back"), t("read back from the meter")
        case "hold/1":
            hold = t(HOLDS[body["hold"]]) if body.get("hold") in HOLDS else str(body.get("hold", ""))
            word = t("Hold set") if body.get("set") else t("Hold lifted")
            who, why = str(body.get("who") or ""), str(body.get("why") or "")
            told = [hold, person(who), reason(who, why)]
            return "s-held", "held", word, " · ".join(part for part in told if part)
        case "unreadable":
            return "", "more", t("Entry {seq}.", seq=line.seq), t("It cannot be read here; the gateway's book has it.")
    return "", "more", line.kind, ""


def _channel(channel: str) -> str:
    return t("the meter's lamp") if channel == "lamp" else channel


def _span_words(body: dict[str, Any], wall: Wall) -> str:
    """all of 11-19, or from one instant to the other."""
    start, end = (instant_of(body[side]["at"]).astimezone(wall.zone) for side in ("start", "end"))
    midnights = all((at.hour, at.minute) == (0, 0) for at in (start, end))
    if midnights and end.date() - start.date() == timedelta(days=1):
        return t("all of {day}", day=f"{start:%m-%d}")
    return t("{start} to {end}", start=wall.stamp(start), end=wall.stamp(end))


def story_of(lines: list[Line], account: Account | None, wall: Wall) -> list[dict[str, Any]]:
    """Warnings and their delivery, newest first, what is to come on top: {state, icon, word, at, text, out, todo}."""
    story: list[dict[str, Any]] = []
    if account and account.cut_at and account.can_cut and not account.protected_until:
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
            delivered.append(
                t(
                    "{channel} {time}",
                    channel=_channel(str(line.body.get("channel", ""))),
                    time=wall.clock(line.at, True),
                )
            )
            continue
        if line.kind not in ("level/1", "final/1", "relay/1", "cancelled/1") or line.body.get("why") == FIRST_LOOK:
            continue
        state, icon, word, what = _words(line, wall)
        step: dict[str, Any] = {"state": state, "icon": icon, "word": word, "at": line.at, "text": what, "out": []}
        if line.kind == "final/1":
            left = t("{balance} yuan left", balance=yuan(line.body.get("available_nano")))
            step |= {"text": left, "out": delivered, "undelivered": not delivered}
        story.append(step)
        delivered = [] if line.kind == "final/1" else delivered
    return story[:8]


def month_day(day: str) -> str:
    """A local date without its year."""
    return f"{date.fromisoformat(day):%m-%d}"
