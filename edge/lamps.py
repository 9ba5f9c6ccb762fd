"""The meter's own alarm lamp is on while a final warning stands, and taken back afterwards.

It is the one channel every prepaid meter has: ordered for this very warning, answered, and seen in status word 3, it
makes the warning a delivered one (R1). A warning is known by its entry in the book, which no other one ever has:
episodes are counted anew for each tenant, and a meter has one tenant after the other.
"""

from __future__ import annotations

from edge.accounts import Accounts
from edge.commands import Commands
from edge.core import Core
from edge.cuttable import ATTEMPTED
from edge.line.request import WATCH
from edge.state import MeterState
from edge.task import Task


class Lamps:
    """Brings lamps to what they should be."""

    def __init__(self, core: Core, accounts: Accounts, commands: Commands):
        self._core, self._accounts, self._commands = core, accounts, commands

    def consider(self, meter: MeterState) -> None:
        """Light, take back, or note a delivered warning; called with every status word."""
        live = self._core.lives[meter.id]
        if not live.model.lamp:
            return
        account = self._core.state.accounts.get(meter.account or "")
        if account is not None and account.final is not None:
            warning = account.final.seq
            if live.lamp_on and live.lamp_says == warning:
                self._commands.drop(meter, "lamp")
                self._accounts.delivered(account, meter)
            else:
                if live.lamp_tried == warning and self._core.terms.warning_counts == ATTEMPTED:
                    self._accounts.delivered(account, meter, attempted=True)
                self._light(meter, warning)
        elif live.lamp_on:
            self._commands.begin(
                meter, "lamp", lambda which, task: self._commands.order(which, task, WATCH, "alarm-off")
            )
        else:
            self._commands.drop(meter, "lamp")

    def settled(self, meter: MeterState) -> bool:
        """True when it is dark as it should be, or lit for the warning that stands, which counts as delivered."""
        live, account = self._core.lives[meter.id], self._core.state.accounts.get(meter.account or "")
        if account is None or account.final is None or not live.model.lamp:
            return not live.lamp_on
        return live.lamp_on and live.lamp_says == account.final.seq and account.warned

    def _light(self, meter: MeterState, warning: int) -> None:
        def answered() -> None:
            self._core.lives[meter.id].lamp_obeyed = warning

        def left() -> None:
            self._core.lives[meter.id].lamp_tried = warning

        def order(which: MeterState, task: Task) -> None:
            self._commands.order(which, task, WATCH, "alarm", answered=answered, left=left)

        self._commands.begin(meter, "lamp", order)
