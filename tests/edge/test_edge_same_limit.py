"""R6: a gateway goes on whose site file names one amount for the cut and for the return, and its relays do not flap."""

from __future__ import annotations

from pathlib import Path

from tests.edge.wires import ACCOUNT, ROOM, Watched


def test_r6_a_fen_above_the_limit_does_not_bring_supply_back(tmp_path: Path) -> None:
    """The file of before says 0.00 twice; it is started. Cut, and paid to a fen above nothing: it stays dark, and the
    fact says above what it returns. A yuan more, and it is lit."""
    building = Watched(tmp_path, poll_s=120, idle_s=10, policy={"restore_above": "0.00", "topup_min": "0.01"})
    building.cut()
    building.run(minutes=15)
    account = building.edge.core.state.accounts[ACCOUNT]
    owed = -building.edge.core.balances.available_nano(account)
    building.topup(ACCOUNT, owed // 10_000_000 + 1)
    building.run(minutes=15)
    fact = building.fact(f"account/{ACCOUNT}")
    assert 0 < fact["available_nano"] < fact["restore_above_nano"] == 1_000_000_000
    assert building.dark and "arrears" in building.edge.core.state.meters[ROOM].holds
    building.topup(ACCOUNT, 1_00)
    building.run(minutes=15)
    assert not building.dark
