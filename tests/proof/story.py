"""The days whose every write is recorded: a small building under the real edge, and what it told the outside when.

`python -m tests.proof.story DIRECTORY TAPE [--plant FAULT]`, under the shim. A mark on the tape says what the outside
got to know at that place: `group` that an append came back, `told` what the book was when something was published,
`answer` what a person was answered, `order` which bytes were put on a meter's line.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.book import SCHEMA_VERSION, Book
from edge.codec import dlt645
from edge.registry import Registry
from tests.edge import building
from tests.edge.building import Broker, Building
from tests.edge.wires import order_of
from tests.proof.marked_book import PLANTS, MarkedBook
from tests.proof.shim import Shim

METERS = {"a203", "a205", "a206"}
ROOM, ACCOUNT, OTHER, THIRD = "a206", "100206", "100205", "100203"
MAKER, CHECKER = "王敏", "李强"
PRICE = {"id": "catering", "name": "餐饮单一制", "kind": "single", "price": "1.1000"}


class MarkedBroker(Broker):
    """What the outside hears, and at which place of the tape."""

    def __init__(self) -> None:
        super().__init__()
        self.book: Callable[[], Book]

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        mid = super().publish(topic, payload, retain=retain, correlation=correlation)
        if mid is not None:
            book = self.book()
            told: dict[str, Any] = {"told": book.seq, "hash": book.hash}
            if topic.endswith("/reading"):
                told["sweep"] = json.loads(payload)["number"]
            if "/response/" in topic:
                answer = json.loads(payload)
                told["answer"] = {name: answer.get(name) for name in ("transaction", "status")}
            MarkedBook.shim.mark(**told)
        return mid


class Days(Building):
    """A building with its registry, whose orders on the line are marked."""

    first_boot = 1

    def start_edge(self, recovered_by: str | None = None, doubt: str | None = None) -> None:
        if not hasattr(self, "edge"):
            self.boots = itertools.count(self.first_boot)  # The book may know the first ones.
        if isinstance(self.broker, MarkedBroker):
            self.broker.book = lambda: self.edge.core.book
        super().start_edge(recovered_by, doubt)

    def registry(self) -> Registry:
        return Registry(self.directory)

    def answer_of(self, line: str) -> Any:
        inner = super().answer_of(line)
        if line != "line-2":
            return inner

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            if (order := order_of(dlt645.decode(frame))) is not None:
                MarkedBook.shim.mark(told=self.edge.core.book.seq, order=order)
            return inner(frame, now, mono)

        return answer

    def restart(self) -> None:
        self.stop_edge()
        self.start_edge()
        self.connect()

    def agree(self, name: str, operation: str, decide: str, **fields: Any) -> None:
        """One proposes, another one decides."""
        asked = self.request(operation, transaction=f"{name}-proposed", who=MAKER, **fields)
        found = self.answers(asked)[-1]
        assert found["status"] == "done", found
        proposal = found["data"]["proposal"]
        decided = self.request(decide, transaction=f"{name}-decided", who=CHECKER, proposal=proposal)
        assert self.answers(decided)[-1]["status"] == "done", self.answers(decided)[-1]


def age(directory: Path) -> None:
    """Make the book one that an older Riser left, which nobody has open."""
    with closing(sqlite3.connect(directory / "book.db", isolation_level=None)) as older:
        older.execute(f"PRAGMA user_version={SCHEMA_VERSION - 1}")


def migrated(days: Days) -> None:
    """The book as an older Riser left it; the first readings that are saved bring it up to date."""
    days.stop_edge()
    age(days.directory)
    days.start_edge()
    days.connect()


FIRST = ((ACCOUNT, 10_00), (OTHER, 10_01), (THIRD, 10_02))
"""Who pays what on the first morning."""


def pay_first(days: Days) -> None:
    """Whoever was not answered asks again with the same ids."""
    for number, (account, fen) in enumerate(FIRST):
        days.topup(account, fen, transaction=f"first-payment-{number}")


def first_morning(days: Days) -> None:
    """Payments, refusals, the same request twice, a book of an older version, prices and corrections by two people."""
    days.connect()
    days.run(minutes=2)
    migrated(days)
    days.run(minutes=4)
    pay_first(days)
    days.topup(ACCOUNT, 10_00, transaction="first-payment-0")
    days.topup(OTHER, 77_00, transaction="first-payment-0")
    days.topup("nobody", 5_00, transaction="paid-for-nobody")
    why: dict[str, Any] = {"why": "x", "papers": "7"}
    more = {"account": OTHER, "amount_fen": 77, "reason": "other", **why}
    days.agree("more", "compensate", "approve-money", role="finance", **more)
    days.agree("price", "propose-price", "approve-price", price=PRICE)
    days.restart()


def cut_and_paid(days: Days) -> None:
    """The money runs out, the relay opens, somebody pays, the light comes back."""
    days.run_until(lambda: days.sim_meter(ROOM).relay.open, hours=5)
    days.run(minutes=3)
    days.topup(ACCOUNT, 2000_00, transaction="paid-in-the-dark")
    days.run_until(lambda: not days.sim_meter(ROOM).relay.open, hours=1)
    days.run(minutes=2)


def night(days: Days) -> None:
    """The day is closed at midnight, the book is checked at three, and somebody ends the edge in good order."""
    until_midnight = 24 * 3600 - (days.clock.now().timestamp() + 8 * 3600) % (24 * 3600)
    days.clock.advance(until_midnight - 300)
    closed = len(days.of("closing/1"))
    days.run_until(lambda: len(days.of("closing/1")) >= closed + len(METERS), hours=2)
    days.clock.advance(3 * 3600 - 240)
    days.run(minutes=4)
    days.edge.shut()
    days.restart()


def second_morning(days: Days) -> None:
    """Money goes back, money moves, a payment for each room, and the line is disturbed by a person's trip."""
    days.clock.advance(6 * 3600)
    days.run(minutes=3)
    why: dict[str, Any] = {"why": "x", "papers": "8"}
    refund = {"account": ACCOUNT, "amount_fen": 10_00, "method": "cash", "reference": "s", "why": "x"}
    days.agree("back", "refund", "approve-money", role="finance", **refund)
    move = {"account": ACCOUNT, "to_account": OTHER, "amount_fen": 500, **why}
    days.agree("move", "correct", "approve-money", role="finance", **move)
    for number, account in enumerate((ACCOUNT, OTHER, THIRD)):
        days.topup(account, 1_00 + number, transaction=f"second-payment-{number}")
    days.request("trip", meter="a205", why="lock-out", transaction="locked-out-by-hand")
    days.run(minutes=2)
    days.request("close", meter="a205", why="done", transaction="lock-out-is-over")
    days.run(minutes=2)


def live(directory: Path) -> dict[str, Any]:
    """All of it; returns what the story came to."""
    days = Days(directory, meters=METERS, poll_s=60, idle_s=2)
    for part in (first_morning, cut_and_paid, night, second_morning, night):
        part(days)
    kinds = sorted({entry.kind for entry in days.entries()})
    days.stop_edge()
    return {"kinds": kinds, "entries": len(days._seen)}


def begin(plant: str = "") -> Shim:
    """From here on books and brokers of this process mark the tape."""
    MarkedBook.shim, MarkedBook.plant = Shim(), plant
    building.Book, building.Broker = MarkedBook, MarkedBroker  # type: ignore[misc]
    return MarkedBook.shim


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.story")
    parser.add_argument("directory", type=Path)
    parser.add_argument("tape", type=Path)
    parser.add_argument("--plant", choices=sorted(PLANTS), default="")
    options = parser.parse_args()
    shim = begin(options.plant)
    shim.watch(options.directory, options.tape)
    print(json.dumps({**live(options.directory), "calls": shim.calls()}))


if __name__ == "__main__":
    main()
