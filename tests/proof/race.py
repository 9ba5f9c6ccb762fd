"""Two programs ask for the same payment at the same moment, over two connections; every second time for two amounts."""

from __future__ import annotations

import json
import queue
import time
from typing import Any

from bridge.contract import secrets
from bridge.contract.asking import ask, new_transaction
from bridge.contract.clock import SystemClock
from bridge.mqtt import Happening, Link, Received
from tests.proof.machine import ACCOUNTS, TOPICS, Machine
from tests.proof.payers import AGAIN_S, FEN, Ledger

TAKEN = "this transaction id was used for another request"
"""What the one is told who came second with another amount."""


class Race:
    """One race after the other. Both ask again until each is told: the same receipt, or that the other was first."""

    def __init__(self, machine: Machine, ledger: Ledger):
        own = secrets.read(machine.data, "shell")
        self._key, self._ledger, self.run = own.keys["shell"], ledger, 0
        self._heard = queue.SimpleQueue[Happening]()
        self.links = [
            Link(own.broker, f"proof-race-{number}", self._heard.put,
                 subscriptions=[TOPICS.response("topup")] if number == 1 else [])
            for number in (1, 2)
        ]  # fmt: skip
        self._transaction, self._amounts, self._sent_at = "", (FEN, FEN), 0.0
        self._messages: list[tuple[str, bytes]] = []
        self._told: list[dict[str, Any]] = []
        for link in self.links:
            link.start()

    def step(self, pay: bool) -> None:
        """Begin a race where none is open, ask again for one that is late, and listen."""
        now, there = time.monotonic(), all(link.connected for link in self.links)
        if pay and there and not self._transaction:
            self._begin()
        if there and self._transaction and now - self._sent_at > AGAIN_S:
            self._sent_at = now
            links = self.links if self.run % 4 < 2 else self.links[::-1]
            for link, message in zip(links, self._messages, strict=True):
                link.publish(*message)
        while not self._heard.empty():
            happening = self._heard.get()
            if isinstance(happening, Received):
                self._hear(json.loads(happening.payload))

    def _begin(self) -> None:
        self.run += 1
        self._transaction, self._sent_at, self._told = new_transaction(), 0.0, []
        self._amounts = (FEN, 2 * FEN) if self.run % 2 else (FEN, FEN)
        self._messages = [
            ask(TOPICS, SystemClock(), ("shell", self._key), "topup", who="racer", role="manager",
                transaction=self._transaction, account=ACCOUNTS[1], amount_fen=amount, method="online")[:2]
            for amount in self._amounts
        ]  # fmt: skip
        self._ledger.raced[f"shell:{self._transaction}"] = set(self._amounts)
        self._ledger.ask(f"shell:{self._transaction}", sees=True)

    def _hear(self, answer: dict[str, Any]) -> None:
        if answer["transaction"] != self._transaction:
            return
        self._ledger.hear(answer)
        self._told.append(answer)
        done = sum(each["status"] == "done" for each in self._told)
        if (done >= 2) if self._amounts[0] == self._amounts[1] else 0 < done < len(self._told):
            self._ledger.answered(f"shell:{self._transaction}")
            self._transaction = ""
