"""Which entries are events that people want to hear of, and in which words; one sentence each."""

from __future__ import annotations

from typing import Any

from bridge.contract.entries import CHARGES
from bridge.contract.messages import AccountEvent, MeterEvent
from bridge.contract.units import NANO_PER_FEN, instant_of_micros, instant_text, kwh_text, yuan_text
from edge.account_facts import yuan
from edge.book import Entry


def account_event(entry: Entry) -> tuple[str, AccountEvent] | None:
    """(account, event) for an entry that is a step of an account's life, else None."""
    fields = entry.fields
    account = fields.get("account")
    if not account:
        return None
    told: tuple[str, str, int | None] | None = None
    if entry.kind == "level/1":
        text = f"balance below level {fields['level']} ({yuan_text(fields['threshold_nano'])} yuan)"
        told = ("level", text, fields["available_nano"])
    elif entry.kind == "final/1":
        told = ("final-warning", f"supply will be cut at {fields['cut_at']} unless paid", fields["available_nano"])
    elif entry.kind == "delivered/1":
        told = ("delivered", f"final warning delivered by {fields['channel']}", None)
    elif entry.kind == "cancelled/1":
        told = ("cancelled", f"final warning over: {fields['why']}", fields["available_nano"])
    elif entry.kind == "topup/1":
        text = f"{yuan_text(fields['amount_fen'] * NANO_PER_FEN)} yuan topped up, receipt {fields['receipt']}"
        told = ("topup", text, fields["balance_after_nano"])
    elif entry.kind in CHARGES:
        text = f"{kwh_text(fields['wh'])} kWh charged, {yuan_text(fields['amount_nano'])} yuan"
        told = ("charge", text, fields["balance_after_nano"])
    elif entry.kind == "relay/1" and fields["why"] != "first look" and fields["observed"] != "unknown":
        off = fields["observed"] == "open"
        told = ("cut" if off else "restored", f"supply {'off' if off else 'on'}, read back ({fields['why']})", None)
    elif entry.kind == "hold/1":
        text = f"hold {fields['hold']} {'set' if fields['set'] else 'lifted'} by {fields['who']}: {fields['why']}"
        told = ("hold", text, None)
    if told is None:
        return None
    kind, text, balance = told
    return account, AccountEvent(
        at=instant_text(instant_of_micros(entry.at)),
        kind=kind,  # type: ignore[arg-type]
        text=text,
        seq=entry.seq,
        balance=None if balance is None else yuan(balance),
        level=fields.get("level"),
    )


_METER_KINDS = {"relay/1": "relay-moved", "quarantine/1": "quarantined", "opening/1": "opened", "trip/1": "trip",
                "replacement/1": "replaced", "ratio/1": "multiplier-changed"}  # fmt: skip


def meter_event(entry: Entry) -> tuple[str, MeterEvent] | None:
    """(meter, event) for an entry that concerns a meter, else None."""
    fields = entry.fields
    meter = fields.get("meter")
    if not meter:
        return None
    if entry.kind == "alarm/1":
        kind, text = fields["alarm"], fields["text"]
    elif entry.kind in _METER_KINDS:
        kind = _METER_KINDS[entry.kind]
        text = {
            "relay/1": _read_back(fields),
            "quarantine/1": f"reading set aside: {fields.get('why')}",
            "opening/1": "opening register confirmed by a second read",
            "trip/1": _about_to_leave(fields),
            "replacement/1": f"the meter was replaced: the new one is {fields.get('serial')}",
            "ratio/1": f"the multiplier is {fields.get('multiplier')}, it was {fields.get('multiplier_before')}",
        }[entry.kind]
    else:
        return None
    return meter, MeterEvent(at=instant_text(instant_of_micros(entry.at)), kind=kind, text=text, seq=entry.seq)


def _read_back(fields: dict[str, Any]) -> str:
    if "valve" in fields:
        return f"valve read back {fields['valve']} ({fields.get('why')})"
    return f"relay read back {fields.get('observed')} ({fields.get('why')})"


def _about_to_leave(fields: dict[str, Any]) -> str:
    if "valve" in fields:
        return f"the order to close the valve is about to leave ({fields.get('cause')})"
    return f"trip about to leave ({fields.get('cause')})"
