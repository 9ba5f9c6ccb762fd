"""What the edge says of a relay, and of a valve in its place: one sentence of each kind beside the other.

A relay that is closed and a valve that is open give supply. Inside the edge both are called as a relay is, `closed`
and `open`; facts, answers and sentences tell a valve in its own words. What older programs know keeps its name: the
kinds of events and entries, and `observed` of `relay/1` in the book, which has `valve` beside it (docs/mqtt.md).
"""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from bridge.contract.switching import VALVE_IS
from bridge.contract.units import instant_of_micros, wall_time
from edge.holds import LOCKOUT
from edge.state import MeterState

TURNS: dict[str, Literal["opening", "closing"]] = {"close": "opening", "trip": "closing"}
"""Where a valve goes on an order that is called `close` or `trip` inside."""


def not_following(valve: bool, wish: str, attempts: int, why: str) -> str:
    if valve:
        return f"the valve does not follow ({TURNS[wish]}, {attempts} attempts): {why}"
    return f"the relay does not follow ({wish}, {attempts} attempts): {why}"


def not_moved(valve: bool) -> str:
    return "read back, and the valve has not arrived" if valve else "read back, and the relay has not moved"


def line_broke(valve: bool) -> str:
    if valve:
        return "the line broke when the order had left; the valve will tell"
    return "the line broke when the order had left; the relay will tell"


def no_fresh(valve: bool, question: str, why: str) -> str:
    if valve:
        return f"no fresh {question} before the valve is shut ({why})"
    return f"no fresh {question} before the trip ({why})"


def already_on(valve: bool) -> str:
    return "already open" if valve else "already closed"


def found_moved(valve: bool, now_is: str) -> str:
    """For an alarm: it stands otherwise than before, and not by our doing."""
    if valve:
        return f"the valve was found {VALVE_IS[now_is]} and nobody here had ordered it"
    return f"the relay was found {now_is} and nobody here had ordered it"


def still_off(valve: bool, cause: str, permit: bool) -> str:
    """For an alarm: what was ordered on, or permitted, long ago is not on."""
    if permit:
        return f"closing has been permitted for ten minutes ({cause}) and nobody has pressed the button on the meter"
    if valve:
        return f"water should flow ({cause}) and the valve was not read back open for ten minutes"
    return f"supply should be back ({cause}) and was not read back closed for ten minutes"


LOCKED_MAYBE = (
    "paid before the backup that was restored, and it may have been locked since: it waits for an archive with every "
    "entry, for `on`, or until the book is said to be complete"
)


def flows_past(valve: bool, used: int) -> str:
    """For an alarm: something flows though the meter says that nothing can."""
    if valve:
        return f"the valve is read back closed and {used} L flowed since: it leaks, or water is led past it"
    return f"the relay is read back open and {used} Wh flowed since: its contact stuck, or supply is led past it"


def not_there_in_time(valve: bool, within_s: float) -> str:
    """The answer to a request that was not read back; the wish itself stays."""
    if valve:
        return f"the valve has not arrived within {within_s:.0f} s; it is tried again as long as the hold says so"
    return "not read back within a minute; it is tried again as long as the hold says so"


def ask_otherwise(id: str, operation: str) -> str:
    """A relay's word was said to a valve."""
    return (
        f"meter {id} has a valve, and `{operation}` is a relay's word; nothing was done. "
        "Ask for `off`, which closes the valve, or `on`, which opens it"
    )


def held(valve: bool, holds: str, is_off: bool) -> str:
    if valve:
        return f"held closed: {holds}" if is_off else f"to be closed: {holds}"
    return f"held open: {holds}" if is_off else f"to be opened: {holds}"


def coming_on(valve: bool, permit: bool) -> str:
    if valve:
        return "to be opened"
    return "closing is permitted: press the button on the meter" if permit else "closing"


def off_by_itself(valve: bool) -> str:
    if valve:
        return "closed by itself or by hand; nobody here ordered it, so a person decides"
    return "open by itself or by hand; nobody here ordered it, so a person decides"


def no_off_now(valve: bool, mode: str) -> str:
    """A careful mode: nothing is switched off."""
    return f"the gateway is in mode {mode}: no valve is closed" if valve else f"the gateway is in mode {mode}: no trips"


def locked_words(meter: MeterState, zone: ZoneInfo) -> str | None:
    """Who works at the wires behind a meter, since when and why; None where it is not locked."""
    if (lock := meter.lock) is None:
        return None
    return f"locked for work by {lock.by} since {wall_time(instant_of_micros(lock.since), zone)}: {lock.why}"


def locked_as_it_stands(valve: bool) -> str:
    """A lock that was set while supply stood on."""
    if valve:
        return "locked as it stands: the valve is not turned before it is unlocked"
    return "locked as it stands: the relay is not switched before it is unlocked"


def stays_off(valve: bool, holds: str) -> str:
    """`on` was asked for, and other holds than the one that it lifts stand."""
    if valve:
        return f"the valve stays closed: the hold {holds} remains, and `on` does not lift it"
    return f"supply stays off: the hold {holds} remains, and closing does not lift it"


def lifted_in_vain(valve: bool, holds: str, hold: str) -> str:
    lock = hold == LOCKOUT
    if lock and valve:
        return f"the lock is lifted; the valve stays closed: {holds}"
    if lock:
        return f"the lock is lifted; supply stays off: {holds}"
    if valve:
        return f"the hold `{hold}` is lifted; the valve stays closed: {holds}"
    return f"the hold `{hold}` is lifted; supply stays off: {holds}"
