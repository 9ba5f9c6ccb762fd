"""When two names are one person: however it was typed, and whatever stands in it that nobody sees (R15, R32).

The edge refuses by it, and the panel says it before anybody presses the button.
"""

from __future__ import annotations

import unicodedata

UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800") | {
    chr(code)
    for span in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(span[0], span[1] + 1)
}
"""Letters, marks and signs that leave no ink: fillers, joiners and selectors of variants."""


def folded(name: str) -> str:
    """A name without what is only its form: capitals, full-width letters, spaces, characters that nobody sees."""
    seen = (each for each in unicodedata.normalize("NFKC", name).casefold() if each not in UNSEEN)
    return "".join(each for each in seen if unicodedata.category(each) != "Cf" and not each.isspace())


def same_person(one: str, other: str) -> bool:
    """True for one name however it was typed: no capital and no invisible character makes a second person."""
    return folded(one) == folded(other)
