"""03H of a meter with a purse, in the published form (FIL): recharge, opening, wallet, status. There is no ESAM here.

    request  DI 4, C0 to C3, fields              amounts binary in cents, counts binary, low byte first
    070101FF open, 070102FF recharge             amount 4, count 4, MAC 4, customer 6, MAC 4
    070103FF begin anew                          amount 4, MAC 4, count 4 (zero), MAC 4
    078102FF status, 070002FF end                answers money 4, MAC 4, count 4, MAC 4, customer 6, key 4 (end: no MAC)

A recharge counts only when its count is the meter's own and one. "esam" refuses all that carries a MAC, as a meter
does whose key nobody here has; "vendor" takes 070102FF as amount 4, order 8, MAC 4, address 6, MAC 4, without a count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import COUNT, CUSTOMER, HOARDING, NOT_AUTHENTICATED, OTHER, REPEATED, Refusal

if TYPE_CHECKING:
    from .purse import PurseMeter

AUTHENTICATE, OPEN, RECHARGE, BEGIN, STATUS, END = (
    0x070000FF, 0x070101FF, 0x070102FF, 0x070103FF, 0x078102FF, 0x070002FF,
)  # fmt: skip
NO_MAC = bytes(4)


def security(meter: Any, payload: bytes, mono: float | None) -> bytes:
    """03H. Returns the DATA of 83H, or raises Refusal with SERR, and then no money was moved."""
    di, fields = int.from_bytes(payload[:4], "little"), payload[8:]
    if len(payload) < 8 or not meter.counting:
        raise Refusal(OTHER)
    if di in (STATUS, END) and not fields:
        return payload[:4] + _status(meter, b"" if di == END else NO_MAC)
    if di not in (OPEN, RECHARGE, BEGIN, AUTHENTICATE):
        raise Refusal(OTHER)
    if meter.recharge == "esam" or di == AUTHENTICATE:
        raise Refusal(NOT_AUTHENTICATED)
    if di == BEGIN:
        if len(fields) != 16 or any(fields[8:12]):
            raise Refusal(OTHER)
        meter.reset(_cents(meter, fields[:4], 0))
    elif meter.recharge == "vendor" and di == RECHARGE:
        if len(fields) != 26 or fields[16:22] != meter.wire:
            raise Refusal(OTHER)
        meter.credit(_cents(meter, fields[:4], meter.cents()[0]))
    else:
        _recharge(meter, di, fields)
    return payload[:4]


def _recharge(meter: PurseMeter, di: int, fields: bytes) -> None:
    if len(fields) != 22 or meter.opened != (di == RECHARGE):
        raise Refusal(OTHER)
    count, customer = int.from_bytes(fields[4:8], "little"), fields[12:18]
    if di == RECHARGE and customer != meter.customer:
        raise Refusal(CUSTOMER)
    if count != meter.count + 1:
        raise Refusal(REPEATED if count == meter.count else COUNT)
    bought = _cents(meter, fields[:4], meter.cents()[0])
    if di == OPEN:
        meter.opened, meter.customer = True, customer
    meter.credit(bought)


def _cents(meter: PurseMeter, raw: bytes, there: int) -> int:
    bought = int.from_bytes(raw, "little")
    if bought + there > meter.amount(0x04001004):
        raise Refusal(HOARDING)
    return bought


def _status(meter: PurseMeter, mac: bytes) -> bytes:
    money, count = meter.cents()[0].to_bytes(4, "little"), meter.count.to_bytes(4, "little")
    return money + mac + count + mac + meter.customer + bytes(4)
