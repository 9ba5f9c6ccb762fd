"""Where a tenancy stands, as one retained fact: money, level, forecast, what happens when, what stands against it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from bridge.contract import messages as m
from bridge.contract.units import fen_floor, instant_text, micros_of, price_text, text_of
from edge import cuttable
from edge.accounts import Accounts
from edge.billing import policy
from edge.billing.money import Standing
from edge.core import Core
from edge.pricing import ENERGY, WATER, Counters
from edge.standing import standing_of
from edge.state import AccountState


def yuan(nano: int) -> float:
    """A readable balance: yuan, floored to fen. For people and for JSON only; `_nano` beside it is exact."""
    return fen_floor(nano) / 100


def account_fact(core: Core, accounts: Accounts, account: AccountState) -> m.Account:
    """Where a tenancy stands: money, what lies ahead, and what stands against a cut."""
    now, terms = core.now(), core.terms
    provisional, used, counters = core.balances.unposted(account)
    posted = core.state.posted_nano(account.id)
    available = posted - provisional
    money = standing_of(core, account, available)
    zero, final = accounts.zero_at(account, available), account.final
    fields = _ahead(core, accounts, account, available, zero) | _prices(core, account, counters)
    return m.Account(
        at=instant_text(now),
        state=_standing(core, account),
        balance=yuan(available),
        available_nano=available,
        posted_nano=posted,
        credit_nano=money.credit_nano,
        debt_nano=money.debt_nano,
        refundable_nano=money.refundable_nano,
        **_agreed(account, money),
        ended_at=text_of(account.purse.ended_at),
        provisional_nano=provisional,
        provisional_wh=used[ENERGY],
        provisional_l=used[WATER] if core.pricing.versions(account, WATER) else None,
        billed_through=None if account.closed_through is None else account.closed_through.isoformat(),
        level=account.level,
        episode=account.episode,
        load_w=accounts.load_w(account),
        days_left=None if zero is None else round(max((zero - now).total_seconds(), 0) / 86_400, 2),
        zero_at=None if zero is None else instant_text(zero),
        final_warning_at=None if final is None else text_of(final.at),
        delivered_at=None if final is None else text_of(final.delivered_at),
        delivered_by=None if final is None else final.delivered_by,
        restore_above_nano=terms.restore_nano,
        can_cut=cuttable.can_cut(core, account),
        needs_telling=cuttable.needs_telling(core, account),
        protections=(protections := _protections(account, now)),
        kept=_kept(account) if protections else None,
        **fields,
    )


def _protections(account: AccountState, now: datetime) -> list[m.ProtectionFacts]:
    """Those that stand now, the one that ends last first."""
    return [
        m.ProtectionFacts(
            kind=each.kind,  # type: ignore[arg-type]
            why=each.why, by=each.by, since=text_of(each.since) or "", until=text_of(each.until) or "",
        )
        for each in account.protected(micros_of(now))
    ]  # fmt: skip


def _kept(account: AccountState) -> m.KeptFacts | None:
    if (kept := account.kept) is None:
        return None
    return m.KeptFacts(since=text_of(kept.since) or "", renewed=kept.renewed, by=list(kept.by))


def _agreed(account: AccountState, money: Standing) -> dict[str, Any]:
    """How a debt is paid off; nothing where none is owed."""
    agreement = account.purse.agreement
    if agreement is None or not money.debt_nano:
        return {}
    left = money.left_this_week_nano
    return {
        "debt_share_percent": agreement.share_percent,
        "debt_weekly_cap_nano": agreement.weekly_cap_nano or None,
        "debt_left_nano": None if left is None else max(left, 0),
    }


def _ahead(
    core: Core, accounts: Accounts, account: AccountState, available: int, zero: datetime | None
) -> dict[str, Any]:
    """When it will be cut, until when it is protected, and which rule stands against it now."""
    now, terms = core.now(), core.terms
    uncut = cuttable.uncut(core, account)
    if available <= terms.cut_limit_nano and cuttable.settled_since(core, account):
        return {"blocked": policy.SETTLED.rule, "blocked_why": policy.SETTLED.why}
    if account.final is None or not uncut:
        return {}
    lead = timedelta(seconds=terms.lead_s)
    if (since_s := cuttable.counts_from(core, account)) is None:
        earliest = now + lead
    else:
        earliest = now + timedelta(seconds=max(terms.lead_s - (core.powered_s() - since_s), 0))
    due = max(earliest, zero or now)
    opens = terms.window.opens(due)
    fields: dict[str, Any] = {"cut_at": None if opens is None else instant_text(opens)}
    if opens is None or opens > due:
        fields["protected_until"] = fields["cut_at"]
    if available <= terms.cut_limit_nano:
        verdict = accounts.verdict(account, uncut[0])
        if not verdict.allowed:
            fields |= {"blocked": verdict.rule, "blocked_why": verdict.why}
    return fields


def _prices(core: Core, account: AccountState, counters: Counters) -> dict[str, Any]:
    """What the next kWh and the next m3 cost, and in which step; also by what is used and not billed yet."""
    now, zone, fields = core.now(), core.terms.zone, {}  # type: datetime, Any, dict[str, Any]
    for unit, water, litre in ((ENERGY, "", "wh"), (WATER, "water_", "l")):
        if not core.pricing.versions(account, unit):
            continue
        version = core.balances.version_now(account, unit)
        micro = version.price_at(now, zone, core.state.days)
        micro += sum(each.micro for each in version.surcharges_of(account.row.get("category")))
        if (standing := core.pricing.standing(account, version, now, counters)) is not None:
            micro += standing.add_micro
            fields |= {f"{water}step": standing.step, f"{water}step_used_{litre}": standing.used_wh}
            fields[f"{water}step_next_{litre}"] = standing.next_wh
            if unit == ENERGY:
                fields["step_began_on"] = standing.period.isoformat()
        fields[f"{water}price_now"] = price_text(micro)
    return fields


def _standing(
    core: Core, account: AccountState
) -> Literal["on", "low1", "low2", "low3", "final", "cut", "held", "keep"]:
    meters = [core.state.meters[id] for id in account.meters]
    open_now = [meter for meter in meters if core.lives[meter.id].relay_open]
    if any("arrears" in meter.holds for meter in open_now):
        return "cut"
    if account.final is not None:
        return "final"
    if any(meter.holds for meter in meters):
        return "held"
    if account.protected(micros_of(core.now())) or any(core.lives[meter.id].keep_power for meter in meters):
        return "keep"
    return ("on", "low1", "low2", "low3")[account.level]  # type: ignore[return-value]
