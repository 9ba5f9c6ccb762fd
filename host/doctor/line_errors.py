"""Lines on which too much fails although their meters are there: which meter is worst, and what to look at first.

A meter that is silent for good is told by `meters`; here are the answers that come damaged, or only sometimes.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.port_statistics import SENT_ERRORS, MeterOnPort
from host.doctor.findings import Finding, names, wrong
from host.doctor.seen import Snapshot

MUCH_PERCENT = 5
"""A good line fails less than once in a thousand; above this reads come late and a person should look."""

FEWEST = 50
"""Questions from which on a share means something."""

NEARLY_ALL = 0.8
"""From this share of the errors on it is one meter's fault, else the line's."""

LOOK = {
    "silent": "supply and screws of {who}, its address, and whether a second meter has the same one",
    "noise": "screws of A and B at {who}, 120 ohm at both ends of the line and nowhere else, baud and parity, a cable "
    "beside a motor or an inverter",
    "babble": "unplug the meters one after the other, beginning with {who}, until the line is quiet; the one that "
    "babbles need not be the one that was asked",
    "unfinished": "screws of A and B at {who}, 120 ohm at both ends of the line and nowhere else",
}
WORDS = {"silent": "no answer", "noise": "damaged answer", "babble": "somebody does not stop speaking",
         "unfinished": "answer broke off"}  # fmt: skip


def of_line(snapshot: Snapshot, port: str) -> Iterator[Finding]:
    """What is to be said of one line."""
    facts = snapshot.facts
    figures = facts.lines.get(port)
    if figures is None or facts.meters is None:
        return
    off = {id for id, seen in facts.availability.items() if seen.state == "offline"}
    rooms = {row.id: row.room for row in facts.meters.meters if row.port == port}
    heard = [each for each in figures.meters if each.id in rooms and each.id not in off]
    asked, failed = sum(each.asked for each in heard), sum(each.failed for each in heard)
    if asked < FEWEST or 100 * failed <= MUCH_PERCENT * asked:
        return
    kinds = {kind: sum(_count(each, kind) for each in heard) for kind in SENT_ERRORS}
    kind = max(kinds, key=lambda each: kinds[each])
    worst = max(heard, key=lambda each: (each.failed, each.id))
    told = ", ".join(f"{WORDS[each]} {kinds[each]}" for each in sorted(kinds, key=lambda k: -kinds[k]) if kinds[each])
    whose = f"{worst.id}{f' ({rooms[worst.id]})' if rooms[worst.id] else ''}"
    alone = worst.failed >= NEARLY_ALL * failed
    others = [each.id for each in heard if each.failed and each is not worst]
    where = f"nearly all with meter {whose}" if alone else f"most with {whose}, also with {names(others)}"
    yield wrong(
        "meters",
        port,
        f"Line {port}: {100 * failed / asked:.1f} % of the questions of the last {figures.window_s / 60:.0f} "
        f"minutes failed ({told}), {where}.",
        f"Look at {'this meter' if alone else 'the line itself'} first: {LOOK[kind].format(who=worst.id)}. "
        f"The page of the line in the panel shows its last bytes.",
    )


def _count(row: MeterOnPort, kind: str) -> int:
    return (getattr(row.errors, kind) or 0) if row.errors is not None else 0
