"""The checker of `riser simulate` is not blind: a small true book passes, and each thing that must never be is said."""

from __future__ import annotations

import copy
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulate.invariants import OF_ENTRIES
from tests.simulate.known import FIRST, Known
from tests.simulate.rows import Entry, opened_since

Book = list[tuple[str, dict[str, Any]]]

DAY, MIDNIGHT = "2026-05-06T02:00:00+00:00", "2026-05-06T16:00:00+00:00"


def topup(reference: str, fen: int, after: int) -> tuple[str, dict[str, Any]]:
    moves = [{"from": "till:cash", "to": "account:a1", "amount_nano": fen * 10**7}]
    return "topup/1", {"account": "a1", "amount_fen": fen, "reference": reference, "method": "cash", "moves": moves,
                       "balance_after_nano": after}  # fmt: skip


def true_book() -> Book:
    """A tenant pays ten yuan, uses 12 kWh at 85 fen times one, is warned, cut, and pays again."""
    line = {"kind": "rate", "rate": "total", "wh": 12_000, "price_micro": 850_000, "amount_nano": 10_200_000_000,
            "version": 1}  # fmt: skip
    charge = {
        "account": "a1", "meter": "m1", "multiplier": 1, "full_scale_wh": 10**9, "by": "registers", "tariff": "single",
        "version": 1,
        "start": {"registers_wh": {"total": 999_995_000}, "at": DAY, "source": "opening"},
        "end": {"registers_wh": {"total": 7_000}, "at": MIDNIGHT, "source": "freeze"}, "between": [], "guessed": [],
        "lines": [line], "wh": 12_000, "amount_nano": 10_200_000_000, "balance_after_nano": -200_000_000,
        "moves": [{"from": "account:a1", "to": "income:energy", "amount_nano": 10_200_000_000}],
    }  # fmt: skip
    trip = {
        "account": "a1", "meter": "m1", "cause": "arrears", "episode": 1, "balance_seq": 7, "posted_nano": -200_000_000,
        "available_nano": -200_000_000, "cut_limit_nano": 0, "read": {"age_ms": 900}, "final_seq": 9,
        "delivered_seq": 10,
    }  # fmt: skip
    return [
        ("genesis/1", {"zone": "Asia/Shanghai"}),
        ("tariff/1", {"tariff": "single", "version": 1, "effective_at": "2026-01-01T00:00:00+00:00",
                      "prices_micro": {"total": 850_000}}),
        ("meter/1", {"meter": "m1", "multiplier": 1, "port": "line-0", "address": "1", "relay": "direct"}),
        ("account/1", {"account": "a1", "meters": ["m1"], "tariff": "single", "since": DAY}),
        ("opening/1", {"meter": "m1", "registers_wh": {"total": 999_995_000}, "at": DAY, "source": "opening"}),
        topup("first", 1000, 10_000_000_000),
        ("charge/2", charge),
        ("closing/1", {"account": "a1", "date": "2026-05-06", "charges": ["id-7"], "fees": [], "deferred": [],
                       "opening_nano": 0, "closing_nano": -200_000_000}),
        ("final/1", {"account": "a1", "episode": 1}),
        ("delivered/1", {"account": "a1", "episode": 1}),
        ("trip/1", trip),
        topup("second", 500, 4_800_000_000),
        ("close/1", {"meter": "m1", "cause": "paid", "command": "direct"}),
        ("proposal/1", {"proposal": "p-14", "who": "one", "what": "change-multiplier", "body": {}}),
        ("decision/1", {"proposal": "p-14", "approved": True, "who": "another", "role": "engineer"}),
        ("ratio/1", {"meter": "m1", "multiplier": 2, "registers_wh": {"total": 7_000}, "at": MIDNIGHT, "source": "read",
                     "charge": None, "proposal": "p-14"}),
    ]  # fmt: skip


def rows(book: Book) -> Iterator[Entry]:
    """The book written as the rule of docs/book.md has it."""
    prev = FIRST
    for seq, (kind, fields) in enumerate(book, 1):
        body = json.dumps(fields)
        text = f"{seq}\nid-{seq}\n{seq}\nboot-1\n{seq}\n1\n{kind}\n{body}\n{prev}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        yield Entry(seq, f"id-{seq}", seq, "boot-1", seq, 1, kind, body, prev, digest, fields)
        prev = digest


def broken(entries: Iterator[Entry]) -> set[str]:
    """The rules that something is said about."""
    known, found = Known(), set()
    for entry in entries:
        found |= {rule for rule, look in OF_ENTRIES.items() if list(look(entry, known))}
        known.take(entry)
    return found


def test_a_true_book_is_left_alone() -> None:
    """Nothing is said of it, a register's roll-over included."""
    assert broken(rows(true_book())) == set()


def put(place: int, *path: Any, value: Any) -> Callable[[Book], None]:
    """Change one value of an entry."""

    def change(book: Book) -> None:
        part: Any = book[place - 1][1]
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value

    return change


def stands_twice(book: Book) -> None:
    book.append(topup("second", 500, 9_800_000_000))


def mode_of_doubt(book: Book) -> None:
    book.insert(10, ("mode/1", {"mode": "time", "why": ""}))


def set_aside(book: Book) -> None:
    book.insert(6, ("quarantine/1", {"meter": "m1", "registers_wh": {"total": 5}, "why": ""}))


def at_one_address(book: Book) -> None:
    book.insert(3, ("meter/1", {"meter": "m2", "multiplier": 1, "port": "line-0", "address": "1", "relay": "direct"}))


def comes_back_by_the_button(book: Book) -> None:
    book.insert(12, ("close-way/1", {"account": "a1", "close": "permit"}))


WRONGS: list[tuple[str, Callable[[Book], None]]] = [
    ("I1", put(6, "balance_after_nano", value=1)),
    ("I2", put(7, "start", "registers_wh", "total", value=999_995_010)),
    ("I2", put(7, "multiplier", value=30)),
    ("I3", put(7, "lines", 0, "price_micro", value=850_001)),
    ("I3", put(7, "lines", 0, "version", value=2)),
    ("I4", stands_twice),
    ("I6", put(6, "moves", 0, "amount_nano", value=-5)),
    ("I7", put(11, "available_nano", value=1)),
    ("I7", put(10, "episode", value=0)),
    ("I8", put(11, "balance_seq", value=6)),
    ("I10", put(13, "cause", value="")),
    ("R6", put(13, "command", value="permit")),
    ("R6", put(4, "close", value="permit")),
    ("R6", comes_back_by_the_button),
    ("I14", put(8, "closing_nano", value=0)),
    ("I14", put(8, "charges", value=[])),
    ("I15", set_aside),
    ("I18", put(15, "who", value="one")),
    ("I18", put(15, "approved", value=False)),
    ("I18", put(15, "role", value="finance")),
    ("I18", put(14, "what", value="refund")),
    ("I21", at_one_address),
    ("I22", mode_of_doubt),
]


@pytest.mark.parametrize(("rule", "wrong"), WRONGS, ids=lambda each: each if isinstance(each, str) else "")
def test_each_wrong_is_said_by_its_rule(rule: str, wrong: Callable[[Book], None]) -> None:
    """The same book with one thing wrong."""
    book = copy.deepcopy(true_book())
    wrong(book)
    assert rule in broken(rows(book))


def test_a_touched_row_breaks_the_chain() -> None:
    """A column that was changed on the disk, and a row that is missing (I16, I17)."""
    whole = list(rows(true_book()))
    touched = Entry(**{**vars(whole[5]), "at": 7})
    assert "I17" in broken(iter([*whole[:5], touched, *whole[6:]]))
    assert {"I16", "I17"} <= broken(iter([*whole[:8], *whole[9:]]))


@pytest.mark.parametrize("began_in", ["boot-1", "boot-0"])
@pytest.mark.parametrize(("told", "said"), [(True, False), (False, True)])
def test_a_lift_that_is_asked_for_twice_is_one_wait(told: bool, said: bool, began_in: str) -> None:
    """I9: a hold is lifted, the meter stays dark, and somebody lifts it once more: whoever was told the first time
    knows, and where nobody was told the ten minutes began with the first lift of this start."""
    lifted = ("hold/1", {"meter": "m1", "hold": "arrears", "set": False})
    alarm = ("alarm/1", {"meter": "m1", "alarm": "paid-and-dark"})
    book = [*true_book(), ("relay/1", {"meter": "m1", "observed": "open"}), lifted]
    book += [*([alarm] if told else []), lifted, ("brake/1", {})]
    seconds = [*range(17), 100, *([701, 800, 1700] if told else [800, 1000 if began_in == "boot-1" else 1600])]
    late = (
        replace(each, mono_ns=s * 10**9, boot=began_in if s <= 100 else "boot-1")
        for each, s in zip(rows(book), seconds, strict=True)
    )
    assert ("I9" in broken(late)) is said


def _replaced(*, after_the_account: bool) -> Book:
    """The meter is another one before its tenant's first register stands, or before there was a tenant."""
    book = true_book()
    opening = next(fields for kind, fields in book if kind == "opening/1")
    swap = ("replacement/1", {**opening, "row": book[2][1], "was": {"registers_wh": {}}})
    book = [entry for entry in book if entry[0] != "opening/1"]
    book.insert(4 if after_the_account else 3, swap)
    return book


@pytest.mark.parametrize("after", [True, False])
def test_r19_the_register_with_which_another_meter_begins_is_a_first_one(tmp_path: Path, after: bool) -> None:
    """Of the tenant who lives there then; the next one's first register is yet to come."""
    book = tmp_path / "book.db"
    db = sqlite3.connect(book)
    db.execute("CREATE TABLE journal (seq INTEGER PRIMARY KEY, id TEXT, body TEXT)")
    for entry in rows(_replaced(after_the_account=after)):
        id = {"account/1": "account:a1", "replacement/1": "replacement:p-1"}.get(entry.kind, entry.id)
        db.execute("INSERT INTO journal VALUES (?, ?, ?)", (entry.seq, id, entry.body))
    db.commit()
    db.close()
    assert opened_since(book, "m1", "a1") == after and not opened_since(book, "m2", "a1")
    assert ("R19" in broken(rows(_replaced(after_the_account=after)))) != after


def test_the_relay_of_another_meter_is_not_known_yet() -> None:
    """I25: what its predecessor was read back as says nothing of it, until it is read itself."""
    known, opening = Known(), next(fields for kind, fields in true_book() if kind == "opening/1")
    book = [*true_book(), ("relay/1", {"meter": "m1", "observed": "closed"})]
    book.append(("replacement/1", {**opening, "row": book[2][1], "was": {"registers_wh": {}}}))
    for entry in rows(book[:-1]):
        known.take(entry)
    assert known.points["m1"].observed == "closed"
    known.take(list(rows(book))[-1])
    assert known.points["m1"].observed == "unknown"
