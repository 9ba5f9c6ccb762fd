"""Status word 3 of DL/T 645-2007 (§8.10) in words, as `riser decode` explains it: each set bit as a sentence.

Bits 10 to 15 differ from firmware to firmware: their sentences name what they usually mean, and the word stays shown.
"""

from __future__ import annotations

import re

from panel.words import later, t

RELAY = (later("the relay is closed"), later("the relay is open"))

BITS = {
    0: later("the second day table is in use"),
    3: later("programming is allowed"),
    5: later("the second zone table is in use"),
    6: later("the relay was told to trip"),
    7: later("the alarm before a trip is on"),
    10: later("the second tariff prices are in use, or a terminal is authenticated"),
    11: later("the second steps are in use, or a terminal is secured"),
    12: later("power is kept on: trips are ignored"),
    13: later("an authentication is valid"),
    14: later("the account is not opened (local)"),
    15: later("the account is not opened (remote)"),
}

SUPPLY = (
    "",
    later("it lives on its auxiliary supply"),
    later("it lives on its battery"),
    later("it lives on a supply that is not known"),
)
PREPAID = ("", later("energy is prepaid"), later("money is prepaid"), later("a kind of prepayment that is not known"))

NOT_MOVED = (
    later("the relay was told to close and has not moved, or not yet"),
    later("the relay was told to trip and has not moved, or not yet"),
)


def status_words(word: str) -> list[str]:
    """What the four digits say, in the language of this request; nothing where they are no status word."""
    return [t(sentence) for sentence in sentences(int(word, 16))] if re.fullmatch("[0-9A-F]{4}", word) else []


def sentences(word: int) -> list[str]:
    """The sentences, lowest bit first; always how the relay stands."""
    told = {bit: text for bit, text in BITS.items() if word >> bit & 1}
    told |= {1: SUPPLY[word >> 1 & 3], 4: RELAY[word >> 4 & 1], 8: PREPAID[word >> 8 & 3]}
    if (word >> 4 ^ word >> 6) & 1:
        told[6] = NOT_MOVED[word >> 6 & 1]
    return [told[bit] for bit in sorted(told) if told[bit]]
