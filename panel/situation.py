"""Which one thing matters most about a tenancy now: decided once, from published facts, for staff and tenant."""

from __future__ import annotations

from typing import Literal

from bridge.contract.messages import Account
from panel.final_warning import must_be_told, undelivered
from panel.formats import Wall
from panel.protections import standing
from panel.states import Room, lock_of

Situation = Literal[
    "ended", "unknown", "by-itself", "by-purse", "returning", "cut", "off", "locked", "kept", "waits", "blocked",
    "untold", "due", "uncuttable", "undelivered", "held", "silent", "stale", "meter-keeps", "calm",
]  # fmt: skip
"""The most urgent first: settled; nothing published; dark by itself, by the meter's own purse, coming back, for
arrears, or for another reason; locked as it stands; about to be switched off; protected by a person; warned, waiting
for a window, blocked by a rule, told to nobody, due, not to be cut at all, or not delivered; not answering; read long
ago; kept on by its meter; nothing."""


def situation_of(rooms: list[Room], account: Account | None, wall: Wall) -> Situation:
    """The situation of an account whose meters are `rooms`, the most urgent first."""
    room = rooms[0] if rooms else None
    if account is not None and account.ended_at is not None:
        return "ended"
    if account is None:
        return "unknown"
    if room is not None and room.state == "cut":
        return _cut(room)
    if room is not None and room.state == "held" and room.relay and room.relay.observed == "open":
        return "off"
    if room is not None and (lock := lock_of(room.relay)) is not None and not lock.off:
        return "locked"
    if room is not None and room.state == "held" and room.relay:
        return "held"
    if standing(account, wall):
        return "kept"
    if account.state == "final" or account.cut_at or account.protected_until or account.blocked:
        return _warned(account)
    if room is None:
        return "calm"
    if room.state == "off" and room.availability:
        return "silent"
    if room.state == "stale":
        return "stale"
    return "meter-keeps" if room.state == "keep" else "calm"


def _cut(room: Room) -> Situation:
    if room.off_by_itself:
        return "by-itself"
    if room.off_by_its_purse:
        return "by-purse"
    return "returning" if room.relay is not None and room.relay.desired == "closed" else "cut"


def _warned(account: Account) -> Situation:
    if account.protected_until:
        return "waits"
    if account.blocked and not (account.blocked == "R1" and undelivered(account)):
        return "blocked"
    if not account.can_cut:
        return "uncuttable"
    if must_be_told(account):
        return "untold"
    return "due" if account.cut_at else "undelivered"
