"""What is said of valves, of relays that do not tell how they stand, and of registers in Wh or litres: `edge_words`."""

from __future__ import annotations

from panel.words import later

CLOSED_BY_ITSELF = later("closed by itself or by hand; nobody here ordered it, so a person decides")
"""For a valve that was found closed: `desired` is open then as well, yet nothing will open it."""

VALVE_READ_BACK = later("valve read back {valve} ({why})")
"""Told whenever a valve was read back in another state, ordered or not."""

VALVE = {
    "open": later("open|valve"),
    "closed": later("closed|valve"),
    "fault": later("fault|valve"),
    "unknown": later("unknown|valve"),
}
MOVING = {"opening": later("opening|valve"), "closing": later("closing|valve")}

OF_WATER = (
    later("the meter's battery is low: change it soon, with an empty one its valve may not move"),
    later("the meter's battery is good again"),
    later("the meter says that its valve is out of order: somebody has to look at it"),
    later("the meter says that its valve is in order again"),
    later("held closed: {holds}"),
    later("to be closed: {holds}"),
    later("to be opened"),
    later("the gateway is in mode {mode}: no valve is closed"),
    later("the valve stays closed: the hold {holds} remains, and `on` does not lift it"),
    later("the hold `{hold}` is lifted; the valve stays closed: {holds}"),
    CLOSED_BY_ITSELF,
    later("already open"),
    VALVE_READ_BACK,
    later("the valve does not follow ({turn}, {n} attempts): {why}"),
    later("read back, and the valve has not arrived"),
    later("the line broke when the order had left; the valve will tell"),
    later("no fresh {question} before the valve is shut ({why})"),
    later("the valve was found {valve} and nobody here had ordered it"),
    later("water should flow ({why}) and the valve was not read back open for ten minutes"),
    later("the valve has not arrived within {n} s; it is tried again as long as the hold says so"),
    later("the order to close the valve is about to leave ({cause})"),
    later(
        "meter {id} has a valve, and `{operation}` is a relay's word; nothing was done. "
        "Ask for `off`, which closes the valve, or `on`, which opens it"
    ),
    later("the meter says that it is out of order"),
    later("the meter decides by itself and does not say how it stands"),
    later("nobody can tell how it stands"),
    later("it tells again how it stands"),
    later("{n} {unit} is beyond the register's scale"),
    later("the register {rate} fell from {a} to {b} {unit} and had not been near its top"),
    later("the register {rate} rose by {n} {unit} in {s} s, more than the meter can carry"),
)
