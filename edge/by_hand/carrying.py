"""How an order to a DL/T 645-2007 meter is carried out by hand: always the same way, to the meter that just answered.

    it answers under its own address and shows its number   the person is told what will happen, and confirms
    the password is asked for                               one frame, sent once, by the one door (I13)
    what there is to read back is read back                 and only that is called done

The registered set of an order is the one address that was read back. An order without an answer may have been heard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from edge.by_hand.desk import Desk, NotDone, Stopped
from edge.by_hand.reading import Known, ask, known
from edge.by_hand.talk import Talk
from edge.codec import dlt645, dlt645_orders
from edge.codec.dlt645_orders import Act, Password
from edge.codec.errors import CodecError


@dataclass(frozen=True)
class Order:
    """One order: what the person is told, how its act is made, and whether a password is wanted."""

    says: str
    act: Callable[[Password], Act]
    password: bool = True


class Carrying:
    """Orders to one meter go out through here."""

    def __init__(self, talk: Talk, desk: Desk, address: str, zone: ZoneInfo):
        self.talk, self.desk, self.own, self.zone = talk, desk, address, zone

    def meter(self) -> Known:
        """The meter as it has just answered; its own address and number are shown."""
        if not self.own.isdigit():
            raise Stopped("nothing was sent: an order names its meter by all twelve digits, never by a wildcard (I13)")
        found = known(self.talk, self.own)
        self.desk.say(f"meter {found.address} answers; its number is {found.number or 'not told'}")
        return found

    def carry_out(self, meter: Known, order: Order) -> bytes:
        """Confirm, send once, and give the answer's DATA. Raises Stopped, NotDone, NoAnswer, OSError."""
        self.desk.say(f"this will {order.says}")
        self.desk.confirm(meter.address)
        password = self.desk.password(meter.address) if order.password else Password()
        try:
            frame = dlt645_orders.order(order.act(password), self.own, {meter.address})
        except CodecError as trouble:
            raise Stopped(f"nothing was sent: {trouble}") from None
        parts = self.talk.ask(frame, tries=1)
        try:
            return dlt645.value_of(*parts)
        except CodecError as refusal:
            raise NotDone(f"{refusal}; nothing was changed, says the meter") from None

    def read_back(self, identifier: str) -> bytes:
        try:
            return ask(self.talk, self.own, identifier)
        except CodecError as trouble:
            raise NotDone(f"it was answered, and cannot be read back: {trouble}") from None


def made(make: Callable[[], Act]) -> Act:
    try:
        return make()
    except CodecError as trouble:
        raise Stopped(f"nothing was sent: {trouble}") from None
