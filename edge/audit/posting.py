"""Vouchers for accounting: each move of money as debit, credit and whole fen; what is less is carried on. Pure.

A move from one ledger account to another debits the one it leaves and credits the one it goes to: a tenant's wallet is
money owed to the tenant. Rounding stands here and nowhere else (R11): for each pair of accounts the residue of a
posting is added to the next one, so that all fen posted are the floor of the exact sum. It is counted from the
beginning of the book, so that a voucher is the same whichever days are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from bridge.contract.units import NANO_PER_FEN, fen_floor
from edge.audit.month import dated
from edge.audit.words import WORDS, say
from edge.book import Entry

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""A cell that begins with one of these may be taken for a formula by a spreadsheet (failure 91)."""


@dataclass(frozen=True)
class Voucher:
    """One move of money. What was less than a fen before, plus the exact amount, is the fen posted and the rest."""

    day: date
    debit: str
    credit: str
    fen: int
    exact_nano: int
    before_nano: int
    after_nano: int
    reference: str
    text: str


def vouchers(entries: Iterable[Entry], zone: ZoneInfo, language: str) -> Iterator[Voucher]:
    """Every move of the book, in order."""
    residues: dict[tuple[str, str], int] = {}
    names: dict[str, str] = {}
    for entry, day in dated(entries, zone):
        fields = entry.fields
        if entry.kind == "account/1":
            names[fields["account"]] = fields["name"]
        for move in fields.get("moves", ()):
            pair = move["from"], move["to"]
            before = residues.get(pair, 0)
            fen = fen_floor(before + move["amount_nano"])
            residues[pair] = before + move["amount_nano"] - fen * NANO_PER_FEN
            yield Voucher(
                day, *pair, fen, move["amount_nano"], before, residues[pair], entry.id,
                _text(entry, names, language),
            )  # fmt: skip


def _text(entry: Entry, names: dict[str, str], language: str) -> str:
    fields, base = entry.fields, entry.kind.split("/")[0]
    if base == "charge" and fields.get("unit") == "m3":
        base = "water-charge"
    account = fields.get("account", "")
    parts = [
        say(base if base in WORDS else "money", language),
        account,
        names.get(account, ""),
        fields.get("meter", ""),
    ]
    parts += [str(fields[key]) for key in ("receipt", "reference", "why") if fields.get(key)]
    return " ".join(part for part in parts if part)


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before what might be one."""
    return f"'{text}" if text.startswith(DANGEROUS) or text.lstrip().startswith(DANGEROUS) else text


def yuan(fen: int) -> str:
    """Whole fen as yuan with two decimals."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
