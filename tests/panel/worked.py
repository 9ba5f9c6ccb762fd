"""The book-keeper's worked examples as entries in a panel's archive: prices, charges, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from panel_stage import Stage

from bridge.contract.units import instant_of_micros
from edge.billing import rating
from edge.billing.rating import Payer
from edge.billing.tariff import in_force
from edge.charge_body import priced_body
from edge.pricing import mark_body
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
        before, counter = counter, charge.counter
        last = instant_of_micros(marks[-1].at).astimezone(ledger.zone)
        body = {
            "account": account, "meter": told.meter, "start": mark_body(charge.marks[0]),
            "between": [mark_body(each) for each in charge.marks[1:-1]],
            "end": mark_body(charge.marks[-1]) | {"read_at": last.isoformat(), "frames": []},
            "guessed": list(charge.guessed), "days": 1, "date": f"{last:%Y-%m-%d}",
            **priced_body(
                account, meter, ledger.unit, charge, in_force(ledger.versions, told.first), meter.full_scale_wh,
                meter.borders, before, posted,
            ),
        }  # fmt: skip
        posted = body["balance_after_nano"]
        net = -body["amount_nano"] or None
        made.append(Worked(stage.entry("charge/2", body, at=last, amount_nano=net), body, last))
    return ledger, made
