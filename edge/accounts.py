"""Policy put to work: after each accepted reading and each movement of money an account is looked at afresh.

Levels, the final warning and its end, and the lifting of the arrears hold become entries here. Whether a meter
may be cut now is asked here and decided in `billing/policy.py`; the cut itself is the relay's business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bridge.contract.units import instant_text, micros_of, yuan_text
from edge import cuttable, levels
from edge.billing import policy
from edge.billing.policy import Moment, Verdict
from edge.calm import Calm
from edge.core import Core, Draft
from edge.state import AccountState, MeterState, Protection
from edge.switch_words import locked_words

log = logging.getLogger("riser.accounts")

POLICY = {"who": "policy", "role": "system"}
"""Who acts where no person does."""

FIRST_LOOK_S = 120.0
"""After a start a meter that may yet answer is awaited for so long, before supply comes back by what was saved."""

PROTECTED = "a person protects the tenant"


class Accounts:
    """Looks at accounts and writes what follows."""

    def __init__(self, core: Core, relays_changed: Callable[[MeterState], None]):
        self._core, self._relays_changed = core, relays_changed
        self._calm = Calm(core)
        self._began_mono = core.clock.monotonic()
        self.read_again: Callable[[MeterState], None]

    # --- questions ---

    def load_w(self, account: AccountState) -> int | None:
        """The account's smoothed load in W after the multipliers; None before the first power reading."""
        loads = [
            self._core.lives[id].load_w * self._core.state.meters[id].multiplier  # type: ignore[operator]
            for id in account.meters
            if self._core.lives[id].load_w is not None
        ]
        return sum(loads) if loads else None

    def zero_at(self, account: AccountState, available_nano: int) -> datetime | None:
        """When the balance reaches the cut limit; None when that is beyond the horizon or the load is unknown."""
        core = self._core
        load, now = self.load_w(account) or 0, core.now()
        version = core.balances.version_now(account)
        # What was used and is not billed yet stands on its step too.
        counters = account.counters if version.steps is None else core.balances.unposted(account)[2]
        ahead = core.pricing.ahead(account, version, now, policy.FORECAST_DAYS, counters, load)
        return policy.zero_at(available_nano, core.terms.cut_limit_nano, load, ahead, now)

    def _final_due(self, account: AccountState, available_nano: int) -> bool:
        """Is the final warning due at this balance? The forecast is only worked out where zero can be near at all."""
        core, now = self._core, self._core.now()
        within_lead = (self.load_w(account) or 0) * self._calm.nano_per_w(account) // 3600
        if available_nano - core.terms.cut_limit_nano > within_lead:
            return False
        return policy.final_is_due(self.zero_at(account, available_nano), now, core.terms)

    def protection(self, account: AccountState) -> Protection | None:
        """What keeps people from being cut now, by a person's word (R3)."""
        return next(iter(account.protected(micros_of(self._core.now()))), None)

    def verdict(self, account: AccountState, meter: MeterState) -> Verdict:
        """May this meter be cut for arrears at this very moment?"""
        core, live = self._core, self._core.lives[meter.id]
        if cuttable.settled_since(core, account):
            return policy.SETTLED
        now = core.now()
        protection, counts_from = self.protection(account), cuttable.counts_from(core, account)
        moment = Moment(
            now=now,
            mode=core.mode,
            available_nano=core.balances.surely_nano(account, core.balances.available_nano(account)),
            delivered_powered_s=counts_from,
            powered_s=core.powered_s(),
            read_age_s=live.read_age_s(now),
            quarantined=any(core.state.meters[id].quarantined is not None for id in account.meters),
            opened=self._opened(account),
            keep_power=live.keep_power,
            protected=None if protection is None else protection.words(core.terms.zone, live.model.relay_is_valve),
            brake=core.state.brake,
            estimated=any(core.state.meters[id].estimated_days for id in account.meters),
            changing=any(core.state.meters[id].changing is not None for id in account.meters),
            locked=locked_words(meter, core.terms.zone),
        )
        verdict = policy.may_cut(moment, core.terms)
        return (cuttable.objection(core, account, meter) if verdict.allowed else None) or verdict

    def _opened(self, account: AccountState) -> bool:
        """True when each of the account's meters has its confirmed opening register (R19)."""
        return all(self._core.state.meters[id].billed is not None for id in account.meters)

    def _catch(self, account: AccountState) -> None:
        """Write down that the brake has caught, once, when it stops a cut that would otherwise happen."""
        core = self._core
        if core.state.brake is not None or not account.warned or not core.terms.window.is_open(core.now()):
            return  # At a glance: this is asked after every reading.
        verdicts = [self.verdict(account, core.state.meters[id]) for id in account.meters]
        if caught := [each for each in verdicts if each.rule == "R4"]:
            fields = {"set": True, "why": caught[0].why, **POLICY}
            core.append(("brake/1", core.own_id("brake"), fields))
            log.warning("R4: %s", caught[0].why)
            core.changed("info")

    # --- what follows from a balance ---

    def evaluate(self, account: AccountState) -> None:
        """Look at an account afresh and write what follows."""
        core = self._core
        if core.cannot_write is not None or account.ended:
            core.changed("account", account.id)
            return
        if not self._calm.holds(account, self.load_w(account) or 0):
            self._work_out(account)
        for id in account.meters:
            self._relays_changed(core.state.meters[id])
        core.changed("account", account.id)

    def _work_out(self, account: AccountState) -> None:
        core = self._core
        available, nano_per_w = core.balances.available_nano(account), self._calm.nano_per_w(account)
        if self._calm.well_off(account, available, (self.load_w(account) or 0) * nano_per_w):
            self._calm.note(account, available, nano_per_w)
            return
        surely = core.balances.surely_nano(account, available)
        drafts = levels.due(core, account, available, surely)
        if self.protection(account) is not None:
            drafts += self.freed(account)
        else:
            drafts += self._restore(account, available) or self._warning(account, available, surely)
        self._confirm(account, available, surely)
        if drafts:
            core.append(*drafts)
        else:
            self._calm.note(account, available, nano_per_w)
        self._catch(account)

    def _confirm(self, account: AccountState, available: int, surely: int) -> None:
        """Something would follow from the newest reading that does not follow from the one before: read once more."""
        if available == surely:
            return
        core, terms = self._core, self._core.terms
        follows = [
            (
                policy.level_now(account.level, each, terms),
                account.final is None and self._final_due(account, each),
                each <= terms.cut_limit_nano,
            )
            for each in (available, surely)
        ]
        if follows[0] == follows[1]:
            return
        for id in account.meters:
            live = core.lives[id]
            if live.sample is not None and live.sample is not live.confirming:
                live.confirming = live.sample
                self.read_again(core.state.meters[id])

    def _warning(self, account: AccountState, available: int, surely: int) -> list[Draft]:
        core, now, settled = self._core, self._core.now(), cuttable.settled_since(self._core, account)
        if account.final is not None:
            void = policy.SETTLED.why if settled else cuttable.outdated_warning(core, account)
            if void is None and (available > core.terms.cut_limit_nano or not core.book.trusted):
                zero = self.zero_at(account, available)
                # After a restart the load is not known yet: then no forecast takes a warning back.
                known = cuttable.load_is_known(core, account)
                paid = account.paid_seq > account.final.seq
                void = policy.final_is_void(available, zero if known else now, now, paid, core.terms, core.book.trusted)
            if void is None:
                return []
            log.info("account %s: the final warning is taken back, %s", account.id, void)
            return [self._cancelled(account, void, available)]
        if settled or not self._opened(account) or not cuttable.uncut(core, account):
            return []
        if not self._final_due(account, surely):
            return []
        zero = self.zero_at(account, available)
        assert zero is not None
        episode = account.episode + 1
        due = max(zero, now + timedelta(seconds=core.terms.lead_s))
        cut_at = core.terms.window.opens(due) or due  # Nobody is told a time at which nobody is cut (R2).
        log.info("account %s: final warning, %s yuan left", account.id, yuan_text(available))
        fields = {
            "account": account.id,
            "episode": episode,
            "available_nano": available,
            "zero_at": instant_text(zero),
            "cut_at": instant_text(cut_at),
            "powered_s": core.powered_s(),
        }
        return [("final/1", f"final:{account.id}:{episode}", fields)]

    def _cancelled(self, account: AccountState, why: str, available: int) -> Draft:
        fields = {"account": account.id, "episode": account.episode, "why": why, "available_nano": available}
        return ("cancelled/1", f"cancelled:{account.id}:{account.episode}", fields)

    def freed(self, account: AccountState) -> list[Draft]:
        """What a protection brings with it: supply that was cut comes back, and a warning that stood is taken back."""
        available = self._core.balances.available_nano(account)
        # By a clock that is behind one that has ended stands again: it cuts nobody, and gives no light.
        surely = bool(account.protected(micros_of(self._core.balances.believed_at())))
        drafts = self._restore(account, available, protected=surely)
        if not drafts and account.final is not None:
            drafts = [self._cancelled(account, PROTECTED, available)]
        return drafts

    def _restore(self, account: AccountState, available: int, protected: bool = False) -> list[Draft]:
        core = self._core
        held = [id for id in account.meters if "arrears" in core.state.meters[id].holds]
        if not held or (not protected and (available <= core.terms.restore_nano or self._unsure(account))):
            return []
        why = PROTECTED if available <= core.terms.restore_nano else "paid"
        lifted = {"account": account.id, "hold": "arrears", "set": False, "why": why, **POLICY}
        drafts: list[Draft] = [("hold/1", f"lift:{id}:{core.book.seq + 1}", {"meter": id, **lifted}) for id in held]
        if account.final is not None:
            drafts.append(self._cancelled(account, why, available))
        return drafts

    def _unsure(self, account: AccountState) -> bool:
        """Right after a start what was saved of a meter's use may be hours old, and without the time a debt may look
        paid: it would be light for nothing (R5)."""
        core, lives = self._core, [self._core.lives[id] for id in account.meters]
        starting = core.clock.monotonic() - self._began_mono <= FIRST_LOOK_S
        unread = starting and any(live.sample is None and live.online is not False for live in lives)
        return unread or cuttable.looks_paid(core, account)

    def delivered(self, account: AccountState, meter: MeterState, attempted: bool = False) -> None:
        """The meter's own lamp was ordered in this episode, answered, and read back on: the warning is delivered.
        `attempted`: it was ordered and nothing came back, on a site where that counts."""
        core, final = self._core, account.final
        if final is None or final.delivered_seq is not None or core.cannot_write is not None:
            return
        if attempted:
            channel, detail = cuttable.ATTEMPTED, f"alarm of meter {meter.id} ordered, not read back"
        else:
            channel, detail = "lamp", f"alarm of meter {meter.id} read back on"
        fields = self.delivered_fields(account, channel, detail)
        core.append(("delivered/1", f"delivered:{account.id}:{account.episode}", fields))
        log.info("account %s: final warning counts, %s", account.id, detail)
        core.changed("account", account.id)

    def delivered_fields(self, account: AccountState, channel: str, detail: str) -> dict[str, Any]:
        """What the book keeps of a delivery: from when on the lead counts."""
        powered_s = self._core.powered_s() + 1  # Rounded up, so that the lead is never short by a part of a second.
        fields = {"account": account.id, "episode": account.episode, "channel": channel, "powered_s": powered_s}
        return fields | {"detail": detail}
