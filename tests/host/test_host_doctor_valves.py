"""`riser doctor` speaks of a water meter's valve as of a valve, and names the request that opens it."""

from __future__ import annotations

import pytest

from bridge.contract import messages as m
from host.doctor.findings import Finding
from host.doctor.meters import findings
from tests.host.doctor_snapshots import broker, facts, relay, row, snapshot, values

OPEN = m.Valve(desired="open", observed="open", holds=[], why="nothing holds it", following=True)


def told(**changes: object) -> list[Finding]:
    found = facts(
        meters=m.Meters(meters=[row("a101"), row("a102", switch="valve")]),
        relays={"a101": relay()},
        valves={"a102": OPEN.model_copy(update=changes)},
        values={"a101": values(), "a102": values()},
    )
    return [each for each in findings(snapshot(broker=broker(facts=found))) if each.about == "a102"]


@pytest.mark.parametrize(
    ("changes", "severity", "words"),
    [
        ({"desired": "closed", "following": False}, "wrong", "its valve should be closed and is open"),
        ({"observed": "fault"}, "wrong", "its valve should be open and says that it is out of order"),
        ({"observed": "closed", "why": "by itself"}, "worth knowing", "its valve is closed since"),
    ],
)
def test_a_valve_that_stands_wrong_is_told(changes: dict[str, object], severity: str, words: str) -> None:
    """What it should be, how it stands, and for one that is closed by itself the line that opens it."""
    (found,) = told(**changes)
    assert (found.severity, words in found.sentence) == (severity, True), found.sentence
    assert severity == "wrong" or found.command == './riser request on meter=a102 why="..."'


def test_a_valve_that_is_well_or_on_its_way_is_not_told() -> None:
    """Nobody is sent to a valve that has time to arrive."""
    assert told() == [] == told(observed="closed", moving="opening")
