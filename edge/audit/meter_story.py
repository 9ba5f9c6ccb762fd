"""What a replaced meter, a changed multiplier or an opening says, in lines for people. Pure."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from edge.audit import figures
from edge.audit.words import say

Fields = dict[str, Any]


def lines_of(story: Fields, zone: ZoneInfo, language: str) -> list[str]:
    """The old meter with its last register, the new one with its first; or both multipliers; and what was nobody's."""
    fields = story["fields"]
    unit = "m3" if fields.get("unit") == "L" else "kWh"
    lines = []
    if (was := fields.get("was")) is not None:
        lines.append(say("taken-off", language, **{key: was.get(key) for key in ("model", "serial", "address")}))
        lines.append(_last(was, unit, zone, language))
        row = fields["row"]
        lines.append(say("put-on", language, model=row["model"], serial=fields["serial"], address=row["address"]))
    if "multiplier_before" in fields:
        both = {"before": fields["multiplier_before"], "after": fields["multiplier"]}
        lines.append(say("ratio-line", language, **both))
    at = figures.instant(fields["at"], zone)
    lines.append(say("counts-from", language, register=_registers(fields["registers_wh"], unit, language), at=at))
    if fields.get("charge"):
        lines.append(say("settled-by", language, charge=fields["charge"]))
    if fields.get("papers"):
        lines.append(say("papers", language, papers=fields["papers"]))
    if (idle := fields.get("unbilled")) is not None:
        told = {"quantity": figures.quantity(idle["wh"], unit), "since": figures.instant(idle["since"], zone)}
        lines.append(say("unbilled", language, **told))
    return lines


def _last(was: Fields, unit: str, zone: ZoneInfo, language: str) -> str:
    if "registers_wh" not in was:
        return say("no-last-register", language)
    register = _registers(was["registers_wh"], unit, language)
    source = figures.source_word(was["source"], language)
    return say("last-register", language, register=register, at=figures.instant(was["at"], zone), source=source)


def _registers(registers: dict[str, int], unit: str, language: str) -> str:
    return ", ".join(
        f"{figures.rate_word(name, language)} {figures.quantity(registers[name], unit)}"
        for name in figures.in_order(registers)
    )
