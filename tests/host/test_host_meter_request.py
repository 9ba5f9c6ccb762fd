"""`riser request`: a replaced meter and a changed multiplier can be asked for with words of the shell."""

from __future__ import annotations

import pytest

from bridge.contract.asking import ask
from bridge.contract.clock import SystemClock
from bridge.contract.messages import Topics
from bridge.contract.meter_requests import METER_REQUESTS
from bridge.contract.permissions import may
from host.exits import Trouble
from host.request import fields_of

WORDS = {
    "replace-meter": "meter=a101 address=202603119901 serial=202611090001 closing=total:88129650,peak:1200 "
    "removed_at=2026-11-20T14:20:00+08:00 papers=photo-12 why=dark",
    "change-multiplier": "meter=a206 multiplier=40 papers=form-7 why=200/5",
    "approve-meter": "proposal=p-12",
    "reject-meter": "proposal=p-12 why=no-photo",
}


@pytest.mark.parametrize("operation", [each.operation for each in METER_REQUESTS])
def test_every_change_of_a_meter_can_be_asked_for_from_the_shell(operation: str) -> None:
    """`riser request OP key=value ...` makes a whole request of it; an engineer may ask, a clerk may not."""
    fields = fields_of(operation, tuple(WORDS[operation].split()))
    key = ("shell", b"s" * 32)
    topic, payload, _ = ask(
        Topics("riser", "east"), SystemClock(), key, operation, who="老周", role="engineer", **fields
    )
    assert topic == f"riser/east/request/{operation}" and payload
    assert may("panel", "engineer", operation) and not may("panel", "finance", operation)


def test_registers_are_whole_watt_hours_by_name() -> None:
    """What a person read off a display is typed in Wh, register by register; anything else is told, exit code 2."""
    assert fields_of("replace-meter", ("closing=total:5,peak:3",)) == {"closing": {"total": 5, "peak": 3}}
    for slip in ("88129.65", "total:88129.65", "total", "total:-5"):
        with pytest.raises(Trouble) as trouble:
            fields_of("replace-meter", (f"closing={slip}",))
        assert trouble.value.code == 2
