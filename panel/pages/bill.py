"""One entry of the book explained, so that a tenant can follow it with a pocket calculator; raw frames on demand.

All figures are the entry's own. What it rests on (the entry before, the price's versions) stands in the archive too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, render_template

from bridge.contract.entries import PRICED, TARIFFS
from bridge.contract.units import NANO_PER_FEN, fen_floor, instant_of
from panel import bill
from panel.bill_grounds import between_of, grounds, read_borders
from panel.bill_history import holder_of, tenancy_entry, versions_of
from panel.bill_words import GUESSES, ledger_word, line_word, quantity, source_means, unit_word
from panel.body_parts import moves_of
from panel.formats import Wall
from panel.guard import need_history
from panel.history import Line
from panel.money_told import moved_nano, named_version
from panel.pages.act_words import acted
from panel.pages.entry_words import words_of
from panel.parts import Parts, parts
from panel.price_rows import price_people, price_rows
from panel.switches import OF_VALVE, meter_number
from panel.switches import words_of as words_of_meter
from panel.words import t

blueprint = Blueprint("bill", __name__)

BORDER = timedelta(seconds=60)
"""A read this near to midnight is that midnight's."""

Shown = dict[str, Any]


@blueprint.get("/entry/<seq>")
def entry(seq: str) -> str:
    """The page of entry `seq`; while the archive has not got as far it says so."""
    if not (seq.isascii() and seq.isdigit() and len(seq) < 19):
        abort(404)
    stand, number = parts(), int(seq)
    line = stand.history.entry(number)
    need_history()
    if line is None:
        if number == 0 or number <= stand.history.newest_seq():
            abort(404)
        return render_template("entry.html", line=None, seq=number)
    return render_template("entry.html", line=line, seq=number, **_shown(line, stand, stand.wall()))


def _shown(line: Line, stand: Parts, wall: Wall) -> Shown:
    body, account = line.body, line.account
    _, _, word, what = words_of(line, account or "", wall)
    if line.kind in TARIFFS:
        what = named_version(body)
    elif acted(line.kind, body):
        what = ""  # It stands below, each part with its name.
    shown: Shown = {
        "wall": wall, "body": body, "word": word, "about": what, "who": _tenant(stand, account),
        "charged": line.kind in PRICED, "acted": acted(line.kind, body), "unit": str(body.get("unit") or "kWh"),
        "moves": _moves(body), "meter": None, "right": _to_put_right(stand, line), "of_meter": line.meter, "prices": [],
        "price_people": price_people,
        "price": price_rows(body, wall) if line.kind in TARIFFS else None, **_money(line),
    }  # fmt: skip
    if line.meter:
        shown["meter"] = row = stand.mirror.view().meters.get(line.meter)
        words = OF_VALVE if row is None and body.get("unit") == "m3" else words_of_meter(row)
        shown["meter_word"] = t(words.meter_number, number=meter_number(row) if row is not None else line.meter)
    if line.kind in (*PRICED, "fee/1"):
        own = body.get("version", 0)  # An old book's charge names its price once, for all its lines.
        numbers = {own, *(each.get("version") or own for each in body.get("lines", ()))}
        shown["prices"] = _prices(stand, body, numbers)
    if line.kind in PRICED:
        shown |= _charge(line, stand, wall, [each["line"].body for each in shown["prices"] if each["line"]])
    else:
        shown["frames"] = _frames(body.get("frames"))
    return shown


def _to_put_right(stand: Parts, line: Line) -> str | None:
    """The account that pays for the meter whose register this entry ends at: where there is one, it can be put right,
    if no newer entry stands."""
    if line.kind not in (*PRICED, "opening/1") or line.meter is None:
        return None
    view = stand.mirror.view()
    row = view.meters.get(line.meter)
    account = line.account or (row.account if row is not None else None)
    tenant = view.accounts.get(account or "")
    return tenant.id if tenant is not None and row is not None and row.id in tenant.meters else None


def _tenant(stand: Parts, account: str | None) -> tuple[str, str, str] | None:
    """(id, room, name): of today, else as the book has it."""
    if account is None:
        return None
    if (row := stand.mirror.view().accounts.get(account)) is not None:
        return account, row.room, row.name
    kept = tenancy_entry(stand.history, account)
    found = kept.body if kept is not None else {}
    return account, str(found.get("room", "")), str(found.get("name", ""))


def _money(line: Line) -> Shown:
    """The balance before and after, and how an amount stands in whole fen."""
    after, moved = line.body.get("balance_after_nano"), moved_nano(line, line.account or "")
    shown: Shown = {"after": after, "moved": moved, "before": None, "whole": None, "rest": None}
    if after is not None and moved is not None:
        shown["before"] = after - moved
    amount = line.body.get("amount_nano")
    if type(amount) is int and amount % NANO_PER_FEN:
        whole = fen_floor(amount) * NANO_PER_FEN
        shown |= {"whole": whole, "rest": amount - whole}
    return shown


def _moves(body: Shown) -> list[Shown]:
    """Each move of money in words."""
    return [
        {"from": ledger_word(move["from"]), "to": ledger_word(move["to"]), "amount": move["amount_nano"]}
        for move in moves_of(body)
    ]


def _prices(stand: Parts, body: Shown, numbers: set[int]) -> list[Shown]:
    """{version, line}: each version that was used; `line` is None while the archive does not have its entry."""
    lines = {line.body["version"]: line for line in versions_of(stand.history, body.get("tariff", ""), numbers)}
    return [{"version": number, "line": lines.get(number)} for number in sorted(numbers)]


def _charge(line: Line, stand: Parts, wall: Wall, prices: list[Shown]) -> Shown:
    body, holder = line.body, holder_of(stand.history, line)
    held = (holder.body.get("end") or holder.body) if holder is not None else {}
    start, end = body["start"], body["end"]
    fits = held.get("registers_wh") == start["registers_wh"]  # Else it is another meter's life that the archive has.
    priced = {each["rate"] for each in body["lines"] if each.get("kind", "rate") == "rate"}
    # What no line is priced by is no part of the calculation; a register put right before any charge is shown whole.
    used = [row for row in bill.used(body) if row.register in {"total", *priced} or not priced]
    ended = instant_of(end["at"]).astimezone(wall.zone)
    return {
        "readings": [
            _reading("start", start, holder if fits else None, held.get("frames") if fits else None)
            | grounds(stand.history, line, 0, holder if fits else None),
            _reading("end", end, None, end.get("frames")) | grounds(stand.history, line, -1, None),
        ],
        "worked_out": between_of(stand.history, line),
        "borders": read_borders(stand.history, line),
        "used": used,
        "spans": bill.spans(body, prices, wall.zone),
        "lines": [each | {"word": line_word(each), "unlike": len(prices) > 1} for each in bill.ordered_lines(body)],
        "steps": bill.step_count(body, prices),
        "agrees": bill.agrees(body),
        "rates": len(priced - {"total"}) > 0,
        "guessed": [source for source in GUESSES if source in body.get("guessed", ())],
        "trues_up": start.get("source") in GUESSES,
        "ended_at": None if _midnight(ended) or "entry" in body else end["at"],
        "days_word": _days_word,
    }  # fmt: skip


def _days_word(days: list[Shown], unit: str) -> str:
    """What each whole day used, by the meter's total."""
    return ", ".join(quantity(day["total"], unit) for day in days if "total" in day) + f" {unit_word(unit)}"


def _midnight(local: Any) -> bool:
    """True within a minute of a local midnight."""
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return bool(local - start <= BORDER or start + timedelta(days=1) - local <= BORDER)


def _reading(name: str, mark: Shown, holder: Line | None, frames: Any) -> Shown:
    registers = mark["registers_wh"]
    return {
        "name": name, "at": mark["at"], "read_at": mark.get("read_at"), "means": source_means(mark.get("source", "")),
        "guess": mark.get("source") in GUESSES, "days": mark.get("days") or [],
        "registers": [(each, registers[each]) for each in bill.in_order(registers)], "frames": _frames(frames),
        "holder": holder.seq if holder else None,
    }  # fmt: skip


def _frames(exchanges: Any) -> list[tuple[str, list[str]]]:
    """(question, the parts of its answer), in groups of two digits."""
    return [(_spaced(sent), [_spaced(part) for part in got]) for sent, *got in exchanges or ()]


def _spaced(text: str) -> str:
    return bytes.fromhex(text).hex(" ").upper()
