"""`riser request`: a tenant moves in by words of the shell."""

from __future__ import annotations

import pytest

from bridge.contract.asking import ask
from bridge.contract.clock import SystemClock
from bridge.contract.messages import Topics
from bridge.contract.permissions import may
from bridge.contract.tenancy_requests import TENANCY_REQUESTS
from host.exits import Trouble
from host.request import fields_of

WORDS = {
    "move-in": "account=100207-2 name=新茶馆 room=A207 phone=13912345678 tariff=shop water_tariff=water "
    "meters=a207,w207 category=home household=true papers=lease-114",
    "approve-move-in": "proposal=p-12",
    "reject-move-in": "proposal=p-12 why=signed-elsewhere",
}


@pytest.mark.parametrize("operation", [each.operation for each in TENANCY_REQUESTS])
def test_a_tenant_can_move_in_from_the_shell(operation: str) -> None:
    """`riser request OP key=value ...` makes a whole request of it; a clerk and a manager may ask, an engineer not."""
    fields = fields_of(operation, tuple(WORDS[operation].split()))
    key = ("shell", b"s" * 32)
    topic, payload, _ = ask(
        Topics("riser", "east"), SystemClock(), key, operation, who="王敏", role="finance", **fields
    )
    assert topic == f"riser/east/request/{operation}" and payload
    assert may("panel", "finance", operation) and may("shell", "manager", operation)
    assert not may("panel", "engineer", operation) and not may("demo", "payment", operation)


def test_meters_are_a_list_and_a_household_is_true_or_false() -> None:
    """Several meters stand behind each other with a comma; a word neither true nor false is told, exit code 2."""
    words = fields_of("move-in", ("meters=a207,w207", "household=false"))
    assert words == {"meters": ["a207", "w207"], "household": False}
    assert fields_of("move-in", ("meters=a207",)) == {"meters": ["a207"]}
    for slip in ("yes", "True", "1", ""):
        with pytest.raises(Trouble) as trouble:
            fields_of("move-in", (f"household={slip}",))
        assert trouble.value.code == 2
