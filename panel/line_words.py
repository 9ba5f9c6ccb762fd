"""What can become of a question on a line, in words, and what whoever stands in the shaft should look at then."""

from __future__ import annotations

from panel.words import later

KINDS = {
    "silent": (
        later("no answer|error"),
        later("Look at the meter's supply, the screws of A and B, and its address, baud and parity. Two meters with "
              "one address silence each other."),
    ),
    "noise": (
        later("damaged answer"),
        later("A and B swapped, 120 ohm missing at an end or fitted a third time, a loose screw, a wrong baud or "
              "parity, a cable beside a motor."),
    ),
    "babble": (
        later("somebody does not stop speaking"),
        later("Nobody else is heard meanwhile. Unplug the meters one after the other until the line is quiet; it need "
              "not be the one that was asked."),
    ),
    "unfinished": (
        later("answer broke off"),
        later("A part of a long answer is missing: look for the same causes as with damaged answers."),
    ),
    "refused": (
        later("the meter said no"),
        later("The wires are good: the meter understood. It does not have what its model says, or its password is "
              "another one."),
    ),
    "closed": (
        later("not sent: the port was closed"),
        later("The adapter was not there: look at its plug and its cable."),
    ),
    "late": (
        later("not sent: too late"),
        later("A reading for midnight found no time: the line is full, or loses its time on silent meters."),
    ),
    "withdrawn": (
        later("not sent: taken back"),
        later("A cut was taken back before its first byte; the gateway decides anew."),
    ),
}  # fmt: skip
"""Kind to its word and its advice, in the order in which they are looked at where two are equally frequent."""

LOUD = ("silent", "noise", "babble", "unfinished", "closed")
"""Kinds that somebody must do something about."""
