"""Nobody cuts a tenant whom a person protects (R3); a person, a notice or the tenant's page delivers a warning (R1).

A protection has a reason, a person and an end: power is kept on, or the bill is disputed. While one stands no final
warning goes out, and one that stood is taken back; when it ends the warning and its time begin anew. Before it ends an
alarm says so.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from bridge.contract import cutting
from bridge.contract.people import folded
from bridge.contract.site_cutting import LONGEST_DAYS
from bridge.contract.units import instant_of, instant_of_micros, instant_text, micros_of, wall_time
from edge.accounts import Accounts
from edge.asked import Answer, Asked, Refusal, account_of, instant_asked
from edge.core import Core
from edge.holds import LOCKOUT
from edge.state import AccountState

log = logging.getLogger("riser.requests")

SHORTEST = timedelta(minutes=1)
"""A protection that is over when it is written down would protect nobody, and be a lie in the book."""

ASKERS_CLOCK = timedelta(minutes=1)
"""So far an asker's clock may be behind ours. What was said longer before a warning was said of an earlier one."""

NOTICE = "notice"
BY_PROGRAMS = {"notices": NOTICE, "tenant": "page"}
"""Roles in which programs tell the tenant, and how each of them does; the channel has the same name."""

OF_PROGRAMS = frozenset(BY_PROGRAMS.values())

ALARM_AHEAD_US = 24 * 3600 * 1_000_000
"""A day before a protection ends a person hears of it; of a short one when half of it is over."""


class Protecting:
    """Carries out `protect`, `unprotect` and `told`."""

    def __init__(self, core: Core, accounts: Accounts, answer: Answer):
        self._core, self._accounts, self._answer = core, accounts, answer
        self._alarmed: set[int] = set()

    def _account(self, id: str) -> AccountState:
        account = account_of(self._core, id)
        if account.ended:
            raise Refusal("R33", f"account {id} is settled; nobody cuts it and nobody protects it any more")
        return account

    def protect(self, asked: Asked, body: cutting.Protect) -> None:
        account, now = self._account(body.account), self._core.now()
        if not self._core.book.trusted:
            raise Refusal("R25", "the clock is not trusted, so a protection has no end yet; nobody is cut meanwhile, "
                          "and a payment or emergency credit brings back who is")  # fmt: skip
        if body.protection == "keep-power":
            self._not_held_off(account)
        until = instant_asked("until", body.until)
        if not now + SHORTEST <= until <= now + timedelta(days=LONGEST_DAYS):
            raise Refusal(
                "R3", f"a protection ends a minute from now or later and within {LONGEST_DAYS} days; renew it in time"
            )
        answer = {"status": "done", "data": {"until": instant_text(until)}}
        self._write(asked, account, True, body, answer, until=instant_text(until))

    def _not_held_off(self, account: AccountState) -> None:
        """Raises Refusal where somebody has one of the meters switched off: power that is off is not kept on."""
        for id in account.meters:
            for hold in self._core.state.meters[id].holds.values():
                if hold.by_person and hold.kind != LOCKOUT:
                    raise Refusal("R5", f"{hold.by} has switched meter {id} off: {hold.why}; switch it on first")

    def unprotect(self, asked: Asked, body: cutting.Unprotect) -> None:
        account, now = self._account(body.account), micros_of(self._core.now())
        if body.protection not in [each.kind for each in account.protected(now)]:
            raise Refusal("R3", f"account {account.id} has no such protection; nothing to lift")
        self._write(asked, account, False, body, {"status": "done", "data": {}})

    def _write(
        self, asked: Asked, account: AccountState, on: bool, body: cutting.Protect | cutting.Unprotect,
        answer: dict[str, Any], **more: str,
    ) -> None:  # fmt: skip
        fields = {"account": account.id, "protection": body.protection, "set": on, "why": body.why, **more}
        # In one transaction: a warning of before must not outlive the protection where the process ends in between.
        freed = self._accounts.freed(account) if on else []
        self._core.append(("protection/1", asked.id, {**fields, **asked.written(answer)}), *freed)
        self._answer(asked, **answer)
        self._accounts.evaluate(account)

    def told(self, asked: Asked, body: cutting.Told) -> None:
        """The lead counts from now, in powered time, as after a lamp that was read back."""
        account = self._account(body.account)
        final, channel = account.final, _channel(body)
        if final is None:
            raise Refusal("R1", f"no final warning of account {account.id} stands; there is nothing to have told")
        given = min(instant_of_micros(final.at), self._core.now())  # A calendar that was wrong then may be right now.
        if body.episode not in (None, account.episode) or instant_of(body.issued_at) + ASKERS_CLOCK < given:
            raise Refusal("R1", "the tenant was told of an earlier final warning; tell them of the one that stands now")
        if final.delivered_at is not None:
            at = wall_time(instant_of_micros(final.delivered_at), self._core.terms.zone)
            raise Refusal("R1", f"the final warning counts as delivered since {at} already")
        answer: dict[str, Any] = {"status": "done", "data": {"episode": account.episode}}
        fields = self._accounts.delivered_fields(account, *channel) | {"how": body.how}
        fields |= {"reference": body.reference} if body.reference else {}
        self._core.append(("delivered/1", asked.id, {**fields, **asked.written(answer)}))
        self._answer(asked, **answer)
        self._accounts.evaluate(account)

    def tick(self) -> None:
        """Raise the alarm of each protection that ends soon, once."""
        core = self._core
        protected = [each for each in core.state.accounts.values() if each.protections]
        if not protected or not core.book.trusted:
            return
        now = micros_of(core.now())
        for account in protected:
            for each in account.protections.values():
                ahead = min(ALARM_AHEAD_US, (each.until - each.since) // 2)
                if each.seq in self._alarmed or account.ended or not each.until - ahead <= now < each.until:
                    continue
                self._alarmed.add(each.seq)
                if core.book.find(id := f"alarm:protection:{account.id}:{each.seq}") is None:
                    until = wall_time(instant_of_micros(each.until), core.terms.zone)
                    text = f"the protection {each.kind} ends at {until}; renew it, or the tenant can be cut afterwards"
                    fields = {"account": account.id, "alarm": "protection-ends", "text": text}
                    core.append(("alarm/1", id, fields))
                    log.warning("account %s: %s", account.id, text)


def _channel(body: cutting.Told) -> tuple[str, str]:
    """What delivered the warning, and in words. A notice counts once its channel has accepted it."""
    if body.how != BY_PROGRAMS.get(body.role, body.how) or (body.how in OF_PROGRAMS and body.role not in BY_PROGRAMS):
        raise Refusal(
            "R1", "a notice and the tenant's page speak for themselves; a person says how they told the tenant"
        )
    if body.how in OF_PROGRAMS and body.episode is None:
        raise Refusal("R1", "say which warning it was of: episode, as account/<id> had it when it was sent")
    if body.how == NOTICE and not folded(body.reference):
        raise Refusal("R1", "a notice counts once its channel has accepted it; give the channel's number as reference")
    if body.how == NOTICE:
        return body.how, f"notice of {body.who} accepted, number {body.reference}"
    if body.how in OF_PROGRAMS:
        return body.how, "the tenant's page was read"
    return "person", f"told by {body.who}, {body.how}" + (f": {body.why}" if body.why else "")
