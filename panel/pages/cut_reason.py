"""Why supply was cut, from the evidence that stood in the book before the first byte left (I7).

For the tenant at the counter: what was used, what it cost, when the warning came, and why it was not too early.
"""

from __future__ import annotations

from typing import Any

from bridge.contract.messages import Tariff
from panel.edge_words import person, reason
from panel.formats import Wall, kwh, span, yuan
from panel.history import Line
from panel.pages.entry_words import delivered_words
from panel.parts import Parts
from panel.states import HOLDS
from panel.words import t

Told = list[tuple[str, str]]


def why_cut(line: Line, stand: Parts, wall: Wall) -> Told:
    """(what, in words) of a `trip/1` entry, in the order in which people ask."""
    body = line.body
    return _arrears(body, stand, wall) if body.get("cause") == "arrears" else _by_person(body, wall)


def _arrears(body: dict[str, Any], stand: Parts, wall: Wall) -> Told:
    told: Told = []
    available = body.get("available_nano")
    if available is not None:
        posted, provisional = yuan(body.get("posted_nano")), yuan(-body.get("provisional_nano", 0))
        balance = t("{posted} posted {provisional} of the day = {available} yuan",
                    posted=posted, provisional=provisional, available=yuan(available))  # fmt: skip
        told.append((t("Balance at the cut"), balance))
    told += _use(body, stand, wall)
    told += _warning(body, stand, wall)
    if window := body.get("window"):
        told.append((t("Hours of cuts"), " – ".join(wall.clock(edge) for edge in window)))
    told.append((t("Limit"), t("cut at {limit} yuan or less", limit=yuan(body.get("cut_limit_nano", 0)))))
    return told


def _use(body: dict[str, Any], stand: Parts, wall: Wall) -> Told:
    """The two registers behind the provisional amount, and the price."""
    read, billed = body.get("read") or {}, body.get("billed") or {}
    after, before = (side.get("registers_wh", {}).get("total") for side in (read, billed))
    if after is None or before is None:
        return []
    since, until = wall.stamp(billed["at"]), wall.stamp(read["read_at"], True)
    words = t("{before} at {since} → {after} at {until}, {used} kWh", before=kwh(before), since=since,
              after=kwh(after), until=until, used=kwh(body.get("provisional_wh")))  # fmt: skip
    tariff = stand.mirror.view().get(Tariff, str(body.get("tariff", "")))
    name = tariff.name if tariff else str(body.get("tariff", ""))
    price = t("“{tariff}”, version {version}", tariff=name, version=body.get("version", ""))
    return [(t("Register|the meter's"), words), (t("Price"), price)]


def _warning(body: dict[str, Any], stand: Parts, wall: Wall) -> Told:
    found = []
    for seq, word in ((body.get("final_seq"), t("Final warning")), (body.get("delivered_seq"), t("Warning delivered"))):
        entry = stand.history.entry(seq) if isinstance(seq, int) else None
        if entry is not None:
            by = f" · {delivered_words(entry.body)}" if entry.kind == "delivered/1" else ""
            found.append((word, wall.stamp(entry.at, True) + by))
    if (warned_s := body.get("warned_s")) is not None:
        lead = span(stand.site.policy.lead_min * 60)
        words = t("{span} with power; at least {lead} are due", span=span(warned_s), lead=lead)
        found.append((t("Time to pay"), words))
    return found


def _by_person(body: dict[str, Any], wall: Wall) -> Told:
    """The holds that people set."""
    return [
        (t(HOLDS[hold["hold"]]) if hold.get("hold") in HOLDS else str(hold.get("hold", "")),
         " · ".join(part for part in (person(hold.get("who")), reason(hold.get("who"), hold.get("why"))) if part))
        for hold in body.get("holds", [])
    ]  # fmt: skip
