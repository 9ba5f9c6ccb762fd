"""What an entry rests on, as data: readings with their frames, lines, price and who set it, balances. Pure.

`Context` is what of the book belongs to the entry; whoever reads the book gathers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import PRICED, TENANT
from bridge.contract.units import NANO_PER_FEN, fen_floor
from edge.audit import grounds
from edge.audit.figures import in_order
from edge.audit.frames import FREEZE
from edge.billing.money import net_nano
from edge.book import Entry
from edge.explain.__main__ import explain, lines_of, protocol_of
from edge.pricing import CORRECTED

Fields = dict[str, Any]


@dataclass
class Context:
    """The rest of the book, as far as the entry names it."""

    zone: ZoneInfo
    account: Fields = field(default_factory=dict)
    meter: Fields = field(default_factory=dict)
    before: Entry | None = None
    """The entry that holds the register from which a charge starts."""
    tariffs: Sequence[Entry] = ()
    """The versions of the entry's tariff."""
    places: Fields = field(default_factory=dict)
    """Where the readings of a charge stand that it keeps no frames of; see `grounds.py`."""


AGREED = ("who", "role", "approved_by", "receipt", "why", "papers", "entry")
"""What two people said of a register that they put right."""


def told(entry: Entry, context: Context) -> Fields:
    """The entry explained. Money in nano-yuan, quantities in Wh or litres."""
    fields = entry.fields
    found: Fields = {
        "seq": entry.seq, "id": entry.id, "kind": entry.kind, "at": entry.at, "trusted": entry.trusted,
        "hash": entry.hash, "prev_hash": entry.prev_hash, "zone": str(context.zone),
        "account": _named(context.account, "account", ("name", "room")),
        "meter": _named(context.meter, "meter", ("model_name", "serial", "address", "port")),
        "moves": fields.get("moves", []),
    }  # fmt: skip
    if "balance_after_nano" in fields:
        found["balance_after_nano"] = fields["balance_after_nano"]
        found["balance_before_nano"] = fields["balance_after_nano"] - net_nano(
            TENANT + fields["account"], fields.get("moves", ())
        )
    if entry.kind in PRICED:
        found |= _charge(fields, context)
        found["fields"] = {key: fields[key] for key in AGREED if key in fields}
    elif entry.kind == "trip/1":
        found["frames"] = _frames(fields.get("read", {}).get("frames", []), context.meter)
        found["fields"] = {key: value for key, value in fields.items() if key != "read"}
        found["registers_wh"] = fields.get("read", {}).get("registers_wh", {})
    else:
        found["frames"] = _frames(fields.get("frames", []), context.meter)
        found["fields"] = {key: value for key, value in fields.items() if key not in ("frames", "moves")}
        if "tariff" in fields and "version" in fields and not entry.kind.startswith("tariff/"):
            found["prices"] = _prices({fields["version"]}, fields["tariff"], context)
    if "amount_nano" in fields:
        found |= _rounded(fields["amount_nano"])
    return found


def _named(row: Fields, key: str, keys: tuple[str, ...]) -> Fields:
    return {"id": row[key], **{name: row.get(name) for name in keys}} if row else {}


def _rounded(amount: int) -> Fields:
    fen = fen_floor(amount)
    return {"amount_nano": amount, "amount_fen": fen, "residue_nano": amount - fen * NANO_PER_FEN}


def _charge(fields: Fields, context: Context) -> Fields:
    start_frames = _frames_of(context.before)
    first, *middle, last = grounds.of_marks(fields, context.before, context.places)
    versions = {line.get("version", fields["version"]) for line in fields["lines"]} | {fields["version"]}
    return {
        "unit": fields.get("unit", "kWh"),
        "date": fields.get("date"),
        "days": fields.get("days"),
        "start": {**fields["start"], "entry": context.before.id if context.before else None,
                  "frames": _frames(start_frames, context.meter), **first},
        "between": [{**mark, **more} for mark, more in zip(fields.get("between", ()), middle, strict=True)],
        "end": {**fields["end"], "frames": _frames(fields["end"].get("frames", []), context.meter), **last},
        "by": fields.get("by", "registers"),
        "guessed": fields.get("guessed", []),
        "multiplier": fields["multiplier"],
        "used": _used(fields),
        "lines": [{"kind": "rate", "version": fields["version"], **line} for line in fields["lines"]],
        "wh": fields["wh"],
        "prices": _prices(versions, fields["tariff"], context),
        "counter_before": fields.get("counter_before"),
        "counter": fields.get("counter"),
    }  # fmt: skip


def _used(fields: Fields) -> list[Fields]:
    """The difference of each register that both readings have, before and after the multiplier."""
    start, end, full = fields["start"]["registers_wh"], fields["end"]["registers_wh"], fields.get("full_scale_wh", 0)
    found = []
    for name in in_order(start):
        if name in end:
            used = end[name] - start[name]
            guess = fields["start"]["source"] in ("estimate", "interpolated") and not used + full < -used
            guess |= fields["end"]["source"] == CORRECTED
            rolled = used < 0 and full > 0 and not guess
            used += full if rolled else 0
            found.append({
                "register": name, "start": start[name], "end": end[name], "used": used, "rolled": rolled,
                "all": used * fields["multiplier"],
            })  # fmt: skip
    return found


def _frames_of(entry: Entry | None) -> list[list[str]]:
    if entry is None:
        return []
    held = entry.fields["end"] if entry.kind in PRICED else entry.fields
    frames: list[list[str]] = held.get("frames") or []
    return frames if held.get("source") == FREEZE else frames[-1:]


def _frames(exchanges: Sequence[Sequence[str]], meter: Fields) -> list[Fields]:
    """Every frame with its meaning, question and answers."""
    found = []
    for exchange in exchanges:
        for number, text in enumerate(exchange):
            raw = bytes.fromhex(text)
            known = explain(raw, meter.get("protocol") or protocol_of(raw))
            found.append({
                "way": "answer" if number else "question", "hex": text, "valid": known.valid,
                "lines": lines_of(known)[1:], "fields": known.fields,
            })  # fmt: skip
    return found


def _prices(versions: set[int], tariff: str, context: Context) -> list[Fields]:
    """Who set each version that was used, since when it counts, and who approved it."""
    found = []
    for version in sorted(versions - {0}):
        entry = next((each for each in context.tariffs if each.fields["version"] == version), None)
        if entry is None:
            found.append({"tariff": tariff, "version": version})
            continue
        body = entry.fields
        found.append({
            "tariff": tariff, "version": version, "name": body["name"], "effective_at": body["effective_at"],
            "by": body.get("proposed_by") or body.get("by"), "seq": entry.seq, "at": entry.at,
            "approved_by": body.get("by") if body.get("proposed_by") else body.get("approved_by"),
        })  # fmt: skip
    return found
