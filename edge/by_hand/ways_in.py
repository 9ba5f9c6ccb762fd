"""Orders that change how a meter is spoken to: its speed, its address, its passwords. Each is proved by speaking so."""

from __future__ import annotations

from edge.by_hand.carrying import Carrying, Order, made
from edge.by_hand.desk import NotDone, Stopped
from edge.by_hand.reading import Known, known
from edge.by_hand.talk import NoAnswer
from edge.codec import dlt645_orders
from edge.codec.dlt645_orders import Act, Password
from edge.codec.errors import CodecError


class WaysIn(Carrying):
    """Speed, address, password."""

    def speed(self, baud: int) -> str:
        """Change the speed of the port (17H), go there, and ask for the number again."""
        meter, old = self.meter(), self.talk.line.baud
        act = made(lambda: dlt645_orders.speed(baud))
        says = f"change its speed from {old} to {baud} bit/s; the other meters of the line stay where they are"
        self.carry_out(meter, Order(says, lambda _: act, password=False))
        self.talk.at(baud)
        try:
            again = known(self.talk, self.own)
        except NoAnswer:
            self.talk.at(old)
            return self._speed_failed(meter, old, baud)
        if again.number != meter.number:
            raise NotDone(f"at {baud} bit/s another meter answers under this address: number {again.number}")
        return f"it answers at {baud} bit/s with the same number; change `baud` of its port in the site file"

    def _speed_failed(self, meter: Known, old: int, baud: int) -> str:
        try:
            known(self.talk, self.own)
        except NoAnswer:
            raise NotDone(f"it answered the order, and now answers neither at {baud} nor at {old} bit/s") from None
        raise NotDone(f"it answered the order, and still speaks at {old} bit/s")

    def address(self, new: str) -> str:
        """Give the meter another address (15H); done when the same number answers there, and nobody at the old one."""
        act = made(lambda: dlt645_orders.new_address(new))
        meter = self.meter()
        if new == meter.address:
            raise Stopped("nothing was sent: it has that address already")
        if self._answers(new):
            raise Stopped(f"nothing was sent: a meter answers at {new} already")
        says = f"give it the address {new}; most meters want their programming key pressed first"
        lost: NoAnswer | None = None
        try:
            self.carry_out(meter, Order(says, lambda _: act, password=False))
        except NoAnswer as trouble:
            lost = trouble  # The answer comes from the new address, so it is not the old one's (§7).
        there = self._answers(new)
        if there is None:
            still = " and still does at the old one" if self._answers(meter.address) else ""
            why = "the order was not answered" if lost else "it answered the order"
            raise NotDone(f"{why}; nobody answers at {new}{still}")
        if there.number != meter.number:
            raise NotDone(f"at {new} answers a meter with the number {there.number}, not {meter.number}")
        if self._answers(meter.address):
            raise NotDone(f"it answers at {new}, and somebody still answers at {meter.address}")
        return f"it answers at {new} with the same number; change `address` of the meter in Riser"

    def _answers(self, address: str) -> Known | None:
        try:
            return known(self.talk, address)
        except NoAnswer:
            return None

    def password(self, level: int) -> str:
        """Change the password of a level (18H); both are typed unseen, the new one twice."""
        meter = self.meter()
        identifier = f"04000C{level + 1:02X}"
        new: list[Password] = []

        def act(old: Password) -> Act:
            typed = self.desk.new("new password", 6)
            if self.desk.new("new password once more", 6) != typed:
                raise CodecError("the new password was typed differently the second time")
            new.append(Password(f"{level:02d}", typed))
            return dlt645_orders.new_password(identifier, old, new[0])

        told = self.carry_out(meter, Order(f"change the password of level {level}", act))
        if told != new[0].words():
            raise NotDone("it answered with another password than the new one; try both before you leave")
        return (
            f"the meter repeated the new password of level {level}; a password cannot be read back. "
            "Write it into secrets/edge.json under meter_passwords, or Riser no longer gets through"
        )
