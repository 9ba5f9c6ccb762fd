"""What a person types about a replaced meter or its multiplier: a request's fields, or a sentence beside the slip.

Registers are typed as the display shows them, in kWh or m3, and sent in Wh or litres.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.contract.messages import MeterRow
from bridge.contract.units import RATES, instant_text, is_plain
from panel.formats import Wall
from panel.typed import Form, unfit
from panel.words import t

LONGEST = {"address": 14, "serial": 14, "model": 32, "removed_at": 16, "papers": 200, "why": 200, "multiplier": 5}

_REGISTER = re.compile(r"(\d{1,9})(?:[.,](\d{1,3}))?")


@dataclass
class Typed(Form):
    """A change at a meter; `fields` are those of its request."""

    fields: dict[str, Any] = field(default_factory=dict)


def registers_of(meter: MeterRow) -> list[str]:
    """The registers of the meter that was taken off, the total first."""
    rates = [rate for rate in RATES if f"energy_{rate}_wh" in meter.quantities]
    return ["total", *rates]


def replacement(typed: Mapping[str, str], meter: MeterRow, wall: Wall) -> Typed:
    """Fields of `replace-meter`."""
    form = _begun(typed, ("address", "serial", "model", "removed_at", "papers", "why"))
    if not form.value("address").isascii() or not form.value("address").isdigit():
        form.mistakes["address"] = t("The address is digits only, as on the new meter's plate or display.")
    form.fields["address"] = form.value("address")
    if serial := form.value("serial"):
        if not re.fullmatch(r"\d{12}|\d{14}", serial, re.ASCII):
            form.mistakes["serial"] = t("The number has 12 digits, of a water meter 14.")
        form.fields["serial"] = serial
    if model := form.value("model"):
        form.fields["model"] = model
    closing: dict[str, int] = {}
    for name in registers_of(meter):
        text = form.values[f"closing_{name}"] = typed.get(f"closing_{name}", "").strip()[:16]
        if text:
            if (found := _REGISTER.fullmatch(text)) is None:
                form.mistakes["closing"] = t("Write a register as the display shows it, such as 88129.65.")
            else:
                closing[name] = int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0"))
    if closing:
        if "total" not in closing and "closing" not in form.mistakes:
            form.mistakes["closing"] = t("The total register is needed as well.")
        form.fields["closing"] = closing
    if removed := form.value("removed_at"):
        try:
            form.fields["removed_at"] = instant_text(datetime.fromisoformat(removed).replace(tzinfo=wall.zone))
        except ValueError:
            form.mistakes["removed_at"] = t("Write the time like 2026-11-20 14:20.")
    return form


def multiplier(typed: Mapping[str, str]) -> Typed:
    """Fields of `change-multiplier`."""
    form = _begun(typed, ("multiplier", "papers", "why"))
    text = form.value("multiplier")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000):
        form.mistakes["multiplier"] = t("A whole number from 1 to 10000: 40 for a transformer of 200/5.")
    else:
        form.fields["multiplier"] = int(text)
    return form


def _begun(typed: Mapping[str, str], names: tuple[str, ...]) -> Typed:
    """Papers and a reason, which every change needs."""
    form = Typed({name: typed.get(name, "").strip()[: 2 * LONGEST[name]] for name in names})
    for name in ("papers", "why"):
        text = form.value(name)
        if not text:
            needed = t("Say where the photo or the form is; whoever approves looks at it.")
            form.mistakes[name] = needed if name == "papers" else t("A reason is needed; it stands in the book.")
        elif wrong := unfit(text, LONGEST[name]):
            form.mistakes[name] = wrong
        form.fields[name] = text
    for name in names:
        if name not in ("papers", "why") and not is_plain(form.value(name)):
            form.mistakes[name] = t("There are characters in it that cannot be shown; type it anew.")
    return form
