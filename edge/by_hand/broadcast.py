"""All clocks of a line set by broadcast, by hand: by the rules of R25, with the named meter as the witness.

It is read before, which says whether a broadcast is what is needed, and after, which says whether it was taken.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from zoneinfo import ZoneInfo

from bridge.contract import kernel_clock
from bridge.contract.site import wall_minutes
from edge.by_hand.desk import Desk, NotDone, Stopped
from edge.by_hand.reading import drift_s, known
from edge.by_hand.talk import Talk
from edge.clocks import Line, why_not
from edge.codec import dlt645_orders


def broadcast_time(talk: Talk, desk: Desk, options: argparse.Namespace, zone: ZoneInfo) -> str:
    """Raises Stopped, NotDone, NoAnswer, OSError."""
    try:
        borders = {wall_minutes(text) % 1440 for text in options.border}
    except ValueError as error:
        raise Stopped(f"nothing was sent: {error}") from None
    meter = known(talk, options.address)
    _, ahead_s = drift_s(talk, meter.address, zone)
    desk.say(f"meter {meter.address} answers, number {meter.number or 'not told'}; its clock is {ahead_s:+d} s off")
    believed = options.clock_is_right or kernel_clock.is_synchronised()
    against = why_not(Line({meter.address: ahead_s}), talk.clock.now(), zone, borders, believed)
    if against:
        raise Stopped(f"nothing was sent: {against} (R25)")
    desk.say("this will set the clocks of all meters on this line, once; tariff borders are those named with --border")
    desk.confirm(meter.address)
    now = talk.clock.now()
    arrives = now + timedelta(seconds=talk.line.wire_s(len(dlt645_orders.broadcast_time(now))))
    talk.tell(dlt645_orders.broadcast_time(arrives.astimezone(zone)))
    _, after_s = drift_s(talk, meter.address, zone)
    if abs(after_s) > 5:
        raise NotDone(f"it was sent, and the clock is still {after_s:+d} s off: a meter takes one setting a day")
    return f"read back: the clock of {meter.address} is {after_s:+d} s off; look at the others with `clock`"
