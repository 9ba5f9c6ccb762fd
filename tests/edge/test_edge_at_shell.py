"""Requests from a shell: the machine's user stands in the book beside the name, and is one person (R32)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.audit.verify import verify
from tests.edge import forged
from tests.edge.money_desk import CHECKER, MAKER, MoneyDesk

WORDS: dict[str, Any] = {"account": "101", "amount_fen": 1000, "reason": "wrong-meter", "papers": "inspection 31"}
SHELL: dict[str, Any] = {"key": "shell", "role": "manager"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.topup("101", 100)
    yield made
    made.book.close()


def test_one_user_of_the_machine_is_one_person(desk: MoneyDesk) -> None:
    """Proposed with one `--who` and approved with another by the same login: refused, whatever the names; another user
    of the machine may, and so may another person in the panel."""
    for approver in ({**SHELL, "login": "lin"}, {"key": "panel"}):
        proposal = desk.propose("compensate", **WORDS, **SHELL, login="zhou")
        answer = desk.ask("approve-money", proposal=proposal, who=CHECKER, **SHELL, login="zhou")
        assert (answer.status, answer.rule) == ("refused", "R32") and "the user zhou" in (answer.error or "")
        assert desk.of("compensation/1") == [] or desk.of("compensation/1")[-1].fields["proposal"] != proposal
        desk.done("approve-money", proposal=proposal, who=CHECKER, **approver)
    assert len(desk.of("compensation/1")) == 2


def test_the_maker_may_take_it_back(desk: MoneyDesk) -> None:
    """Saying no to one's own proposal needs nobody else."""
    proposal = desk.propose("compensate", **WORDS, **SHELL, login="zhou")
    desk.done("reject-money", proposal=proposal, why="a slip", who=MAKER, **SHELL, login="zhou")


def test_the_book_keeps_who_sat_at_the_shell(desk: MoneyDesk) -> None:
    """The name is what somebody typed; the user is what the machine says. A program of the panel's key has no say."""
    desk.topup("101", 5, **SHELL, login="zhou")
    desk.topup("101", 5, key="panel", login="root")
    by_shell, by_panel = desk.of("topup/1")[-2:]
    assert by_shell.fields["request"]["login"] == "zhou" and "login" not in by_panel.fields["request"]


def test_the_same_request_again_has_the_same_answer(desk: MoneyDesk) -> None:
    """Repeated under its transaction by another user, or by an older program that sends no user: nothing twice."""
    words = {"account": "101", "amount_fen": 500, "method": "cash", "transaction": "abcdefgh-1", **SHELL}
    first = desk.done("topup", **words, login="zhou")
    assert desk.done("topup", **words, login="lin") == first == desk.done("topup", **words)
    assert len(desk.of("topup/1")) == 2


def test_a_decision_by_the_same_user_lies(desk: MoneyDesk, tmp_path: Path) -> None:
    """A forger puts the maker's user under the decision, with every hash made anew: the decision is named (I18)."""
    proposal = desk.propose("compensate", **WORDS, **SHELL, login="zhou")
    desk.done("approve-money", proposal=proposal, who=CHECKER, **SHELL, login="lin")
    desk.book.close()
    assert verify(tmp_path).good
    seq = next(row[0] for row in forged.rows(tmp_path) if row[6] == "decision/1")
    forged.rechained(tmp_path, seq, lambda fields: fields["request"].update(login="zhou"))
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.seq == seq and "I18" in report.lie.wrong
