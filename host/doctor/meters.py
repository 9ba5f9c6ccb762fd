"""Meters: which are silent and since when, whose register is doubted, whose relay does not follow; line by line.

A line on which every meter is silent is one fault of the line, and is told as one, with what to try first.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.messages import MeterRow, PortFacts
from bridge.contract.site import Port
from bridge.contract.units import instant_of
from host.doctor import line_errors, purses
from host.doctor.findings import Finding, good, know, names, of, wrong
from host.doctor.seen import Snapshot

USUAL = {"dlt645-2007": (2400, "E"), "modbus-rtu": (9600, "N")}
"""How meters of a protocol leave the factory (DL/T 645-2007 §5.1; Acrel and Eastron manuals)."""

CLOCK_OFF_S = 300
"""A meter's clock further off than this alarms (R25): its midnight register is not midnight's."""


def findings(snapshot: Snapshot) -> list[Finding]:
    """Everything the running gateway says of its meters."""
    facts = snapshot.facts
    if facts.meters is None or facts.info is None:
        return []
    found: list[Finding] = []
    ports = {port.id: port for port in facts.info.ports}
    for id, port in ports.items():
        rows = [row for row in facts.meters.meters if row.port == id]
        if rows and port.state == "open":
            found += [*_line(snapshot, port, rows), *line_errors.of_line(snapshot, id)]
    for row in facts.meters.meters:
        found += [*_register(snapshot, row), *_relay(snapshot, row), *purses.findings(snapshot, row)]
        found += _clock(snapshot, row)
    if not any(each.severity != "good" for each in found):
        found.append(
            good(
                "meters",
                "",
                f"{of(facts.info.meters_read, 'meter')} of {facts.info.meters_installed} read "
                "in the last round; registers and relays are as they should be.",
            )
        )
    return found


def _line(snapshot: Snapshot, port: PortFacts, rows: list[MeterRow]) -> Iterator[Finding]:
    facts = snapshot.facts
    silent = [row for row in rows if (seen := facts.availability.get(row.id)) is not None and seen.state == "offline"]
    if not silent:
        waiting = [row.id for row in rows if row.id not in facts.availability]
        if waiting:
            yield know(
                "meters",
                port.id,
                f"Line {port.id}: not heard yet since the start: {names(waiting)}.",
                "Wait for the end of the first round, then look again.",
            )
    elif len(silent) == len(rows) and len(rows) > 1:
        yield _dead_line(snapshot, port, rows)
    else:
        told = names(
            (f"{row.id}{_room(row)} since {snapshot.time(facts.availability[row.id].since)}" for row in silent), most=12
        )
        yield wrong(
            "meters",
            port.id,
            f"Line {port.id}: {len(silent)} of {of(len(rows), 'meter')} silent: {told}.",
            "The line works, so look at these meters: supply, screws of A and B, the address on the nameplate against "
            f"{snapshot.site.path or 'the site file'}; two meters with one address silence each other.",
        )


def _room(row: MeterRow) -> str:
    return f" ({row.room})" if row.room else ""


def _dead_line(snapshot: Snapshot, port: PortFacts, rows: list[MeterRow]) -> Finding:
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
    site = snapshot.site.site
    wired = next((each for each in site.ports if each.id == port.id), None) if site else None
    steps = "; ".join(f"{number}. {step}" for number, step in enumerate(_steps(wired), 1))
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


def _register(snapshot: Snapshot, row: MeterRow) -> Iterator[Finding]:
    values = snapshot.facts.values.get(row.id)
    if values is None or values.quality != "quarantined":
        return
    yield wrong(
        "meters",
        row.id,
        f"Meter {row.id}{_room(row)}: its register is doubted and nothing is charged: "
        f"{values.quality_why or 'no reason was given'}.",
        "Look at its display; is the register right, release it.",
        f'./riser request release meter={row.id} why="seen at the meter"',
    )


def _relay(snapshot: Snapshot, row: MeterRow) -> Iterator[Finding]:
    relay = snapshot.facts.relays.get(row.id)
    if relay is None:
        return
    if not relay.following:
        yield wrong(
            "meters",
            row.id,
            f"Meter {row.id}{_room(row)}: its relay was told several times to be {relay.desired} and "
            f"is {relay.observed}.",
            "Go and look: relay, keep-power setting of the meter, meter password in secrets/edge.json.",
        )
    elif purses.may_have_opened(snapshot, row):
        return  # Told there, with another cure.
    elif relay.observed == "open" and relay.desired == "closed" and relay.step is None:
        yield know(
            "meters",
            row.id,
            f"Meter {row.id}{_room(row)}: its relay is open since "
            f"{snapshot.time(relay.observed_since)} and should be closed: {relay.why}.",
            "Is it safe there, close it.",
            f'./riser request close meter={row.id} why="..."',
        )


def _clock(snapshot: Snapshot, row: MeterRow) -> Iterator[Finding]:
    values = snapshot.facts.values.get(row.id)
    if values is None or values.clock_offset_s is None or abs(values.clock_offset_s) <= CLOCK_OFF_S:
        return
    off = values.clock_offset_s
    yield know(
        "meters",
        row.id,
        f"Meter {row.id}{_room(row)}: its own clock is {abs(off) // 60} minutes "
        f"{'fast' if off > 0 else 'slow'}; its midnight is that much too {'early' if off > 0 else 'late'}.",
        "Set the meter's clock with its own tool; this version does not.",
    )
