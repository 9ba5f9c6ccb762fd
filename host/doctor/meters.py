"""Meters: which are off line (`off_line`) or fail too much (`line_errors`), whose register is doubted, whose relay or
valve stands wrong; line by line.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.messages import MeterRow
from host.doctor import line_errors, locks, off_line, purses, time_tables
from host.doctor.findings import Finding, good, know, of, wrong
from host.doctor.seen import Snapshot
from host.doctor.valves import valve_of

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
            found += [*off_line.of_line(snapshot, port, rows), *line_errors.of_line(snapshot, id)]
    for row in facts.meters.meters:
        found += [*_register(snapshot, row), *_relay(snapshot, row), *valve_of(snapshot, row)]
        found += [*purses.findings(snapshot, row), *_clock(snapshot, row), *time_tables.findings(snapshot, row)]
        found += locks.of_meter(snapshot, row)
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


def _room(row: MeterRow) -> str:
    return f" ({row.room})" if row.room else ""


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
    elif relay.observed == "open" and relay.desired == "closed" and relay.step is None and not relay.holds:
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
        f"Set it, with Riser stopped on that line, by `./riser meter PORT {row.address} clock --set`, "
        "or with its maker's tool.",
    )
