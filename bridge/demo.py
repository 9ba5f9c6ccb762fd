"""`python -m bridge.demo`: a pretend tenant of the demo, who pays some time after the power went off.

RISER_DEMO is JSON: {"account": "301", "after_s": 60, "amount_fen": 10000}. When `account/301` has said `cut` for
`after_s` real seconds, one signed top-up is sent (key `demo`, role `payment`, method `online`), the very same bytes
again while nobody answers, and the answer is told. The next cut begins anew.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.contract.asking import VALIDITY_S, ask
from bridge.contract.clock import Clock
from bridge.contract.messages import Account, Response, Topics
from bridge.contract.units import NANO_PER_FEN, yuan_text
from bridge.facts import Fact
from bridge.mqtt import Received
from bridge.running import CannotStart, Surroundings, main, run
from bridge.sink import Publish, Sink

log = logging.getLogger("riser.demo")

REPEAT_S = 10.0
"""Real seconds without an answer, then the same request goes out again; its transaction makes that harmless (R7)."""


class Habit(BaseModel):
    """What the pretend payer does."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    account: str
    after_s: float = Field(ge=0)
    amount_fen: int = Field(gt=0)


@dataclass
class _Payment:
    topic: str
    payload: bytes
    transaction: str
    begun_s: float
    sent_s: float | None = None


class Payer(Sink):
    """Pays once for each cut."""

    name = "payer"

    def __init__(self, topics: Topics, publish: Publish, clock: Clock, key: bytes, habit: Habit):
        self._topics, self._publish, self._clock, self._key, self._habit = topics, publish, clock, key, habit
        self.subscriptions: Sequence[str] = (topics.of(Account, habit.account), topics.response("topup"))
        self._cut_s: float | None = None
        self._payment: _Payment | None = None
        self._settled = False

    def take(self, came: Fact | Received) -> None:
        if not isinstance(came, Fact) or came.gateway != self._topics.gateway:
            return
        match came.message:
            case Account() as account if came.id == self._habit.account:
                self._see(account)
            case Response() as response if came.id == "topup":
                self._answer(response)

    def settle(self) -> None:
        now_s = self._clock.monotonic()
        if self._payment is not None:
            self._send(self._payment, now_s)
        elif self._cut_s is not None and not self._settled and now_s - self._cut_s >= self._habit.after_s:
            self._payment = self._request(now_s)
            self._send(self._payment, now_s)

    def _see(self, account: Account) -> None:
        if account.state != "cut":
            if self._cut_s is not None:
                log.info("account %s is no longer cut: %s yuan", self._habit.account, yuan_text(account.available_nano))
            self._cut_s, self._settled = None, False
            if self._payment is not None and self._payment.sent_s is None:
                self._payment = None  # Somebody else paid; what has already left is still waited for.
        elif self._cut_s is None:
            self._cut_s = self._clock.monotonic()
            log.info("account %s is cut; paying in %g s", self._habit.account, self._habit.after_s)

    def _request(self, now_s: float) -> _Payment:
        amount_fen = self._habit.amount_fen
        log.info("account %s pays %s yuan", self._habit.account, yuan_text(amount_fen * NANO_PER_FEN))
        topic, payload, transaction = ask(
            self._topics, self._clock, ("demo", self._key), "topup",
            who="demo payer", role="payment", account=self._habit.account, amount_fen=amount_fen, method="online",
        )  # fmt: skip
        return _Payment(topic, payload, transaction, now_s)

    def _send(self, payment: _Payment, now_s: float) -> None:
        if now_s - payment.begun_s > VALIDITY_S:
            log.warning("no answer to the payment in %g s; waiting once more before paying", VALIDITY_S)
            self._payment, self._cut_s = None, None if self._cut_s is None else now_s
            return
        waited = payment.sent_s is None or now_s - payment.sent_s >= REPEAT_S
        if waited and self._publish(payment.topic, payment.payload) is not None:
            payment.sent_s = now_s

    def _answer(self, response: Response) -> None:
        if self._payment is None or response.transaction != self._payment.transaction or response.status == "accepted":
            return
        self._payment, self._settled = None, True
        if response.status == "done":
            log.info("account %s has paid; the book says so", self._habit.account)
        else:
            log.error("the payment was %s (%s): %s", response.status, response.rule or "no rule", response.error)


def demo(around: Surroundings) -> int:
    """Run until told to stop. Return the exit code."""
    try:
        habit = Habit.model_validate_json(os.environ.get("RISER_DEMO", ""))
        key = around.secrets.keys["demo"]
    except ValidationError as error:
        example = json.dumps({"account": "301", "after_s": 60, "amount_fen": 10000})
        where = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}".strip() for e in error.errors())
        raise CannotStart(f"RISER_DEMO is not understood ({where}); write for example {example}") from None
    except KeyError:
        raise CannotStart("the secrets of `demo` hold no key `demo`; `riser up --demo` writes them") from None
    topics = Topics(around.site.site.base, around.site.site.gateway)
    return run(around, "demo", lambda publish: (Payer(topics, publish, around.clock, key, habit),))


if __name__ == "__main__":
    sys.exit(main("demo", demo))
