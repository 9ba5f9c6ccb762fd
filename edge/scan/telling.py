"""What a scan found, as a section of the site file that can be copied, and as sentences about what is odd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.scan.search import Found

MODELS = {("dlt645-2007", 1): "dlt645-1p", ("dlt645-2007", 3): "dlt645-3p"}

HAS_A_PURSE = (
    "# keeps prepaid money itself: shown, not billed here. To bill it here, switch its purse",
    '# off in the meter first, then add purse = "off"; else its tenant pays twice',
)


@dataclass(frozen=True)
class Setting:
    """How a line was opened."""

    protocol: str
    baud: int
    parity: str

    def __str__(self) -> str:
        return f"{self.protocol} at {self.baud} 8{self.parity}1"


def section(port: Path, setting: Setting, meters: Sequence[Found]) -> str:
    """Tables for the site file; what a person must add is a comment."""
    lines = [
        "[[ports]]",
        'id = "line-1"',
        f'device = "{port}"',
        f'protocol = "{setting.protocol}"',
        f"baud = {setting.baud}",
        f'parity = "{setting.parity}"',
    ]
    for number, meter in enumerate(sorted((m for m in meters if not m.doubled), key=lambda m: m.address.rjust(12)), 1):
        model = MODELS.get((meter.protocol, meter.phases or 0), "")
        remark = "" if model else "   # which one? `model =` in the README names them"
        if meter.purse:
            model, remark = f"{model}-purse" if model else "", remark and "   # dlt645-1p-purse or dlt645-3p-purse?"
        lines += [
            "",
            "[[meters]]",
            f'id = "m{number}"                        # your own name for the metering point',
            f'model = "{model}"{remark}',
            *(HAS_A_PURSE if meter.purse else ()),
            'port = "line-1"',
            f'address = "{meter.address}"',
            *([f'serial = "{meter.number}"'] if meter.number else []),
            'room = ""                        # where it measures',
        ]
        if meter.protocol == "modbus-rtu":
            lines.append('relay = "none"')
    return "\n".join(lines)


def oddities(meters: Sequence[Found]) -> list[str]:
    """Sentences about addresses given twice and numbers seen twice."""
    told = [
        f"more than one meter answers {f'at address {each.address}' if each.address else 'here'}; "
        "give them different addresses, one on the line at a time"
        for each in meters
        if each.doubled
    ]
    numbers: dict[str, list[str]] = {}
    for each in meters:
        if each.number:
            numbers.setdefault(each.number, []).append(each.address)
    return told + [
        f"the meters {' and '.join(addresses)} have one number, {number}; compare it with their plates"
        for number, addresses in numbers.items()
        if len(addresses) > 1
    ]


def as_json(found: Sequence[tuple[Setting, Sequence[Found]]], asked: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "asked": asked,
        "lines": [
            {
                "protocol": setting.protocol,
                "baud": setting.baud,
                "parity": setting.parity,
                "meters": [
                    {
                        "address": m.address,
                        "number": m.number,
                        "phases": m.phases,
                        "doubled": m.doubled,
                        "purse": m.purse,
                    }
                    for m in meters
                ],
            }
            for setting, meters in found
        ],
    }
