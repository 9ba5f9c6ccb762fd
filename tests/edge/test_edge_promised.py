"""R7: whoever was told `accepted` hears the end of it, also where the process stopped or the power went meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.edge.swapping import POINT, Swapping

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


def test_r7_a_request_that_became_an_entry_is_not_called_failed(tmp_path: Path) -> None:
    """The power goes between the entry and the removal of its note: the entry is the answer."""
    shop = Swapping(tmp_path)
    shop.swap()
    transaction = shop.replace()
    shop.outcome(transaction)
    shop.edge.core.book.save_notes({f"promised:replace-meter:shell:{transaction}": 1})
    shop.restart_after(60)
    assert [each["status"] for each in outcomes(shop, transaction)] == ["done"]
    assert shop.edge.core.book.notes_of("promised:") == []


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
