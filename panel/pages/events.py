"""What happened to a meter: the book's entries, and between them what the gateway said since this panel started."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bridge.contract.units import instant_of
from panel.history import Line
from panel.parts import Parts
from panel.states import HOLDS
from panel.words import later, t

KINDS = {
    "relay/1": later("Relay"),
    "hold/1": later("Hold"),
    "trip/1": later("Cut-off ordered"),
    "withdrawn/1": later("Cut-off withdrawn"),
    "close/1": later("Closing ordered"),
    "alarm/1": later("Alarm"),
    "quarantine/1": later("Reading set aside"),
    "opening/1": later("Opening reading"),
    "meter/1": later("Installed"),
}

SAID = {
    "offline": later("Off line"),
    "online": later("Answers again"),
    "relay-moved": later("The relay moved by itself"),
    "not-following": later("The relay does not follow"),
    "quarantined": later("Reading set aside"),
    "clock-drift": later("Clock drift"),
}


def events_of(stand: Parts, meter: str, limit: int = 12) -> list[dict[str, Any]]:
    """{at, word, text, bad}, newest first. An event that the book has too is told once."""
    lines = stand.history.of_meter(meter, limit)
    known = {line.seq for line in lines}
    found = [_from_book(line) for line in lines]
    for event in stand.mirror.events("meter", meter):
        if event.seq is None or event.seq not in known:
            word = t(SAID[event.kind]) if event.kind in SAID else event.kind
            bad = event.kind in ("offline", "relay-moved", "not-following", "quarantined")
            found.append({"at": instant_of(event.at), "word": word, "text": event.text, "bad": bad})
    return sorted(found, key=_at, reverse=True)[:limit]


def _at(event: dict[str, Any]) -> datetime:
    at: datetime = event["at"]
    return at


def _from_book(line: Line) -> dict[str, Any]:
    body, bad = line.body, line.kind in ("alarm/1", "quarantine/1")
    text = str(body.get("why") or body.get("text") or "")
    match line.kind:
        case "relay/1":
            text = t("open, read back") if body.get("observed") == "open" else t("closed, read back")
        case "hold/1":
            hold = t(HOLDS[body["hold"]]) if body.get("hold") in HOLDS else str(body.get("hold", ""))
            which = t("{hold} set", hold=hold) if body.get("set") else t("{hold} lifted", hold=hold)
            text = " · ".join(part for part in (which, str(body.get("who") or ""), text) if part)
        case "trip/1":
            text = t("for arrears") if body.get("cause") == "arrears" else t("by a person")
        case "meter/1":
            text = " · ".join(str(body[key]) for key in ("model_name", "address") if body.get(key))
        case "close/1" | "opening/1":
            text = str(body.get("cause") or "")
    return {"at": line.at, "word": t(KINDS[line.kind]), "text": text, "bad": bad}
