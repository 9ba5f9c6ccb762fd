"""Maker and checker: what one person proposes another one decides, in time, and the book keeps both (R32)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.people import same_person
from bridge.contract.site import Policy, Site, SiteTable
from edge import proposals
from edge.asked import Asked, Refusal
from edge.book import Book
from edge.core import Core
from edge.fold import apply
from edge.proposals import THREE_DAYS, Proposals
from edge.settings import terms_of
from edge.state import State

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
SITE = Site(site=SiteTable(name="t", gateway="t"), policy=Policy())


class Desk:
    """A book with nothing in it but what people propose."""

    def __init__(self, directory: Path):
        self.clock = ManualClock(START)
        self.book = Book(directory, self.clock, "boot-1")
        self.book.trusted = True
        self.core = Core(self.book, terms_of(SITE, (frozenset(), frozenset())), self.clock)
        self.answers: list[dict[str, Any]] = []
        self.proposals = Proposals(
            self.core, lambda asked, status, **more: self.answers.append({"status": status, **more})
        )
        self._numbers = iter(range(100, 10_000))

    def asked(self, who: str, role: str = "finance") -> Asked:
        body = SimpleNamespace(who=who, role=role)
        return Asked(f"panel:request-{next(self._numbers)}", "propose-price", "panel", "0" * 64, body)

    def propose(self, who: str = "王敏") -> str:
        return self.proposals.propose(self.asked(who), "price", {"tariff": "home"}, THREE_DAYS, version=2)

    def approve(self, id: str, who: str, role: str = "manager") -> None:
        asked = self.asked(who, role)
        proposal = self.proposals.decidable(asked, id, "price")
        self.core.append(self.proposals.decision(asked, proposal, True, {"status": "done"}))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.book.close()


def refused(desk: Desk, id: str, who: str, role: str = "manager") -> tuple[str, str]:
    seq = desk.book.seq
    with pytest.raises(Refusal) as refusal:
        desk.approve(id, who, role)
    assert desk.book.seq == seq
    return refusal.value.rule, refusal.value.sentence


def test_a_proposal_is_answered_with_its_deadline_and_does_nothing_yet(desk: Desk) -> None:
    """The clerk hears until when a second person must decide; the price stays as it is."""
    id = desk.propose()
    assert desk.answers == [
        {"status": "done", "data": {"proposal": id, "until": "2026-11-23T02:30:00.000+00:00", "version": 2}}
    ]
    assert [each.id for each in desk.proposals.waiting("price")] == [id] and desk.proposals.waiting("refund") == []


@pytest.mark.parametrize("who", ["王敏", " 王 敏", "Li Wei", "ｌｉ ＷＥＩ"])
def test_nobody_approves_their_own_proposal_not_even_an_administrator(desk: Desk, who: str) -> None:
    """R32: the maker is never the checker, whatever role they sign in with and however they write their name."""
    id = desk.propose("王敏" if "敏" in who else "li wei")
    rule, sentence = refused(desk, id, who)
    assert rule == "R32" and "nobody approves their own" in sentence
    assert not same_person("王敏", "王海")


UNSEEN = "\u200b\u200d\u2060\ufeff\u00ad\ufe0f\u034f\u3164\u2800\u180e\U000e0100 \u3000"


@pytest.mark.parametrize("unseen", UNSEEN)
def test_what_nobody_sees_makes_no_second_person(desk: Desk, unseen: str) -> None:
    """A name with an invisible character in it is the same name on every page, and so it is here (R32)."""
    id = desk.propose("王敏")
    for name in (f"王敏{unseen}", f"{unseen}王敏", f"王{unseen}敏"):
        assert "nobody approves their own" in refused(desk, id, name)[1]


def test_a_second_person_approves_once_and_for_all(desk: Desk) -> None:
    """An approval stands in the book with its name; a second one, or a late no, changes nothing."""
    id = desk.propose()
    desk.approve(id, "李伟")
    decision = desk.core.state.proposals[id].decision
    assert decision is not None and (decision.approved, decision.who, decision.role) == (True, "李伟", "manager")
    assert desk.proposals.waiting() == []
    assert "was approved by 李伟" in refused(desk, id, "赵芳")[1]
    with pytest.raises(Refusal, match="was approved by 李伟"):
        desk.proposals.reject(desk.asked("赵芳"), id, "price", "too dear")


def test_a_proposal_is_rejected_with_a_reason_or_taken_back_by_its_maker(desk: Desk) -> None:
    """No needs no second person: a rejected proposal stays in the book with its papers and cannot be approved."""
    for who in ("李伟", "王敏"):
        id = desk.propose()
        desk.proposals.reject(desk.asked(who), id, "price", "wrong month")
        assert desk.answers[-1]["data"] == {"proposal": id, "approved": False}
        assert f"was rejected by {who}" in refused(desk, id, "赵芳")[1]


def test_what_nobody_decides_in_time_ends_by_itself(desk: Desk) -> None:
    """After the deadline nobody can approve by accident what was wanted last week; the book says why it ended."""
    id = desk.propose()
    desk.clock.advance(3 * 86_400 - 1)
    desk.proposals.tick()
    assert desk.proposals.waiting()
    desk.clock.advance(2)
    assert "propose it anew" in refused(desk, id, "李伟")[1]
    desk.book.trusted = False
    desk.proposals.tick()
    assert desk.proposals.waiting()  # A calendar in doubt ends nothing.
    desk.book.trusted = True
    desk.proposals.tick()
    decision = desk.core.state.proposals[id].decision
    assert decision is not None and (decision.approved, decision.why) == (False, "nobody decided it in time")
    assert "was rejected by policy" in refused(desk, id, "李伟")[1]


def test_a_program_that_proposes_in_a_circle_is_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many wait at most; one more is refused with what to do, until one of them is decided (R32)."""
    monkeypatch.setattr(proposals, "OPEN_AT_MOST", 2)
    first = desk.propose()
    desk.propose()
    with pytest.raises(Refusal, match="2 proposals wait for a decision already"):
        desk.propose()
    desk.approve(first, "李伟")
    desk.propose()


def test_a_kind_of_proposal_is_not_approved_as_another(desk: Desk) -> None:
    """The number of a refund typed into the form for prices approves nothing."""
    id = desk.propose()
    with pytest.raises(Refusal, match="of this kind"):
        desk.proposals.decidable(desk.asked("李伟"), id, "refund")
    assert refused(desk, "p-999", "李伟")[0] == "R32"


def test_without_a_believed_clock_nothing_is_proposed(desk: Desk) -> None:
    """A deadline by a calendar in doubt would be over at once, or never: the clerk is told to wait."""
    desk.book.trusted = False
    with pytest.raises(Refusal) as refusal:
        desk.propose()
    assert refusal.value.rule == "R25" and desk.book.seq == 0


def test_proposals_survive_a_restart(desk: Desk) -> None:
    """The fold of the book gives the same proposals and decisions, always (I25)."""
    first, second = desk.propose(), desk.propose("赵芳")
    desk.approve(first, "李伟")
    again = State()
    for entry in desk.book.entries():
        apply(again, entry)
    assert again.proposals == desk.core.state.proposals and set(again.proposals) == {first, second}
