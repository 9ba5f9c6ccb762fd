"""The state is the book and nothing else: in order, repeatable, and the money in it always adds up to zero."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.contract.entries import INCOME, KINDS, TENANT, TILL
from bridge.contract.units import instant_exact, instant_of_micros
from edge import fold
from edge.book import Entry, canonical, hash_of
from edge.state import State

Draft = tuple[str, dict[str, Any]]

INSTALLED: list[Draft] = [
    ("genesis/1", {"gateway": "east", "epoch": "e1"}),
    ("tariff/1", {"tariff": "shop", "version": 1}),
    ("meter/1", {"meter": "a1", "serial": None, "multiplier": 1}),
    ("meter/1", {"meter": "a2", "serial": "202511080002", "multiplier": 30}),
    ("account/1", {"account": "100", "meters": ["a1"]}),
    ("account/1", {"account": "200", "meters": ["a2"]}),
]


def chained(drafts: list[Draft], trusted: bool = True, every_us: int = 1_000_000) -> list[Entry]:
    """Entries as the book would write them."""
    entries, prev = [], "0" * 64
    for seq, (kind, fields) in enumerate(drafts, 1):
        columns = (seq, f"id-{seq}", every_us * seq, "boot", seq, trusted, kind, canonical(fields))
        prev_was, prev = prev, hash_of(*columns, prev)
        entries.append(Entry(*columns, prev_was, prev))
    return entries


def folded(drafts: list[Draft]) -> State:
    state = State()
    for entry in chained(drafts):
        fold.apply(state, entry)
    return state


def at(micros: int) -> str:
    """An instant as bodies hold it: text that is exact to the microsecond."""
    return instant_exact(instant_of_micros(micros))


def move(giver: str, taker: str, amount: int) -> dict[str, Any]:
    return {"from": giver, "to": taker, "amount_nano": amount}


LIFE: list[Draft] = [
    *INSTALLED,
    (
        "opening/1",
        {"meter": "a1", "registers_wh": {"total": 1000}, "at": at(5), "source": "opening", "serial": "202511"},
    ),
    ("topup/1", {"account": "100", "moves": [move("till:cash", "account:100", 50)]}),
    (
        "charge/1",
        {
            "account": "100",
            "meter": "a1",
            "end": {"registers_wh": {"total": 1400}, "at": at(9), "source": "freeze"},
            "moves": [move("account:100", INCOME, 20)],
        },
    ),
    ("closing/1", {"account": "100", "date": "2026-11-20", "closing_nano": 30}),
    ("level/1", {"account": "100", "level": 2}),
    ("final/1", {"account": "100", "episode": 1}),
    ("delivered/1", {"account": "100", "episode": 1, "channel": "lamp", "powered_s": 77}),
    ("trip/1", {"meter": "a1", "cause": "arrears", "episode": 1, "warned_s": 1800}),
    ("relay/1", {"meter": "a1", "observed": "open"}),
    ("quarantine/1", {"meter": "a2", "why": "R20", "registers_wh": {"total": 5}}),
    ("brake/1", {"set": True, "why": "six in an hour"}),
    ("mode/1", {"mode": "recovery", "why": "an older copy"}),
]


def test_a_life_is_told_in_order() -> None:
    """From installation to the cut: the state says at each point what the entries said, and nothing more."""
    state = folded(LIFE)
    account, meter = state.accounts["100"], state.meters["a1"]
    assert state.posted_nano("100") == 30 and state.posted_nano("200") == 0
    assert account.last_money_seq == 9 and account.closing_nano == 30
    assert meter.account == "100" and meter.serial == "202511" and state.meters["a2"].serial == "202511080002"
    assert meter.billed and (meter.billed.registers_wh, meter.billed.at, meter.billed.source) == (
        {"total": 1400},
        9,
        "freeze",
    )
    assert account.closed_through == date(2026, 11, 20) and account.level == 2 and account.episode == 1
    assert account.final and (account.final.delivered_by, account.final.delivered_powered_s) == ("lamp", 77)
    assert set(meter.holds) == {"arrears"} and meter.observed == "open" and len(state.cuts) == 1
    assert state.brake == "six in an hour" and state.recovering == "an older copy"
    assert state.meters["a2"].quarantined == "R20" and state.unknown_kinds == set()


def test_the_site_files_number_wins_over_the_meters() -> None:
    """A meter whose number stands in the site file keeps it; another number read at the opening does not replace it."""
    opening = {"meter": "a2", "registers_wh": {"total": 1}, "at": at(5), "source": "opening", "serial": "999"}
    assert folded([*INSTALLED, ("opening/1", opening)]).meters["a2"].serial == "202511080002"


def test_an_entry_out_of_order_is_refused() -> None:
    """I16: a skipped, repeated or foreign entry is not folded, and the state stays as it was."""
    entries = chained(LIFE)
    state = State()
    for entry in entries[:8]:
        fold.apply(state, entry)
    before = copy.deepcopy(state)
    wrong = [entries[9], entries[7], entries[0], replace(entries[8], prev_hash="f" * 64), replace(entries[8], seq=10)]
    for entry in wrong:
        with pytest.raises(ValueError, match="does not follow"):
            fold.apply(state, entry)
        assert state == before
    fold.apply(state, entries[8])


def test_an_unknown_kind_is_noted_and_its_money_counts() -> None:
    """A kind from a later version is not understood but not lost either: it is named, and its moves are moved."""
    state = folded([*INSTALLED, ("refund/7", {"account": "100", "moves": [move("account:100", "till:cash", 5)]})])
    assert state.unknown_kinds == {"refund/7"} and state.posted_nano("100") == -5


def test_every_kind_is_known_to_the_contract() -> None:
    """Nothing is folded that the contract does not document; documented kinds without effect are no surprise."""
    assert set(fold._APPLY) <= set(KINDS)
    state = folded([*INSTALLED, *((kind, {}) for kind in sorted(set(KINDS) - set(fold._APPLY)))])
    assert state.unknown_kinds == set()


def test_replay_gives_the_same_state() -> None:
    """I25: folding the book again, from empty or on from any point, gives the same balances, states and hash."""
    entries, whole = chained(LIFE), folded(LIFE)
    assert folded(LIFE) == whole
    for cut in range(len(entries)):
        state = State()
        for entry in entries[:cut]:
            fold.apply(state, entry)
        state = copy.deepcopy(state)
        for entry in entries[cut:]:
            fold.apply(state, entry)
        assert state == whole
    assert (whole.seq, whole.hash) == (len(LIFE), entries[-1].hash)


def test_a_fold_does_not_reach_into_its_entries() -> None:
    """Folding an entry leaves it as it was, so that the same entries can be folded by anybody, any number of times."""
    entries = chained(LIFE)
    before = copy.deepcopy(entries)
    state = State()
    for entry in entries:
        fold.apply(state, entry)
    assert entries == before


WALLETS = st.sampled_from([TENANT + "100", TENANT + "200", TILL + "cash", INCOME, "equity:opening", "suspense"])
MOVES = st.lists(st.builds(move, WALLETS, WALLETS, st.integers(1, 9 * 10**15)), max_size=4)


@given(st.lists(MOVES, max_size=20))
def test_money_is_moved_and_never_made(acts: list[list[dict[str, Any]]]) -> None:
    """R10: whatever is moved between whichever accounts, the sum over all of them is zero, to the nano."""
    state = folded([*INSTALLED, *(("topup/1", {"moves": moves}) for moves in acts)])
    assert sum(state.ledger.values()) == 0
    for wallet in state.ledger:
        came = sum(m["amount_nano"] for moves in acts for m in moves if m["to"] == wallet)
        went = sum(m["amount_nano"] for moves in acts for m in moves if m["from"] == wallet)
        assert state.ledger[wallet] == came - went


@pytest.mark.parametrize("amount", [0, -1, -(10**9)])
def test_no_amount_runs_backwards(amount: int) -> None:
    """R10: an entry moves positive amounts; a negative top-up is not a way to take money."""
    with pytest.raises(ValueError, match="R10"):
        folded([*INSTALLED, ("topup/1", {"moves": [move("till:cash", "account:100", amount)]})])


def test_a_delivery_counts_for_its_own_episode_and_once() -> None:
    """A warning delivered in another arrears episode counts for nothing; a second delivery does not move the clock."""
    told = {"account": "100", "channel": "lamp"}
    final = ("final/1", {"account": "100", "episode": 2})
    state = folded([*INSTALLED, final, ("delivered/1", {**told, "episode": 1, "powered_s": 5})])
    assert state.accounts["100"].final and state.accounts["100"].final.delivered_seq is None
    twice = [("delivered/1", {**told, "episode": 2, "powered_s": powered_s}) for powered_s in (10, 999)]
    state = folded([*INSTALLED, final, *twice])
    assert state.accounts["100"].final and state.accounts["100"].final.delivered_powered_s == 10
    state = folded([*INSTALLED, final, twice[0], ("cancelled/1", {"account": "100"}), final])
    assert state.accounts["100"].final and state.accounts["100"].final.delivered_seq is None, "warned again from zero"


def hold(kind: str, is_set: bool) -> Draft:
    return ("hold/1", {"meter": "a1", "hold": kind, "set": is_set, "why": "because", "who": "王敏"})


def test_only_the_last_hold_lifted_is_a_cause_to_close() -> None:
    """R5, I10: with two holds, lifting one closes nothing; lifting the last does; a new hold takes the cause back."""
    both = [*INSTALLED, hold("arrears", True), hold("manual", True), hold("arrears", False)]
    state = folded(both)
    assert set(state.meters["a1"].holds) == {"manual"} and state.meters["a1"].restore is None
    assert folded([*both, hold("manual", False)]).meters["a1"].restore == "manual lifted by 王敏: because"
    assert folded([*both, hold("manual", False), hold("lockout", True)]).meters["a1"].restore is None
    closed = ("relay/1", {"meter": "a1", "observed": "closed"})
    assert folded([*both, hold("manual", False), closed]).meters["a1"].restore is None, "done is done"


def test_a_repeated_trip_is_one_cut() -> None:
    """A second attempt on the same meter does not count as a second cut for the brake (R4), but as a second trip."""
    again = ("trip/1", {"meter": "a1", "cause": "arrears", "episode": 1, "warned_s": 1800})
    state = folded([*INSTALLED, again, again])
    assert len(state.cuts) == 1 and len(state.meters["a1"].trips) == 2
    assert folded([*INSTALLED, ("trip/1", {"meter": "a1", "cause": "manual"})]).meters["a1"].holds == {}


def test_i23_cuts_of_long_ago_are_not_kept_for_the_brake() -> None:
    """A tenant who is cut every ten hours for months: the state holds the newest cuts, and not all of them."""
    cut = ("trip/1", {"meter": "a1", "cause": "arrears", "episode": 1, "warned_s": 1800})
    round_of: list[Draft] = [cut, hold("arrears", False)]
    state = State()
    for entry in chained([*INSTALLED, *round_of * 200], every_us=5 * 3600 * 1_000_000):
        fold.apply(state, entry)
    assert state.cuts.keys() == {"a1"} and len(state.cuts["a1"]) == 2


def test_untrusted_time_does_not_move_the_newest_instant() -> None:
    """An entry written while the clock was wrong does not make later, right clocks look late (R25)."""
    state = State()
    for entry in chained(INSTALLED, trusted=False):
        fold.apply(state, entry)
    assert state.newest_at == 0 and folded(INSTALLED).newest_at == 6_000_000
