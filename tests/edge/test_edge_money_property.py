"""Whatever people ask for, in whatever order: money is neither made nor lost, and what is refused changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edge.money_desk import CHECKER, MAKER, MoneyDesk

POLICY = {
    "balance_max": "500.00", "operator_day_max": "2000.00", "overdraft": "7.00", "emergency_credit": "20.00",
    "topup_min": "0.01",
}  # fmt: skip
ACCOUNT = st.sampled_from(["101", "102"])
FEN = st.one_of(st.integers(1, 9_000), st.sampled_from([-1, 0, 1, 2000, 10_000, 50_000]))
WORDS = {"papers": "paper 1", "why": "because"}
LEAVES = {"method": "cash", "reference": "slip", "why": "moves"}
CONSENT = st.sampled_from(["", "signed"])
AT_ONCE = st.booleans()
"""Approved right away by another person; else it waits."""
REASON = {"reason": "wrong-meter", "papers": "paper 1"}


def act(
    operation: str, *, words: dict[str, Any] | None = None, **drawn: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(operation), st.fixed_dictionaries(drawn), st.just(words or {}))


ACTS = st.one_of(
    act("topup", account=ACCOUNT, amount_fen=st.integers(5000, 20_000), words={"method": "card"}),
    act("topup", account=ACCOUNT, amount_fen=FEN, words={"method": "cash"}),
    act("reverse", pick=st.integers(0, 3), words={"why": "wrong room"}),
    act("refund", account=ACCOUNT, at_once=AT_ONCE, amount_fen=FEN, words=LEAVES),
    act("compensate", account=ACCOUNT, at_once=AT_ONCE, amount_fen=FEN, words=REASON),
    act("deduct", account=ACCOUNT, at_once=AT_ONCE, amount_fen=FEN, consent=CONSENT, words=REASON),
    act("correct", account=ACCOUNT, at_once=AT_ONCE, to_account=ACCOUNT, amount_fen=FEN, words=WORDS),
    act("bring", account=ACCOUNT, at_once=AT_ONCE, amount_fen=FEN, words={"papers": "old book"}),
    act("lend", account=ACCOUNT, words={"why": "night"}),
    act(
        "defer", account=ACCOUNT, at_once=AT_ONCE, amount_fen=FEN, share_percent=st.integers(1, 100),
        weekly_cap_fen=st.sampled_from([0, 500]), words={"papers": "agreement"},
    ),
    act("settle", account=ACCOUNT, seldom=st.integers(0, 5), at_once=AT_ONCE, words={"method": "cash", **WORDS}),
    act("approve-money", pick=st.integers(0, 30), who=st.sampled_from([MAKER, CHECKER])),
    act("use", account=ACCOUNT, fen=st.integers(0, 20_000), milli_fen=st.integers(1, 999)),
    act("later", seconds=st.sampled_from([600, 5400])),
)  # fmt: skip


def do(desk: MoneyDesk, operation: str, drawn: dict[str, Any], words: dict[str, Any]) -> None:
    """One act; a refused one must have left money and everything that decides about it as they were."""
    fields, state = {**drawn, **words}, desk.core.state
    at_once = fields.pop("at_once", False)
    if operation == "use":
        if not state.accounts[fields["account"]].ended:
            desk.use(**fields)
        return
    if operation == "later":
        desk.clock.advance(fields["seconds"])
        return
    if operation == "reverse":
        newest, pick = desk.of("topup/1")[::-1], fields.pop("pick")
        if not newest:
            return
        named = newest[pick % len(newest)].fields
        fields |= {"receipt": named["receipt"], "account": named["account"]}
    if operation == "approve-money":
        fields["proposal"] = f"p-{fields.pop('pick')}"
        if state.proposals:
            fields["proposal"] = list(state.proposals)[int(fields["proposal"][2:]) % len(state.proposals)]
    if operation == "settle":
        if fields.pop("seldom"):
            return
        desk.reads("m1" if fields["account"] == "101" else "m2", 1000)
    before = remembered(desk)
    refundable = {id: refundable_nano(desk, id) for id in state.accounts}
    answer = desk.ask(operation, **fields)
    if answer.status == "refused":
        assert remembered(desk) == before, (operation, fields, answer)
        return
    if "until" in (answer.data or {}):
        assert remembered(desk)[:3] == before[:3], "a proposal moves nothing"
        if at_once:
            do(desk, "approve-money", {"pick": len(state.proposals) - 1, "who": CHECKER}, {})
        return
    for entry in desk.book.entries(desk.book.seq - 5):
        if entry.kind == "refund/1" and answer.data and entry.seq == answer.data.get("seq"):
            assert sum(each["amount_nano"] for each in entry.fields["moves"]) <= refundable[entry.fields["account"]]


def remembered(desk: MoneyDesk) -> tuple[Any, ...]:
    state = desk.core.state
    purses = {id: repr(account.purse) for id, account in state.accounts.items()}
    return {k: v for k, v in state.ledger.items() if v}, purses, dict(state.takings), repr(state.proposals)


def refundable_nano(desk: MoneyDesk, id: str) -> int:
    """Worked out here apart: whole fen of what was not lent, owed or used."""
    ledger = desk.core.state.ledger
    own = ledger.get(f"account:{id}", 0) + ledger.get(f"credit:{id}", 0) + ledger.get(f"debt:{id}", 0)
    return max(own // 10**7, 0) * 10**7


WHOLE = ("topup/1", "refund/1", "compensation/1", "deduction/1", "correction/1", "debt/1", "credit/1")
"""Entries whose first move is the amount that people read in them."""


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
        if entry.kind in WHOLE:
            assert fields["moves"][0]["amount_nano"] == fields["amount_fen"] * 10**7
            assert len(fields["moves"]) == 1 or entry.kind == "topup/1"
        if entry.kind == "correction/1":
            assert fields["to_balance_after_nano"] == sums[f"account:{fields['to_account']}"]
        if entry.kind in ("deduction/1", "correction/1"):
            own = sums[f"account:{fields['account']}"] + sums.get(f"credit:{fields['account']}", 0)
            assert own >= -700 * 10**7, "what was lent for energy left otherwise"
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


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTS, min_size=25, max_size=50))
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
