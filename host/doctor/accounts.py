"""Accounts that are never cut because no meter of theirs can cut, and those that only a person can warn."""

from __future__ import annotations

from collections.abc import Mapping

from host.doctor.findings import Finding, good, know, names, of
from host.doctor.seen import Snapshot

Meters = Mapping[str, tuple[str, str]]
"""{meter: (model, relay)}"""

Accounts = Mapping[str, tuple[str, list[str]]]
"""{account: (name, meters)}"""


def findings(snapshot: Snapshot) -> list[Finding]:
    never, total = never_cut(snapshot)
    if total is None:
        return []
    found = []
    if never:
        found.append(
            know(
                "accounts",
                "",
                f"{len(never)} of {of(total, 'account')} {'is' if len(never) == 1 else 'are'} never "
                f"cut: {names((f'{id} ({name})' if name else id for id, name in never.items()), most=12)}.",
                "None of their meters has a relay. They are read and billed; look after their debts yourself, or fit "
                "meters with a relay.",
            )
        )
    else:
        found.append(good("accounts", "", f"{of(total, 'account')}; each can be cut."))
    if telling := [id for id, each in snapshot.facts.account.items() if each.needs_telling]:
        found.append(
            know(
                "accounts",
                "",
                f"{of(len(telling), 'account')} without a meter's lamp: {names(telling)}.",
                "Their final warning counts, and its half hour runs, only once a person has told them and written it "
                "down: *I have told the tenant* on the account page, or `riser request told account=ID how=phone`.",
            )
        )
    if loose := _without_account(snapshot):
        found.append(
            know(
                "accounts",
                "",
                f"{of(len(loose), 'meter')} without an account, read and not billed: {names(loose)}.",
                "Common supply is as it should be; a tenant moves in on the meter's page of the panel, or by "
                "`./riser request move-in`.",
            )
        )
    return found


def never_cut(snapshot: Snapshot) -> tuple[dict[str, str], int | None]:
    """({account: name} that are never cut, how many accounts there are); None when that is not known.

    The running gateway's word first, else the book's copy, else the site file; the last two with the edge's models.
    """
    facts = snapshot.facts
    if facts.account:
        names_by_id = {row.id: row.name for row in facts.accounts.accounts} if facts.accounts is not None else {}
        never = {id: names_by_id.get(id, "") for id, each in facts.account.items() if not each.can_cut}
        return never, len(facts.account)
    if not snapshot.site.models:
        return {}, None
    meters, accounts = _rows(snapshot)
    if accounts is None:
        return {}, None
    return never_cut_of(meters, accounts, snapshot.site.models), len(accounts)


def never_cut_of(meters: Meters, accounts: Accounts, models: dict[str, dict[str, bool]]) -> dict[str, str]:
    """{account: name} without a meter that has a relay to cut with, as the edge counts."""
    able = {
        id for id, (model, relay) in meters.items() if relay != "none" and models.get(model, {}).get("relay", False)
    }
    return {id: name for id, (name, ids) in accounts.items() if not able.intersection(ids)}


def _rows(snapshot: Snapshot) -> tuple[Meters, Accounts | None]:
    registry, site = snapshot.registry, snapshot.site.site
    if registry is not None and not registry.missing and registry.trouble is None:
        meters = {id: (str(row.get("model")), str(row.get("relay"))) for id, row in registry.meters.items()}
        rows = registry.accounts.items()
        return meters, {id: (str(row.get("name", "")), list(row.get("meters", ()))) for id, row in rows}
    if site is None:
        return {}, None
    return (
        {row.id: (row.model, row.relay) for row in site.meters},
        {row.id: (row.name, list(row.meters)) for row in site.accounts},
    )


def _without_account(snapshot: Snapshot) -> list[str]:
    if snapshot.facts.meters is not None:
        return [row.id for row in snapshot.facts.meters.meters if row.account is None]
    meters, accounts = _rows(snapshot)
    owned = {id for _, ids in (accounts or {}).values() for id in ids}
    return [id for id in meters if id not in owned] if accounts is not None else []
