"""What every entry must keep to, before and after it is folded: money, ids, meters; then what its kind asks for."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import CHARGES, KINDS, TARIFFS, TENANT, TILL
from bridge.contract.units import BALANCE_LIMIT_NANO, NANO_PER_FEN
from edge.audit import frames
from edge.audit.charges import Charges
from edge.audit.days import Days
from edge.audit.kept import Kept
from edge.audit.lie import Lie, Report, Wrong, must
from edge.audit.opened import Row
from edge.audit.repricing import Repricing
from edge.book import Entry
from edge.fold import apply
from edge.state import State

Fields = dict[str, Any]

NUMBERED_BY_DAY = (*CHARGES, "closing/1", "fee/1")
"""Kinds whose ids follow from account, meter and contiguous days, and are proven unique by that."""


def _no_float(text: str) -> Any:
    raise Wrong(f"it holds the number {text}", "integers only (I6)")


_scan = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float).scan_once  # type: ignore[attr-defined]


class Read(Entry):
    """An entry whose hash was proven and whose body was parsed, each once."""

    fields: Fields  # type: ignore[assignment,misc]
    computed_hash: str  # type: ignore[assignment,misc]

    def __init__(self, row: Row):
        seq, id, at, boot, mono, trusted, kind, body, prev, digest = row[:10]
        text = body.decode()
        self.__dict__.update(
            seq=seq, id=id.decode(), at=at, boot=boot.decode(), mono_ns=mono, trusted=bool(trusted),
            kind=kind.decode(), body=text, prev_hash=prev.decode(), hash=digest.decode(),
        )  # fmt: skip
        try:
            parsed, end = _scan(text, 0)
        except (ValueError, RecursionError, StopIteration) as error:
            raise Wrong(f"its body is no JSON: {error}", "a JSON object") from None
        if not isinstance(parsed, dict) or end != len(text):
            raise Wrong("its body is not one JSON object", "a JSON object")
        self.__dict__.update(fields=parsed, computed_hash=self.hash)


Read.fields = Read.computed_hash = None  # type: ignore[assignment]


class Entries:
    """Folds a book from empty, and checks each entry on the way."""

    def __init__(self, report: Report, kept: Kept):
        self.state, self._report, self._kept = State(), report, kept
        self._ids: set[str] = set()
        self._receipts: dict[str, int] = {}
        self._begin(ZoneInfo("UTC"))

    def _begin(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._pricing = Repricing(self.state, zone)
        self._charges = Charges(self.state, zone, self._pricing, self._report, self._kept)
        self._days = Days(self.state, zone, self._charges)

    def take(self, row: Row) -> None:
        """Check and fold one row that the chain has taken. Raises Lie."""
        try:
            entry = Read(row)
            self._before(entry)
            apply(self.state, entry)
            self._after(entry)
        except Wrong as found:
            raise Lie(row[0], row[1].decode("utf-8", "backslashreplace"), found.wrong, found.expected) from None
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, LookupError) as error:
            wrong = f"it does not say what its kind must say ({type(error).__name__}: {error})"
            raise Lie(
                row[0], row[1].decode("utf-8", "backslashreplace"), wrong, "an entry as the edge writes it"
            ) from None

    # --- before it is folded ---

    def _before(self, entry: Read) -> None:
        kind, fields = entry.kind, entry.fields
        self._report.count("entries")
        if kind not in NUMBERED_BY_DAY:
            if entry.id in self._ids:
                raise Wrong("an entry of this id stands before it (I4)", "one entry of this id")
            self._ids.add(entry.id)
        if "moves" in fields:
            self._moves(fields["moves"])
        if fields.get("approved_by", "") != "" and fields["approved_by"] == fields.get("who"):
            raise Wrong(f"{fields['who']} made and approved it (I18)", "two people")
        if kind in CHARGES:
            self._days.charged(entry.id, kind, fields)
            self._charges.charge(entry.id, kind, fields)
            self._report.count("charges priced again")
        elif kind == "fee/1":
            self._days.charged(entry.id, kind, fields)
            self._charges.fee(entry.id, fields)
            self._report.count("fees")
        elif kind == "closing/1":
            self._days.closing(entry.id, fields)
            self._report.count("closings")
        elif "charges" in fields:
            self._days.settled(fields)
        elif kind in _CHECKS:
            _CHECKS[kind](self, entry, fields)
        elif kind not in KINDS:
            self._report.count(f"of unknown kind {kind}, their money and hashes only")

    def _moves(self, moves: list[Fields]) -> None:
        for move in moves:
            amount, giver, taker = move["amount_nano"], move["from"], move["to"]
            if type(amount) is not int or amount <= 0:
                raise Wrong(f"it moves {amount!r}", "a positive integer (I1, I6)")
            if type(giver) is not str or type(taker) is not str or giver == taker:
                raise Wrong(f"it moves from {giver!r} to {taker!r}", "two accounts of the ledger (I1)")
            for side in (giver, taker):
                if side.startswith(TENANT) and side.removeprefix(TENANT) not in self.state.accounts:
                    raise Wrong(f"there is no account {side.removeprefix(TENANT)!r}", "an account/1 before it")
            self._report.count("moves of money")

    def _genesis(self, entry: Read, fields: Fields) -> None:
        if entry.seq != 1:
            raise Wrong("the book begins here", "entry 1")
        self._begin(ZoneInfo(fields["zone"]))

    def _topup(self, entry: Read, fields: Fields) -> None:
        nano = fields["amount_fen"] * NANO_PER_FEN
        move = {"from": TILL + fields["method"], "to": TENANT + fields["account"], "amount_nano": nano}
        must([fields["moves"][0][key] for key in move], list(move.values()), "what it moves")
        if self._receipts.setdefault(fields["receipt"], entry.seq) != entry.seq:
            raise Wrong(f"its receipt {fields['receipt']} is that of entry {self._receipts[fields['receipt']]}",
                        "a receipt of its own (I4)")  # fmt: skip
        self._report.count("top-ups")

    def _reading_correction(self, entry: Read, fields: Fields) -> None:
        self._charges.reading_correction(fields, of_opening=fields["entry"] in self._ids)
        self._report.count("readings put right")

    def _meter(self, entry: Read, fields: Fields) -> None:
        place = (fields["port"], fields["address"], fields.get("circuit"))
        for other in self.state.meters.values():
            if other.id != fields["meter"] and place == (
                other.row["port"], other.row["address"], other.row.get("circuit")
            ):  # fmt: skip
                raise Wrong(f"meter {other.id} has its address {place[1]} on {place[0]}", "one meter there (I21)")

    def _read_mark(self, entry: Read, fields: Fields) -> None:
        meter = self.state.meters[fields["meter"]]
        mark = {"source": "quarantine", **fields}
        if frames.check(meter.row, mark, self._zone, "the reading"):
            self._report.count("registers read again from raw frames")

    # --- after it was folded ---

    def _after(self, entry: Read) -> None:
        fields = entry.fields
        if entry.kind in (*TARIFFS, "account/1", "calendar/1"):
            self._pricing.changed()
        if (after := fields.get("balance_after_nano")) is not None:
            posted = self.state.posted_nano(fields["account"])
            if abs(posted) > BALANCE_LIMIT_NANO:
                raise Wrong(f"the balance is {posted}", f"at most {BALANCE_LIMIT_NANO} (I6)")
            must(after, posted, "its balance_after_nano")
            self._report.count("balances")
        if (after := fields.get("to_balance_after_nano")) is not None:
            must(after, self.state.posted_nano(fields["to_account"]), "its to_balance_after_nano")
            self._report.count("balances")


_CHECKS = {
    "genesis/1": Entries._genesis,
    "topup/1": Entries._topup,
    "meter/1": Entries._meter,
    "opening/1": Entries._read_mark,
    "border/1": Entries._read_mark,
    "reading-correction/1": Entries._reading_correction,
    "quarantine/1": Entries._read_mark,
}
"""Kinds with promises of their own, beyond those that all keep."""
