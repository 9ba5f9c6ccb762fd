"""docs/ledger.md is what the book does: each entry that moves money moves it as its row says, and no other way."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.contract import entries
from bridge.contract.money_messages import MONEY_REQUESTS
from tests.edge.money_desk import MoneyDesk

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
BY_METERS = ("charge/2", "fee/1", "reading-correction/1")
"""What meters and days bring about, and who puts them right; the rest is done here by people."""


def rows(kind: str) -> set[tuple[str, str, str]]:
    """(entry, from, to) of the page's second table."""
    found = re.findall(r"^\| `([a-z-]+/\d)` \| `([^`]+)` \| `([^`]+)` \|", PAGE, re.M)
    return {row for row in found if (row[0] in BY_METERS) == (kind == "meters")}


def shape(ledger_account: str) -> str:
    """`account:101` as the page writes it."""
    head, _, _ = ledger_account.partition(":")
    if head in ("account", "credit", "debt"):
        return f"{head}:<account>"
    return "till:<channel>" if head == "till" else ledger_account


def test_every_act_moves_money_as_the_page_says(tmp_path: Path) -> None:
    """A life with every act in it: the moves found in the book are exactly the rows of docs/ledger.md."""
    desk = MoneyDesk(tmp_path, emergency_credit="20.00", overdraft="50.00")
    words = {"papers": "paper 1", "why": "because"}
    mistake = {"account": "101", "reason": "wrong-meter", "papers": "paper 1", "amount_fen": 100}
    desk.agreed("bring", account="101", amount_fen=5000, papers="old book")
    desk.agreed("bring", account="102", amount_fen=-10_000, papers="old book")
    for account in ("101", "102"):
        desk.use(account, 6000)
        desk.agreed("defer", account=account, amount_fen=1000, share_percent=10, papers="agreement")
        desk.done("lend", account=account, why="night")
    receipt = desk.topup("101", 100)
    desk.done("reverse", account="101", receipt=receipt, why="wrong room")
    desk.topup("101", 15)
    desk.topup("102", 1000)
    desk.agreed("refund", account="102", amount_fen=100, method="cash", reference="slip", why="moves")
    desk.agreed("compensate", **mistake)
    desk.agreed("deduct", **mistake, consent="signed")
    desk.agreed("correct", account="102", to_account="101", amount_fen=20_000, **words)
    desk.done("lend", account="102", why="night")
    desk.use("101", 0, milli_fen=500)
    for meter in ("m1", "m2"):
        desk.opened(meter, 1000)
    desk.clock.advance(60)
    for account, meter in (("101", "m1"), ("102", "m2")):
        desk.reads(meter, 1000)
        if account == "102":
            # What is left is a little less than nothing.
            owed = sum(desk.core.state.ledger.get(f"{each}:102", 0) for each in ("account", "credit", "debt"))
            desk.use("102", owed // 10**7, milli_fen=500)
        desk.agreed("settle", account=account, method="cash", **words)
    found = {
        (entry.kind, shape(each["from"]), shape(each["to"]))
        for entry in desk.book.entries()
        for each in entry.fields.get("moves", ())
        if entry.kind not in BY_METERS
    }
    assert found == rows("people")
    desk.book.close()


def test_the_chart_names_every_account_and_every_act() -> None:
    """Each ledger account of the code has its row in the chart, and each request its line."""
    chart = set(re.findall(r"^\| `([a-z]+:[^`]*)` \|", PAGE, re.M))
    names = [value for name, value in vars(entries).items() if name.isupper() and isinstance(value, str)]
    assert {each.partition("<")[0] for each in chart} == set(names)
    told = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.M))
    money = {each.operation for each in MONEY_REQUESTS} - {"approve-money", "reject-money"}
    assert told == money | {"move-in"}  # It moves no money, and begins an account.
    assert rows("meters") == {
        ("charge/2", "account:<account>", entries.INCOME),
        ("charge/2", "account:<account>", entries.WATER_INCOME),
        ("fee/1", "account:<account>", entries.FEES),
        ("reading-correction/1", "account:<account>", entries.INCOME),
        ("reading-correction/1", "account:<account>", entries.WATER_INCOME),
    }
