"""The two invariants that are asked of the running program itself: its queues (I23), and its own fold (I25).

This is the one file of the checker that knows the edge from within.
"""

from __future__ import annotations

from edge.fold import apply
from edge.state import State
from tests.simulate.house import House
from tests.simulate.known import Known
from tests.simulate.witnesses import Said


def i23(house: House) -> Said:
    """Queues and memory within their bounds."""
    edge = house.edge
    sizes = {
        "events": (edge.events.qsize(), 5000), "answers": (len(edge.outbox._soon), 500),
        "messages on their way": (len(edge.outbox._flying), 60), "replays": (len(edge.outbox._replays), 1700),
        "sweeps in memory": (edge.core.book.unsaved_sweeps, 60), "handlers": (len(edge.core._handlers), 2000),
        "facts": (len(edge.publisher._dirty), 5000),
    }  # fmt: skip
    for name, (size, most) in sizes.items():
        if size > most:
            yield f"{size} {name}, at most {most}"


def i25(house: House, known: Known) -> Said:
    """Folded from nothing the book gives what the edge goes by, and both give our own sums."""
    state, core = State(), house.edge.core
    for entry in core.book.entries():
        apply(state, entry)
    if state != core.state:
        apart = [name for name in vars(state) if getattr(state, name) != getattr(core.state, name)]
        yield f"folded anew the book gives other {', '.join(apart)}"
    if {name: nano for name, nano in state.ledger.items() if nano} != {k: v for k, v in known.ledger.items() if v}:
        yield "its balances are not the sums of its postings"
    for id, point in known.points.items():
        meter = core.state.meters[id]
        has = set(meter.holds), meter.observed, meter.account, meter.multiplier, meter.quarantined is not None
        if (own := (point.holds, point.observed, point.account, point.multiplier, point.quarantined)) != has:
            yield f"the edge goes by {has} of {id}, its entries say {own}"
    for id, tenancy in known.tenancies.items():
        account = core.state.accounts[id]
        final_seq = None if account.final is None else account.final.seq
        theirs = account.closed_through, account.ended, account.episode, final_seq
        ours = tenancy.closed, tenancy.ended is not None, tenancy.episode, tenancy.final_seq
        if ours != theirs:
            yield f"the edge goes by {theirs} of {id}, its entries say {ours}"
