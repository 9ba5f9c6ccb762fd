"""What proposals and decisions mean (R32); `fold.apply` is the only caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.contract.units import instant_of, micros_of
from edge.book import Entry
from edge.fold_meters import decided, proposed
from edge.state import Decision, Proposal, State

Fields = dict[str, Any]


def _proposal(state: State, entry: Entry, fields: Fields) -> None:
    id, until = fields["proposal"], micros_of(instant_of(fields["until"]))
    maker = (fields["who"], fields["role"])
    login = fields.get("request", {}).get("login")
    state.proposals[id] = Proposal(id, fields["what"], fields["body"], *maker, entry.at, until, entry.seq, login=login)
    proposed(state, state.proposals[id])


def _decision(state: State, entry: Entry, fields: Fields) -> None:
    checker = (fields["who"], fields["role"])
    state.proposals[fields["proposal"]].decision = Decision(
        fields["approved"], *checker, fields["why"], entry.at, entry.seq
    )
    decided(state, state.proposals[fields["proposal"]])


APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {"proposal/1": _proposal, "decision/1": _decision}
