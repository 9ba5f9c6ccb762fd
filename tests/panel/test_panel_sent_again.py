"""A broker that was killed may lose what it had taken: whoever sends the same form again after a silence asks again."""

from __future__ import annotations

import re

from panel_stage import Stage, Visitor

ACCOUNT = "/account/100206"


def sent(visitor: Visitor, transaction: str, amount: str = "200") -> int:
    return visitor.post(ACCOUNT, ACCOUNT, amount=amount, method="cash", transaction=transaction).status_code


def form_of(visitor: Visitor) -> str:
    found = re.search(r'name="transaction" value="([^"]+)"', visitor.get(ACCOUNT).text)
    assert found
    return found[1]


def test_the_same_form_after_a_silence_goes_out_again_under_its_own_id(shop: Stage) -> None:
    """No answer for some seconds, the person goes back and sends the form once more: the gateway hears the same
    transaction and the same words again, and books it at most once (R7)."""
    visitor = shop.visitor("finance")
    transaction = form_of(visitor)
    assert sent(visitor, transaction) == 303
    shop.clock.advance(2)
    assert sent(visitor, transaction) == 303 and len(shop.requests("topup")) == 1, "a double click is one click"
    shop.clock.advance(2)
    assert sent(visitor, transaction) == 303 and sent(visitor, transaction) == 303
    first, again = shop.requests("topup")
    late = {"issued_at": "", "valid_until": ""}
    assert first | late == again | late and again["issued_at"] > first["issued_at"]
    assert sent(visitor, transaction, "300") == 409, "other words under the same id are refused as ever"


def test_what_was_answered_is_never_sent_again(shop: Stage) -> None:
    """An answer came, however long ago: the same form shows it and sends nothing."""
    visitor = shop.visitor("finance")
    transaction = form_of(visitor)
    sent(visitor, transaction)
    shop.answer("topup", transaction, "accepted")
    shop.clock.advance(60)
    assert sent(visitor, transaction) == 303 and len(shop.requests("topup")) == 1


def test_a_lost_connection_does_not_take_back_what_was_sent(shop: Stage) -> None:
    """Sent, then the broker goes away: the second click says nothing of "nothing was posted", for nobody knows that."""
    visitor = shop.visitor("finance")
    transaction = form_of(visitor)
    sent(visitor, transaction)
    shop.link.connected = False
    shop.clock.advance(10)
    assert sent(visitor, transaction) == 303
    shop.link.connected = True
    assert sent(visitor, transaction) == 303 and len(shop.requests("topup")) == 2
