"""A counter where money is taken: the edge's own requests, book and fold of two small shops, without lines or broker.

desk = MoneyDesk(tmp_path, overdraft="5.00")
desk.ask("topup", account="101", amount_fen=5000, method="cash")      the newest answer
desk.use("101", 12_340)                                               12.34 yuan are charged
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.contract.asking import ask
from bridge.contract.clock import ManualClock
from bridge.contract.entries import FEES
from bridge.contract.messages import Response, Topics
from bridge.contract.site import Site
from bridge.contract.units import instant_exact, instant_text
from edge import install
from edge.accounts import Accounts
from edge.billing.tariff import local_midnight
from edge.book import Book, Entry
from edge.closing import Closing
from edge.codec.dlt645_orders import Password
from edge.core import Core
from edge.exits import Exits
from edge.live import Sample
from edge.relays import Relays
from edge.requests import Requests
from edge.settings import terms_of

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # Friday 10:30 in Shanghai.
KEYS = {"panel": b"p" * 32, "shell": b"s" * 32, "demo": b"d" * 32}
NANO = 10**9
MAKER, CHECKER = "王敏", "李强"


def _meter(id: str, number: int) -> dict[str, Any]:
    return {"id": id, "model": "dlt645-1p", "port": "line-1", "address": f"{number:012d}", "room": id}


def _account(id: str, meter: str) -> dict[str, Any]:
    return {"id": id, "name": id, "room": id, "tariff": "shop", "meters": [meter]}


def site(**policy: Any) -> Site:
    return Site.model_validate({
        "site": {"name": "锦绣广场", "gateway": "east"},
        "policy": policy,
        "ports": [{"id": "line-1", "device": "sim/line-1", "protocol": "dlt645-2007"}],
        "tariffs": [{"id": "shop", "name": "商铺", "kind": "single", "price": "0.8512"}],
        "meters": [_meter("m1", 1), _meter("m2", 2)],
        "accounts": [_account("101", "m1"), _account("102", "m2")],
    })  # fmt: skip


class Silent:
    """A line on which nobody answers."""

    state, why = "open", None

    def put(self, request: Any) -> None:
        pass

    def waiting(self) -> int:
        return 0


class MoneyDesk:
    """The counter, its book, and the people at it."""

    def __init__(self, directory: Path, begin: bool = True, **policy: Any):
        self.clock, self._directory, self._policy = ManualClock(START), directory, policy
        self.topics = Topics("riser", "east")
        self._numbers = itertools.count(1)
        self._open()
        if begin:
            install.fill(self.core, self._site)

    def _open(self) -> None:
        self._site = site(**self._policy)
        self.book = Book(self._directory, self.clock, "boot-desk")
        self.book.trusted = True
        self.core = core = Core(self.book, terms_of(self._site, (frozenset(), frozenset())), self.clock)
        core.ports["line-1"] = Silent()  # type: ignore[assignment]
        self.accounts = accounts = Accounts(core, lambda meter: None)
        accounts.read_again = lambda meter: None
        relays = Relays(core, accounts, lambda meter: Password())
        self.heard: list[Response] = []
        self.requests = Requests(
            core, accounts, relays, KEYS, self.topics.request, lambda operation, response: self.heard.append(response)
        )
        self.closing = Closing(core, accounts, lambda meter, name, reply: True)
        self.requests.agreed.final = Exits(core, self.closing).final

    def restart(self) -> None:
        self.book.close()
        self._open()

    # --- people ---

    def ask(
        self, operation: str, who: str = MAKER, role: str = "finance", key: str = "panel", **fields: Any
    ) -> Response:
        """Ask for something and return its answer."""
        transaction = fields.pop("transaction", f"number-{next(self._numbers)}")
        _, payload, _ = ask(
            self.topics, self.clock, (key, KEYS[key]), operation, who=who, role=role, transaction=transaction, **fields
        )
        self.requests.receive(operation, payload, False)
        return self.heard[-1]

    def done(self, operation: str, **fields: Any) -> dict[str, Any]:
        answer = self.ask(operation, **fields)
        assert answer.status == "done", answer
        return answer.data or {}

    def topup(self, account: str = "101", yuan: int = 100, **fields: Any) -> str:
        """Money in; returns the receipt number."""
        return self.done("topup", account=account, amount_fen=yuan * 100, **{"method": "cash", **fields})["receipt"]

    def propose(self, operation: str, **fields: Any) -> str:
        return self.done(operation, **fields)["proposal"]

    def agreed(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Proposed by one, approved by another."""
        return self.done("approve-money", proposal=self.propose(operation, **fields), who=CHECKER)

    def refused(self, operation: str, **fields: Any) -> str:
        """The rule that refuses; nothing but the refusal was written, and no money moved."""
        seq, ledger = self.book.seq, dict(self.core.state.ledger)
        answer = self.ask(operation, **fields)
        assert answer.status == "refused" and answer.rule and answer.error, answer
        assert self.core.state.ledger == ledger
        assert [entry.kind for entry in self.book.entries(seq + 1)] == ["refusal/1"]
        return answer.rule

    # --- meters ---

    def use(self, account: str, fen: int, milli_fen: int = 0) -> None:
        """Energy for so much money is charged."""
        nano = fen * 10**7 + milli_fen * 10**4
        moves = [{"from": f"account:{account}", "to": FEES, "amount_nano": nano}]
        self.core.append(("fee/1", self.core.own_id("use"), {"account": account, "moves": moves}))

    def opened(self, meter: str, wh: int) -> None:
        """The meter has its confirmed opening register."""
        fields = {
            "meter": meter, "registers_wh": {"total": wh}, "at": self.clock.now().isoformat(), "source": "opening",
            "serial": "1" * 12, "frames": [],
        }  # fmt: skip
        self.core.append(("opening/1", f"opening:{meter}", fields))

    def charged(self, meter: str, wh: int, day: date, source: str = "border") -> None:
        """The meter is charged up to the end of a day."""
        core = self.core
        state = core.state.meters[meter]
        account = core.state.accounts[state.account or ""]
        midnight = local_midnight(day + timedelta(days=1), core.terms.zone)
        mark = {"registers_wh": {"total": wh}, "at": instant_exact(midnight), "read_at": instant_text(midnight),
                "source": source, "frames": []}  # fmt: skip
        posted = core.state.posted_nano(account.id)
        draft = self.closing.charge(account, state, day, mark, posted, dict(account.counters))
        assert draft is not None and draft[0] == "charge/2", draft
        core.append(draft)

    def reads(self, meter: str, wh: int) -> None:
        """The meter is read now and the reading accepted."""
        live = self.core.lives[meter]
        live.before = live.sample = Sample({"total": wh}, self.clock.now(), 0.0, (("68", "16"),))
        live.quality = "good"

    def close_days(self) -> None:
        for _ in self.closing.work():
            pass

    # --- looking ---

    def yuan(self, ledger_account: str) -> float:
        """For assertions on round amounts only."""
        return self.core.state.ledger.get(ledger_account, 0) / NANO

    def of(self, kind: str) -> list[Entry]:
        return [entry for entry in self.book.entries() if entry.kind == kind]


Made = Callable[..., MoneyDesk]

__all__ = ["CHECKER", "KEYS", "MAKER", "NANO", "Made", "MoneyDesk"]
