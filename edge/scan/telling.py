"""What a scan found, as a section of the site file that can be copied, and as sentences about what is odd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import model
from edge.scan.search import Found
from edge.scan.taken import Taken

MODELS = {("dlt645-2007", 1): "dlt645-1p", ("dlt645-2007", 3): "dlt645-3p", ("dlt645-1997", 0): "dlt645-1997"}
"""By protocol and phases, 0 where a meter does not tell: the model that fits whatever the maker."""

READ_ONLY = ("modbus-rtu", "dlt645-1997")
"""Protocols whose meters are proposed without a relay: 1997 has none, and of a Modbus meter its model decides."""

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


def section(port: Path, setting: Setting, meters: Sequence[Found], taken: Taken | None = None) -> str:
    """Tables for the site file, with ids that nobody has; what a person must add is a comment."""
    taken = taken or Taken()
    known = taken.port_at(port)
    if known is not None and isinstance(known.get("id"), str):
        id = known["id"]
        lines = [f'# {taken.where} has this port as "{id}"{_differs(known, setting)}; below are meters it has not']
    else:
        id = taken.free("line-")
        lines = [
            "[[ports]]",
            f'id = "{id}"',
            f'device = "{port}"',
            f'protocol = "{setting.protocol}"',
            f"baud = {setting.baud}",
            f'parity = "{setting.parity}"',
        ]
    for meter in sorted((m for m in meters if not m.doubled), key=lambda m: m.address.rjust(12)):
        if (there := taken.meter_at(id, meter.address)) is not None:
            lines += ["", f'# address {meter.address} is "{there}" in {taken.where}']
        else:
            lines += ["", *_meter(meter, id, taken.free("m"))]
    return "\n".join(lines)


def _differs(known: dict[str, Any], setting: Setting) -> str:
    """What a port is in the site file and was not when it answered."""
    found = {"protocol": setting.protocol, "baud": setting.baud, "parity": setting.parity}
    other = [f"{key} {known[key]!r}" for key, value in found.items() if key in known and known[key] != value]
    return f", with {' and '.join(other)}: it answered as {setting}, change that there" if other else ""


def _meter(meter: Found, port: str, id: str) -> list[str]:
    model_id = MODELS.get((meter.protocol, meter.phases or 0), "")
    fits = ", ".join(each for each in model.known() if model.load(each).protocol == meter.protocol)
    if meter.purse:
        model_id = f"{model_id}-purse" if model_id else ""
        fits = ", ".join(each for each in fits.split(", ") if each.endswith("-purse"))
    return [
        "[[meters]]",
        f'id = "{id}"                        # your own name for the metering point',
        f'model = "{model_id}"' + ("" if model_id else f"   # which one? {fits}"),
        *(HAS_A_PURSE if meter.purse else ()),
        f'port = "{port}"',
        f'address = "{meter.address}"',
        *([f'serial = "{meter.number}"'] if meter.number else []),
        'room = ""                        # where it measures',
        *(['relay = "none"'] if meter.protocol in READ_ONLY else []),
    ]


def about_ids(taken: Taken) -> str:
    """Where the ids of the tables come from, in a sentence."""
    if taken.where is not None:
        return (
            f"ids are free beside {taken.where}; they are names of your own and may be changed before the first start"
        )
    return (
        "no site file was looked at, so ids count from 1: if you have one already, run this again with --site FILE, "
        "or change the ids that it has"
    )


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
