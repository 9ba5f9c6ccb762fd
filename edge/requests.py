"""What people and their programs ask for (R7, I12): each request once, each answered, nothing done on a doubt.

A request is checked in this order: readable, sealed, well-formed, known before, retained, permitted, in time,
possible. A refusal of a sealed request is written down, so that the same request can never be taken later.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from bridge.contract import messages, permissions, signing
from bridge.contract import mistakes as complaints
from bridge.contract.messages import Response
from bridge.contract.units import instant_text, is_transaction
from edge.accounts import Accounts
from edge.acts import Acts
from edge.agreed_money import AGREED, AgreedMoney
from edge.asked import Asked, Refusal, Status, answer_in, digest_of
from edge.billing.money import Forbidden
from edge.book import Entry
from edge.close_way import CloseWay
from edge.core import Core
from edge.expiry import in_time
from edge.locking import Locking
from edge.meter_acts import MeterActs
from edge.money_acts import ALONE, MoneyActs
from edge.price_acts import PriceActs
from edge.promised import Promised
from edge.proposals import Proposals
from edge.protecting import Protecting
from edge.read_back import ReadBack
from edge.recovering import Recovery
from edge.relays import Relays
from edge.retained import RETAINED, Retained
from edge.tenancies import Tenancies

log = logging.getLogger("riser.requests")

NO_TRANSACTION = "a transaction id is 8 to 64 of A-Z a-z 0-9 _ -"

SEALS_TOLD_EVERY_S = 60.0
"""Line seconds between two lines about wrong seals: a flood of them must not fill the log."""


class Requests:
    """Takes messages on `request/<op>` and answers each."""

    def __init__(
        self,
        core: Core,
        accounts: Accounts,
        relays: Relays,
        keys: dict[str, bytes],
        topic_of: Callable[[str], str],
        respond: Callable[[str, Response], None],
    ):
        self._core, self._keys, self._topic_of, self._respond = core, keys, topic_of, respond
        self.read_back = ReadBack(core, relays, self._answer_later)
        self.promised = Promised(core, self._answer_later)
        self.retained = Retained(core)
        self.acts = Acts(core, relays, self._answer_to, self.read_back)
        self.proposals = Proposals(core, self._answer_to)
        self.prices = PriceActs(core, self.proposals, self._answer_to)
        self.meters = MeterActs(core, self.proposals, self._answer_to)
        self.meters.refuse = self._refuse
        self.money = MoneyActs(core, accounts, self._answer_to)
        self.agreed = AgreedMoney(self.money, self.proposals)
        self._doers: dict[str, Any] = dict.fromkeys(permissions.PRICES, self.prices)
        self._doers |= dict.fromkeys(ALONE, self.money) | dict.fromkeys(AGREED, self.agreed)
        self._doers |= dict.fromkeys(permissions.METERS, self.meters)
        self.protecting = Protecting(core, accounts, self._answer_to)
        self._doers |= dict.fromkeys((*permissions.PROTECTIONS, "told"), self.protecting)
        self._doers["set-close"] = CloseWay(core, relays, self._answer_to)
        self.locking = Locking(core, self.acts)
        self._doers |= dict.fromkeys(permissions.LOCKS, self.locking)
        self._doers |= dict.fromkeys(permissions.TENANCIES, Tenancies(core, self.proposals, self._answer_to))
        self._doers |= dict.fromkeys(permissions.RECOVERY, Recovery(core, accounts, self._answer_to))
        self._wrong_seals, self._seals_told_s = 0, -SEALS_TOLD_EVERY_S
        self.replay: Callable[[messages.Replay], dict[str, int] | None]

    # --- form and seal ---

    def receive(self, operation: str, payload: bytes, retained: bool) -> bool:
        """Handle one message. Returns True when the broker retains it and it must be cleared."""
        transaction = ""
        try:
            if operation not in messages.REQUESTS:
                raise Refusal("R7", f"there is no request {operation[:32]!r}")
            if operation in permissions.UNSIGNED:
                if retained:
                    raise Refusal("R7", RETAINED)
                body = messages.REQUESTS[operation].model_validate(signing.strict_json(payload))
                if not is_transaction(body.transaction):
                    raise Refusal("R7", NO_TRANSACTION)
                transaction = body.transaction
                self._queried(operation, body)
                return False
            words, key, _ = signing.open_envelope(self._topic_of(operation), payload, self._keys)
            transaction = words["transaction"] if is_transaction(words.get("transaction")) else ""
            self._signed(operation, words, key, retained)
        except signing.BadSeal as error:
            self._tell_of_seal(operation)
            self._answer(operation, transaction, None, "refused", rule="I12", error=str(error))
        except signing.BadEnvelope as error:
            self._answer(operation, transaction, None, "refused", rule="R7", error=str(error))
        except ValidationError as error:
            self._answer(operation, transaction, None, "refused", rule="R7", error=_sentence(error))
        except Refusal as refusal:
            self._answer(operation, transaction, None, "refused", rule=refusal.rule, error=refusal.sentence)
        return retained

    def _tell_of_seal(self, operation: str) -> None:
        self._wrong_seals += 1
        now_s = self._core.clock.monotonic()
        if now_s - self._seals_told_s >= SEALS_TOLD_EVERY_S:
            log.warning("%d requests had a wrong seal (I12), the newest on %s", self._wrong_seals, operation)
            self._wrong_seals, self._seals_told_s = 0, now_s

    def _queried(self, operation: str, body: Any) -> None:
        """A query without a signature: it changes nothing."""
        if isinstance(body, messages.PreviewPrice):
            self.prices.preview_price(
                body, lambda data: self._answer(operation, body.transaction, None, "done", data=data)
            )
        else:
            self._replayed(operation, body)

    def tick(self, connected: bool) -> None:
        """What was waited for too long: a relay to be read back, a proposal to be decided."""
        self.read_back.tick()
        self.proposals.tick()
        self.protecting.tick()
        self.locking.tick()
        self.promised.tick(connected)

    def _replayed(self, operation: str, body: messages.Replay) -> None:
        sent = self.replay(body)
        if sent is None:
            error = "too much is being replayed already; ask again in a few seconds"
            self._answer(operation, body.transaction, None, "failed", error=error)
        else:
            self._answer(operation, body.transaction, None, "done", data=sent)

    def _signed(self, operation: str, words: dict[str, Any], key: str, retained: bool) -> None:
        body = messages.REQUESTS[operation].model_validate(words)
        assert isinstance(body, messages.Request)
        if not is_transaction(body.transaction):
            raise Refusal("R7", NO_TRANSACTION)
        asked = Asked(f"{key}:{body.transaction}", operation, key, digest_of(operation, body), body)
        if retained:
            self.retained.tell(asked)
        if (known := self._core.book.find(asked.id)) is not None:
            self._again(asked, known)
            return
        if retained:  # Written down, so that it is not taken when it comes once more without the flag.
            self._refuse(asked, Refusal("R7", RETAINED))
            return
        if (why := self._core.cannot_write) is not None and operation != "read":
            error = f"{why}; nothing was booked or done. Ask again later"
            self._answer(operation, body.transaction, key, "refused", rule="I5", error=error)
            return  # Not written down, so the same request may be made again.
        try:
            if not permissions.may(key, body.role, operation):
                raise Refusal("R32", f"the role {body.role!r} may not ask for {operation}")
            in_time(self._core, body)
            getattr(self._doers.get(operation, self.acts), operation.replace("-", "_"))(asked, body)
        except (Refusal, Forbidden) as refusal:
            self._refuse(asked, refusal)

    def _again(self, asked: Asked, known: Entry) -> None:
        """A known id gets its newest answer again; with another text it is a conflict, and nothing happens."""
        if known.fields["request"]["sha256"] != asked.sha256:
            error = "this transaction id was used for another request; nothing was done. Make a new id"
            self._answer(asked.operation, asked.body.transaction, asked.key, "refused", rule="R7", error=error)
            return
        self._answer(asked.operation, asked.body.transaction, asked.key, **answer_in(self._core, known))

    def _refuse(self, asked: Asked, refusal: Refusal | Forbidden) -> None:
        answer: dict[str, Any] = {"status": "refused", "rule": refusal.rule, "error": refusal.sentence}
        fields = {
            "operation": asked.operation,
            "rule": refusal.rule,
            "error": refusal.sentence,
            **asked.written(answer),
        }
        if self._core.cannot_write is None and asked.operation != "read":  # A reading is not written down either.
            self._core.append(("refusal/1", asked.id, fields))
        self._answer_to(asked, **answer)

    def _answer_later(self, id: str, operation: str, status: Status, **more: Any) -> None:
        key, _, transaction = id.rpartition(":")
        self._answer(operation, transaction, key, status, **more)

    def _answer_to(self, asked: Asked, status: Status, **more: Any) -> None:
        self.promised.told(asked, status)
        self._answer_later(asked.id, asked.operation, status, **more)

    def _answer(self, operation: str, transaction: str, key: str | None, status: Status, **more: Any) -> None:
        response = Response(
            transaction=transaction,
            key=key,
            status=status,
            at=instant_text(self._core.now()),
            **more,
        )
        self._respond(operation if operation in messages.REQUESTS else "unknown", response)


def _sentence(error: ValidationError) -> str:
    """The first mistakes of a request, each with its field."""
    found = []
    for mistake in error.errors()[:5]:
        field = ".".join(str(step) for step in mistake["loc"]) or "request"
        words = "there is no such field" if mistake["type"] == "extra_forbidden" else complaints.words(mistake)
        found.append(f"{re.sub(r'[^A-Za-z0-9_.-]', '?', field)[:40]}: {words}")
    return "; ".join(found)
