"""The site file, and where the book (by its copy, registry.json) says something else. The book wins, always."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.contract.site import Site
from host.doctor import prices
from host.doctor.findings import Finding, good, know, names, of, wrong
from host.doctor.seen import RegistrySeen, Snapshot

GROUP = "book and site file"

METER_FIELDS = ("model", "port", "address", "serial", "room", "floor", "shaft", "name", "multiplier", "relay")
ACCOUNT_FIELDS = ("name", "room", "phone", "tariff", "water_tariff", "meters", "category", "household", "close")
LATER = {"water_tariff", "category", "household", "close"}
"""Fields that older entries lack, which is as if they were empty."""

PRIVATE = {"phone"}
"""Told without its contents: a terminal is read over shoulders."""

NO_APPLY = "there is no `riser site apply` yet, so the installation in the book cannot be changed by this version"
BOOK_WINS = f"The book wins; {NO_APPLY}. Write into the site file what the book says, so that the two agree."

BOOK_ONLY = (
    "It goes on being read and billed: the book wins. Was it taken out of the site file by mistake, put "
    f"it back; {NO_APPLY}."
)
FILE_ONLY = f"It is not read and not billed: the site file filled the book once, at the beginning, and {NO_APPLY}."
PRICE_BOOK_ONLY = (
    "It counts: the book wins. A price that began in the panel or by `./riser price propose` is in the book alone. "
    "Write it into the site file as well, so that the two agree."
)
PRICE_FILE_ONLY = (
    "Nobody pays by it: the site file filled the book once, at the beginning. A new price is proposed on the page "
    "Prices of the panel or by `./riser price propose FILE --tariff ID`, and approved by a second person."
)
MOVED_IN = (
    "The book wins: who moved in while it ran is billed, who was settled is not. Write into the site file what the "
    "book says, so that the two agree."
)
MOVES_IN = (
    "Nobody is billed by it: the site file filled the book once, at the beginning. A tenant moves in on the meter's "
    "page of the panel, or by `./riser request move-in`."
)


def findings(snapshot: Snapshot) -> list[Finding]:
    found = list(_file(snapshot))
    site, registry = snapshot.site.site, snapshot.registry
    if (other := _other_site(snapshot, site, registry)) is not None:
        return [other]
    if registry is None:
        return found
    if (trouble := _registry(snapshot, registry)) is not None:
        return [*found, trouble]
    if site is None or registry.missing:
        return found
    found += prices.markups(site, registry)
    different = [*_wiring(snapshot, site, registry), *_differences(site, registry)]
    if not different:
        different.append(
            good(
                GROUP,
                "",
                f"Book and site file agree: {of(len(registry.meters), 'meter')}, "
                f"{of(len(registry.accounts), 'account')}, {of(len(registry.tariffs), 'tariff')}.",
            )
        )
    return [*found, *different]


def _other_site(snapshot: Snapshot, site: Site | None, registry: RegistrySeen | None) -> Finding | None:
    """One sentence where site file and book are of two sites: a hundred differences would say less."""
    place, path = snapshot.place.directory, snapshot.site.path
    remedy = "Give --data with the directory of this site file, or leave out --site to look at what runs."
    if site is not None and (gateway := snapshot.other_gateway) is not None:
        return wrong(
            GROUP,
            str(path),
            f"{path} is of the gateway {site.site.gateway}, and in {place} the gateway {gateway} runs: the two are of "
            "different sites, so ports and book were not compared with this file.",
            remedy,
        )
    if site is None or registry is None or not registry.meters or not site.meters:
        return None
    if registry.meters.keys() & {meter.id for meter in site.meters}:
        return None
    return wrong(
        GROUP,
        str(path),
        f"The book in {place} has {of(len(registry.meters), 'meter')} and {path} has {len(site.meters)}, and not one "
        "is in both: they are of different sites, so they were not compared further.",
        "Give --data with the directory of this site file, or --site with the file of this book.",
    )


def _file(snapshot: Snapshot) -> Iterator[Finding]:
    seen = snapshot.site
    if seen.path is None:
        yield know(
            GROUP,
            "",
            f"No site file is named and none is in {snapshot.place.directory}, so ports, meters and "
            "accounts were not looked at.",
            "Say which.",
            "./riser doctor --site FILE",
        )
    for mistake in seen.mistakes:
        yield wrong(
            GROUP,
            str(seen.path),
            f"{seen.path}: {mistake}" if str(seen.path) not in mistake else mistake,
            "Correct it, then check it.",
            f"./riser site check {seen.path}",
        )
    info, site = snapshot.facts.info, seen.site
    if site is not None and (chatters := site.policy.chatters) is not None:
        yield wrong(GROUP, "policy.restore_above", f"{chatters[0].upper()}{chatters[1:]}.",
                    "Write it into the site file and start the gateway anew.")  # fmt: skip
    if info is not None and site is not None and info.zone != site.site.zone:
        yield wrong(
            GROUP,
            "site.zone",
            f"The book bills days of {info.zone}, the site file says {site.site.zone}.",
            f'Write zone = "{info.zone}" under [site]: a book keeps its zone.',
        )


def _registry(snapshot: Snapshot, registry: RegistrySeen) -> Finding | None:
    info, path = snapshot.facts.info, snapshot.place.directory / "registry.json"
    if registry.trouble is not None:
        return know(
            GROUP,
            "registry.json",
            f"{path} cannot be used: {registry.trouble}. It is only a copy, the book is not touched by this.",
            "The edge writes it anew at its next start; if it happens again, look after the card.",
        )
    if info is not None and not registry.missing and registry.epoch not in (None, info.epoch):
        return wrong(
            GROUP,
            "registry.json",
            f"{path} is the copy of another book than the one that runs.",
            "Was a data directory copied together from two? Find out before anything else.",
        )
    return None


def _wiring(snapshot: Snapshot, site: Site, registry: RegistrySeen) -> Iterator[Finding]:
    """What the edge refuses to start with."""
    protocols = {port.id: port.protocol for port in site.ports}
    for id, row in registry.meters.items():
        port, protocol = row.get("port"), row.get("protocol")
        if port not in protocols:
            yield wrong(
                GROUP,
                id,
                f"Meter {id}: the book says it is on port {port}, and the site file has no such "
                "port; the gateway does not start so.",
                f"Give the port the id {port} again.",
            )
        elif protocol is not None and protocols[port] != protocol:
            yield wrong(
                GROUP,
                id,
                f"Meter {id} speaks {protocol}, and the site file says that port {port} speaks "
                f"{protocols[port]}; the gateway does not start so.",
                f'Write protocol = "{protocol}" for port {port}.',
            )


def _differences(site: Site, registry: RegistrySeen) -> Iterator[Finding]:
    yield from _only("meter", registry.meters, [row.id for row in site.meters])
    yield from _only("account", registry.accounts, [row.id for row in site.accounts])
    yield from _only("tariff", registry.tariffs, [row.id for row in site.tariffs])
    for meter in site.meters:
        if meter.id in registry.meters:
            yield from _fields("Meter", registry.meters[meter.id], meter.model_dump(), METER_FIELDS)
    for account in site.accounts:
        if account.id in registry.accounts:
            yield from _fields("Account", registry.accounts[account.id], account.model_dump(), ACCOUNT_FIELDS)
    for tariff in site.tariffs:
        if tariff.id in registry.tariffs:
            yield from prices.differences(GROUP, registry.tariffs[tariff.id], tariff)


def _only(word: str, book: dict[str, Any], file: list[str]) -> Iterator[Finding]:
    """Ids that stand on one side alone."""
    if ids := [id for id in book if id not in file]:
        yield know(
            GROUP,
            word,
            f"Only in the book, not in the site file: {word} {names(ids)}.",
            {"account": MOVED_IN, "tariff": PRICE_BOOK_ONLY}.get(word, BOOK_ONLY),
        )
    if ids := [id for id in file if id not in book]:
        yield know(
            GROUP,
            word,
            f"Only in the site file, not in the book: {word} {names(ids)}.",
            {"account": MOVES_IN, "tariff": PRICE_FILE_ONLY}.get(word, FILE_ONLY),
        )


def _fields(word: str, book: dict[str, Any], file: dict[str, Any], fields: tuple[str, ...]) -> Iterator[Finding]:
    id = str(file.get("id", ""))
    for field in fields:
        if (field not in book and field not in LATER) or book.get(field) == file[field]:
            continue
        if field == "close" and file[field] is None:  # People choose it while the book runs, and the file need not say.
            continue
        if field in PRIVATE:
            sentence = f"{word} {id}: {field} in the book and in the site file are not the same."
        else:
            sentence = f"{word} {id}: {field} in the book is {_shown(book.get(field))}, in the site file "
            sentence += f"{_shown(file[field])}."
        yield know(GROUP, id, sentence, BOOK_WINS)


def _shown(value: Any) -> str:
    if value in ("", None, []):
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
