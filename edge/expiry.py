"""Is a request still wanted? Its instants, its expiry, and what waits while nobody knows the time (R7, R25)."""

from __future__ import annotations

from datetime import timedelta

from bridge.contract.cutting import SetClose
from bridge.contract.locking import Lock, Unlock
from bridge.contract.request import Request
from bridge.contract.switch_requests import Off
from bridge.contract.units import instant_of, wall_time
from edge.asked import AHEAD_S, Refusal
from edge.core import Core

LONGEST_VALIDITY_S = 3600.0
"""Real seconds: a request that would be carried out hours after the click is a surprise, not a request."""

ABOUT = timedelta(minutes=5)
"""The meters' clocks tell the time no better than this (R25)."""


def in_time(core: Core, body: Request) -> None:
    """Raises Refusal for a request whose time is over, or not to be told."""
    try:
        valid_until = instant_of(body.valid_until)
        issued_at = instant_of(body.issued_at)
    except ValueError as error:
        raise Refusal("R7", f"issued_at and valid_until are instants with offset: {error}") from None
    speed, ahead_s = core.clock.speed, (issued_at - core.now()).total_seconds()
    zone, trusted = core.terms.zone, core.book.trusted
    if trusted and ahead_s > AHEAD_S * speed:  # While our own clock is in doubt, theirs is not.
        raise Refusal("R7", f"the request was issued at {wall_time(issued_at, zone)}, which is yet to come; "
                      "set the asker's clock")  # fmt: skip
    if (valid_until - issued_at).total_seconds() > LONGEST_VALIDITY_S * speed:
        raise Refusal("R7", "valid_until lies more than an hour after issued_at; ask when it is wanted")
    late = False
    if trusted:
        late = core.now() > valid_until
    elif _needs_the_time(body):
        known = core.true_now()
        if known is None:
            raise Refusal("R25", "the clock is not trusted, so nobody can tell whether this request is still wanted")
        late = known > valid_until + ABOUT
    if late:
        raise Refusal("R7", f"the request expired at {wall_time(valid_until, zone)}; ask anew")


def _needs_the_time(body: Request) -> bool:
    """Expiry needs a calendar that is believed (87). Without one money is taken and light restored, and nobody is cut,
    no lock lifted, and no light left to come on alone, on a wish that may be hours old: the meters' clocks, or the
    seconds since the calendar was believed, must allow it."""
    if isinstance(body, SetClose):
        return body.close == "direct"
    return isinstance(body, Off | Unlock) or (isinstance(body, Lock) and body.off)
