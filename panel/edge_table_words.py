"""What is said of a meter's time table beside its price, and of a balance that rests on a guess: `edge_words`."""

from __future__ import annotations

from panel.words import later

OF_TABLES = (
    later(
        "its own time table is that of its price again: its registers per rate are charged from the next charge on "
        "(R28)"
    ),
    later(
        "it does not tell its own time table, so that is not known to be the price's: from the next charge on its "
        "hours are told apart by readings at their borders (R28)"
    ),
    later(
        "its own time table is not that of the price {price}: on {day} at {minute} it counts {rate} and the price has "
        "{other}; from the next charge on its hours are told apart by readings at their borders (R28). Set the meter's "
        "time table, or correct the price"
    ),
    later("the balance rests on an estimate"),
)
"""Alarms `time-table` and `time-table-good`, and why nobody is cut off while a midnight was only estimated (R3)."""
