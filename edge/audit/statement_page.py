"""A statement as one page of HTML that stands alone and prints on A4, every word in English and Chinese. Pure."""

from __future__ import annotations

from html import escape

from edge.audit.month import Month
from edge.audit.statement_text import Table, footing, heading, tables
from edge.audit.words import CHINESE, ENGLISH, say

SPLIT = "\u241f"
"""Between the two languages of a text, until it is set; no word and no figure holds it."""

STYLE = """
@page { size: A4; margin: 14mm 13mm 16mm; }
* { box-sizing: border-box; }
body { font: 10pt/1.4 "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #111;
  max-width: 184mm; margin: 10mm auto; padding: 0 2mm; }
h1 { font-size: 17pt; margin: 0 0 2mm; }
h2 { font-size: 11pt; margin: 6mm 0 1.5mm; break-after: avoid; }
p { margin: 0 0 1mm; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 8.5pt; }
thead { display: table-header-group; }
th { text-align: left; border-bottom: 1pt solid #111; padding: 1mm; vertical-align: bottom; font-weight: 600; }
td { border-bottom: .4pt solid #bbb; padding: .8mm 1mm; vertical-align: top; overflow-wrap: anywhere; }
tr { break-inside: avoid; }
.figure { text-align: right; white-space: nowrap; }
.second { color: #555; font-weight: 400; }
th .second, p .second { display: block; }
footer { margin-top: 6mm; border-top: 1pt solid #111; padding-top: 2mm; font-size: 8pt; overflow-wrap: anywhere; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
"""


def tell(key: str, **values: object) -> str:
    """A text in both languages; values that are in both already are split again."""
    parts = []
    for number, language in enumerate((ENGLISH, CHINESE)):
        own = {name: str(value).split(SPLIT)[min(number, str(value).count(SPLIT))] for name, value in values.items()}
        parts.append(say(key, language, **own))
    return parts[0] if parts[0] == parts[1] else SPLIT.join(parts)


def set_out(text: str) -> str:
    """A text as HTML: English, then the Chinese for it."""
    english, _, chinese = text.partition(SPLIT)
    second = f' <span class="second" lang="zh">{escape(chinese)}</span>' if chinese else ""
    return escape(english) + second


def page(month: Month) -> str:
    """The whole page."""
    title, *lines = heading(month, tell)
    body = [f"<h1>{set_out(title)}</h1>", *(f"<p>{set_out(line)}</p>" for line in lines)]
    for table in tables(month, tell):
        body += [f"<h2>{set_out(table.heading)}</h2>", _table(table)]
    foot = "".join(f"<p>{set_out(line)}</p>" for line in footing(month, tell))
    account = escape(f"{month.account['account']} {month.first:%Y-%m}")
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{account}</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n{chr(10).join(body)}\n<footer>{foot}</footer>\n</body>\n</html>\n"
    )


def _table(table: Table) -> str:
    def row(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(
            f'<{tag}{" class=figure" if n >= table.figures_from else ""}>{set_out(cell)}</{tag}>'
            for n, cell in enumerate(cells)
        ) + "</tr>"  # fmt: skip

    rows = "\n".join(row(each, "td") for each in table.rows) or f"<tr><td>{set_out(tell('none'))}</td></tr>"
    return f"<table><thead>{row(table.head, 'th')}</thead>\n<tbody>{rows}</tbody></table>"
