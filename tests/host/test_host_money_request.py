"""`riser request`: every act with money can be asked for with words of the shell."""

from __future__ import annotations

import pytest

from bridge.contract.asking import ask
from bridge.contract.clock import SystemClock
from bridge.contract.messages import Topics
from bridge.contract.money_messages import MONEY_REQUESTS
from bridge.contract.permissions import may
from host.exits import Trouble
from host.request import fields_of

WORDS = {
    "topup": "account=101 amount_fen=10000 method=cash",
    "reverse": "account=101 receipt=20261120-000007 why=wrong-room",
    "refund": "account=101 amount_fen=500 method=transfer reference=slip-12 why=moves-out",
    "compensate": "account=101 amount_fen=500 reason=price-reform papers=notice-4",
    "deduct": "account=101 amount_fen=500 reason=other why=corridor-lamp papers=photo-3 consent=signed-11-20",
    "correct": "account=101 to_account=102 amount_fen=500 why=wires-crossed papers=photo-3",
    "correct-reading": "account=101 meter=m1 entry=charge:m1:2026-11-20 total=113.50 why=misread papers=photo-7",
    "bring": "account=101 amount_fen=-500 papers=old-book",
    "lend": "account=101 why=night",
    "defer": "account=101 amount_fen=500 share_percent=30 weekly_cap_fen=4000 papers=agreement-7",
    "settle": "account=101 method=cash reference=slip-12 papers=photo-88 why=contract-ended",
    "approve-money": "proposal=p-12",
    "reject-money": "proposal=p-12 why=papers-missing",
}


@pytest.mark.parametrize("operation", [each.operation for each in MONEY_REQUESTS])
def test_every_act_can_be_asked_for_from_the_shell(operation: str) -> None:
    """`riser request OP key=value ...` makes a whole request of it, and a manager at the shell may ask."""
    fields = fields_of(operation, tuple(WORDS[operation].split()))
    key = ("shell", b"s" * 32)
    topic, payload, _ = ask(
        Topics("riser", "east"), SystemClock(), key, operation, who="王敏", role="manager", **fields
    )
    assert topic == f"riser/east/request/{operation}" and payload
    assert may("shell", "manager", operation) and may("panel", "finance", operation)


@pytest.mark.parametrize("words", ["amount_fen=5.00", "amount=500", "weekly_cap_fen=x"])
def test_a_slip_of_the_pen_is_told_before_anything_is_sent(words: str) -> None:
    """An amount that is no whole number of fen, a field that does not exist: one sentence, exit code 2."""
    with pytest.raises(Trouble) as trouble:
        fields_of("defer", ("account=101", words))
    assert trouble.value.code == 2


@pytest.mark.parametrize("words", [
    ["amount_fen=２００"], ["amount_fen=20_000"], ["amount_fen= 20000"], ["amount_fen=+20000"], ["amount_fen=200.00"],
    ["amount_fen=" + "9" * 5000], ["amount_fen="], ["amount_fen=100", "amount_fen=20000"], ["account=1", "account=1"],
])  # fmt: skip
def test_an_amount_is_plain_digits_and_said_once(words: list[str]) -> None:
    """What may be read in two ways is not money: no other script's digits, no separators, no word twice."""
    with pytest.raises(Trouble):
        fields_of("topup", tuple(words))
