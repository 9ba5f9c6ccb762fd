"""`riser request` says its answer in yuan and by the site's clock on the wall."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.messages import Response
from host.request import outcome

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"balance_nano": 148_173_884_000, "receipt": "20261120-000007"},
         "done: balance 148.173884 yuan, receipt 20261120-000007"),
        ({"proposal": "p-12", "until": "2026-11-21T01:30:00.000+00:00"},
         "done: proposal p-12, until 2026-11-21 09:30"),
        ({"until": "2026-11-20T16:00:07.250+00:00", "amount_fen": -250},
         "done: until 2026-11-21 00:00:07, amount -2.50 yuan"),
        ({"why": "Top Table", "holds": ["manual"], "seq": 7}, "done: why Top Table, holds ['manual'], seq 7"),
        ({}, "done"),
    ],
)  # fmt: skip
def test_figures_of_an_answer_are_said_as_people_say_them(data: dict[str, Any], told: str) -> None:
    """Nano-yuan and fen become yuan, exactly; an instant stands as on the wall of the site; all else as it came."""
    heard = Response(transaction="t-1234567", key="shell", status="done", at="2026-11-20T01:00:00.000+00:00", data=data)
    assert outcome([heard], 30, SHANGHAI) == (0, told)
