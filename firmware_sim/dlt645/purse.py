"""A DL/T 645-2007 meter with local cost control (本地费控): it keeps the money itself and trips by itself.

Remaining money is exact: what was bought, less each rate's energy times its price (NNNN.NNNN yuan/kWh, 040501nn in
force, 040502nn to come at the time of 04000108). Below alarm amount 1 its lamp burns (status word 3, bit 7). At zero,
or where an overdraft is allowed at its end, the relay opens at that second, once, until money comes. There are no
step tariffs, and alarm amount 2 is kept but trips nothing. With its purse switched off it is a meter with remote cost
control: nothing is spent, nothing trips, and it says "not prepaid".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..dlt645_frame import bcd, date_time_bytes, digits_of
from ..instants import SECOND_US, us_of_wall
from ..loads import WUS_PER_WH
from .meter import Dlt645Meter
from .orders import ORDERS
from .parameters import PARAMETERS, YUAN, Parameter, number
from .recharge import security

CENT = WUS_PER_WH * 1000 * 100
"""One cent in W·µs times 0.0001 yuan/kWh."""
MOST_CENTS = 99_999_999
PEAK = 2
"""No minute of a load takes more than twice its watts."""
RUNNING, SPARE, PRICE_CHANGE = 0x04050100, 0x04050200, 0x04000108
KEPT = 10
GUARDED = {PRICE_CHANGE, 0x04000306, 0x04000307, 0x04000402, 0x0400040E, 0x04001001}
"""Identifiers of class 1: with an ESAM a password alone does not write them."""


@dataclass(frozen=True)
class Purchase:
    """One purchase in cents; `wall` is the own clock's minute."""

    wall: str
    count: int
    bought: int
    before: int
    after: int
    total: int


def cents(yuan: str) -> int:
    """An amount such as "50.00" in cents, exactly."""
    found = Decimal(yuan) * 100
    if found != int(found) or not 0 <= found <= MOST_CENTS:
        raise ValueError(f"an amount in a meter is 0.00 to 999999.99 yuan, not {yuan!r}")
    return int(found)


class PurseMeter(Dlt645Meter):
    """balance, alarm, overdraft, hoarding: yuan as text; price: yuan/kWh as text, the same for all rates.

    recharge: "plain" takes 03H without looking at MACs, "esam" refuses what needs a key, "vendor" takes the layout
    without a count (L = 22H). trips: whether it opens its relay by itself. purse: "meter", or "off" as in a site file.
    """

    functions = ORDERS | {0x03: security}

    def __init__(self, *given: Any, balance: str = "50.00", price: str = "0.6500", alarm: str = "20.00",
                 overdraft: str = "0.00", hoarding: str = "999999.99", recharge: str = "plain", trips: bool = True,
                 opened: bool = True, purchases: int = 1, customer: str = "000000000000", purse: str = "meter",
                 **more: Any):  # fmt: skip
        if recharge not in ("plain", "esam", "vendor"):
            raise ValueError(f"recharge is plain, esam or vendor, not {recharge!r}")
        if purse not in ("meter", "off"):
            raise ValueError(f"a purse is meter or off, not {purse!r}")
        steps = Decimal(price) * 10_000
        if steps != int(steps) or steps < 0:
            raise ValueError(f"a price has four decimals; {price!r} has not")
        defaults = [cents(alarm), 0, cents(overdraft), cents(hoarding), 0]
        self.parameters = PARAMETERS | {
            di: Parameter(4, number(cent, 4)) for di, cent in zip(YUAN, defaults, strict=True)
        }
        for base in (RUNNING, SPARE):
            self.parameters |= {base + rate: Parameter(4, number(int(steps), 4)) for rate in range(1, 5)}
        self.parameters[PRICE_CHANGE] = Parameter(5, number(0, 5))
        super().__init__(*given, **more)
        self.recharge, self.trips, self.opened, self.counting = recharge, trips, opened, purse == "meter"
        self.count, self.customer = purchases, bytes.fromhex(customer)[::-1]
        self._money, self._since = cents(balance) * CENT, list(self.metrology.rates_wus)
        self._ran_out = False
        wall = f"{self.metrology.own_wall():%Y-%m-%d %H:%M}"
        self.bought = [Purchase(wall, purchases, cents(balance), 0, cents(balance), cents(balance))]

    # -- money -------------------------------------------------------------------------------------------------

    def amount(self, di: int) -> int:
        """A number that stands in a parameter."""
        return int(digits_of(self.settings.get(di) or self.parameters[di].default(self)))

    def prices(self) -> list[int]:
        """Prices of rates 1 to 4, 0.0001 yuan/kWh."""
        return [self.amount(RUNNING + rate) for rate in range(1, 5)]

    def money(self) -> int:
        """What remains, in units of which `CENT` make a cent; below zero when overdrawn."""
        if not self.counting:
            return self._money
        used = zip(self.metrology.rates_wus, self._since, self.prices(), strict=True)
        return self._money - sum((now - before) * price for now, before, price in used)

    def cents(self) -> tuple[int, int]:
        """(remaining, overdrawn) as displayed: one of the two is zero."""
        money = self.money()
        return (money // CENT, 0) if money >= 0 else (0, -(money // CENT))

    def credit(self, bought: int) -> None:
        """Money came: the overdraft is paid first, and a meter that ran out permits closing."""
        before = self.cents()[0]
        self._rebase()
        self._money += bought * CENT
        self.count += 1
        total = (self.bought[0].total if self.bought else 0) + bought
        wall = f"{self.metrology.own_wall():%Y-%m-%d %H:%M}"
        self.bought = [Purchase(wall, self.count, bought, before, self.cents()[0], total), *self.bought][:KEPT]
        if self.money() > 0 and self.cents()[0] >= self.amount(0x04001005):
            if self._ran_out:
                self.relay.permit()
            self._ran_out = False
        self.settings_seq += 1

    def reset(self, cent: int) -> None:
        """The wallet begins anew with an amount and no purchase."""
        self._rebase()
        self._money, self.count, self.bought = cent * CENT, 0, []
        self.settings_seq += 1

    def _rebase(self) -> None:
        self._money, self._since = self.money(), list(self.metrology.rates_wus)

    # -- time --------------------------------------------------------------------------------------------------

    def run(self, to_us: int) -> None:
        change_us = self._price_change_us()
        if change_us is not None and change_us <= to_us:
            self._spend(change_us)
            self._rebase()
            for rate in range(1, 5):
                new, old = self.amount(SPARE + rate), self.amount(RUNNING + rate)
                self.settings[RUNNING + rate], self.settings[SPARE + rate] = bcd(new, 4), bcd(old, 4)
            del self.settings[PRICE_CHANGE]
        self._spend(to_us)

    def _spend(self, to_us: int) -> None:
        """Stop at each whole second at which the money may be gone; seldom, while there is plenty of it."""
        metrology = self.metrology
        while self.counting and self.trips and not self._ran_out and metrology.flowing and not self.relay.keep_power:
            left = self.money() + self.amount(0x04001003) * CENT
            fastest = max(1, PEAK * metrology.load.watts * max(self.prices()))
            look_us = (
                max(metrology.at_us // SECOND_US + 1, (metrology.at_us + left // fastest) // SECOND_US) * SECOND_US
            )
            if look_us > to_us:
                break
            metrology.advance(look_us)
            if self.money() + self.amount(0x04001003) * CENT <= 0:
                self._ran_out = True
                self.operator = b"\xff" * 4
                self.relay.trip(look_us, None)
                self.settle_relay()
        metrology.advance(to_us)

    def _price_change_us(self) -> int | None:
        text = digits_of(self.settings.get(PRICE_CHANGE, b""))
        if not text.strip("0"):
            return None
        try:
            wall = datetime.strptime("20" + text, "%Y%m%d%H%M")  # noqa: DTZ007 - the zone is the meter's
        except ValueError:
            return None
        shown_us = us_of_wall(wall.date(), wall.hour * 60 + wall.minute, self.metrology.zone)
        return self.metrology.clock.true_us(shown_us)

    # -- reads and writes --------------------------------------------------------------------------------------

    def guarded(self, di: int, level: int) -> bool:
        return self.recharge == "esam" and (di in GUARDED or di >> 8 in (RUNNING >> 8, SPARE >> 8))

    def take(self, di: int, value: bytes) -> None:
        self._rebase()
        if di == 0x0400040E:
            self.customer = value
        super().take(di, value)

    @property
    def lamp(self) -> bool:
        return self.relay.alarm or (self.counting and self.money() <= self.amount(0x04001001) * CENT)

    def status_word(self, number: int) -> int:
        """Word 3: bits 8-9 are 10 for money, bit 14 is set while the account is not open."""
        own = 0x0200 | (not self.opened) << 14 if number == 3 and self.counting else 0
        return super().status_word(number) | own

    def own_value(self, di: int) -> bytes | None:
        if not self.counting:
            return None
        if di in (0x00900200, 0x00900201):
            return bcd(min(self.cents()[di & 1], MOST_CENTS), 4)
        if di == 0x0280000B:
            return bcd(self.prices()[self.metrology.rate - 1], 4)
        if di == 0x0400040E:
            return self.customer
        if di & ~0x0F in (RUNNING | 0xF0, SPARE | 0xF0) and di & 0xFF == 0xFF:
            return b"".join(bcd(self.amount((di & ~0xFF) + rate), 4) for rate in range(1, 5))
        if di >> 16 == 0x0333 and 1 <= di & 0xFF <= len(self.bought):
            return self._purchase(self.bought[(di & 0xFF) - 1], di >> 8 & 0xFF)
        return None

    def _purchase(self, kept: Purchase, field: int) -> bytes | None:
        if field == 1:
            return date_time_bytes(datetime.strptime(kept.wall, "%Y-%m-%d %H:%M"), "%y%m%d%H%M")  # noqa: DTZ007
        if field == 2:
            return bcd(kept.count % 10_000, 2)
        amounts = {3: kept.bought, 4: kept.before, 5: kept.after, 6: kept.total % (MOST_CENTS + 1)}
        return bcd(min(amounts[field], MOST_CENTS), 4) if field in amounts else None

    # -- memory ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        kept = super().state()
        self._rebase()  # Exact; so a purse that is switched on later does not spend what was used before.
        kept["purse"] = [self._money, list(self._since), self._ran_out, self.opened, self.count, self.customer.hex()]
        kept["bought"] = [asdict(each) for each in self.bought]
        return kept

    def restore(self, kept: dict[str, Any]) -> None:
        super().restore(kept)
        self._money, self._since, self._ran_out, self.opened, self.count, customer = kept["purse"]
        self.customer, self.bought = bytes.fromhex(customer), [Purchase(**each) for each in kept["bought"]]
