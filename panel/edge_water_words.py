"""What is said of valves, of relays that do not tell how they stand, and of registers in Wh or litres: `edge_words`."""

from __future__ import annotations

from panel.words import later

OF_WATER = (
    later("the meter's battery is low: change it soon, with an empty one its valve may not move"),
    later("the meter's battery is good again"),
    later("the meter says that its valve is out of order: somebody has to look at it"),
    later("the meter says that its valve is in order again"),
    later("the meter says that it is out of order"),
    later("the meter decides by itself and does not say how it stands"),
    later("nobody can tell how it stands"),
    later("it tells again how it stands"),
    later("{n} {unit} is beyond the register's scale"),
    later("the register {rate} fell from {a} to {b} {unit} and had not been near its top"),
    later("the register {rate} rose by {n} {unit} in {s} s, more than the meter can carry"),
)
