"""Who may ask for what: one table, checked by the panel before it asks and by the edge before it acts.

A request is signed with a writer's key and names a person and a role inside. The key says which roles
its holder may speak for; the role says which operations it may ask for.
"""

from __future__ import annotations

MONEY = frozenset({
    "reverse", "refund", "compensate", "deduct", "correct", "correct-reading", "bring", "lend", "defer", "settle",
    "approve-money", "reject-money",
})  # fmt: skip
"""Acts with a tenant's money beside the top-up. Who may propose may approve as well, but never their own (R32)."""

METERS = frozenset({"replace-meter", "change-multiplier", "approve-meter", "reject-meter"})
"""A meter replaced, a multiplier changed: who wires meters proposes, and another person approves (R22, R23, R32)."""

PROTECTIONS = frozenset({"protect", "unprotect"})
"""Nobody cuts this tenant until an instant (R3)."""
LOCKS = frozenset({"lock", "unlock"})
"""Hands are at the wires behind a meter: nothing closes it (R5)."""
TENANCIES = frozenset({"move-in", "approve-move-in", "reject-move-in"})
"""A tenant moves in: the counter proposes, and another person approves (R32, R33)."""

RECOVERY = frozenset({"bring-back", "all-brought", "recovered"})
"""After a restore: an archive gives back what it saw, and a person says that the book is complete (I5)."""

OPERATIONS = (
    "topup", *sorted(MONEY), "off", "on", "trip", "close", "read", "release", "brake", "replay",
    *sorted(LOCKS), *sorted(PROTECTIONS), "told", "set-close",
    "propose-price", "approve-price",
    "reject-price", "preview-price", *sorted(METERS), *sorted(TENANCIES), *sorted(RECOVERY),
)  # fmt: skip
"""Every request there is. `trip` and `close` are `off` and `on` in a relay's words. `replay` and `preview-price` are
pure queries and need no signature."""

UNSIGNED = frozenset({"replay", "preview-price"})

PRICES = frozenset({"propose-price", "approve-price", "reject-price"})
"""One person proposes and another one approves, also where both may do either (R32)."""

ROLES: dict[str, frozenset[str]] = {
    "manager": frozenset(
        {"topup", "off", "on", "trip", "close", "read", "release", "brake", "told", "set-close", "recovered"}
    )
    | MONEY
    | PRICES
    | METERS
    | LOCKS
    | PROTECTIONS
    | TENANCIES,
    "finance": frozenset({"topup", "read", "told", "set-close"}) | MONEY | PRICES | PROTECTIONS | TENANCIES,
    "engineer": frozenset({"off", "on", "trip", "close", "read", "release", "told", "set-close"}) | METERS | LOCKS,
    "operations": frozenset({"read", "told"}),
    "system": frozenset({"read"}),
    "payment": frozenset({"topup"}),
    "notices": frozenset({"told"}),
    "tenant": frozenset({"told"}),
    "archive": frozenset({"bring-back", "all-brought"}),
}

KEYS: dict[str, frozenset[str]] = {
    "panel": frozenset({"manager", "finance", "engineer", "operations", "tenant"}),
    "shell": frozenset(ROLES) - {"tenant", "notices"},
    "demo": frozenset({"payment"}),
    "bridge": frozenset({"system", "archive"}),
    "integrator": frozenset({"system"}),
    "notices": frozenset({"notices"}),
}
"""Which roles each signing key may speak for. A key that is not listed may speak for nobody."""


def may(key: str, role: str, operation: str) -> bool:
    """True when a request signed with `key` for a person of `role` may ask for `operation`."""
    return role in KEYS.get(key, frozenset()) and role_may(role, operation)


def role_may(role: str, operation: str) -> bool:
    """True when a person of `role` may ask for `operation`; the panel shows only such buttons."""
    return operation in ROLES.get(role, frozenset())
