"""Which entries are events that people want to hear of, and in which words; one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import CHARGES, PRICED
from bridge.contract.messages import AccountEvent, MeterEvent
from bridge.contract.units import (
    NANO_PER_FEN,
    instant_of,
    instant_of_micros,
    instant_text,
    kwh_text,
    wall_time,
    yuan_text,
)
from edge.account_facts import yuan
from edge.book import Entry

ACTS = {
    "topup": "topped up",
    "reversal": "of a top-up taken back",
    "refund": "refunded",
    "compensation": "compensated",
    "deduction": "deducted",
    "correction": "moved to another account",
    "credit": "of emergency credit lent",
    "debt": "of arrears made an agreed debt",
    "exit": "refunded, the tenancy is settled",
}
"""Acts with money by their kind, with what is said behind their amount."""

Told = tuple[str, str, int | None]
"""Kind, sentence, balance."""


def account_events(entry: Entry, zone: ZoneInfo) -> Iterator[tuple[str, AccountEvent]]:
    """(account, event) for each account of whose life an entry is a step: two where money moved between two. Sentences
    tell instants by the wall of the site's zone."""
    fields = entry.fields
    if not (account := fields.get("account")):
        return
    if (told := _money(entry.kind, fields) or _step(entry.kind, fields, zone)) is not None:
        yield account, _event(entry, *told)
    if entry.kind == "correction/1":
        text = f"{_amount(fields)} yuan moved here from another account, receipt {fields['receipt']}"
        yield fields["to_account"], _event(entry, "correction", text, fields["to_balance_after_nano"])


def _event(entry: Entry, kind: str, text: str, balance: int | None) -> AccountEvent:
    return AccountEvent(
        at=instant_text(instant_of_micros(entry.at)),
        kind=kind,  # type: ignore[arg-type]
        text=text,
        seq=entry.seq,
        balance=None if balance is None else yuan(balance),
        level=entry.fields.get("level"),
    )


def _amount(fields: dict[str, Any]) -> str:
    return yuan_text(fields["amount_fen"] * NANO_PER_FEN)


def _money(kind: str, fields: dict[str, Any]) -> Told | None:
    """What moved money, which the balance after it goes with."""
    name = kind.partition("/")[0]
    if name in ACTS:
        text = f"{_amount(fields)} yuan {ACTS[name]}, receipt {fields['receipt']}"
    elif kind in PRICED:
        text = f"{_used(fields)} charged, {yuan_text(fields['amount_nano'])} yuan"
        name = "charge" if kind in CHARGES else name
    elif kind == "fee/1":
        text = f"daily fee of {fields['date']} charged, {yuan_text(fields['amount_nano'])} yuan"
    elif kind == "opening-balance/1":
        name, text = "opening-balance", "balance brought in"
    else:
        return None
    return name, text, fields["balance_after_nano"]


def _used(fields: dict[str, Any]) -> str:
    return f"{kwh_text(fields['wh'])} {'m3' if fields.get('unit') == 'm3' else 'kWh'}"


def _step(kind: str, fields: dict[str, Any], zone: ZoneInfo) -> Told | None:
    """What happens to an account without money."""
    if kind == "level/1":
        still = f"told again, {fields['repeat']}: " if "repeat" in fields else ""
        text = f"{still}balance below level {fields['level']} ({yuan_text(fields['threshold_nano'])} yuan)"
        return "level", text, fields["available_nano"]
    if kind == "final/1":
        cut_at = wall_time(instant_of(fields["cut_at"]), zone)
        return "final-warning", f"supply will be cut at {cut_at} unless paid", fields["available_nano"]
    if kind == "delivered/1":
        return "delivered", f"final warning delivered by {fields['channel']}", None
    if kind == "protection/1":
        turned = f"set until {wall_time(instant_of(fields['until']), zone)}" if fields["set"] else "lifted"
        return "protection", f"{fields['protection']} {turned} by {fields['who']}: {fields['why']}", None
    if kind == "alarm/1" and fields["alarm"] == "protection-ends":
        return "protection", fields["text"], None
    if kind == "cancelled/1":
        return "cancelled", f"final warning over: {fields['why']}", fields["available_nano"]
    if kind == "relay/1" and fields["why"] != "first look" and fields["observed"] != "unknown":
        off = fields["observed"] == "open"
        text = f"supply {'off' if off else 'on'}, read back ({fields['why']})"
        return "cut" if off else "restored", text, None
    if kind == "hold/1":
        turned = "set" if fields["set"] else "lifted"
        return "hold", f"hold {fields['hold']} {turned} by {fields['who']}: {fields['why']}", None
    return None


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
