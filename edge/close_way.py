"""How a tenant's supply comes back, direct or by the meter's button (R6), is a person's word and changes at once.

Whoever left something switched on may not be there when the payment comes: with `permit` a person at the meter decides.
An order to close that waits is of the old way; it is withdrawn at its last look (`relays.py`) and made anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from bridge.contract.cutting import SetClose
from edge import cuttable
from edge.asked import Answer, Asked, Refusal, account_of, overtaken_at
from edge.core import Core
from edge.install import without_button
from edge.relays import Relays
from edge.state import MeterState

log = logging.getLogger("riser.requests")


ON_THE_WIRE = "an order to close has left already; it waits for the button from the next time on"


def all_have_buttons(core: Core, meters: Iterable[MeterState]) -> None:
    """Raises Refusal where one of them has a relay and no button."""
    if bare := without_button((each.id, core.lives[each.id].model) for each in meters):
        raise Refusal("R6", f"meter {bare[0]} has no button that waits for a permission")


class CloseWay:
    """Carries out `set-close`."""

    def __init__(self, core: Core, relays: Relays, answer: Answer):
        self._core, self._relays, self._answer = core, relays, answer

    def set_close(self, asked: Asked, body: SetClose) -> None:
        core = self._core
        account = account_of(core, body.account)
        if account.ended:
            raise Refusal("R33", f"account {account.id} is settled; its meters are nobody's, or somebody else's")
        meters = [meter for meter in cuttable.switched(core, account) if not core.lives[meter.id].model.relay_is_valve]
        if not meters:
            raise Refusal("R6", f"account {account.id} has no meter with a relay that can be controlled")
        if body.close == "permit":
            all_have_buttons(core, meters)
        if account.row.get("close") == body.close:
            raise Refusal("R6", f"the supply of account {account.id} comes back that way already")
        if account.way is not None and (at := overtaken_at(asked, account.way, core)) is not None:
            raise Refusal("R7", f"this was asked before what {account.way.who} asked of account {account.id} at {at}, "
                          "which came first and stands; ask anew if it is still wanted")  # fmt: skip
        answer: dict[str, Any] = {"status": "done", "data": {"close": body.close}}
        if body.close == "permit" and any(self._relays.commands.has_left(meter, "close", "direct") for meter in meters):
            answer["data"]["text"] = ON_THE_WIRE
        fields = {
            "account": account.id, "close": body.close, "why": body.why, "issued_at": body.issued_at,
            **asked.written(answer),
        }  # fmt: skip
        core.append(("close-way/1", asked.id, fields))
        self._answer(asked, **answer)
        log.info("account %s: supply comes back by %s from now on, says %s", account.id, body.close, body.who)
        for meter in meters:
            core.changed("relay", meter.id)
            self._relays.consider(meter)
