"""Which meters of a tenancy can be cut, how they are closed again, and whether one of their lamps can warn of it.

A meter whose relay is not used here (`relay = "none"`) is given no order at all, not even for its lamp.
"""

from __future__ import annotations

from typing import Literal

from edge import brake
from edge.billing import policy
from edge.billing.policy import Verdict
from edge.core import Core
from edge.holds import ARREARS
from edge.restored import is_former
from edge.state import AccountState, MeterState

ATTEMPTED = "attempted"
"""A warning counts once an order to the lamp was sent, on a site that says so."""


def switched(core: Core, account: AccountState) -> list[MeterState]:
    """The meters of an account that are given orders."""
    meters = [core.state.meters[id] for id in account.meters]
    return [meter for meter in meters if core.lives[meter.id].model.relay and meter.row["relay"] != "none"]


def closing(core: Core, meter: MeterState) -> Literal["direct", "permit", "none"]:
    """How its supply comes back (R6): as its tenant wants it, also one who has left since; else as it is wired. A valve
    has no button to press."""
    own: Literal["direct", "permit", "none"] = meter.row["relay"]
    if own == "none" or core.lives[meter.id].model.relay_is_valve:
        return own
    if (account := core.state.accounts.get(meter.account or "")) is not None:
        return account.row.get("close") or own
    left = meter.waiting.way if meter.waiting is not None else None
    return "permit" if left == "permit" else "direct" if left == "direct" else own


def may_be_locked(core: Core, meter: MeterState) -> bool:
    """True while its cause to be closed is of before a restore, and nobody has spoken who knows of locks that were set
    since: an archive that has every entry, the person who says that the book is complete, or a payment (R5)."""
    state = core.state
    restored, account = state.restored, state.accounts.get(meter.account or "")
    if state.recovering is None or restored is None or meter.waiting is None or not meter.waiting.of_backup:
        return False
    if account is not None and account.paid_seq > restored.seq and account.paid_seq not in restored.again:
        return False
    return restored.through is None or restored.holes > 0


def can_cut(core: Core, account: AccountState) -> bool:
    """True when a meter of the account has a relay to cut with."""
    return bool(switched(core, account))


def needs_telling(core: Core, account: AccountState) -> bool:
    """True when it can be cut and has no lamp that is lit: only a person can deliver its final warning (R1)."""
    meters = switched(core, account)
    return bool(meters) and not any(core.lives[meter.id].model.lamp for meter in meters)


def uncut(core: Core, account: AccountState) -> list[MeterState]:
    """The meters of an account that can still be cut, so that a warning has something to warn of."""
    return [
        meter
        for meter in switched(core, account)
        if "arrears" not in meter.holds or core.lives[meter.id].relay_open is False
    ]


def is_cut_anew(core: Core, meter: MeterState) -> bool:
    """A trip would be a cut and no other attempt at one: its hold does not stand, or is of before a restore, and who
    had paid since has light (I5)."""
    hold = meter.holds.get(ARREARS)
    return hold is None or (is_former(core.state.restored, hold.seq) and core.lives[meter.id].relay_open is False)


def load_is_known(core: Core, account: AccountState) -> bool:
    """True where each meter that tells a load has told it, but for those off line; not where none of them has."""
    lives = [core.lives[id] for id in account.meters if core.lives[id].tells_load]
    if any(live.load_w is None and live.online is not False for live in lives):
        return False
    return not lives or any(live.load_w is not None for live in lives)


def objection(core: Core, account: AccountState, meter: MeterState) -> Verdict | None:
    """What speaks against a cut that the policy allows; asked last, because it costs more."""
    if core.balances.guessed(account):
        return policy.GUESSED
    if is_cut_anew(core, meter) and (why := brake.due(core, meter)) is not None:
        return Verdict(False, "R4", why)
    return None


def settled_since(core: Core, account: AccountState) -> bool:
    """True where an archive has shown that it was settled after the backup: whoever is there now is somebody else."""
    restored = core.state.restored
    return restored is not None and account.id in restored.settled


def counts_from(core: Core, account: AccountState) -> int | None:
    """The powered second from which the final warning that stands counts as delivered (R1); None while it does not."""
    if account.final is None or outdated_warning(core, account) is not None:
        return None
    return account.final.delivered_powered_s


def outdated_warning(core: Core, account: AccountState) -> str | None:
    """Why a warning that counted does not count any more: the site asks for more than an order to the lamp since."""
    if account.final is None or account.final.delivered_by != ATTEMPTED or core.terms.warning_counts == ATTEMPTED:
        return None
    return (
        "only an order to the meter's lamp was sent, and that is not enough any more" if uncut(core, account) else None
    )


def looks_paid(core: Core, account: AccountState) -> bool:
    """True while nobody knows the time and no money has come since the newest hold for arrears: all use since the last
    bill is priced as of one instant then, and what a tenant owes may look paid by that alone (R5)."""
    held = [core.state.meters[id].holds.get("arrears") for id in account.meters]
    newest = max((hold.seq for hold in held if hold is not None), default=0)
    return not core.book.trusted and account.paid_seq <= newest
