"""A statement as tables of text: the rows that page and terminal show alike, and the terminal's own layout. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bridge.contract.units import price_text, yuan_exact
from edge.audit import figures
from edge.audit.month import Month, Posting, Sum
from edge.audit.words import WORDS, say
from edge.book import Entry

Said = Callable[..., str]


@dataclass(frozen=True)
class Table:
    """A table with its heading; columns from `figures_from` on are figures."""

    heading: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    figures_from: int


def tables(month: Month, tell: Said) -> Iterator[Table]:
    """The tables of a statement; `tell(key, ...)` says a word in the reader's language, or in both."""
    yield _meters(month, tell)
    yield Table(
        tell("sums"), tuple(tell(key) for key in ("line", "quantity", "unit-price", "amount-head")),
        [_sum(each, tell) for each in month.sums], 1,
    )  # fmt: skip
    yield Table(
        tell("postings"), tuple(tell(key) for key in ("date", "what", "entry-head", "amount-head", "balance-head")),
        [_posting(each, tell) for each in month.postings], 3,
    )  # fmt: skip
    head = ("what", "version", "unit-price", "since", "set-by", "entry-head")
    yield Table(
        tell("prices"), tuple(tell(key) for key in head), [_price(each, month, tell) for each in month.prices], 9
    )


def _price(entry: Entry, month: Month, tell: Said) -> tuple[str, ...]:
    fields = entry.fields
    prices = ""
    for name in figures.in_order(fields["prices_micro"]):
        told = tell("pair", first=tell(name), second=price_text(fields["prices_micro"][name]))
        prices = tell("listed", first=prices, second=told) if prices else told
    return (
        f"{fields['name']} ({fields['tariff']})", str(fields["version"]), prices,
        figures.instant(fields["effective_at"], month.zone), str(fields.get("by") or fields.get("who") or ""),
        str(entry.seq),
    )  # fmt: skip


def _meters(month: Month, tell: Said) -> Table:
    rows = []
    for meter in month.meters:
        opening, closing = meter.opening, meter.closing or meter.opening
        if opening is None or closing is None:
            continue
        for name in figures.in_order(opening["registers_wh"]):
            if name not in closing["registers_wh"]:
                continue
            total = name == "total"
            rows.append((
                tell("pair", first=meter.meter, second=tell(name) if name in WORDS else name),
                f"{figures.quantity(opening['registers_wh'][name], meter.unit)}"
                + (f" ({figures.instant(opening['at'], month.zone)[:16]})" if total else ""),
                f"{figures.quantity(closing['registers_wh'][name], meter.unit)}"
                + (f" ({figures.instant(closing['at'], month.zone)[:16]})" if total else ""),
                str(meter.multiplier),
                figures.quantity(meter.wh, meter.unit) if total else "",
            ))  # fmt: skip
    head = ("meter", "opening-register", "closing-register", "multiplier", "used")
    return Table(tell("meters"), tuple(tell(key) for key in head), rows, 1)


def _sum(each: Sum, tell: Said) -> tuple[str, ...]:
    rate = tell(each.rate) if each.rate in WORDS else each.rate
    name = tell("fee") if each.kind == "fee" else tell(f"{each.kind}-line", rate=rate)
    name = tell("pair", first=name, second=f"({each.tariff} v{each.version})")
    if each.kind == "fee":
        return name, f"{each.quantity} d", yuan_exact(each.amount_nano // each.quantity), yuan_exact(each.amount_nano)
    return (
        name,
        figures.quantity(each.quantity, each.unit),
        price_text(each.price_micro),
        yuan_exact(each.amount_nano),
    )


def _posting(each: Posting, tell: Said) -> tuple[str, ...]:
    what = tell(each.kind if each.kind in WORDS else "money")
    for part in (each.meter, each.detail, tell("guessed-mark") if each.guessed else ""):
        what = tell("pair", first=what, second=part) if part else what
    return (
        each.day.isoformat(), what, str(each.seq), yuan_exact(each.amount_nano),
        yuan_exact(each.balance_nano),
    )  # fmt: skip


def heading(month: Month, tell: Said) -> list[str]:
    """What stands above the tables."""
    account = {"id": month.account["account"], "name": month.account["name"], "room": month.account.get("room", "")}
    lines = [tell("statement-of", month=f"{month.first:%Y-%m}"), tell("of-account", **account)]
    lines.append(tell("opening-money", day=month.first, amount=yuan_exact(month.opening_nano)))
    lines.append(tell("totals", out=yuan_exact(month.out_nano), **{"in": yuan_exact(month.in_nano)}))
    through = month.closed_through
    more = "" if through == month.last else tell("closed-through", day=through or tell("none"))
    lines.append(tell("closing-money", day=month.last, amount=yuan_exact(month.closing_nano), more=more))
    return lines


def footing(month: Month, tell: Said) -> list[str]:
    """What stands below them."""
    return [tell("shown-fen"), tell("newest", seq=month.newest_seq, hash=month.newest_hash)]


def text_of(month: Month, language: str) -> str:
    """The statement for a terminal."""

    def tell(key: str, **values: object) -> str:
        return say(key, language, **values)

    lines = heading(month, tell)
    for table in tables(month, tell):
        lines += ["", table.heading, *_laid_out(table)]
    return "\n".join([*lines, "", *footing(month, tell)])


def _laid_out(table: Table) -> list[str]:
    rows = [table.head, *table.rows]
    widths = [max(_cells(row[n]) for row in rows) for n in range(len(table.head))]
    found = []
    for row in rows:
        cells = []
        for n, cell in enumerate(row):
            space = " " * (widths[n] - _cells(cell))
            cells.append(space + cell if n >= table.figures_from else cell + space)
        found.append("  " + "  ".join(cells).rstrip())
    return found


def _cells(text: str) -> int:
    """How wide a text is on a terminal: Chinese takes two places."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
