"""One entry of the book as a row: what paints it, its kind in words and what it was about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bridge.contract.units import instant_of
from panel.edge_words import person, reason, said
from panel.final_warning import channel, how_words
from panel.formats import Wall, yuan
from panel.history import Line
from panel.locking import in_place
from panel.money_told import money_words
from panel.moving_in import CLOSES
from panel.pages.events import OF_VALVES, SAID
from panel.parts import parts
from panel.protections import kind_words
from panel.states import HOLDS
from panel.switches import WATER_STATES, water_alone
from panel.words import t

Words = tuple[str, str, str, str]
"""State class, icon, kind in words, what in words."""


def words_of(line: Line, account: str, wall: Wall) -> Words:
    """How the list tells an entry to the people of an account."""
    if (money := money_words(line, account, wall)) is not None:
        return "", icon_of(line.kind), *money
    return _of_life(line, wall)


def icon_of(kind: str) -> str:
    """A charge goes down, money is money, the rest is told."""
    if kind.startswith(("charge/", "fee/")):
        return "down"
    return "more" if kind.startswith(("tariff/", "proposal/", "decision/", "replacement/", "ratio/")) else "money"


def _of_life(line: Line, wall: Wall) -> Words:
    body = line.body
    match line.kind:
        case "charge/1" | "charge/2":
            word = t("Water charge|entry") if body.get("unit") == "m3" else t("Charge")
            guess = t("estimated|charge") if "estimate" in body.get("guessed", ()) else ""
            return "", "down", word, " · ".join(part for part in (span_words(body, wall), guess) if part)
        case "closing/1":
            if not body.get("deferred"):
                return "", "ok", t("Day closed"), body["date"]
            told = t("{day}: no register of {meters} yet", day=body["date"], meters=", ".join(body.get("deferred", [])))
            return "s-stale", "stale", t("Day closed later"), told
        case "account/1":
            return "", "user", t("Tenancy|entry"), " ".join(part for part in (body.get("room"), body["name"]) if part)
        case "opening/1":
            return "", "read", t("Opening reading"), t("charged from this register on")
        case "alarm/1":
            known = body.get("alarm") in SAID
            return "", "no", t(SAID[body["alarm"]]) if known else t("Alarm"), said(str(body.get("text") or ""))
        case "level/1":
            level = int(body["level"])
            below = t("balance below {limit} yuan", limit=yuan(body.get("threshold_nano")))
            return f"s-w{level}", f"w{level}", t("Low {n}", n=level), below
        case "final/1":
            cut_at = body.get("cut_at")
            told = t("cut {when} at the earliest, unless paid", when=wall.when(cut_at)) if cut_at else ""
            return "s-final", "final", t("Final warning"), told
        case "delivered/1":
            return "", "ok", t("Warning delivered"), delivered_words(body)
        case "protection/1":
            return _protection(body, wall)
        case "close-way/1":
            way = [t(CLOSES[body["close"]]), person(str(body.get("who") or "")), str(body.get("why") or "")]
            return "", "on", t("How supply returns"), " · ".join(part for part in way if part)
        case "cancelled/1":
            return "", "ok", t("Warning over"), said(str(body.get("why", "")))
    return _of_supply(line)


def _of_supply(line: Line) -> Words:
    body = line.body
    match line.kind:
        case "trip/1":
            cause = t("for arrears") if body.get("cause") == "arrears" else t("by a person")
            if "valve" in body:
                return "s-cut", "valve-closed", t(OF_VALVES["trip/1"]), cause
            return "s-cut", "open", t("Cut-off ordered"), cause
        case "relay/1" if "valve" in body and body.get("observed") in WATER_STATES:
            shut = body["observed"] == "open"
            state, icon = ("s-cut", "valve-closed") if shut else ("s-on", "valve-open")
            return state, icon, t(WATER_STATES[body["observed"]]), t("read back from the meter")
        case "relay/1" if body.get("observed") == "open":
            return "s-cut", "cut", t("Supply cut"), t("read back from the meter")
        case "relay/1":
            return "s-on", "on", t("Supply back"), t("read back from the meter")
        case "hold/1":
            hold = t(HOLDS[body["hold"]]) if body.get("hold") in HOLDS else str(body.get("hold", ""))
            word = t("Hold set") if body.get("set") else t("Hold lifted")
            who, why = str(body.get("who") or ""), str(body.get("why") or "")
            told = [hold, person(who), in_place(body), reason(who, why)]
            return "s-held", "held", word, " · ".join(part for part in told if part)
        case "unreadable":
            return "", "more", t("Entry {seq}.", seq=line.seq), t("It cannot be read here; the gateway's book has it.")
    return "", "more", line.kind, ""


def delivered_words(body: dict[str, Any]) -> str:
    """By the meter's lamp; by a notice, with its number; or by whom the tenant was told, how, and in which words."""
    words = t("by {channel}", channel=channel(str(body.get("channel", ""))))
    how, who = str(body.get("how") or ""), person(str(body.get("who") or ""))
    told = t("{who} {how}", who=who, how=how_words(how)) if how and who else ""
    if body.get("channel") == "notice":
        told = t("{who}, number {number}", who=who, number=str(body.get("reference") or ""))
    return " · ".join(part for part in (words, told, str(body.get("why") or "")) if part)


def _protection(body: dict[str, Any], wall: Wall) -> Words:
    """Protected by whom, why and until when; or lifted."""
    who, why = str(body.get("who") or ""), str(body.get("why") or "")
    until = body.get("until") if body.get("set") else None
    water = water_alone(parts().mirror.view(), str(body.get("account") or ""))
    ends = t("until {time}", time=wall.stamp(until)) if until else ""
    told = [kind_words(str(body.get("protection", "")), water), ends, person(who), reason(who, why)]
    word = t("Protected from a shut-off|water") if water else t("Protected from a cut-off")
    word = word if body.get("set") else t("Protection lifted")
    return "s-keep", "keep", word, " · ".join(part for part in told if part)


def span_words(body: dict[str, Any], wall: Wall) -> str:
    """all of 11-19, or from one instant to the other."""
    start, end = (instant_of(body[side]["at"]).astimezone(wall.zone) for side in ("start", "end"))
    midnights = all((at.hour, at.minute) == (0, 0) for at in (start, end))
    if midnights and end.date() - start.date() == timedelta(days=1):
        return t("all of {day}", day=f"{start:%m-%d}")
    return t("{start} to {end}", start=wall.stamp(start), end=wall.stamp(end))
