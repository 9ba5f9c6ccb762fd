"""A request is sent once per transaction, and what is shown is its answers, never a hope.

The transaction is made when the form is rendered. A second click brings the same one: it is not sent again. The same
transaction with other words is refused by name. Nothing is ever resent by the panel itself: an unknown outcome is
shown as unknown (R7). A person who sends the same form once more after a silence asks again, under the same id. The
newest few hundred requests are remembered; older ones are found in the archive by their entry.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.contract.asking import ask, query
from bridge.contract.clock import Clock
from bridge.contract.messages import Response, Topics

REMEMBERED = 500
"""Requests kept in memory: a busy day at a counter."""

NO_ANSWER_S = 30.0
"""Real seconds after which silence is called silence. A late answer still counts."""

SENT_AGAIN_S = 3.0
"""Real seconds without any answer after which the same form, sent once more by a person, goes out again under its own
id: a broker that was killed may have lost what it had taken, and the gateway does one id at most once (R7)."""

KEY = "panel"


class NotSent(RuntimeError):
    """The broker could not be reached, nothing left this panel; the same form can be sent again."""


class Conflict(RuntimeError):
    """This transaction was used for something else; a fresh form is needed."""


@dataclass
class Asked:
    """One request of a person and all that was answered to it."""

    transaction: str
    operation: str
    subject: str
    fields: dict[str, Any]
    who: str
    at: str
    sent_s: float
    answers: list[Response] = field(default_factory=list)
    broker_refused: str | None = None
    about: str = ""
    """What a decision is about: the kind of its proposal."""
    sent_again_s: float = -1e9
    """When it last went out."""

    def __post_init__(self) -> None:
        self.sent_again_s = self.sent_s

    @property
    def newest(self) -> Response | None:
        """The outcome once there is one, else the newest answer. What is done stays done, whatever is said later."""
        outcomes = [answer for answer in self.answers if answer.status != "accepted"]
        told = [answer for answer in outcomes if answer.status == "done"] or outcomes or self.answers
        return told[-1] if told else None

    @property
    def accepted(self) -> Response | None:
        return next((answer for answer in self.answers if answer.status == "accepted"), None)

    @property
    def finished(self) -> bool:
        """True when nothing more will come: done, refused or failed."""
        newest = self.newest
        return self.broker_refused is not None or (newest is not None and newest.status != "accepted")


class Commands:
    """What people asked for, and the answers."""

    def __init__(self, topics: Topics, clock: Clock, secret: bytes):
        self._topics, self._clock, self._secret = topics, clock, secret
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._mids: dict[int, str] = {}
        self.publish: Callable[[str, bytes], int | None] = lambda topic, payload: None

    def send(
        self, operation: str, subject: str, *, who: str, role: str, transaction: str, about: str = "", **fields: Any
    ) -> Asked:
        """Send a signed request once. Raises NotSent, Conflict, or pydantic's ValidationError on bad fields."""
        topic, payload = self._sealed(operation, who=who, role=role, transaction=transaction, **fields)
        return self._once(topic, payload, operation, subject, who, transaction, fields, about)

    def query(self, operation: str, subject: str, *, who: str, transaction: str, **fields: Any) -> Asked:
        """Ask something that needs no seal and changes nothing, once. Raises as `send` does."""
        topic, payload, _ = query(self._topics, operation, transaction=transaction, **fields)
        return self._once(topic, payload, operation, subject, who, transaction, fields)

    def pass_on(self, operation: str, *, who: str, role: str, transaction: str, **fields: Any) -> None:
        """Send a signed request for whose answer nobody waits. Raises NotSent."""
        if self.publish(*self._sealed(operation, who=who, role=role, transaction=transaction, **fields)) is None:
            raise NotSent(operation)

    def _sealed(self, operation: str, **words: Any) -> tuple[str, bytes]:
        topic, payload, _ = ask(self._topics, self._clock, (KEY, self._secret), operation, **words)
        return topic, payload

    def _once(
        self, topic: str, payload: bytes, operation: str, subject: str, who: str, transaction: str,
        fields: dict[str, Any], about: str = "",
    ) -> Asked:  # fmt: skip
        with self._lock:
            known = self._asked.get(transaction)
            if known is not None:
                if (known.operation, known.fields) != (operation, fields):
                    raise Conflict(transaction)
                self._once_more(known, topic, payload)
                return known
            mid = self.publish(topic, payload)
            if mid is None:
                raise NotSent(operation)
            asked = Asked(
                transaction, operation, subject, fields, who, self._clock.now().isoformat(), self._clock.monotonic(),
                about=about,
            )  # fmt: skip
            self._asked[transaction] = asked
            self._mids[mid] = transaction
            if len(self._mids) > REMEMBERED:  # Acknowledgements that never came, from connections that broke.
                del self._mids[next(iter(self._mids))]
            while len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
            return asked

    def _once_more(self, asked: Asked, topic: str, payload: bytes) -> None:
        """The same words under the same id again, where nobody answered so far."""
        now = self._clock.monotonic()
        if asked.answers or asked.broker_refused or now - asked.sent_again_s < SENT_AGAIN_S:
            return
        if (mid := self.publish(topic, payload)) is not None:
            asked.sent_again_s = now
            self._mids[mid] = asked.transaction

    def answered(self, answer: Response) -> None:
        """Take an answer; one to another program's request is not ours."""
        if answer.key not in (None, KEY):
            return
        with self._lock:
            asked = self._asked.get(answer.transaction)
            if asked is not None and answer not in asked.answers:
                asked.answers.append(answer)

    def acknowledged(self, mid: int, error: str | None) -> None:
        """The broker took a message, or said why it does not."""
        with self._lock:
            asked = self._asked.get(self._mids.pop(mid, ""))
            if asked is not None and error is not None:
                asked.broker_refused = error

    def find(self, transaction: str) -> Asked | None:
        with self._lock:
            return self._asked.get(transaction)

    def about(self, subject: str, limit: int = 5) -> list[Asked]:
        """The newest requests about one meter or account, newest first."""
        with self._lock:
            return [asked for asked in reversed(self._asked.values()) if asked.subject == subject][:limit]

    def silent(self, asked: Asked) -> bool:
        """True when no answer came within 30 real seconds."""
        return not asked.answers and self._clock.monotonic() - asked.sent_s > NO_ANSWER_S
