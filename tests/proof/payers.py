"""People and programs that pay one yuan after another, over three ways, and ask again with the same id until answered.

`Mqtt` is a program with the shell's key, `Shell` somebody who types `riser request topup`; who pays at the panel
is in `clerk.py`, two who pay at once in `race.py`. What anybody was answered is heard by all on `response/topup`.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from bridge.contract import secrets
from bridge.contract.asking import ask, new_transaction
from bridge.contract.clock import SystemClock
from bridge.mqtt import Happening, Link, Received
from tests.proof.machine import ACCOUNTS, ROOT, TOPICS, Machine

FEN = 1_00
AGAIN_S = 1.0
"""Whoever has no answer asks again so often."""


class Ledger:
    """Who asked for what, and what was answered; shared by all who pay."""

    def __init__(self, disturbed: Callable[[], tuple[float, str]] = lambda: (0.0, "nothing")) -> None:
        """`disturbed` tells when something was last done to the programs, and what: nobody is late before."""
        self.lock, self._disturbed = threading.Lock(), disturbed
        self.asked: dict[str, float] = {}
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.pages: dict[str, str] = {}
        """By payment at the panel, the receipt that its person was shown; empty where they were shown a refusal."""
        self.raced: dict[str, set[int]] = {}
        """By payment that was asked for twice at once, the amounts."""
        self._open: dict[str, bool] = {}
        self._untimed: set[str] = set()
        self.slowest = (0.0, "nobody", "nothing")
        """How long the slowest answer took, counted from when it was asked for and all was well; whose; after what."""

    def ask(self, id: str, sees: bool = False, timed: bool = True) -> None:
        """Whoever `sees` says by `answered` when all is told; of others the first answer counts."""
        with self.lock:
            if id not in self.asked:
                self.asked[id], self._open[id] = time.monotonic(), sees
                self._untimed |= set() if timed else {id}

    def hear(self, answer: dict[str, Any]) -> None:
        id = f"{answer.get('key')}:{answer['transaction']}"
        with self.lock:
            self.answers.setdefault(id, []).append(answer)
            if not self._open.get(id, True):
                self._answered(id)

    def show(self, id: str, receipt: str) -> None:
        """A person reads it on the page, and believes it."""
        key, _, transaction = id.partition(":")
        self.hear({"key": key, "transaction": transaction, "status": "done" if receipt else "refused"})
        with self.lock:
            self.pages[id] = receipt
            self._answered(id)

    def answered(self, id: str) -> None:
        """All is told."""
        with self.lock:
            self._answered(id)

    def _answered(self, id: str) -> None:
        if self._open.pop(id, None) is not None and id not in self._untimed:
            at, what = self._disturbed()
            took = time.monotonic() - max(at, self.asked[id])
            self.slowest = max(self.slowest, (took, id, what))

    @property
    def open(self) -> list[str]:
        """Who has no answer yet: at the panel it is the page that counts."""
        with self.lock:
            return list(self._open)

    def many(self) -> tuple[int, int]:
        """(asked, answered)"""
        with self.lock:
            return len(self.asked), len(self.asked) - len(self._open)


class Mqtt:
    """A program with the shell's key: up to `window` payments under way at once."""

    def __init__(self, machine: Machine, ledger: Ledger, window: int):
        own = secrets.read(machine.data, "shell")
        self._key, self._ledger, self._window = own.keys["shell"], ledger, window
        self._heard: queue.Queue[Happening] = queue.Queue()
        self._sent: dict[str, tuple[float, tuple[str, bytes]]] = {}
        self._paid, self.link = 0, Link(own.broker, "proof-payer", self._heard.put,
                                        subscriptions=[TOPICS.response("topup")])  # fmt: skip
        self.link.start()

    def step(self, pay: bool, listen_s: float = 0.02) -> None:
        """Pay where there is room, ask again for what is late, and listen."""
        now = time.monotonic()
        while pay and len(self._sent) < self._window and self.link.connected:
            account = ACCOUNTS[self._paid % len(ACCOUNTS)]
            topic, payload, transaction = ask(
                TOPICS, SystemClock(), ("shell", self._key), "topup",
                who="payer", role="manager", account=account, amount_fen=FEN, method="online",
            )  # fmt: skip
            self._ledger.ask(f"shell:{transaction}")
            self._paid += 1
            self._sent[transaction] = now, (topic, payload)
            self.link.publish(topic, payload)
        for transaction, (at, message) in list(self._sent.items()):
            if now - at > AGAIN_S and self.link.connected:
                self._sent[transaction] = now, message
                self.link.publish(*message)
        self._listen(listen_s)

    def _listen(self, seconds: float) -> None:
        over = time.monotonic() + seconds
        while (left := over - time.monotonic()) > 0:
            try:
                happening = self._heard.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(happening, Received):
                answer = json.loads(happening.payload)
                self._ledger.hear(answer)
                self._sent.pop(answer["transaction"], None)


class Shell(threading.Thread):
    """Somebody who types `riser request topup`, again with the same id where there was no answer."""

    def __init__(self, machine: Machine, ledger: Ledger):
        super().__init__(daemon=True)
        self._data, self._ledger, self.stopping = machine.data, ledger, threading.Event()
        self.done = 0

    def run(self) -> None:
        while not self.stopping.is_set():
            transaction = new_transaction()
            # How long the asker's own program takes to start says nothing of the gateway.
            self._ledger.ask(f"shell:{transaction}", timed=False)
            while not self._typed(transaction):
                pass
            self.done += 1

    def _typed(self, transaction: str) -> bool:
        command = [sys.executable, "riser.py", "request", "topup", f"account={ACCOUNTS[0]}", f"amount_fen={FEN}"]
        command += ["method=cash", "--transaction", transaction, "--timeout", "3", "--json", "--data", str(self._data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            return False
        for answer in json.loads(done.stdout):  # Whoever else listens may have been away just then.
            self._ledger.hear(answer)
        return True
