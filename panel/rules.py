"""What a rule's number means, in the few words that stand beside the edge's own sentence; docs/rules.md says more."""

from __future__ import annotations

from panel.words import later

RULES = {
    "R1": later("the lead after the final warning has not passed"),
    "R2": later("protected time"),
    "R3": later("there is a reason never to cut now"),
    "R4": later("the brake on mass cuts has caught"),
    "R5": later("another hold remains"),
    "R6": later("how supply returns has its own conditions"),
    "R7": later("the request was expired, repeated or not permitted"),
    "R10": later("there is no such amount to book"),
    "R12": later("this act has its own conditions"),
    "R15": later("the amount is outside the limits"),
    "R16": later("emergency credit and debts have their own rules"),
    "R19": later("the opening reading is not confirmed yet"),
    "R20": later("a reading is set aside"),
    "R21": later("a step that the meter cannot have carried"),
    "R22": later("the replacement of a meter has its own conditions"),
    "R23": later("a multiplier changes only with a reading of that moment"),
    "R25": later("the gateway's clock is not trusted"),
    "R27": later("a version of a price never changes"),
    "R28": later("hours are charged on registers per rate"),
    "R29": later("steps have their own conditions"),
    "R30": later("the mark-up is above the limit"),
    "R32": later("two people are needed, or another role"),
    "R33": later("the end of a tenancy"),
    "I5": later("nothing can be booked now, or the book may miss payments"),
    "I15": later("a reading is in doubt"),
    "I21": later("one meter at one address"),
}
