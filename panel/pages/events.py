"""What happened to a meter: the book's entries, and between them what the gateway said since this panel started."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bridge.contract.messages import AccountEvent, MeterEvent
from bridge.contract.units import instant_of
from panel.bodies import UNREADABLE
from panel.edge_water_words import VALVE_READ_BACK
from panel.edge_words import READ_BACK, known, person, reason, said
from panel.history import Line
from panel.locking import in_place
from panel.meter_told import of_registers
from panel.model_words import modelled
from panel.parts import Parts
from panel.states import HOLDS
from panel.switches import has_valve
from panel.words import later, t

KINDS = {
    "relay/1": later("Relay"),
    "hold/1": later("Hold"),
    "trip/1": later("Cut-off ordered"),
    "withdrawn/1": later("Cut-off withdrawn"),
    "close/1": later("Closing ordered"),
    "alarm/1": later("Alarm"),
    "quarantine/1": later("Reading set aside"),
    "clock-set/1": later("Clock set"),
    "opening/1": later("Opening reading"),
    "meter/1": later("Installed"),
    "replacement/1": later("Meter replaced"),
    "ratio/1": later("Multiplier changed"),
    UNREADABLE: later("It cannot be read here; the gateway's book has it."),
}

SAID = {
    "offline": later("Off line"),
    "online": later("Answers again"),
    "relay-moved": later("The relay moved by itself"),
    "not-following": later("The relay does not follow"),
    "quarantined": later("Reading set aside"),
    "clock-drift": later("Clock drift"),
    "clock-moved": later("Gateway's clock or meters' moved"),
    "opened": later("Opening reading"),
    "replaced": later("Meter replaced"),
    "multiplier-changed": later("Multiplier changed"),
    "trip": later("Cut-off ordered"),
    "not-charged": later("Not charged"),
    "cover-opened": later("Cover opened"),
    "cover-closed": later("Cover closed again"),
    "cover-cleared": later("Record of covers cleared"),
    "identity": later("Name used twice"),
    "book": later("The book differs"),
    "battery-low": later("Battery low"),
    "battery-good": later("Battery good again"),
    "valve-fault": later("Valve out of order"),
    "valve-good": later("Valve in order again"),
    "purse-counts": later("Paid twice"),
    "time-table": later("Time table differs"),
    "time-table-good": later("Time table agrees again"),
    "purse-off": later("No longer paid twice"),
    "protection-ends": later("A protection ends soon"),
    "lock-stands": later("Still locked for work"),
    "another-meter": later("Another meter answers"),
    "retained-request": later("Retained request"),
    "no-number": later("Number not read back"),
}

BAD = (
    "offline", "relay-moved", "not-following", "quarantined", "not-charged", "identity", "book", "cover-opened",
    "cover-cleared", "battery-low", "valve-fault", "purse-counts", "time-table", "clock-moved",
    "another-meter", "retained-request",
)  # fmt: skip

GOOD_NEWS = ("cover-closed", "battery-good", "valve-good", "purse-off", "time-table-good")
"""Alarms that take an earlier one back."""


OF_VALVES = {
    "relay/1": later("Valve"),
    "trip/1": later("Closing of the valve ordered"),
    "withdrawn/1": later("Closing of the valve withdrawn"),
    "close/1": later("Opening of the valve ordered"),
    "trip": later("Closing of the valve ordered"),
    "relay-moved": later("The valve moved by itself"),
    "not-following": later("The valve does not follow"),
}
"""In place of the words above, where the meter has a valve."""

VALVE_STANDS = {
    "closed": later("open, read back|valve"),
    "open": later("closed, read back|valve"),
    "unknown": later("not known, read back"),
}
"""By what the book calls it, which is the relay in its place."""

RELAY_STANDS = {
    "closed": later("closed, read back"),
    "open": later("open, read back"),
    "unknown": later("not known, read back"),
}


def events_of(stand: Parts, meter: str, limit: int = 12) -> list[dict[str, Any]]:
    """{at, word, text, bad}, newest first. An event that the book has too is told once."""
    lines = stand.history.of_meter(meter, limit)
    row = stand.mirror.view().meters.get(meter)
    valve = row is not None and has_valve(row)
    known = {line.seq for line in lines}
    found = [_from_book(line, valve) for line in lines]
    for event in stand.mirror.events("meter", meter):
        if event.seq is None or event.seq not in known:
            found.append(_from_gateway(event, valve))
    return sorted(found, key=_at, reverse=True)[:limit]


def _at(event: dict[str, Any]) -> datetime:
    at: datetime = event["at"]
    return at


def _word(kind: str, valve: bool, table: dict[str, str]) -> str:
    return OF_VALVES.get(kind, table[kind]) if valve else table[kind]


def _from_gateway(event: MeterEvent | AccountEvent, valve: bool) -> dict[str, Any]:
    """An event the archive does not know yet. Each reading back of a relay is told as `relay-moved`, also an ordered
    one and the first look at it; only its sentence says whether it moved by itself."""
    kind = event.kind
    if kind == "relay-moved" and known(event.text) in (READ_BACK, VALVE_READ_BACK) and "by itself" not in event.text:
        return {
            "at": instant_of(event.at),
            "word": t(_word("relay/1", valve, KINDS)),
            "text": said(event.text),
            "bad": False,
        }
    word = t(_word(kind, valve, SAID)) if kind in SAID else kind
    return {"at": instant_of(event.at), "word": word, "text": said(event.text), "bad": kind in BAD}


def _from_book(line: Line, valve: bool) -> dict[str, Any]:
    body, bad = line.body, line.kind in ("alarm/1", "quarantine/1")
    text, word = said(str(body.get("why") or body.get("text") or "")), t(_word(line.kind, valve, KINDS))
    match line.kind:
        case "relay/1":
            stands = VALVE_STANDS if valve else RELAY_STANDS
            state = t(stands.get(str(body.get("observed")), stands["closed"]))
            text = " · ".join(part for part in (state, text) if part)
            bad = "by itself" in str(body.get("why") or "")
        case "hold/1":
            hold = t(HOLDS[body["hold"]]) if body.get("hold") in HOLDS else str(body.get("hold", ""))
            which = t("{hold} set", hold=hold) if body.get("set") else t("{hold} lifted", hold=hold)
            who = body.get("who")
            told = (which, person(who), in_place(body), reason(who, body.get("why")))
            text = " · ".join(part for part in told if part)
        case "alarm/1":
            word = t(_word(body["alarm"], valve, SAID)) if body.get("alarm") in SAID else word
            bad = body.get("alarm") not in GOOD_NEWS
        case "trip/1":
            text = t("for arrears") if body.get("cause") == "arrears" else t("by a person")
        case "meter/1":
            text = " · ".join(
                filter(None, (modelled(str(body.get("model_name") or "")), str(body.get("address") or "")))
            )
        case "close/1":
            text = said(str(body.get("cause") or ""))
        case "opening/1" | "replacement/1" | "ratio/1":
            text = of_registers(line.kind, body)
    return {"at": line.at, "word": word, "text": text, "bad": bad}
