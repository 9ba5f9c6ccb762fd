"""The monthly statement of an account, on the screen as it prints on A4: what `riser statement` says, on the panel."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, render_template, request

from bridge.contract.messages import Info
from bridge.contract.month import Sum, month_of
from panel import bill_history as kept
from panel.bill import KNOWN, in_order
from panel.bill_words import line_word
from panel.formats import Wall
from panel.guard import need_history
from panel.history import Line
from panel.money_told import moved_nano
from panel.pages.entry_words import words_of
from panel.parts import Parts, parts
from panel.price_rows import price_people
from panel.statement import MeterMonth, Posting, Statement, begun_at
from panel.words import t

blueprint = Blueprint("statement", __name__)

KINDS = ("rate", "step", "surcharge", "fee")

MONTHS_AT_MOST = 240


@blueprint.get("/statement/<id>")
def statement(id: str) -> str:
    """The page; `month` is one like 2026-11, without it the one that is running."""
    stand = parts()
    row, tenancy = stand.mirror.view().accounts.get(id), kept.tenancy_entry(stand.history, id)
    need_history()
    if row is None and tenancy is None:
        abort(404)
    wall = stand.wall()
    months = _months(stand, id, wall)
    wanted = request.args.get("month", "")
    month = wanted if wanted in months else months[0]
    told = gathered(stand, id, month, tenancy, row.meters if row is not None else [])
    count, newest, hash = kept.reach(stand.history)
    need_history()
    info = stand.mirror.view().get(Info)
    place = months.index(month)
    return render_template(
        "statement.html", it=told, id=id, wall=wall, month=month, months=months, day=wall.full(wall.instant)[:10],
        room=row.room if row is not None else tenancy.body.get("room", "") if tenancy else "",
        name=row.name if row is not None else tenancy.body.get("name", "") if tenancy else "",
        earlier=months[place + 1] if place + 1 < len(months) else None, later=months[place - 1] if place else None,
        meters=[_registers(each, stand) for each in told.spans],
        sums=[_sum(each) for each in sorted(told.sums, key=_place)],
        postings=[_posting(each, id, wall) for each in told.postings], prices=_prices(stand, told),
        whole=count == newest and (info is None or newest >= info.seq), newest=newest, hash=hash,
        price_people=price_people, in_order=in_order, open_days=told.closed_through != told.last and not told.ended,
    )  # fmt: skip


def gathered(stand: Parts, id: str, month: str, tenancy: Line | None, meters: list[str]) -> Statement:
    """The month of an account; its meters are those of the book's newest word on it."""
    first, last = month_of(month)
    zone, history = stand.site.zone, stand.history
    meters = list(tenancy.body["meters"]) if tenancy is not None and tenancy.body else meters
    before = kept.seq_before(history, id, datetime(first.year, first.month, first.day, tzinfo=zone))
    opening = kept.balance_at(history, id, before)
    given = kept.given_until(history, id, before)
    opening += sum(moved_nano(line, id) or 0 for line in given)
    found = Statement(id, zone, first, last, opening)
    exit = kept.exit_until(history, id, before)
    found.ended = exit is not None
    # What came before the tenancy, or after it, is where somebody else's register stood.
    within = (tenancy.seq if tenancy is not None else 0, exit.seq if exit is not None else before)
    found.begun = within[0] <= before
    for meter in meters:
        if (held := kept.register_in(history, id, meter, within)) is not None and held.body:
            found.meters[meter] = begun_at(meter, held.kind, held.body)
    found.take(kept.after(history, id, before))
    found.order(meters)
    return found


def _months(stand: Parts, id: str, wall: Wall) -> list[str]:
    """From the month that is running back to the account's first, the newest first."""
    now = wall.now.date()
    begun = kept.first_entry(stand.history, id)
    first = begun.astimezone(stand.site.zone).date() if begun is not None else now
    found = [f"{now:%Y-%m}"]
    year, month = now.year, now.month
    while (year, month) > (first.year, first.month) and len(found) < MONTHS_AT_MOST:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        found.append(f"{date(year, month, 1):%Y-%m}")
    return found


def _registers(meter: MeterMonth, stand: Parts) -> dict[str, Any]:
    """The registers that both ends have; (name, opening, closing) each, and when they were."""
    opening = meter.opening or {"registers_wh": {}, "at": None}
    closing = meter.closing or opening
    names = [name for name in in_order(opening["registers_wh"]) if name in closing["registers_wh"]]
    rows = [(name, opening["registers_wh"][name], closing["registers_wh"][name]) for name in names]
    return {
        "id": meter.meter, "row": stand.mirror.view().meters.get(meter.meter), "unit": meter.unit,
        "multiplier": meter.multiplier, "wh": meter.wh, "rows": rows, "opened": opening["at"], "closed": closing["at"],
    }  # fmt: skip


def _place(each: Sum) -> tuple[Any, ...]:
    """Rates as meters number them, then what comes on top of them, then fees."""
    rate = KNOWN.index(each.rate) if each.rate in KNOWN else len(KNOWN)
    kind = KINDS.index(each.kind) if each.kind in KINDS else len(KINDS)
    return each.unit, kind, each.tariff, each.version, rate, each.rate


def _sum(each: Sum) -> dict[str, Any]:
    fee = each.kind == "fee"
    word = t("Daily fee|entry") if fee else line_word({"kind": each.kind, "rate": each.rate,
                                                       "price_micro": each.price_micro})  # fmt: skip
    return {
        "word": word, "version": each.version, "name": each.name, "fee": fee, "unit": each.unit, "rate": each.rate,
        "quantity": each.quantity, "price_micro": each.price_micro, "amount_nano": each.amount_nano,
        "each_nano": each.amount_nano // each.quantity if fee else None,
    }  # fmt: skip


def _posting(each: Posting, account: str, wall: Wall) -> dict[str, Any]:
    _, _, word, what = words_of(each.line, account, wall)
    estimated = "estimate" in each.line.body.get("guessed", ())  # Its own words say so.
    return {
        "day": each.day, "seq": each.line.seq, "word": word, "what": what, "guessed": each.guessed and not estimated,
        "amount_nano": each.amount_nano, "balance_nano": each.balance_nano, "meter": each.line.meter or "",
    }  # fmt: skip


def _prices(stand: Parts, told: Statement) -> list[Line]:
    """The versions that were used, as the book has them."""
    wanted: dict[str, set[int]] = {}
    for each in told.sums:
        wanted.setdefault(each.tariff, set()).add(each.version)
    return [line for tariff in sorted(wanted) for line in kept.versions_of(stand.history, tariff, wanted[tariff])]
