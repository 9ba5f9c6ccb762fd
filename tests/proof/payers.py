"""People and programs that pay one yuan after another, over three ways, and ask again with the same id until answered.

`Mqtt` is a program with the shell's key, `Clerk` a person at the panel's pages, `Shell` somebody who types
`riser request topup`. What anybody was answered is heard by all on `response/topup`.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import queue
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from bridge.contract import secrets
from bridge.contract.asking import ask, new_transaction
from bridge.contract.clock import SystemClock
from bridge.mqtt import Happening, Link, Received
from tests.proof.machine import ACCOUNTS, PEOPLE, ROOT, TOPICS, Machine

FEN = 1_00
AGAIN_S = 1.0
"""Whoever has no answer asks again so often."""

NEW_PASSWORD = "a-longer-one-for-the-proof"


class Ledger:
    """Who asked for what, and what was answered; shared by all who pay."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked: dict[str, float] = {}
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.pages: dict[str, str] = {}
        """By payment at the panel, the receipt that its person was shown; empty where they were shown a refusal."""

    def ask(self, id: str) -> None:
        with self.lock:
            self.asked.setdefault(id, time.monotonic())

    def hear(self, answer: dict[str, Any]) -> None:
        with self.lock:
            self.answers.setdefault(f"{answer.get('key')}:{answer['transaction']}", []).append(answer)

    def show(self, id: str, receipt: str) -> None:
        """A person reads it on the page, and believes it."""
        key, _, transaction = id.partition(":")
        self.hear({"key": key, "transaction": transaction, "status": "done" if receipt else "refused"})
        with self.lock:
            self.pages[id] = receipt

    @property
    def open(self) -> list[str]:
        """Who has no answer yet: at the panel it is the page that counts."""
        with self.lock:
            return [id for id in self.asked if id not in (self.pages if id.startswith("panel:") else self.answers)]

    def many(self) -> tuple[int, int]:
        """(asked, answered)"""
        return len(self.asked), len(self.asked) - len(self.open)


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

    def flood(self, many: int) -> None:
        """Requests that nobody sealed, and one that is far too long."""
        for number in range(many):
            self.link.publish(TOPICS.request("topup"), b'{"signed": "{}", "key": "shell", "mac": "%d"}' % number)
        self.link.publish(TOPICS.request("topup"), b"x" * 200_000)

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


class Clerk(threading.Thread):
    """A person at the panel: signs in, fills the form of an account, and sends the same form again when in doubt."""

    def __init__(self, machine: Machine, ledger: Ledger, name: str):
        super().__init__(name=name, daemon=True)
        self.stopping, self._person = threading.Event(), name
        self._url, self._ledger = machine.layout.panel_url, ledger
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), _Stay()
        )
        self._password = PEOPLE[name]
        self._form: dict[str, str] | None = None
        self._account = ACCOUNTS[0]
        self._sent_at = 0.0
        self.pages = 0
        self.saw = "nothing"
        """What the panel showed last: told where a form is never answered."""

    def run(self) -> None:
        """One form after another; told to stop, the one that is open is still sent until it is answered."""
        while not self.stopping.is_set() or self._form is not None:
            try:
                self._step()
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)  # Away, or away in the middle: the same form is sent again.
            time.sleep(0.02)

    def _step(self) -> None:
        if self._form is None:
            self._open()
            return
        id = f"panel:{self._form['transaction']}"
        if (shown := self._shown(self._form["transaction"]) if self._sent_at else None) is not None:
            self._ledger.show(id, shown)
            self._form, self._sent_at = None, 0.0
        elif time.monotonic() - self._sent_at > AGAIN_S:
            self._sent_at = time.monotonic()
            self._ledger.ask(id)  # Whatever becomes of the connection, it may be booked from here on.
            words = {**self._form, "amount": "1.00", "method": "cash"}
            code, page = self._post(f"/account/{self._account}", words)
            if code in (302, 303) and "sign-in" in page:
                self._sign_in()

    def _shown(self, transaction: str) -> str | None:
        """The receipt that the page tells, empty for a refusal, None while it says neither."""
        code, page = self._get(f"/account/{self._account}?answer={transaction}")
        told = re.search(r'<section class="card answer(| good| bad)" id="answer"(.*?)</section>', page, re.DOTALL)
        if code != 200 or told is None or not told[1]:
            return None
        receipt = re.search(r"[0-9]{8}-[0-9]{6,}", told[2])
        return "" if told[1] == " bad" else receipt and receipt[0]

    def _open(self) -> None:
        self._account = ACCOUNTS[(self.pages + 1) % len(ACCOUNTS)]
        code, page = self._get(f"/account/{self._account}")
        if code in (302, 303, 401):
            self._sign_in()
            return
        found = re.search(r'name="transaction" value="([^"]+)"', page)
        if code == 200 and found is not None:
            self.pages += 1
            self._form = {"transaction": found[1], "csrf_token": _token(page)}

    def _sign_in(self) -> None:
        _, page = self._get("/sign-in")
        words = {"csrf_token": _token(page), "name": self._person, "password": self._password}
        if self._post("/sign-in", words)[0] not in (302, 303):
            # The panel may have taken the new password and gone away before it said so.
            self._password = NEW_PASSWORD if self._password != NEW_PASSWORD else PEOPLE[self._person]
            return
        code, page = self._get("/password")
        if code == 200 and self._password != NEW_PASSWORD:
            words = {"old": self._password, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
            if self._post("/password", {"csrf_token": _token(page), **words})[0] in (302, 303):
                self._password = NEW_PASSWORD

    def _get(self, path: str) -> tuple[int, str]:
        return self._ask(urllib.request.Request(self._url + path))

    def _post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        return self._ask(urllib.request.Request(self._url + path, urllib.parse.urlencode(form).encode()))

    def _ask(self, request: urllib.request.Request) -> tuple[int, str]:
        self.saw = f"no answer to {request.get_method()} {request.selector}"
        try:
            with self._browser.open(request, timeout=5) as answer:
                code, page = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            code, page = error.code, f"{error.headers.get('Location', '')}\n{error.read().decode(errors='replace')}"
        self.saw = f"{code} for {request.get_method()} {request.selector}: {page[:80].strip()}"
        return code, page


class _Stay(urllib.request.HTTPRedirectHandler):
    """A browser that shows where it is sent and does not go."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    return found[1] if found else ""


class Shell(threading.Thread):
    """Somebody who types `riser request topup`, again with the same id where there was no answer."""

    def __init__(self, machine: Machine, ledger: Ledger):
        super().__init__(daemon=True)
        self._data, self._ledger, self.stopping = machine.data, ledger, threading.Event()
        self.done = 0

    def run(self) -> None:
        while not self.stopping.is_set():
            transaction = new_transaction()
            self._ledger.ask(f"shell:{transaction}")
            while not self._typed(transaction):
                pass
            self.done += 1

    def _typed(self, transaction: str) -> bool:
        command = [sys.executable, "riser.py", "request", "topup", f"account={ACCOUNTS[0]}", f"amount_fen={FEN}"]
        command += ["method=cash", "--transaction", transaction, "--timeout", "5", "--json", "--data", str(self._data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            return False
        for answer in json.loads(done.stdout):  # Whoever else listens may have been away just then.
            self._ledger.hear(answer)
        return True
