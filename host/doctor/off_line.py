"""Meters that are off line, by what came instead of their answers: nothing, something damaged, or no end of it.

A line on which every meter is off line is one fault of the line, and is told as one, with what to try first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.contract.messages import Availability, MeterRow, PortFacts
from bridge.contract.site import Port
from bridge.contract.units import instant_of
from host.doctor.findings import Finding, know, names, of, wrong
from host.doctor.line_errors import WIRES
from host.doctor.seen import Snapshot

USUAL = {"dlt645-2007": (2400, "E"), "modbus-rtu": (9600, "N")}
"""How meters of a protocol leave the factory (DL/T 645-2007 §5.1; Acrel and Eastron manuals)."""

DAMAGED = ("noise", "unfinished")

BABBLES = (
    "Unplug the meters one after the other, beginning with {who}, until the line is quiet: the one that babbles need "
    "not be the one that was asked. It is tried again now and then, and read as soon as it is quiet."
)


def of_line(snapshot: Snapshot, port: PortFacts, rows: Sequence[MeterRow]) -> Iterator[Finding]:
    """What is to be said of the meters of an open port that are off line, or were not heard yet."""
    facts = snapshot.facts
    seen = {row.id: each for row in rows if (each := facts.availability.get(row.id)) is not None}
    off = [row for row in rows if row.id in seen and seen[row.id].state == "offline"]
    by_kind = {
        "babble": [row for row in off if seen[row.id].how == "babble"],
        "damaged": [row for row in off if seen[row.id].how in DAMAGED],
        "closed": [row for row in off if seen[row.id].how == "closed"],
    }
    by_kind["silent"] = [row for row in off if not any(row in some for some in by_kind.values())]
    if not off:
        if waiting := [row.id for row in rows if row.id not in facts.availability]:
            yield know(
                "meters",
                port.id,
                f"Line {port.id}: not heard yet since the start: {names(waiting)}.",
                "Wait for the end of the first round, then look again.",
            )
        return
    every = len(off) == len(rows) > 1
    if every and len(by_kind["silent"]) == len(rows):
        yield _dead_line(snapshot, port, rows)
        return
    for kind, some in by_kind.items():
        if some:
            yield _some(snapshot, port, kind, some, len(rows), every)


def _some(snapshot: Snapshot, port: PortFacts, kind: str, some: list[MeterRow], of_all: int, every: bool) -> Finding:
    seen = snapshot.facts.availability
    told = names((_since(snapshot, row, seen[row.id]) for row in some), most=12)
    count = f"{len(some)} of {of(of_all, 'meter')}"
    if kind == "closed":
        return know(
            "meters",
            port.id,
            f"Line {port.id}: its adapter is back, and {count} not asked again yet: {told}.",
            "Wait for the end of the next round, then look again.",
        )
    if kind == "babble":
        return wrong(
            "meters",
            port.id,
            f"Line {port.id}: put aside, because somebody does not stop speaking when it is asked: {told}.",
            BABBLES.format(who=some[0].id),
        )
    if kind == "damaged":
        first = _settings_first(snapshot, port) if every else ""
        return wrong(
            "meters",
            port.id,
            f"Line {port.id}: {count} heard, and what comes is damaged: {told}.",
            f"They speak, so their supply is good. Look at {first}"
            f"{WIRES.format(who='these meters' if len(some) > 1 else 'this meter')}; two meters with one address spoil "
            "each other's answers.",
        )
    works = "Nobody else is heard either; begin with what is told beside this, then" if every else "The line works, so"
    return wrong(
        "meters",
        port.id,
        f"Line {port.id}: {count} silent: {told}.",
        f"{works} look at these meters: supply, screws of A and B, the address on the nameplate against "
        f"{snapshot.site.path or 'the site file'}; two meters with one address silence each other.",
    )


def _since(snapshot: Snapshot, row: MeterRow, seen: Availability) -> str:
    return f"{row.id}{f' ({row.room})' if row.room else ''} since {snapshot.time(seen.since)}"


def _settings_first(snapshot: Snapshot, port: PortFacts) -> str:
    """On a line of which nothing was ever understood: speed and parity, then A and B."""
    wired = _wired(snapshot, port)
    told = f", the site file says {wired.baud} 8{wired.parity}1" if wired is not None else ""
    return f"baud and parity on a meter's display{told}; whether A and B are swapped at the adapter; then "


def _wired(snapshot: Snapshot, port: PortFacts) -> Port | None:
    site = snapshot.site.site
    return next((each for each in site.ports if each.id == port.id), None) if site else None


def _dead_line(snapshot: Snapshot, port: PortFacts, rows: Sequence[MeterRow]) -> Finding:
    facts = snapshot.facts
    heard = [row.id for row in rows if (seen := facts.values.get(row.id)) is not None and seen.read_at is not None]
    if heard:
        since = snapshot.time(min(instant_of(facts.availability[row.id].since) for row in rows))
        return wrong(
            "meters",
            port.id,
            f"Line {port.id}: all {len(rows)} meters went silent about {since}; until then they "
            "answered, so baud, parity and addresses are right.",
            "First: what was done in the shaft at that time? 1. cable to the first meter, screws of A and B. "
            "2. supply of the meters and of the converter. 3. a wire pinched or wet: disconnect the far half of the "
            "line and look again.",
        )
    steps = "; ".join(f"{number}. {step}" for number, step in enumerate(_steps(_wired(snapshot, port)), 1))
    return wrong(
        "meters",
        port.id,
        f"Line {port.id}: the port is open and none of its {len(rows)} meters has answered since the start.",
        f"Try in this order: {steps}.",
    )


def _steps(port: Port | None) -> list[str]:
    """What to try on a line that never spoke: an odd setting first, it costs nothing; then the wires."""
    wires = ["swap A and B at the adapter (harmless, and the usual cause)"]
    settings = []
    if port is not None:
        baud, parity = USUAL[port.protocol]
        if (port.baud, port.parity) != (baud, parity):
            settings.append(
                f"baud and parity: the site file says {port.baud} 8{port.parity}1, such meters usually "
                f"come with {baud} 8{parity}1; the meter's own display shows it"
            )
        else:
            wires.append(f"baud and parity on the meter's display, against {port.baud} 8{port.parity}1")
        wires.append(f"protocol: is it {port.protocol} on the nameplate")
    return [
        *settings,
        *wires,
        "one single meter on a short cable",
        "120 ohm at both ends of the line and nowhere else",
        "another adapter",
    ]
