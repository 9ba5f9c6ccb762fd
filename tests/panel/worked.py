"""The book-keeper's worked examples as entries in a panel's archive: prices, charges, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from panel_stage import Stage

from bridge.contract.entries import INCOME, TENANT, WATER_INCOME
from bridge.contract.units import instant_of_micros
from edge.billing import rating
from edge.billing.rating import Payer
from edge.billing.tariff import in_force
from edge.closing import moved
from edge.pricing import counter_body, line_body, mark_body
from tests.edge import ledger_text
from tests.edge.ledger_building import tariff_body
from tests.edge.ledger_sheet import Ledger

FILES = sorted((Path(__file__).parents[1] / "edge" / "ledgers").glob("*.txt"))


@dataclass
class Worked:
    """A charge that stands in the archive."""

    seq: int
    body: dict[str, Any]
    at: datetime


def example(number: str) -> Path:
    return next(path for path in FILES if path.name.startswith(number))


def write(stage: Stage, path: Path, account: str = "100206") -> tuple[Ledger, list[Worked]]:
    """Put an example into the archive; the charges it makes."""
    ledger = ledger_text.load(path)
    for version in ledger.versions:
        stage.entry("tariff/2", tariff_body(version) | {"by": "王敏", "proposed_by": "李强"})
    counter, posted, made = ledger.counter, ledger.money_nano or 0, []
    for told in ledger.charges:
        if told.refused is not None:
            continue
        meter = ledger.meters[told.meter]
        marks = meter.between(told.first, told.last)
        payer = Payer(ledger.since, ledger.category, shares=len(ledger.meters) > 1)  # type: ignore[arg-type]
        charge = rating.charge(marks, meter.multiplier, meter.full_scale_wh, ledger.rules(meter), payer, counter)
        amount, before, counter = rating.amount_nano(charge.lines), counter, charge.counter
        version, unit = in_force(ledger.versions, told.first), ledger.unit
        last = instant_of_micros(marks[-1].at).astimezone(ledger.zone)
        body = {
            "account": account, "meter": told.meter, "unit": unit, "start": mark_body(charge.marks[0]),
            "between": [mark_body(each) for each in charge.marks[1:-1]],
            "end": mark_body(charge.marks[-1]) | {"read_at": last.isoformat(), "frames": []},
            "guessed": list(charge.guessed), "multiplier": meter.multiplier, "full_scale_wh": meter.full_scale_wh,
            "by": "borders" if meter.borders else "registers", "tariff": "ledger", "tariff_name": version.name,
            "version": version.version, "lines": [line_body(line) for line in charge.lines],
            "counter_before": counter_body(before), "counter": counter_body(counter),
            "wh": rating.energy_wh(charge.lines), "amount_nano": amount, "days": 1, "date": f"{last:%Y-%m-%d}",
            **moved(TENANT + account, INCOME if unit == "kWh" else WATER_INCOME, amount, posted),
        }  # fmt: skip
        posted = body["balance_after_nano"]
        net = -amount if amount else None
        made.append(Worked(stage.entry("charge/2", body, at=last, amount_nano=net), body, last))
    return ledger, made
