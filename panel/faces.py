"""How a room looks: ground, icon and chip. Each state has its own, and so has what is told apart by a word alone.

A state says what comes first of a meter (`panel.states`); its face is what a person sees of it. Ground and icon both
differ from face to face, so that who tells no colours apart still sees which is which.
"""

from __future__ import annotations

from panel.words import later

PAINT = {"debt": "w3 s-debt", "dispute": "bill", "itself": "cut"}
"""The class of a face without its `s-`; others are painted by their own name."""

ICONS = {"itself": "open"}
"""Where a face has not the icon of its name."""

SHORT = {"final": later("Final|room")}
"""Words that are shorter where a room has little space."""

CHIPS = (
    ("final", ("final",), later("Final warning")),
    ("cut", ("cut", "itself"), later("Cut off")),
    ("debt", ("debt",), later("In debt|room")),
    ("low", ("w1", "w2", "w3"), later("Low")),
    ("off", ("off",), later("Off line")),
    ("stale", ("stale",), later("Stale")),
    ("held", ("held",), later("Held")),
    ("dispute", ("dispute",), later("Disputed|room")),
    ("keep", ("keep",), later("Keep on")),
    ("none", ("none",), later("Vacant")),
    ("on", ("on",), later("On|supply")),
)
"""Filters by urgency: name in the address, faces it shows, word."""

SIGN = {"low": "w2"}
"""The face that a chip of several wears; others wear the first."""


def paint_of(face: str) -> str:
    return PAINT.get(face, face)


def icon_of(face: str) -> str:
    return ICONS.get(face, face)


def chip_signs() -> list[tuple[str, tuple[str, ...], str, str, str]]:
    """(name, faces, paint, icon, word) of each chip."""
    worn = [(name, faces, SIGN.get(name, faces[0]), word) for name, faces, word in CHIPS]
    return [(name, faces, paint_of(face), icon_of(face), word) for name, faces, face, word in worn]
