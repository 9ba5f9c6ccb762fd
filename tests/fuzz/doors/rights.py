"""Who may ask for what, written down by hand from docs/mqtt.md and the README, and never taken from the program.

A new request, role or key is added here by whoever adds it to the program: until then a test fails.
"""

from __future__ import annotations

ROLES = ("manager", "finance", "engineer", "operations", "system", "payment", "notices", "tenant", "archive")

COUNTER, WIRING, BOSS = {"manager", "finance"}, {"manager", "engineer"}, {"manager"}

WHO_MAY: dict[str, set[str]] = {
    "topup": {"manager", "finance", "payment"},
    "reverse": COUNTER, "refund": COUNTER, "compensate": COUNTER, "deduct": COUNTER, "correct": COUNTER,
    "correct-reading": COUNTER, "bring": COUNTER, "lend": COUNTER, "defer": COUNTER, "settle": COUNTER,
    "approve-money": COUNTER, "reject-money": COUNTER,
    "propose-price": COUNTER, "approve-price": COUNTER, "reject-price": COUNTER,
    "move-in": COUNTER, "approve-move-in": COUNTER, "reject-move-in": COUNTER,
    "protect": COUNTER, "unprotect": COUNTER,
    "off": WIRING, "on": WIRING, "trip": WIRING, "close": WIRING, "lock": WIRING, "unlock": WIRING, "release": WIRING,
    "replace-meter": WIRING, "change-multiplier": WIRING, "approve-meter": WIRING, "reject-meter": WIRING,
    "brake": BOSS, "recovered": BOSS,
    "read": {"manager", "finance", "engineer", "operations", "system"},
    "told": {"manager", "finance", "engineer", "operations", "notices", "tenant"},
    "set-close": {"manager", "finance", "engineer"},
    "bring-back": {"archive"}, "all-brought": {"archive"},
}  # fmt: skip
"""Whom the rules allow a sealed request; to anybody else it must be refused (R32)."""

UNSEALED = {"replay", "preview-price"}
"""Questions that change nothing and need no seal."""

SPEAKS_FOR: dict[str, set[str]] = {
    "panel": {"manager", "finance", "engineer", "operations", "tenant"},
    "shell": {"manager", "finance", "engineer", "operations", "system", "payment", "archive"},
    "demo": {"payment"},
    "bridge": {"system", "archive"},
    "integrator": {"system"},
    "notices": {"notices"},
}
"""For whom the holder of a key may ask."""

PAGES_MAY: dict[str | None, set[str]] = {
    None: set(),
    "operations": {"read", "told"},
    "engineer": {
        "read", "told", "set-close", "off", "on", "trip", "close", "release", "lock", "unlock",
        "replace-meter", "change-multiplier", "approve-meter", "reject-meter",
    },
    "finance": {
        "read", "told", "set-close", "topup", "reverse", "refund", "compensate", "deduct", "correct",
        "correct-reading", "bring", "lend", "defer", "settle", "approve-money", "reject-money", "protect", "unprotect",
        "propose-price", "approve-price", "reject-price", "move-in", "approve-move-in", "reject-move-in",
    },
    "manager": {
        "read", "told", "set-close", "topup", "reverse", "refund", "compensate", "deduct", "correct",
        "correct-reading", "bring", "lend", "defer", "settle", "approve-money", "reject-money", "protect", "unprotect",
        "propose-price", "approve-price", "reject-price", "move-in", "approve-move-in", "reject-move-in",
        "off", "on", "trip", "close", "release", "lock", "unlock", "replace-meter", "change-multiplier",
        "approve-meter", "reject-meter", "brake", "recovered",
    },
}  # fmt: skip
"""What may leave for the gateway from such a person's browser: the counter never wires, an engineer takes no money, and
nobody's browser speaks for an archive."""
