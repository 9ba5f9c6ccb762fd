"""A person at the panel's pages who pays, and one with two windows who sends the same form from both at once."""

from __future__ import annotations

import http.client
import http.cookiejar
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.proof.machine import ACCOUNTS, PEOPLE, Machine
from tests.proof.payers import AGAIN_S, FEN, Ledger

NEW_PASSWORD = "a-longer-one-for-the-proof"


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
            self._ledger.ask(id, sees=True)  # Whatever becomes of the connection, it may be booked from here on.
            code, page = self._send(id, {**self._form, "method": "cash"})
            if code in (302, 303) and "sign-in" in page:
                self._sign_in()

    def _send(self, id: str, form: dict[str, str]) -> tuple[int, str]:
        return self._post(f"/account/{self._account}", {**form, "amount": "1.00"})

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


class TwoWindows(Clerk):
    """A person who sends each form from two windows at the same moment, every second one with two amounts."""

    def __init__(self, machine: Machine, ledger: Ledger, name: str):
        super().__init__(machine, ledger, name)
        self._windows = ThreadPoolExecutor(2)
        self.refused = 0
        """Forms of which the panel itself told one window that the other one was first."""
        self.wrong: list[str] = []

    def _send(self, id: str, form: dict[str, str]) -> tuple[int, str]:
        amounts = ("1.00", "2.00") if self.pages % 2 else ("1.00", "1.00")
        self._ledger.raced[id] = {FEN * int(amount[0]) for amount in amounts}
        path = f"/account/{self._account}"
        both = list(self._windows.map(lambda amount: self._post(path, {**form, "amount": amount}), amounts))
        out = [each for each in both if each[0] in (302, 303) and "sign-in" in each[1]]
        if [code for code, _ in both] == [303, 303] and not out and amounts[0] != amounts[1]:
            self.wrong.append(f"{id}: the panel took one form with two amounts")
        self.refused += 409 in (code for code, _ in both)
        return (out or both)[0]


class _Stay(urllib.request.HTTPRedirectHandler):
    """A browser that shows where it is sent and does not go."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    return found[1] if found else ""
