"""A maintenance lock as people see it (R5): whose it is, since when, and what is typed to set or lift it.

Whether it may be is the gateway's to say; here only what is missing in the form is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.contract.asking import new_transaction
from bridge.contract.messages import HoldFacts, MeterRow
from bridge.contract.people import same_person
from bridge.contract.units import is_transaction
from panel.edge_words import person
from panel.formats import Wall
from panel.states import Room, lock_of
from panel.switches import typed_place
from panel.typed import Form, unfit
from panel.words import later, t

LONGEST = 200
"""Characters of a reason."""

CHOICES = {"off": later("Switch off and lock"), "stands": later("Lock it as it stands")}


@dataclass
class LockForm(Form):
    """`operation` is what is asked as the meter stands now; `fields` are those of its request."""

    operation: str
    transaction: str
    fields: dict[str, Any] = field(default_factory=dict)


def words_of_lock(lock: HoldFacts, wall: Wall) -> str:
    """By whom, since when and why."""
    return t("locked for work by {by} since {time}: {why}", by=person(lock.by), time=wall.stamp(lock.since),
             why=lock.why)  # fmt: skip


def locks_of(rooms: list[Room]) -> list[tuple[Room, HoldFacts]]:
    """The rooms that are locked, the longest first."""
    found = [(room, lock) for room in rooms if (lock := lock_of(room.relay)) is not None]
    return sorted(found, key=lambda pair: pair[1].since)


def fresh(room: Room, given: Mapping[str, str]) -> LockForm:
    """The form, or one filled from an address."""
    values = {"why": given.get("why", "")[:LONGEST], "how": given.get("how", "off"), "room": "", "sure": ""}
    return LockForm(values, operation_for(room), new_transaction())


def operation_for(room: Room) -> str:
    return "lock" if lock_of(room.relay) is None else "unlock"


def read(room: Room, typed: Mapping[str, str], me: str) -> LockForm:
    """What was sent, with a sentence beside each mistake."""
    values = {name: typed.get(name, "").strip() for name in ("why", "how", "room", "sure")}
    form = LockForm(values, typed.get("do", ""), typed.get("transaction", ""))
    if not is_transaction(form.transaction):  # Without its number a double click would be two requests.
        form.transaction = new_transaction()
        form.mistakes["form"] = t("This form lost its number on the way. Nothing was done; send it once more.")
    if wrong := place_mistake(room.meter, values["room"]):
        form.mistakes["room"] = wrong
    if wrong := why_mistake(values["why"]):
        form.mistakes["why"] = wrong
    form.fields = {"meter": room.meter.id, "why": values["why"]}
    if form.operation == "lock":
        form.fields["off"] = values["how"] == "off"
        if values["how"] not in CHOICES:
            form.mistakes["how"] = t("Choose whether supply is switched off.")
    elif (lock := lock_of(room.relay)) is not None and not same_person(lock.by, me):
        form.fields["in_place_of"] = lock.by
        if values["sure"] != lock.by:  # By name: the lock may be another one than that which was looked at.
            form.mistakes["sure"] = t("This is the lock of {by}. Say that nobody works there.", by=person(lock.by))
    form.values = {name: text[: LONGEST + 40] for name, text in values.items()}
    return form


def in_place(body: Mapping[str, Any]) -> str:
    """Of an entry about a hold: whose lock somebody else has lifted."""
    name = body.get("in_place_of")
    return t("in place of {name}", name=person(str(name))) if name else ""


def place_mistake(meter: MeterRow, typed: str) -> str | None:
    """What is wrong with the room that was typed to confirm that it is this one."""
    wanted = typed_place(meter)
    if typed.strip().casefold() == wanted.casefold():
        return None
    if meter.circuit is None:
        return t("That is not this room. Type {room} to confirm.", room=wanted)
    return t("That is not this room and circuit. Type {room} to confirm.", room=wanted)


def why_mistake(why: str) -> str | None:
    """What is wrong with a reason."""
    return t("A reason is needed; it stands in the book.") if not why else unfit(why, LONGEST)
