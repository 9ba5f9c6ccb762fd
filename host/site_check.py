"""Every mistake of a site file at once, as the edge would find them. The edge is asked as a program: host imports none.

Only the edge knows the models of meters, so only it can say that a model does not exist, speaks another protocol,
has no relay, or has no registers for a price.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bridge.contract import markup
from bridge.contract.site import Site
from bridge.contract.site_file import BadSite, load
from bridge.contract.site_prices import booked
from host.doctor import own_supply
from host.doctor.accounts import never_cut_of
from host.doctor.findings import names, of
from host.doctor.ports import UNSTABLE
from host.edge_check import asked
from host.exits import FINE, USAGE


@dataclass(frozen=True)
class Checked:
    """A site file as it was found. `site` is None when it has mistakes; `models` is the edge's own table."""

    path: Path
    site: Site | None
    mistakes: tuple[str, ...] = ()
    models: dict[str, dict[str, bool]] = field(default_factory=dict)

    @property
    def refused(self) -> tuple[str, ...]:
        """What no new file may say. A gateway that was started with it long ago goes on, by what is safe."""
        found = self.site.policy.chatters if self.site is not None else None
        return (found,) if found else ()


def check(path: Path) -> Checked:
    """Look at a site file. Raises Trouble when the edge cannot be asked."""
    path = path.expanduser().absolute()
    mistakes, models = asked(path)
    if mistakes:
        return Checked(path, None, tuple(mistakes), models)
    try:
        return Checked(path, load(path), (), models)
    except BadSite as bad:  # It was changed between the two looks.
        return Checked(path, None, tuple(bad.lines), models)


def told(checked: Checked) -> list[str]:
    """What a person reads: every mistake on a line, or that the file is good and what is worth knowing."""
    if checked.site is None:
        many = of(len(checked.mistakes), "mistake")
        return [f"{checked.path}: {many}; it is not used before it is mended.", *map("  {}".format, checked.mistakes)]
    if checked.refused:
        many = of(len(checked.refused), "mistake")
        return [f"{checked.path}: {many} to mend before it is used.", *map("  {}".format, checked.refused)]
    site = checked.site
    parts = [of(len(site.ports), "port"), of(len(site.meters), "meter"), of(len(site.accounts), "account")]
    return [f"the site file is good: {', '.join(parts)}", *map("  worth knowing: {}".format, worth_knowing(checked))]


def worth_knowing(checked: Checked) -> Iterator[str]:
    """What is allowed and perhaps not meant."""
    site = checked.site
    if site is None:
        return
    for port in site.ports:
        if UNSTABLE.match(port.device):
            yield f"port {port.id}: {port.device} may be another adapter after a restart; see ls -l /dev/serial/by-id"
    if idle := [port.id for port in site.ports if all(meter.port != port.id for meter in site.meters)]:
        yield f"no meter is on port {names(idle)}"
    owned = {id for account in site.accounts for id in account.meters}
    if loose := [meter.id for meter in site.meters if meter.id not in owned]:
        yield f"{of(len(loose), 'meter')} without an account, read and not billed: {names(loose)}"
    paid = {id for row in site.accounts for id in (row.tariff, row.water_tariff)}
    if unused := [tariff.id for tariff in site.tariffs if tariff.id not in paid]:
        yield f"no account has the tariff {names(unused)}"
    for tariff in site.tariffs:
        if markup.beyond(fields := booked(tariff), limit := site.policy.markup_limit_percent):
            yield f"tariff {tariff.id}: {markup.percent(fields)} % above what is paid, the limit is {limit} % (R30)"
    meters = {row.id: (row.model, row.relay) for row in site.meters}
    accounts = {row.id: (row.name, list(row.meters)) for row in site.accounts}
    if not site.site.own_supply and own_supply.switched(meters, checked.models):
        yield f"site.own_supply: {own_supply.ASKED}"
    if never := never_cut_of(meters, accounts, checked.models):
        yield f"{of(len(never), 'account')} never cut, for want of a meter with a relay: {names(never)}"
    if site.clock.trust == "always":
        yield 'clock.trust = "always": the clock is believed even when nobody keeps it right'


def as_json(checked: Checked) -> dict[str, object]:
    return {
        "good": checked.site is not None and not checked.refused,
        "mistakes": [*checked.mistakes, *checked.refused],
        "worth_knowing": list(worth_knowing(checked)),
    }


def code(checked: Checked) -> int:
    return FINE if checked.site is not None and not checked.refused else USAGE
