"""A replaced meter or a changed multiplier that waits for a second person, as a meter's page shows it.

The proposal comes by message, and only what fits its shape is shown; nobody is asked to approve what cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.contract.fields import Instant, Whole
from bridge.contract.messages import ProposalRow, Proposals
from panel.formats import Wall, cubic_metres, kwh
from panel.guard import me
from panel.mirror import View
from panel.model_words import modelled
from panel.states import RATE_WORDS
from panel.words import later, t

REPLACE, RATIO = "replace-meter", "change-multiplier"

TITLES = {REPLACE: later("The meter was replaced"), RATIO: later("The multiplier changes")}

SOURCES = {
    "read": later("as the meter said it last"),
    "saved": later("read before the gateway last started"),
    "display": later("as a person read it off the display"),
    "freeze": later("the midnight up to which it is charged"),
    "border": later("the midnight up to which it is charged"),
    "opening": later("its own opening register"),
}
"""How the old meter's last register was had."""


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Mark(_Shape):
    at: Instant
    registers_wh: dict[str, Whole]
    source: str


class _Row(_Shape):
    address: str
    model_name: str


class _Replace(_Shape):
    meter: str
    row: _Row
    serial: str | None
    last: _Mark | None
    mark: _Mark
    papers: str
    why: str


class _Ratio(_Shape):
    meter: str
    multiplier: Whole
    mark: _Mark
    papers: str
    why: str


@dataclass(frozen=True)
class Waiting:
    """One proposal; `told` is empty where it cannot be read."""

    row: ProposalRow
    title: str
    told: list[tuple[str, list[str]]]
    """Label and lines."""
    mine: bool


def meters_waiting(view: View) -> list[str]:
    """Ids of the installed meters about which somebody must decide."""
    found = view.get(Proposals)
    rows = found.proposals if found is not None else []
    named = [str(row.body.get("meter")) for row in rows if row.what in TITLES]
    return [id for id in named if id in view.meters]


def waiting_for(view: View, meter: str, multiplier: int, wall: Wall) -> Waiting | None:
    """What waits about a meter; the edge allows one at a time."""
    found = view.get(Proposals)
    for row in found.proposals if found is not None else []:
        if row.what in TITLES and row.body.get("meter") == meter:
            return Waiting(row, t(TITLES[row.what]), _told(row, multiplier, wall), row.who == me().name)
    return None


def _told(row: ProposalRow, multiplier: int, wall: Wall) -> list[tuple[str, list[str]]]:
    try:
        if row.what == REPLACE:
            return _replaced(_Replace.model_validate(row.body), row.body, wall)
        return _changed(_Ratio.model_validate(row.body), multiplier, wall)
    except ValidationError:
        return []


def _replaced(body: _Replace, raw: dict[str, Any], wall: Wall) -> list[tuple[str, list[str]]]:
    water = raw.get("row", {}).get("protocol") == "cjt188"
    plate = t("number {serial}, address {address}", serial=body.serial or "—", address=body.row.address)
    last = [t("it was never read, and nothing was charged on it")]
    if body.last is not None:
        how = t(SOURCES[body.last.source]) if body.last.source in SOURCES else body.last.source
        last = [*_registers(body.last, water), f"{wall.stamp(body.last.at, True)} · {how}"]
    return [
        (t("New meter"), [modelled(body.row.model_name), plate]), (t("Last register of the old one"), last),
        (t("First register of the new one"), [*_registers(body.mark, water), _twice(body.mark, wall)]),
        (t("Papers"), [body.papers]), (t("Reason"), [body.why]),
    ]  # fmt: skip


def _changed(body: _Ratio, multiplier: int, wall: Wall) -> list[tuple[str, list[str]]]:
    return [
        (t("Multiplier"), [t("{before}, then {after}", before=multiplier, after=body.multiplier)]),
        (t("From this register on"), [*_registers(body.mark, False), _twice(body.mark, wall)]),
        (t("Papers"), [body.papers]), (t("Reason"), [body.why]),
    ]  # fmt: skip


def _twice(mark: _Mark, wall: Wall) -> str:
    return f"{wall.stamp(mark.at, True)} · {t('read twice')}"


def _registers(mark: _Mark, water: bool) -> list[str]:
    """The total, and the rates that have counted anything, a line each."""
    shown, unit = (cubic_metres, "m³") if water else (kwh, "kWh")
    names = [name for name in RATE_WORDS if name == "total" or mark.registers_wh.get(name)]
    return [f"{t(RATE_WORDS[name])} {shown(mark.registers_wh.get(name))} {unit}" for name in names]
