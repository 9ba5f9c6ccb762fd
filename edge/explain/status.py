"""The status words 1 to 7 of DL/T 645-2007, and both of 1997: each set bit as a sentence (§8.10; annex C of 2007).

Bits 10 to 15 of word 3 differ from firmware to firmware, and so do bits 8 to 15 of word 1: their sentences say so by
naming what they usually mean; the word itself is always shown beside them.
"""

from __future__ import annotations

_PHASE = {
    0: "its voltage is lost", 1: "its voltage is low", 2: "its voltage is high", 3: "its amperes are lost",
    4: "too many amperes flow", 5: "it is overloaded", 6: "its power flows backward", 7: "the phase is broken",
    8: "no amperes flow",
}  # fmt: skip

BITS: dict[int, dict[int, str]] = {
    1: {
        1: "demand is counted by intervals, not sliding", 2: "the clock's battery is low",
        3: "the reading battery is low", 4: "active power flows backward", 5: "reactive power flows backward",
        8: "fault of the control loop", 9: "fault of the security module", 10: "status bit 10 is set",
        11: "status bit 11 is set", 12: "fault of the program", 13: "fault of the memory", 14: "overdrawn",
        15: "fault of the clock",
    },
    2: {
        0: "active power of phase A flows backward", 1: "active power of phase B flows backward",
        2: "active power of phase C flows backward", 4: "reactive power of phase A flows backward",
        5: "reactive power of phase B flows backward", 6: "reactive power of phase C flows backward",
    },
    3: {
        0: "the second day table is in use", 3: "programming is allowed", 4: "the relay is open",
        5: "the second zone table is in use", 6: "the relay was told to trip", 7: "the alarm before a trip is on",
        10: "the second tariff prices are in use, or a terminal is authenticated",
        11: "the second steps are in use, or a terminal is secured", 12: "power is kept on: trips are ignored",
        13: "an authentication is valid", 14: "the account is not opened (local)",
        15: "the account is not opened (remote)",
    },
    4: {bit: f"phase A: {words}" for bit, words in _PHASE.items()},
    5: {bit: f"phase B: {words}" for bit, words in _PHASE.items()},
    6: {bit: f"phase C: {words}" for bit, words in _PHASE.items()},
    7: {
        0: "the voltages come in the wrong order", 1: "the amperes come in the wrong order",
        2: "the voltages are unbalanced", 3: "the amperes are unbalanced", 4: "the auxiliary supply is lost",
        5: "the meter is without power", 6: "demand is exceeded", 7: "the power factor is exceeded",
        8: "the amperes are severely unbalanced",
    },
}  # fmt: skip

_SUPPLY = ("", "it lives on its auxiliary supply", "it lives on its battery", "it lives on a supply that is not known")
_PREPAID = ("", "energy is prepaid", "money is prepaid", "a kind of prepayment that is not known")


BITS_1997: dict[str, dict[int, str]] = {
    "C020": {
        0: "it is read automatically", 1: BITS[1][1], 2: "its battery is low", 4: BITS[1][4], 5: BITS[1][5],
    },
    "C021": {
        0: "phase A is without power", 1: "phase B is without power", 2: "phase C is without power",
        4: "the voltage of phase A is too high", 5: "the voltage of phase B is too high",
        6: "the voltage of phase C is too high",
    },
}  # fmt: skip
"""Meter status and mains status of 1997, a byte each: bits as in the standard's table, where makers kept to it."""


def sentences_1997(identifier: str, word: int) -> list[str]:
    """What a status byte of 1997 says: its set bits as sentences, lowest first."""
    known = BITS_1997[identifier]
    return [known.get(bit, f"bit {bit} is set") for bit in range(8) if word >> bit & 1]


def sentences(number: int, word: int) -> list[str]:
    """What a status word says: its set bits as sentences, lowest first; in word 3 always how the relay stands."""
    told = {bit: text for bit, text in BITS[number].items() if word >> bit & 1}
    if number == 3:
        told.setdefault(4, "the relay is closed")
        told |= {1: _SUPPLY[word >> 1 & 3], 8: _PREPAID[word >> 8 & 3]}
        if (word >> 4 ^ word >> 6) & 1:
            told[6] = f"the relay was told to {'trip' if word >> 6 & 1 else 'close'} and has not moved, or not yet"
    known = set(BITS[number]) | ({1, 2, 8, 9} if number == 3 else set())
    told |= {bit: f"bit {bit} is set" for bit in range(16) if word >> bit & 1 and bit not in known}
    return [told[bit] for bit in sorted(told) if told[bit]]
