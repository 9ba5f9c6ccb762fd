"""Every act with money is told to whoever listens for an account: what moved, by which receipt, what is left."""

from __future__ import annotations

from pathlib import Path

from edge.book import Entry
from edge.telling import account_events
from tests.edge.money_desk import MoneyDesk

CONSENT = {"papers": "p-1", "reason": "system-duplicate"}


def told(desk: MoneyDesk, kind: str) -> list[tuple[str, str, str, float | None]]:
    """(account, kind, sentence without its receipt, balance) of the newest entry of a kind."""
    entry: Entry = desk.of(kind)[-1]
    events = account_events(entry, desk.core.terms.zone)
    return [(id, event.kind, event.text.partition(", receipt")[0], event.balance) for id, event in events]


def test_every_act_is_told(tmp_path: Path) -> None:
    """Top-up, reversal, refund, compensation, deduction, emergency credit and exit each are one event."""
    desk = MoneyDesk(tmp_path, emergency_credit="5.00")
    receipt = desk.topup("101", 100)
    assert told(desk, "topup/1") == [("101", "topup", "100.00 yuan topped up", 100.0)]
    desk.done("reverse", account="101", receipt=receipt, why="typed twice")
    assert told(desk, "reversal/1") == [("101", "reversal", "100.00 yuan of a top-up taken back", 0.0)]
    desk.topup("101", 100)
    desk.agreed("refund", account="101", amount_fen=1000, method="cash", reference="s-1", why="asked")
    assert told(desk, "refund/1") == [("101", "refund", "10.00 yuan refunded", 90.0)]
    desk.agreed("compensate", account="101", amount_fen=500, **CONSENT)
    assert told(desk, "compensation/1") == [("101", "compensation", "5.00 yuan compensated", 95.0)]
    desk.agreed("deduct", account="101", amount_fen=200, consent="signed", **CONSENT)
    assert told(desk, "deduction/1") == [("101", "deduction", "2.00 yuan deducted", 93.0)]
    desk.done("lend", account="102", why="at night")
    assert told(desk, "credit/1") == [("102", "credit", "5.00 yuan of emergency credit lent", 5.0)]


def test_money_moved_between_two_accounts_is_told_to_both(tmp_path: Path) -> None:
    """Who gives and who gets each hear of a correction, with their own balance."""
    desk = MoneyDesk(tmp_path)
    desk.topup("101", 100)
    desk.agreed("correct", account="101", to_account="102", amount_fen=3000, why="wrong meter", papers="p-2")
    assert told(desk, "correction/1") == [
        ("101", "correction", "30.00 yuan moved to another account", 70.0),
        ("102", "correction", "30.00 yuan moved here from another account", 30.0),
    ]
