"""What the book says of a meter's registers beginning anew: an opening, a replacement, a new multiplier."""

from __future__ import annotations

from typing import Any

from panel.formats import cubic_metres, kwh
from panel.words import t


def of_registers(kind: str, body: dict[str, Any]) -> str:
    """One line for the events; figures come from a body that fits."""
    shown = cubic_metres if body.get("unit") == "L" else kwh
    first = shown(body["registers_wh"].get("total"))
    who = " · ".join(filter(None, (str(body.get("who") or ""), str(body.get("approved_by") or ""))))
    if kind == "replacement/1":
        was = body["was"]
        told = t("{old} off at {last}, {new} on at {first}", old=was.get("serial") or was["address"],
                 last=shown(was.get("registers_wh", {}).get("total")), new=body.get("serial") or "—",
                 first=first)  # fmt: skip
        return " · ".join(filter(None, (told, who)))
    if kind == "ratio/1":
        told = t("{before}, then {after}", before=body["multiplier_before"], after=body["multiplier"])
        return " · ".join(filter(None, (told, t("from register {n} on", n=first), who)))
    idle = body.get("unbilled")
    used = idle.get("wh") if isinstance(idle, dict) else None
    return t("without a tenant {n} were used, charged to nobody", n=shown(used)) if isinstance(used, int) else ""
