"""R7: whoever was told `accepted` hears the end of it, also where the process stopped or the power went meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.mqtt import Connected, Disconnected
from edge.disk import FULL_BYTES
from tests.edge.swapping import ACCOUNT, POINT, Swapping

ASK_AGAIN = "the gateway was stopped while the meter was being read for this; nothing was done. Ask again"


def accepted(shop: Swapping, transaction: str) -> None:
    """It was said so, and nothing else yet."""
    assert [each["status"] for each in shop.answers(transaction)] == ["accepted"]


def outcomes(shop: Swapping, transaction: str) -> list[dict[str, Any]]:
    return [each for each in shop.answers(transaction) if each["status"] != "accepted"]


def test_r7_a_replacement_that_a_power_cut_ended_is_answered_by_the_next_run(tmp_path: Path) -> None:
    """Accepted, then dark: failed, with what to do, as soon as the broker is there again; and the same request may be
    made again, which is answered by what becomes of it then, and never by the old word."""
    shop = Swapping(tmp_path)
    shop.swap()
    transaction = shop.replace()
    accepted(shop, transaction)
    shop.restart_after(60)
    (answer,) = outcomes(shop, transaction)
    assert (answer["status"], answer["error"], answer["key"]) == ("failed", ASK_AGAIN, "shell")
    assert shop.of("proposal/1") == []
    shop.restart_after(60)
    assert len(outcomes(shop, transaction)) == 1, "told once"


def test_r7_a_multiplier_that_a_power_cut_ended_is_answered_too(tmp_path: Path) -> None:
    """As a replacement: failed, and nothing was proposed."""
    shop = Swapping(tmp_path)
    transaction = shop.ask_to("change-multiplier", meter=POINT, multiplier=2, papers="photo 1", why="transformers")
    accepted(shop, transaction)
    shop.restart_after(5)
    assert [each["status"] for each in outcomes(shop, transaction)] == ["failed"]


def test_r7_what_was_proposed_before_the_power_went_is_not_called_failed(tmp_path: Path) -> None:
    """The proposal stands and its note is gone; nobody hears of a failure."""
    shop = Swapping(tmp_path)
    shop.swap()
    transaction = shop.replace()
    assert shop.outcome(transaction)["status"] == "done"
    shop.restart_after(60)
    assert [each["status"] for each in outcomes(shop, transaction)] == ["done"]
    assert shop.edge.core.book.notes_of("promised:") == []


def test_r7_a_request_that_became_an_entry_is_answered_by_it(tmp_path: Path) -> None:
    """The power goes between the entry and its answer: the next run sends what the entry says, once."""
    shop = Swapping(tmp_path)
    shop.swap()
    transaction = shop.replace()
    shop.edge.outbox.answer = lambda *told: None  # type: ignore[method-assign]
    shop.edge.requests.promised.tick = lambda connected: None  # type: ignore[method-assign]
    shop.run_until(lambda: shop.of("proposal/1"), hours=0.5)
    shop.restart_after(60)
    (answer,) = outcomes(shop, transaction)
    assert answer["status"] == "done" and answer["data"]["proposal"] == shop.of("proposal/1")[0].fields["proposal"]
    shop.restart_after(60)
    assert len(outcomes(shop, transaction)) == 1 and shop.edge.core.book.notes_of("promised:") == []


@pytest.mark.parametrize("answers", [True, False])
def test_r7_who_was_accepted_hears_the_end_although_the_broker_was_away(tmp_path: Path, answers: bool) -> None:
    """Accepted; the broker goes, the reading is done or fails, the broker comes back: told then, and only once."""
    shop = Swapping(tmp_path)
    if answers:
        shop.swap()
    transaction = shop.replace()
    shop.broker.connected = False
    shop.edge.enqueue(Disconnected("gone", taken_over=False))
    shop.run(minutes=3)
    shop.connect()
    shop.run(minutes=1)
    assert [each["status"] for each in outcomes(shop, transaction)] == ["done" if answers else "failed"]
    shop.restart_after(60)
    assert len(outcomes(shop, transaction)) == 1


def test_r7_the_next_run_keeps_its_word_until_the_broker_listens(tmp_path: Path) -> None:
    """Connected and gone again before the answer has left: it is told at the next connection, and not at each."""
    shop = Swapping(tmp_path)
    shop.swap()
    transaction = shop.replace()
    shop.stop_edge()
    shop.clock.advance(20)
    shop.start_edge()
    shop.edge.enqueue(Connected(False))
    shop.pump()
    for _ in range(3):
        shop.connect()
        shop.run(seconds=30)
    assert [each["status"] for each in outcomes(shop, transaction)] == ["failed"]


def test_r7_a_full_disk_does_not_tell_it_at_every_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note cannot be removed; who waited heard it once in this run."""
    shop = Swapping(tmp_path)
    shop.swap()
    transaction = shop.replace()
    shop.stop_edge()
    shop.start_edge()
    monkeypatch.setattr(shop.edge.disk, "free_bytes", lambda: FULL_BYTES - 1)
    shop.run(seconds=30)
    for _ in range(3):
        shop.connect()
        shop.run(seconds=30)
    assert [each["status"] for each in outcomes(shop, transaction)] == ["failed"]


def test_r7_a_refusal_after_the_reading_ends_it(tmp_path: Path) -> None:
    """The meter that answers is another one than was said: refused once, and no failure after a restart."""
    shop = Swapping(tmp_path)
    shop.swap()
    transaction = shop.replace(serial="202611099999")
    assert shop.outcome(transaction)["status"] == "refused"
    shop.restart_after(60)
    assert [each["status"] for each in outcomes(shop, transaction)] == ["refused"]


def test_r7_a_stop_leaves_nobody_waiting(tmp_path: Path) -> None:
    """A reading and a replacement were accepted when the gateway is stopped: both hear so before it goes."""
    shop = Swapping(tmp_path)
    shop.swap()
    replacing, reading = shop.replace(), shop.request("read", meter="a102")
    shop.edge.shut()
    for transaction in (replacing, reading):
        (answer,) = outcomes(shop, transaction)
        assert (answer["status"], answer["error"]) == ("failed", ASK_AGAIN)
    shop.restart_after(60)
    assert len(outcomes(shop, replacing)) == 1, "told before it went, and not again"


def test_r7_an_event_of_before_is_no_news_when_the_broker_is_back(tmp_path: Path) -> None:
    """Only answers wait for the broker; what was told to everybody is in the book."""
    shop = Swapping(tmp_path)
    shop.broker.connected = False
    shop.edge.enqueue(Disconnected("gone", taken_over=False))
    heard = len(shop.broker.heard)
    shop.topup(ACCOUNT, 100_00)
    shop.run(seconds=30)
    shop.connect()
    shop.run(seconds=30)
    later = [topic for topic, _, _ in shop.broker.heard[heard:]]
    assert any("/response/topup" in topic for topic in later) and not any("/event" in topic for topic in later)
