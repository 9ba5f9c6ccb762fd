"""What people and their programs ask for (R7, I12): each request once, each answered, nothing done on a doubt.

A request is checked in this order: retained, readable, sealed, well-formed, permitted, known before, in time,
possible. A refusal of a sealed request is written down, so that the same request can never be taken later.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from bridge.contract import messages, permissions, signing
from bridge.contract.entries import TILL
from bridge.contract.messages import Response
from bridge.contract.units import NANO_PER_FEN, instant_of, instant_text, is_transaction, yuan_text
from edge.accounts import Accounts
from edge.book import Entry
from edge.bus import PERSON, Reply
from edge.core import Core
from edge.relays import Relays
from edge.state import AccountState, MeterState

log = logging.getLogger("riser.requests")

RELAY_WITHIN_S = 60.0
"""Line seconds until a trip or close that was not read back is answered as failed; the hold itself stays."""

READ_QUESTIONS = ("energy", "power", "status")


Status = Literal["accepted", "refused", "done", "failed"]


class Refusal(Exception):
    """A request that will not be carried out; the rule and one sentence say why."""

    def __init__(self, rule: str, sentence: str):
        self.rule, self.sentence = rule, sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Asked:
    """One request that passed all checks of form and seal."""

    id: str
    operation: str
    key: str
    sha256: str
    body: Any

    def written(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What an entry keeps of the request: who asked, the digest of what was asked, what was answered."""
        return {"who": self.body.who, "role": self.body.role, "request": {"sha256": self.sha256, "answer": answer}}


@dataclass
class Waiting:
    """A relay request that was accepted and waits to be read back."""

    asked: Asked
    meter: MeterState
    wanted: str
    until: float


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
        self._core, self._accounts, self._relays = core, accounts, relays
        self._keys, self._topic_of, self._respond = keys, topic_of, respond
        self._waiting: list[Waiting] = []
        self.take: Callable[[MeterState, str, Reply], bool]
        self.replay: Callable[[messages.Replay], dict[str, int] | None]

    # --- form and seal ---

    def receive(self, operation: str, payload: bytes, retained: bool) -> bool:
        """Handle one message. Returns True when the broker retains it and it must be cleared."""
        transaction = ""
        try:
            if retained:
                raise Refusal("R7", "a retained request is never carried out; it was cleared from the broker")
            if operation not in messages.REQUESTS:
                raise Refusal("R7", f"there is no request {operation[:32]!r}")
            if operation in permissions.UNSIGNED:
                body = messages.Replay.model_validate(signing.strict_json(payload))
                transaction = body.transaction
                self._replayed(operation, body)
                return False
            words, key, _ = signing.open_envelope(self._topic_of(operation), payload, self._keys)
            transaction = words["transaction"] if is_transaction(words.get("transaction")) else ""
            self._signed(operation, words, key)
        except signing.BadSeal as error:
            log.warning("a request on %s has a wrong seal and was refused (I12)", operation)
            self._answer(operation, transaction, None, "refused", rule="I12", error=str(error))
        except signing.BadEnvelope as error:
            self._answer(operation, transaction, None, "refused", rule="R7", error=str(error))
        except ValidationError as error:
            self._answer(operation, transaction, None, "refused", rule="R7", error=_sentence(error))
        except Refusal as refusal:
            self._answer(operation, transaction, None, "refused", rule=refusal.rule, error=refusal.sentence)
        return retained

    def _replayed(self, operation: str, body: messages.Replay) -> None:
        sent = self.replay(body)
        if sent is None:
            error = "too much is being replayed already; ask again in a few seconds"
            self._answer(operation, body.transaction, None, "failed", error=error)
        else:
            self._answer(operation, body.transaction, None, "done", data=sent)

    def _signed(self, operation: str, words: dict[str, Any], key: str) -> None:
        body = messages.REQUESTS[operation].model_validate(words)
        assert isinstance(body, messages.Request)
        if not is_transaction(body.transaction):
            raise Refusal("R7", "a transaction id is 8 to 64 of A-Z a-z 0-9 _ -")
        asked = Asked(f"{key}:{body.transaction}", operation, key, _digest(operation, body), body)
        if (known := self._core.book.find(asked.id)) is not None:
            self._again(asked, known)
            return
        if not permissions.may(key, body.role, operation):
            raise Refusal("R32", f"the role {body.role!r} may not ask for {operation}")
        self._in_time(body)
        try:
            getattr(self, f"_{operation}")(asked, body)
        except Refusal as refusal:
            self._refuse(asked, refusal)

    def _in_time(self, body: messages.Request) -> None:
        try:
            valid_until = instant_of(body.valid_until)
            instant_of(body.issued_at)
        except ValueError as error:
            raise Refusal("R7", f"issued_at and valid_until are instants with offset: {error}") from None
        if self._core.now() > valid_until:
            raise Refusal("R7", f"the request expired at {instant_text(valid_until)}; ask anew")

    def _again(self, asked: Asked, known: Entry) -> None:
        """A known id gets its newest answer again; with another text it is a conflict, and nothing happens."""
        if known.fields["request"]["sha256"] != asked.sha256:
            error = "this transaction id was used for another request; nothing was done. Make a new id"
            self._answer(asked.operation, asked.body.transaction, asked.key, "refused", rule="R7", error=error)
            return
        newest = self._core.book.find(f"{asked.id}:done") or known
        answer = newest.fields.get("answer") or newest.fields["request"]["answer"]
        self._answer(asked.operation, asked.body.transaction, asked.key, **answer)

    def _refuse(self, asked: Asked, refusal: Refusal) -> None:
        answer: dict[str, Any] = {"status": "refused", "rule": refusal.rule, "error": refusal.sentence}
        fields = {
            "operation": asked.operation,
            "rule": refusal.rule,
            "error": refusal.sentence,
            **asked.written(answer),
        }
        self._core.append(("refusal/1", asked.id, fields))
        self._answer(asked.operation, asked.body.transaction, asked.key, **answer)

    def _answer(self, operation: str, transaction: str, key: str | None, status: Status, **more: Any) -> None:
        response = Response(
            transaction=transaction,
            key=key,
            status=status,
            at=instant_text(self._core.now()),
            **more,
        )
        self._respond(operation if operation in messages.REQUESTS else "unknown", response)

    # --- money ---

    def _topup(self, asked: Asked, body: messages.TopUp) -> None:
        core, terms = self._core, self._core.terms
        account = self._account(body.account)
        if not terms.topup_min_fen <= body.amount_fen <= terms.topup_max_fen:
            low, high = (yuan_text(fen * NANO_PER_FEN) for fen in (terms.topup_min_fen, terms.topup_max_fen))
            raise Refusal("R15", f"a top-up is {low} to {high} yuan, not {yuan_text(body.amount_fen * NANO_PER_FEN)}")
        try:
            money = core.money(account, TILL + body.method, body.amount_fen * NANO_PER_FEN)
        except OverflowError as error:
            raise Refusal("R15", str(error)) from None
        receipt = f"{core.now().astimezone(terms.zone):%Y%m%d}-{core.book.seq + 1:06d}"
        figures = {"seq": core.book.seq + 1, "receipt": receipt, "balance_nano": money["balance_after_nano"]}
        answer: dict[str, Any] = {
            "status": "done",
            "data": {**figures, "account": account.id, "amount_fen": body.amount_fen},
        }
        fields = {
            "account": account.id,
            "amount_fen": body.amount_fen,
            "method": body.method,
            "reference": body.reference,
            "receipt": receipt,
            **money,
            **asked.written(answer),
        }
        core.append(("topup/1", asked.id, fields))
        self._answer(asked.operation, body.transaction, asked.key, **answer)
        log.info("account %s: %s yuan topped up (%s)", account.id, yuan_text(body.amount_fen * NANO_PER_FEN), receipt)
        self._accounts.evaluate(account, paid=True)

    def _account(self, id: str) -> AccountState:
        if (account := self._core.state.accounts.get(id)) is None:
            raise Refusal("R7", f"there is no account {id[:32]!r} on this gateway")
        return account

    # --- relays ---

    def _relay_meter(self, id: str) -> MeterState:
        if (meter := self._core.state.meters.get(id)) is None:
            raise Refusal("R7", f"there is no meter {id[:32]!r} on this gateway")
        if meter.row["relay"] == "none" or not self._core.lives[id].model.relay:
            raise Refusal("R7", f"meter {id} has no relay that can be controlled")
        return meter

    def _trip(self, asked: Asked, body: messages.Trip) -> None:
        meter = self._relay_meter(body.meter)
        if self._core.mode not in ("normal", "time"):
            raise Refusal("I22", f"the gateway is in mode {self._core.mode}: no trips")
        if self._core.lives[meter.id].keep_power:
            raise Refusal("R3", "the meter itself is set to keep power on; lift that first")
        if "manual" in meter.holds:
            hold = meter.holds["manual"]
            raise Refusal("R5", f"the hold `manual` is already set by {hold.by}: {hold.why}")
        self._hold(asked, meter, True, body.why, "open")

    def _close(self, asked: Asked, body: messages.Close) -> None:
        meter = self._relay_meter(body.meter)
        others = set(meter.holds) - {"manual"}
        if "manual" not in meter.holds and others:
            names = ", ".join(sorted(others))
            raise Refusal("R5", f"supply stays off: the hold {names} remains, and closing does not lift it")
        self._hold(asked, meter, False, body.why, "closed")

    def _hold(self, asked: Asked, meter: MeterState, on: bool, why: str, wanted: str) -> None:
        core, live = self._core, self._core.lives[meter.id]
        left = sorted((set(meter.holds) | {"manual"}) if on else (set(meter.holds) - {"manual"}))
        there = live.relay_open is (wanted == "open")
        settled = bool(left and not on) or (there and not on)
        answer: dict[str, Any] = {"status": "done" if settled else "accepted", "data": {"holds": left}}
        if settled and left:
            answer["data"]["text"] = f"the hold `manual` is lifted; supply stays off: {', '.join(left)}"
        fields = {"meter": meter.id, "account": meter.account, "hold": "manual", "set": on, "why": why}
        core.append(("hold/1", asked.id, {**fields, **asked.written(answer)}))
        self._answer(asked.operation, asked.body.transaction, asked.key, **answer)
        if not settled:
            self._waiting.append(Waiting(asked, meter, wanted, core.clock.monotonic() + RELAY_WITHIN_S))
        core.changed("relay", meter.id)
        self._relays.consider(meter)
        self.settle(meter)

    def settle(self, meter: MeterState) -> None:
        """Answer the requests whose wanted state has now been read back."""
        seen = self._core.lives[meter.id].relay_open
        for waiting in [each for each in self._waiting if each.meter is meter]:
            if seen is not None and seen is (waiting.wanted == "open"):
                self._waiting.remove(waiting)
                self._done(
                    waiting, {"status": "done", "data": {"observed": waiting.wanted, "holds": sorted(meter.holds)}}
                )

    def tick(self) -> None:
        """Answer the requests that waited too long."""
        now = self._core.clock.monotonic()
        for waiting in [each for each in self._waiting if each.until < now]:
            self._waiting.remove(waiting)
            error = "not read back within a minute; it is tried again as long as the hold says so"
            if waiting.meter.row["relay"] == "permit" and waiting.wanted == "closed":
                error = "closing is permitted: press the button on the meter"
            self._done(waiting, {"status": "failed", "rule": "R7", "error": error})

    def _done(self, waiting: Waiting, answer: dict[str, Any]) -> None:
        asked = waiting.asked
        fields = {"request": asked.id, "meter": waiting.meter.id, "status": answer["status"], "answer": answer}
        self._core.append(("done/1", f"{asked.id}:done", fields))
        self._answer(asked.operation, asked.body.transaction, asked.key, **answer)

    # --- reading and the brake ---

    def _read(self, asked: Asked, body: messages.Read) -> None:
        """A reading changes nothing, so it is not written down; a repeat reads again."""
        meter = self._core.state.meters.get(body.meter)
        if meter is None:
            raise Refusal("R7", f"there is no meter {body.meter[:32]!r} on this gateway")
        self._answer(asked.operation, body.transaction, asked.key, "accepted")
        names = [name for name in READ_QUESTIONS if name in self._core.lives[meter.id].model.rows]
        last = names[-1]
        for name in names:
            frame = self._core.question(meter, name)
            self._core.submit(
                meter,
                PERSON,
                name,
                frame,
                lambda reply, name=name: self._was_read(asked, meter, name, name == last, reply),
            )

    def _was_read(self, asked: Asked, meter: MeterState, name: str, last: bool, reply: Reply) -> None:
        answered = reply.raw is not None and self.take(meter, name, reply)
        if not last:
            return
        if not answered:
            error = f"meter {meter.id} did not answer ({reply.error or 'refused'}); it is asked again in the next round"
            self._answer(asked.operation, asked.body.transaction, asked.key, "failed", rule="R7", error=error)
            return
        live = self._core.lives[meter.id]
        data: dict[str, Any] = {"read_at": instant_text(reply.at), "power_w": live.values.get("power_w")}
        if live.sample is not None:
            data["registers_wh"] = live.sample.registers_wh
        self._answer(asked.operation, asked.body.transaction, asked.key, "done", data=data)

    def _brake(self, asked: Asked, body: messages.Brake) -> None:
        if self._core.state.brake is None:
            raise Refusal("R4", "the brake on mass cuts is not on")
        answer: dict[str, Any] = {"status": "done", "data": {"released": True}}
        self._core.append(("brake/1", asked.id, {"set": False, "why": body.why, **asked.written(answer)}))
        self._answer(asked.operation, body.transaction, asked.key, **answer)
        self._core.changed("info")


def _digest(operation: str, body: messages.Request) -> str:
    """What was asked, without when: a form sent once more after the asker's restart is the same request (R7)."""
    asked = body.model_dump_json(exclude={"issued_at", "valid_until"})
    return hashlib.sha256(f"{operation}\n{asked}".encode()).hexdigest()


def _sentence(error: ValidationError) -> str:
    """The first mistakes of a request, each with its field."""
    found = []
    for mistake in error.errors()[:5]:
        field = ".".join(str(step) for step in mistake["loc"]) or "request"
        found.append(f"{re.sub(r'[^A-Za-z0-9_.-]', '?', field)[:40]}: {mistake['msg']}")
    return "; ".join(found)
