"""Whatever people ask for, in whatever order: money is neither made nor lost, and what is refused changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edge.money_desk import CHECKER, MAKER, MoneyDesk

POLICY = {
    "balance_max": "300.00", "operator_day_max": "900.00", "overdraft": "7.00", "emergency_credit": "20.00",
    "topup_min": "0.01",
}  # fmt: skip
ACCOUNT = st.sampled_from(["101", "102"])
FEN = st.one_of(st.integers(-50, 12_000), st.sampled_from([0, 1, 2000, 10_000]))
WORDS = {"papers": "paper 1", "why": "because"}
REASON = {"reason": "wrong-meter", "papers": "paper 1"}


def act(
    operation: str, *, words: dict[str, Any] | None = None, **drawn: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(operation), st.fixed_dictionaries(drawn), st.just(words or {}))


ACTS = st.one_of(
    act("topup", account=ACCOUNT, amount_fen=FEN, words={"method": "cash"}),
    act("reverse", account=ACCOUNT, pick=st.integers(0, 30), words={"why": "wrong room"}),
    act("refund", account=ACCOUNT, amount_fen=FEN, words={"method": "cash", "reference": "s", "why": "moves"}),
    act("compensate", account=ACCOUNT, amount_fen=FEN, words=REASON),
    act("deduct", account=ACCOUNT, amount_fen=FEN, consent=st.sampled_from(["", "signed"]), words=REASON),
    act("correct", account=ACCOUNT, to_account=ACCOUNT, amount_fen=FEN, words=WORDS),
    act("bring", account=ACCOUNT, amount_fen=FEN, words={"papers": "old book"}),
    act("lend", account=ACCOUNT, words={"why": "night"}),
    act(
        "defer", account=ACCOUNT, amount_fen=FEN, share_percent=st.integers(1, 100),
        weekly_cap_fen=st.sampled_from([0, 500]), words={"papers": "agreement"},
    ),
    act("settle", account=ACCOUNT, words={"method": "cash", **WORDS}),
    act("approve-money", pick=st.integers(0, 30), who=st.sampled_from([MAKER, CHECKER])),
    act("use", account=ACCOUNT, fen=st.integers(0, 9000), milli_fen=st.integers(1, 999)),
    act("later", hours=st.sampled_from([1, 9])),
)  # fmt: skip


def do(desk: MoneyDesk, operation: str, drawn: dict[str, Any], words: dict[str, Any]) -> None:
    """One act; a refused one must have left money and everything that decides about it as they were."""
    fields, state = {**drawn, **words}, desk.core.state
    if operation == "use":
        if not state.accounts[fields["account"]].ended:
            desk.use(**fields)
        return
    if operation == "later":
        desk.clock.advance(fields["hours"] * 600)
        return
    if operation == "reverse":
        receipts = [entry.fields["receipt"] for entry in desk.of("topup/1")] or ["none"]
        fields["receipt"] = receipts[fields.pop("pick") % len(receipts)]
    if operation == "approve-money":
        fields["proposal"] = f"p-{fields.pop('pick')}"
        if state.proposals:
            fields["proposal"] = list(state.proposals)[int(fields["proposal"][2:]) % len(state.proposals)]
    if operation == "settle":
        desk.reads("m1" if fields["account"] == "101" else "m2", 1000)
    before = remembered(desk)
    refundable = {id: refundable_fen(desk, id) for id in state.accounts}
    answer = desk.ask(operation, **fields)
    if answer.status == "refused":
        assert remembered(desk) == before, (operation, fields, answer)
        return
    for entry in desk.book.entries(desk.book.seq - 5):
        if entry.kind == "refund/1" and answer.data and entry.seq == answer.data.get("seq"):
            assert entry.fields["amount_fen"] <= refundable[entry.fields["account"]]


def remembered(desk: MoneyDesk) -> tuple[Any, ...]:
    state = desk.core.state
    purses = {id: repr(account.purse) for id, account in state.accounts.items()}
    return {k: v for k, v in state.ledger.items() if v}, purses, dict(state.takings), repr(state.proposals)


def refundable_fen(desk: MoneyDesk, id: str) -> int:
    """Worked out here apart: whole fen of what was not lent, owed or used."""
    ledger = desk.core.state.ledger
    own = ledger.get(f"account:{id}", 0) + ledger.get(f"credit:{id}", 0) + ledger.get(f"debt:{id}", 0)
    return max(own // 10**7, 0)


def check(desk: MoneyDesk) -> None:
    """The invariants over the whole book, from its entries alone."""
    sums: dict[str, int] = {}
    originals, ended = [], set()
    for entry in desk.book.entries():
        fields = entry.fields
        for each in fields.get("moves", ()):
            assert each["amount_nano"] > 0
            sums[each["from"]] = sums.get(each["from"], 0) - each["amount_nano"]
            sums[each["to"]] = sums.get(each["to"], 0) + each["amount_nano"]
            assert not {each["from"], each["to"]} & ended, "an account moved after its settlement"
        if "balance_after_nano" in fields:
            assert fields["balance_after_nano"] == sums.get(f"account:{fields['account']}", 0), entry.kind
        if entry.kind == "correction/1":
            assert fields["to_balance_after_nano"] == sums[f"account:{fields['to_account']}"]
        if "approved_by" in fields:
            assert fields["approved_by"] != fields["who"]
        if entry.kind == "reversal/1":
            originals.append(fields["original"])
        if entry.kind == "exit/1":
            ended.add(f"account:{fields['account']}")
            assert not any(sums.get(f"{what}:{fields['account']}", 0) for what in ("account", "credit", "debt"))
    assert sum(sums.values()) == 0 and sums == desk.core.state.ledger
    assert len(originals) == len(set(originals))
    for id in ("101", "102"):
        assert -2000 * 10**7 <= sums.get(f"credit:{id}", 0) <= 0, "credit is lent once until repaid"
        assert sums.get(f"debt:{id}", 0) <= 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTS, min_size=5, max_size=40))
def test_no_sequence_of_acts_breaks_the_books(acts: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> None:
    """The sum over all ledger accounts stays zero, every balance is the sum of its moves, no top-up is reversed twice,
    no refund exceeds what is refundable, nobody approves their own, refusals change nothing, a restart neither."""
    with tempfile.TemporaryDirectory() as directory:
        desk = MoneyDesk(Path(directory), **POLICY)
        desk.opened("m1", 1000)
        desk.opened("m2", 1000)
        desk.clock.advance(60)
        for operation, drawn, words in acts:
            do(desk, operation, drawn, words)
        check(desk)
        before = remembered(desk)
        desk.restart()
        assert remembered(desk) == before
        desk.book.close()
