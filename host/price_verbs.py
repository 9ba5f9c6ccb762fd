"""`riser price preview`, `riser price propose`: what a price would have cost, and asking a second person to set it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bridge.contract.messages import Response
from bridge.contract.units import kwh_text, yuan_text
from host.answer_words import zone_of
from host.exits import NOT_RUNNING, Trouble
from host.places import base_directory
from host.price_file import chosen, prices_of
from host.request import outcome, person, request
from host.runfile import Run
from host.status import live_run

WAIT_S = 120.0
"""A thousand accounts with a month of charges each, beside everything else, on a Pi."""


@click.group("price", invoke_without_command=False)
def price() -> None:
    """Prices: preview one on last month's registers, propose a new version."""


file_argument = click.argument("file", type=click.Path(path_type=Path))
tariff_option = click.option("--tariff", metavar="ID", help="Which price of the file; needed where it has several.")
json_option = click.option("--json", "as_json_text", is_flag=True, help="One line of JSON for programs.")
data_option = click.option("--data", metavar="DIR", help="Data directory [default: RISER_DATA, else var].")


@price.command("preview")
@file_argument
@tariff_option
@click.option("--month", metavar="YYYY-MM", help="Whose registers [default: the last whole month].")
@json_option
@data_option
def preview_verb(file: Path, tariff: str | None, month: str | None, as_json_text: bool, data: str | None) -> int:
    """What a price of FILE would have cost each account, by the registers of last month's charges."""
    fields: dict[str, Any] = {"price": chosen(prices_of(file), tariff)}
    if month is not None:
        fields["month"] = month
    run = _run(data)
    heard = _ask(run, "preview-price", fields, person(), "manager")
    code, sentence = outcome(heard, WAIT_S, zone_of(run))
    if as_json_text:
        click.echo(json.dumps([each.model_dump(exclude_none=True) for each in heard], ensure_ascii=False))
    elif heard and heard[-1].status == "done" and heard[-1].data is not None:
        click.echo("\n".join(preview_lines(heard[-1].data)))
    else:
        click.echo(sentence)
    return code


@price.command("propose")
@file_argument
@tariff_option
@click.option("--at", metavar="INSTANT", help="From when on, with offset [default: from its approval on].")
@click.option("--accept-markup", is_flag=True, help="A mark-up above the site's limit is meant.")
@click.option("--why", default="", help="For whoever approves it.")
@click.option("--who", help="The person who proposes [default: you].")
@click.option("--role", default="manager", show_default=True, help="In which role.")
@json_option
@data_option
def propose_verb(
    file: Path, tariff: str | None, at: str | None, accept_markup: bool, why: str, who: str | None, role: str,
    as_json_text: bool, data: str | None,
) -> int:  # fmt: skip
    """Propose a price of FILE as a new version. Another person approves it: riser request approve-price proposal=..."""
    fields: dict[str, Any] = {
        "price": chosen(prices_of(file), tariff), "effective_at": at, "accept_markup": accept_markup, "why": why,
    }  # fmt: skip
    run = _run(data)
    heard = _ask(run, "propose-price", fields, who or person(), role)
    code, sentence = outcome(heard, WAIT_S, zone_of(run))
    if as_json_text:
        click.echo(json.dumps([each.model_dump(exclude_none=True) for each in heard], ensure_ascii=False))
    else:
        click.echo(sentence)
    return code


def _run(data: str | None) -> Run:
    if (run := live_run(base_directory(data))) is None:
        raise Trouble(NOT_RUNNING, "Riser does not run here; start it with `riser up`")
    return run


def _ask(run: Run, operation: str, fields: dict[str, Any], who: str, role: str) -> list[Response]:
    return request(run, operation, fields, who=who, role=role, transaction=None, limit_s=WAIT_S)


def preview_lines(data: dict[str, Any]) -> list[str]:
    """The preview as a table: one line for each account, the sum below."""
    unit = str(data["unit"])
    lines = [
        f"tariff {data['tariff']} on the registers of {data['month']}, yuan",
        f"{'account':<24}{unit:>12}{'was':>14}{'would be':>14}{'difference':>14}",
    ]
    marked = False
    for row in data["accounts"]:
        if "why" in row:
            lines.append(f"{row['account']:<24}cannot be billed so: {row['why']}")
            continue
        star = " *" if row["interpolated"] else ""
        marked |= bool(star)
        lines.append(f"{row['account']:<24}{_figures(row)}{star}")
    lines.append(f"{'sum':<24}{_figures(data)}")
    if marked:
        lines.append("* between readings, as if the load had been even: no register was read when this price changes")
    if "markup_percent" in data:
        lines.append(f"{data['markup_percent']} % above what is paid upstream for the same energy")
    if not any(row.get("charges") for row in data["accounts"]):
        lines.append(f"no charge of {data['month']} stands in the book; name another month with --month")
    return lines


def _figures(row: dict[str, Any]) -> str:
    money = "".join(f"{yuan_text(row[key]):>14}" for key in ("old_nano", "new_nano", "difference_nano"))
    return f"{kwh_text(row['wh']):>12}{money}"
