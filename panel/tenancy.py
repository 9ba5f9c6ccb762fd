"""An account with what is known of it and its meters, the most urgent first: what a page about a tenant stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort

from bridge.contract.messages import Account, AccountRow
from bridge.contract.units import instant_of
from panel.concerning import Concerning
from panel.mirror import View
from panel.parts import Parts, parts
from panel.states import PRIORITY, WORDS, Room, room_of
from panel.words import t


@dataclass(frozen=True)
class Tenancy:
    """An account with its newest facts and its meters, the most urgent first."""

    row: AccountRow
    account: Account | None
    rooms: list[Room]

    @property
    def state(self) -> str:
        return self.rooms[0].state if self.rooms else "none"

    @property
    def ended(self) -> bool:
        """Settled: its meters are free and may be somebody else's."""
        return self.account is not None and self.account.ended_at is not None

    @property
    def word(self) -> str:
        """Its state in words: those of the meter that is in it."""
        if self.ended:
            return t("Settled")
        return self.rooms[0].word if self.rooms else t(WORDS["none"])


def tenancy(id: str) -> Tenancy:
    """The account with this id; 404 where there is none."""
    stand = parts()
    view = stand.mirror.view()
    row = view.accounts.get(id)
    if row is None:
        abort(404)
    return tenancy_of(stand, view, row)


def tenancy_of(stand: Parts, view: View, row: AccountRow) -> Tenancy:
    """An account as it stands in `view`."""
    wall, account = stand.wall(), view.get(Account, row.id)
    # A settled account keeps the names of its meters; what they do now is somebody else's.
    meters = [] if account is not None and account.ended_at is not None else view.meters_of(row)
    rooms = [room_of(view, meter, wall, stand.stale_s) for meter in meters]
    rooms.sort(key=lambda room: PRIORITY.index(room.state))
    return Tenancy(row, account, rooms)


def concerning_of(row: AccountRow, meters: Sequence[str]) -> Concerning:
    """What of the book concerns this account; `meters` are none once it is settled."""
    tariffs = [tariff for tariff in (row.tariff, row.water_tariff) if tariff]
    return Concerning(row.id, meters, tariffs, instant_of(row.since))
