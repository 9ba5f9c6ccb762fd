"""What paying does to electricity and to water, each in its own words: nobody pays for water and reads of supply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.switches import counts_water
from panel.words import later

if TYPE_CHECKING:
    from panel.states import Room


@dataclass(frozen=True)
class Paying:
    """Sentences with the same places for both."""

    cut_since: str
    is_cut: str
    returns_above: str
    will_be_cut: str
    will_go_off: str
    stays_off: str
    returns: str
    calls_off: str
    puts_off: str
    not_called_off: str
    goes_on: str
    least: str


ELECTRIC = Paying(
    cut_since=later("Supply cut since {time}"),
    is_cut=later("Supply is cut"),
    returns_above=later(
        "Top up until the balance is above {limit} yuan, and supply returns by itself within 10 minutes."
    ),
    will_be_cut=later("Will be cut {when} unless paid"),
    will_go_off=later("A hold is set; supply will go off"),
    stays_off=later("Supply stays off: the balance must rise above {limit} yuan."),
    returns=later("Supply returns within 10 minutes."),
    calls_off=later("Calls off the {time} cut-off; supply is not interrupted."),
    puts_off=later("Puts off the {time} cut-off, but not for long."),
    not_called_off=later("Does not call off the {time} cut-off."),
    goes_on=later("Raises the balance; supply goes on."),
    least=later("{amount}: supply returns"),
)

WATER = Paying(
    cut_since=later("Water shut off since {time}"),
    is_cut=later("Water is shut off"),
    returns_above=later(
        "Top up until the balance is above {limit} yuan, and the valve opens by itself within 10 minutes."
    ),
    will_be_cut=later("Water will be shut off {when} unless paid"),
    will_go_off=later("A hold is set; water will be shut off"),
    stays_off=later("Water stays off: the balance must rise above {limit} yuan."),
    returns=later("The valve opens within 10 minutes."),
    calls_off=later("Calls off the {time} shut-off; water keeps running."),
    puts_off=later("Puts off the {time} shut-off, but not for long."),
    not_called_off=later("Does not call off the {time} shut-off."),
    goes_on=later("Raises the balance; water keeps running."),
    least=later("{amount}: water returns"),
)


def all_water(rooms: Sequence[Room]) -> bool:
    """True where an account has water and no electricity."""
    return bool(rooms) and all(counts_water(room.meter) for room in rooms)


def paying_for(rooms: Sequence[Room]) -> Paying:
    """The words of what is most urgent among an account's meters, which stands first."""
    return WATER if rooms and counts_water(rooms[0].meter) else ELECTRIC
