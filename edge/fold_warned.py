"""Levels, warnings and protections in the fold (R1, R3, R9); `fold.apply` is the only caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridge.contract.units import micros_of_text
from edge.book import Entry
from edge.purse import Protection, begun
from edge.state import Final, State

Fields = dict[str, Any]


def _level(state: State, entry: Entry, fields: Fields) -> None:
    account = state.accounts[fields["account"]]
    account.level, account.level_at, account.level_repeats = fields["level"], entry.at, fields.get("repeat", 0)


def _protection(state: State, entry: Entry, fields: Fields) -> None:
    account, kind = state.accounts[fields["account"]], fields["protection"]
    account.protections.pop(kind, None)
    if fields["set"]:
        until = micros_of_text(fields["until"])
        account.protections[kind] = Protection(kind, fields["why"], fields["who"], entry.at, until, entry.seq)
        who = fields["who"]
        account.kept = begun(entry.at, who) if account.kept is None else account.kept.given(entry.at, who)
    if account.kept is not None:
        ends = max((each.until for each in account.protected(entry.at)), default=entry.at)
        account.kept = replace(account.kept, until=ends)


def _final(state: State, entry: Entry, fields: Fields) -> None:
    account = state.accounts[fields["account"]]
    account.episode, account.final = fields["episode"], Final(entry.seq, entry.at)


def _delivered(state: State, entry: Entry, fields: Fields) -> None:
    account = state.accounts[fields["account"]]
    if account.final is not None and account.episode == fields["episode"] and account.final.delivered_seq is None:
        account.final = replace(
            account.final,
            delivered_seq=entry.seq,
            delivered_at=entry.at,
            delivered_by=fields["channel"],
            delivered_powered_s=fields["powered_s"],
        )


def _cancelled(state: State, entry: Entry, fields: Fields) -> None:
    state.accounts[fields["account"]].final = None


APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {
    "level/1": _level,
    "rearm/1": _level,
    "protection/1": _protection,
    "final/1": _final,
    "delivered/1": _delivered,
    "cancelled/1": _cancelled,
}
