"""Vouchers as files: CSV that Excel opens as UTF-8, and XLSX. The only importer of xlsxwriter.

Text stays text in both: what might be a formula gets an apostrophe, and nothing is ever written as one (failure 91).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from bridge.contract.units import yuan_exact
from edge.audit.posting import Voucher, safe, yuan
from edge.audit.words import say

HEAD = (
    "date",
    "debit-head",
    "credit-head",
    "posted",
    "reference-head",
    "text",
    "exact",
    "residue-before",
    "residue-after",
)

FIGURES = (3, 6, 7, 8)
"""Columns that are numbers."""

WIDTHS = (11, 20, 20, 13, 34, 40, 18, 16, 16)


def cells(voucher: Voucher) -> tuple[str, ...]:
    """One voucher as texts, in the order of `HEAD`."""
    return (
        voucher.day.isoformat(), safe(voucher.debit), safe(voucher.credit), yuan(voucher.fen), safe(voucher.reference),
        safe(voucher.text), yuan_exact(voucher.exact_nano), yuan_exact(voucher.before_nano),
        yuan_exact(voucher.after_nano),
    )  # fmt: skip


def write_csv(path: Path, vouchers: Iterable[Voucher], language: str) -> int:
    """Write a CSV with a byte order mark, as Excel wants it. Returns how many vouchers."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\r\n")
        table.writerow(say(key, language) for key in HEAD)
        for voucher in vouchers:
            table.writerow(cells(voucher))
            count += 1
    return count


def write_xlsx(path: Path, vouchers: Iterable[Voucher], language: str) -> int:
    """Write a workbook of one sheet. Returns how many vouchers. Raises OSError."""
    count = 0
    book = xlsxwriter.Workbook(
        str(path),
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "0.00"})
    exact = book.add_format({"num_format": "0.00#######"})
    sheet = book.add_worksheet("vouchers")
    sheet.freeze_panes(1, 0)
    for column, (key, width) in enumerate(zip(HEAD, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, say(key, language), bold)
    for voucher in vouchers:
        count += 1
        for column, cell in enumerate(cells(voucher)):
            if column in FIGURES:
                sheet.write_number(count, column, Decimal(cell), money if column == FIGURES[0] else exact)
            else:
                sheet.write_string(count, column, cell)
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from None  # The operating system's own word.
    return count
