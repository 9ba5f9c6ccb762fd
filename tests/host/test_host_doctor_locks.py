"""`riser doctor` names each lock, so that none is forgotten when the work is done."""

from __future__ import annotations

from bridge.contract import messages as m
from host.doctor.findings import Finding
from host.doctor.meters import findings
from tests.host.doctor_snapshots import broker, facts, relay, row, snapshot, values

LOCK = m.HoldFacts(kind="lockout", why="new breaker", by="李强", since="2026-11-20T01:50:00.000+00:00", off=False)


def told(*holds: m.HoldFacts, **changes: object) -> list[Finding]:
    found = facts(
        meters=m.Meters(meters=[row("a101", room="A101")]),
        relays={"a101": relay(holds=list(holds), **changes)},
        values={"a101": values()},
    )
    return [each for each in findings(snapshot(broker=broker(facts=found))) if each.about == "a101"]


def test_a_lock_is_told_with_whose_it_is() -> None:
    """Who, since when, why, and the line that lifts it; where it opened meanwhile, nobody is sent to close it."""
    for changes in ({}, {"observed": "open", "desired": "closed"}):
        (found,) = told(LOCK, **changes)
        assert found.severity == "worth knowing" and found.command == './riser request unlock meter=a101 why="..."'
        assert "locked for work by 李强 since" in found.sentence and "new breaker" in found.sentence


def test_no_lock_no_finding() -> None:
    """Another hold is no lock."""
    by_hand = LOCK.model_copy(update={"kind": "manual", "off": True})
    assert told() == [] == told(by_hand, observed="open", desired="open")
