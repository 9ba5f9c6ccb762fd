"""What came of proposing, approving or rejecting a price, in the words of the answer card."""

from __future__ import annotations

from typing import Any

from panel.commands import Asked
from panel.formats import Wall
from panel.parts import parts
from panel.words import later, t

TITLES = {
    "propose-price": later("Propose a price"),
    "approve-price": later("Approve a price"),
    "reject-price": later("Reject a price"),
}

SILENT = later("No answer (30 s). Not sent again. Look whether it waits here before you send it twice.")


def done(asked: Asked, found: dict[str, Any], wall: Wall) -> str:
    """The sentence of a price request that was done; figures and instants are the gateway's."""
    version, begins = found.get("version"), found.get("effective_at")
    if asked.operation == "propose-price":
        return t("Proposed as version {n}. Nothing changes before another person has approved it.", n=version)
    if asked.operation == "approve-price":
        return t("Approved: version {n} counts from {time} on and never changes.", n=version, time=_time(wall, begins))
    return t("It waits no longer, and no price has changed. The reason stands in the book.")


def again(transaction: str, id: str) -> Asked | None:
    """A proposal of the price `id` that was refused and can be changed and sent anew."""
    asked = parts().commands.find(transaction)
    return asked if asked is not None and asked.subject == id and refused(asked) else None


def refused(asked: Asked) -> bool:
    newest = asked.newest
    return asked.operation == "propose-price" and newest is not None and newest.status in ("refused", "failed")


def _time(wall: Wall, at: object) -> str:
    try:
        return wall.stamp(str(at), True)
    except ValueError:
        return "—"
