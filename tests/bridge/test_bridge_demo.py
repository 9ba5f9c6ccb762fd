"""The demo's pretend tenant pays once per cut, some time after it, with one request that may be repeated harmlessly."""

from __future__ import annotations

import pytest

from bridge.contract.asking import VALIDITY_S
from bridge.contract.clock import ManualClock
from bridge.contract.messages import Account, Response, Topics, TopUp
from bridge.contract.permissions import may
from bridge.contract.signing import open_envelope
from bridge.demo import REPEAT_S, Habit, Payer
from bridge.facts import Fact
from bridge.mqtt import Received
from tests.bridge.fake_edge import START

KEY = bytes(32)
TOPICS = Topics("riser", "shaft-a")


class Street:
    """A payer whose messages are caught."""

    def __init__(self) -> None:
        self.clock, self.sent, self.online = ManualClock(START), list[tuple[str, bytes]](), True
        self.payer = Payer(TOPICS, self._publish, self.clock, KEY, Habit(account="301", after_s=60, amount_fen=10_000))

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        assert not retain, "a request is never retained"
        if not self.online:
            return None
        self.sent.append((topic, payload))
        return len(self.sent)

    def see(self, state: str, account: str = "301") -> None:
        fact = Account.model_validate({
            "at": "x", "state": state, "balance": 0.0, "available_nano": 0, "posted_nano": 0, "provisional_nano": 0,
            "provisional_wh": 0, "level": 0, "episode": 1, "restore_above_nano": 0, "can_cut": True,
        })  # fmt: skip
        self.payer.take(Fact("shaft-a", account, fact, True))

    def answer(self, status: str, transaction: str | None = None) -> None:
        words = {
            "transaction": transaction or self.body()["transaction"],
            "status": status,
            "at": "x",
            "rule": "R15",
            "error": "no",
        }
        self.payer.take(Fact("shaft-a", "topup", Response.model_validate(words), False))

    def body(self) -> dict[str, object]:
        topic, payload = self.sent[-1]
        body, key, _ = open_envelope(topic, payload, {"demo": KEY})
        assert may(key, str(body["role"]), "topup")
        return TopUp.model_validate(body).model_dump()

    def pass_s(self, seconds: int) -> int:
        """Let seconds pass; return how many requests went out."""
        before = len(self.sent)
        for _ in range(seconds):
            self.clock.advance(1)
            self.payer.settle()
        return len(self.sent) - before


@pytest.fixture
def street() -> Street:
    return Street()


def test_one_payment_some_time_after_the_cut(street: Street) -> None:
    """A minute after the power went off 100 yuan are paid on line, once, and nothing more until the next cut."""
    street.see("cut")
    assert street.pass_s(59) == 0
    assert street.pass_s(1) == 1
    body = street.body()
    assert (body["account"], body["amount_fen"], body["method"]) == ("301", 10_000, "online")
    street.answer("done")
    street.see("cut")
    assert street.pass_s(300) == 0
    street.see("on")
    street.see("cut")
    assert street.pass_s(60) == 1


def test_nobody_pays_without_a_cut_or_after_somebody_else_did(street: Street) -> None:
    """Low levels, another account's cut and a cut that ended in time bring no payment; the wait begins anew."""
    for state in ("on", "low3", "final", "held"):
        street.see(state)
        assert street.pass_s(100) == 0
    street.see("cut", account="302")
    assert street.pass_s(100) == 0
    street.see("cut")
    assert street.pass_s(50) == 0
    street.see("on")
    assert street.pass_s(100) == 0
    street.see("cut")
    assert street.pass_s(59) == 0


def test_without_an_answer_the_very_same_request_is_repeated(street: Street) -> None:
    """A lost request is sent again with the same transaction and bytes, so money is posted once whatever arrives."""
    street.see("cut")
    street.online = False
    assert street.pass_s(70) == 0
    street.online = True
    assert street.pass_s(int(REPEAT_S) * 3) == 3
    street.answer("accepted")
    street.answer("done", transaction="somebody-elses")
    assert street.pass_s(int(REPEAT_S)) == 1
    assert len(set(street.sent)) == 1
    street.answer("done")
    assert street.pass_s(100) == 0


def test_an_answer_that_never_comes_ends_the_attempt(street: Street) -> None:
    """After its validity a request is not sent any more; while the power is still off a new one is made later."""
    street.see("cut")
    street.pass_s(60 + int(VALIDITY_S) + 1)
    first = street.body()["transaction"]
    assert street.pass_s(59) == 0
    assert street.pass_s(2) == 1
    assert street.body()["transaction"] != first


def test_a_refused_payment_is_told_and_waits_for_the_next_cut(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    """A refusal is logged with its rule and is not hammered."""
    street.see("cut")
    street.pass_s(60)
    street.answer("refused")
    assert street.pass_s(500) == 0
    assert "the payment was refused (R15): no" in caplog.text


def test_other_messages_do_not_disturb(street: Street) -> None:
    """Another gateway's account of the same id and foreign topics are not this account."""
    street.payer.take(Received("x", b"", False))
    street.see("on")
    cut = Account.model_validate({
        "at": "x", "state": "cut", "balance": 0.0, "available_nano": 0, "posted_nano": 0, "provisional_nano": 0,
        "provisional_wh": 0, "level": 0, "episode": 1, "restore_above_nano": 0, "can_cut": True,
    })  # fmt: skip
    street.payer.take(Fact("shaft-b", "301", cut, True))
    assert street.pass_s(100) == 0
