"""What an entry says of a priced span: the same of a charge and of a register put right."""

from __future__ import annotations

from typing import Any

from bridge.contract.entries import INCOME, TENANT, WATER_INCOME
from edge.billing import rating
from edge.billing.rating import Charge
from edge.billing.tariff import Version
from edge.pricing import ENERGY, counter_body, line_body
from edge.state import Counter, MeterState


def income_of(unit: str) -> str:
    """Where charges of a unit go."""
    return INCOME if unit == ENERGY else WATER_INCOME


def moves_of(wallet: str, income: str, amount_nano: int) -> list[dict[str, Any]]:
    """The moves of an amount; one below zero, such as an estimate taken back, gives money back."""
    sides = (wallet, income) if amount_nano > 0 else (income, wallet)
    return [{"from": sides[0], "to": sides[1], "amount_nano": abs(amount_nano)}] if amount_nano else []


def priced_body(
    account: str, meter: MeterState, unit: str, priced: Charge, version: Version, full_scale_wh: int, borders: bool,
    before: Counter, posted_nano: int,
) -> dict[str, Any]:  # fmt: skip
    """All but the span itself: by what it was priced, its lines, the step counter `before` and after, the money.
    `posted_nano` is the account's balance before it."""
    amount = rating.amount_nano(priced.lines)
    return {
        "unit": unit,
        "multiplier": meter.multiplier,
        "full_scale_wh": full_scale_wh,
        "by": "borders" if borders else "registers",
        "tariff": version.tariff,
        "tariff_name": version.name,
        "version": version.version,
        "lines": [line_body(line) for line in priced.lines],
        "counter_before": counter_body(before),
        "counter": counter_body(priced.counter),
        "wh": rating.energy_wh(priced.lines),
        "amount_nano": amount,
        "moves": moves_of(TENANT + account, income_of(unit), amount),
        "balance_after_nano": posted_nano - amount,
    }
