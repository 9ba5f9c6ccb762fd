"""Which command of `riser meter` does what to a DL/T 645 meter."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.contract import kernel_clock
from edge.by_hand.desk import Desk, NotDone, Stopped
from edge.by_hand.names import Wanted, everything, wanted
from edge.by_hand.orders import RELAY, Orders
from edge.by_hand.reading import Reading, drift_s, known, read_all, who_is_there
from edge.by_hand.talk import Talk
from edge.by_hand.ways_in import WaysIn
from edge.codec import dlt645

Done = Callable[[str], None]
Does = Callable[[Talk, Desk, argparse.Namespace, ZoneInfo, Done], None]

NOT_SYNCHRONISED = (
    "nothing was sent: this machine's own clock is not synchronised; --clock-is-right if you looked at it"
)


def read(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    """Items by name or identifier. NotDone when not one of them has a value."""
    try:
        items = wanted(talk.line.protocol, options.items)
    except ValueError as error:
        raise Stopped(str(error)) from None
    if not any(each.values for each in _read(talk, desk, options, zone, items, done)):
        raise NotDone("the meter has none of these")


def survey(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    """Everything once: the supported set of a meter, to be kept with its papers."""
    if talk.line.protocol == "dlt645-2007":
        meter = known(talk, _address(options))
        desk.told |= {"address": meter.address, "number": meter.number}
        done(f"meter {meter.address}, number {meter.number or 'not told'}")
    found = _read(talk, desk, options, zone, everything(talk.line.protocol), done)
    has = [each.wanted.identifier for each in found if each.refused is None]
    lacks = [each.wanted.identifier for each in found if each.refused is not None]
    desk.told |= {"has": has, "lacks": lacks}
    done(f"has {len(has)} of {len(found)} identifiers; has not: {' '.join(lacks) or 'nothing is missing'}")


def _read(
    talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, items: list[Wanted], done: Done
) -> list[Reading]:
    since: datetime | None = getattr(options, "since", None)
    if since is None and any(each.name == "load-record" for each in items):
        since = talk.clock.now().astimezone(zone) - timedelta(hours=1)
    found: list[Reading] = []
    desk.told["readings"] = []
    for reading in read_all(talk, _address(options), items, since):
        found.append(reading)
        desk.told["readings"].append(reading.fields())
        if not options.json:
            for line in reading.lines():
                done(line)
    return found


def address(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    """13H: whoever is alone on the line."""
    desk.told["address"] = who_is_there(talk)
    done(f"the meter on this line has the address {desk.told['address']}")


def clock(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    """How far the clock is off; with --set it is written."""
    if options.set:
        if not (options.clock_is_right or kernel_clock.is_synchronised()):
            raise Stopped(NOT_SYNCHRONISED)
        done(Orders(talk, desk, options.address, zone).clock())
        return
    shown, ahead_s = drift_s(talk, _address(options), zone)
    desk.told["clock_offset_s"] = ahead_s
    done(
        f"its clock says {shown:%Y-%m-%d %H:%M:%S}, {ahead_s:+d} s from this machine's (R25: more than 300 is an alarm)"
    )


def freeze(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    done(Orders(talk, desk, options.address, zone).freeze(options.when))


def relay(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    done(Orders(talk, desk, options.address, zone).relay(options.command, options.minutes))


def write(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    try:
        identifier, value = options.identifier.upper(), bytes.fromhex(options.hex)
        right = len(bytes.fromhex(identifier)) == 4 and len(identifier) == 8 and value
    except ValueError:
        right = False
    if not right:
        raise Stopped(
            "nothing was sent: write IDENTIFIER HEX, eight hex digits and the bytes as they travel, low first"
        )
    done(Orders(talk, desk, options.address, zone).write(identifier, value))


def set_speed(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    done(WaysIn(talk, desk, options.address, zone).speed(options.baud_new))


def set_address(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    done(WaysIn(talk, desk, options.address, zone).address(options.new))


def set_password(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo, done: Done) -> None:
    done(WaysIn(talk, desk, options.address, zone).password(options.of_level))


def _address(options: argparse.Namespace) -> str:
    """For reading only: `any` is the wildcard."""
    return dlt645.WILDCARD if options.address == "any" else options.address


DOES: dict[str, Does] = {
    "read": read, "survey": survey, "address": address, "clock": clock, "freeze": freeze, "write": write,
    "set-speed": set_speed, "set-address": set_address, "set-password": set_password,
    **dict.fromkeys(RELAY, relay),
}  # fmt: skip
