"""An empty book is filled once from the site file; from then on the book wins."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bridge.contract import site_file
from bridge.contract.entries import BROUGHT_IN, TENANT
from bridge.contract.site import Site
from bridge.contract.site_file import Sheet
from bridge.contract.site_payers import FIELDS
from bridge.contract.site_prices import booked
from bridge.contract.site_references import Mistake, rows, text
from bridge.contract.units import RATES, instant_exact, instant_of_micros, instant_text, nano_of_yuan
from edge import model
from edge.codec import PROTOCOLS, dlt645_orders
from edge.codec.dlt645_orders import Password
from edge.codec.errors import CodecError
from edge.core import Core, Draft

BY = "site file"

NO_BUTTON = "has no button that waits for a permission (R6)"

WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""What can be a model's name at all; anything else is told as a mistake of its own."""


def look(path: Path) -> Sheet:
    """A site file with every mistake that the edge can find. Raises BadSite where it cannot be read."""
    sheet = site_file.look(path)
    sheet.note(model_mistakes(sheet.tables))
    return sheet


def mistakes(site: Site) -> list[str]:
    """What only the edge can know of a site file: models that do not exist, prices a meter cannot be billed on."""
    sheet = Sheet("", site.model_dump(by_alias=True))
    sheet.note(model_mistakes(sheet.tables))
    return [words for _, words in sheet.found]


def model_mistakes(tables: dict[str, Any]) -> Iterator[Mistake]:
    """The same, of tables in which other things may be wrong: what cannot be judged is passed over."""
    protocols = {text(port, "id"): text(port, "protocol") for _, port in rows(tables, "ports")}
    models: dict[str | None, model.Model] = {}
    for number, meter in rows(tables, "meters"):
        name, port = text(meter, "model"), text(meter, "port")
        if name is None or not WORD.fullmatch(name):
            continue
        try:
            models[text(meter, "id")] = kind = model.load(name)
        except model.UnknownModel as error:
            yield ("meters", number, "model"), error.args[0]
            continue
        # A port that is not there, or whose protocol is none, is told elsewhere.
        if protocols.get(port) in PROTOCOLS and kind.protocol != protocols[port]:
            yield ("meters", number, "port"), f"{kind.id} speaks {kind.protocol}, {port} does not"
        yield from _relay_mistakes(number, meter, kind)
        yield from _circuit_mistakes(number, meter, kind)
    yield from _price_mistakes(tables, models)
    yield from _unbillable(tables, models)
    yield from _close_mistakes(tables, models)


def _relay_mistakes(number: int, meter: dict[str, Any], kind: model.Model) -> Iterator[Mistake]:
    how = meter.get("relay", "direct")
    if how != "none" and kind.relay is None:
        yield ("meters", number, "relay"), f'{kind.id} is read only here; write relay = "none"'
    if how == "permit" and kind.relay is not None and not kind.relay.has_button:
        told = f'{kind.id} {NO_BUTTON}; write relay = "direct"'
        yield ("meters", number, "relay"), told


def _close_mistakes(tables: dict[str, Any], models: dict[str | None, model.Model]) -> Iterator[Mistake]:
    """Tenants whose supply is to come back by a button that their meter has not."""
    unused = {text(meter, "id") for _, meter in rows(tables, "meters") if meter.get("relay") == "none"}
    for number, account in rows(tables, "accounts"):
        wanted = account.get("meters")
        if account.get("close") != "permit" or not isinstance(wanted, list):
            continue
        named = [id for id in wanted if isinstance(id, str) and id not in unused]
        for bare in without_button((id, models[id]) for id in named if id in models):
            yield ("accounts", number, "close"), f'meter {bare} {NO_BUTTON}; write close = "direct", or leave it out'


def without_button(kinds: Iterable[tuple[str, model.Model]]) -> list[str]:
    """The meters, given by id and model, whose relay waits for no button: closing it cannot be permitted, only done."""
    found = []
    for id, kind in kinds:
        if kind.relay is not None and not kind.relay_is_valve and not kind.relay.has_button:
            found.append(f"{id} ({kind.id})")
    return found


def _circuit_mistakes(number: int, meter: dict[str, Any], kind: model.Model) -> Iterator[Mistake]:
    circuit = meter.get("circuit")
    if kind.circuits is None and circuit is not None:
        yield ("meters", number, "circuit"), f"{kind.id} is one meter with an address of its own; leave `circuit` out"
    if kind.circuits is not None and circuit is None:
        told = f"{kind.id} has many circuits behind one address; add circuit = 1 to {kind.circuits.most}"
        yield ("meters", number), told
    elif kind.circuits is not None and isinstance(circuit, int) and circuit > kind.circuits.most:
        yield ("meters", number, "circuit"), f"{kind.id} has circuits 1 to {kind.circuits.most}"


def _unbillable(tables: dict[str, Any], models: dict[str | None, model.Model]) -> Iterator[Mistake]:
    """Meters that no account may name: what the gateway must not bill, or cannot."""
    off = {text(meter, "id") for _, meter in rows(tables, "meters") if meter.get("purse") == "off"}
    for number, account in rows(tables, "accounts"):
        wanted = account.get("meters")
        for id in wanted if isinstance(wanted, list) else ():
            kind = models.get(id) if isinstance(id, str) else None
            if kind is not None and kind.purse and id not in off:
                told = (
                    f"meter {id} ({kind.id}) keeps a balance of its own, and nobody is billed twice (R14); "
                    'take it out, or switch its purse off in the meter and write purse = "off" at the meter'
                )
                yield ("accounts", number, "meters"), told
            if kind is not None and kind.quantity == "energy" and text(account, "tariff") is None and priced(account):
                told = f"meter {id} ({kind.id}) counts electricity; give the account a tariff, whose unit is kWh"
                yield ("accounts", number, "meters"), told
            if kind is not None and kind.quantity == "volume" and text(account, "water_tariff") is None:
                told = (
                    f"meter {id} ({kind.id}) counts water; give the account a water_tariff, whose unit is m3, or take "
                    "the meter out: then it is read and shown, and its valve can be moved by hand"
                )
                yield ("accounts", number, "meters"), told


def priced(account: dict[str, Any]) -> bool:
    """It names a price at all; one that names none is told so elsewhere, once."""
    return any(account.get(field) is not None for field in FIELDS)


def _price_mistakes(tables: dict[str, Any], models: dict[str | None, model.Model]) -> Iterator[Mistake]:
    """R28: hours are told apart by the meter's registers or by readings at their borders, never by both."""
    priced = {text(row, "id"): row.get("prices") for _, row in rows(tables, "tariffs")}
    for number, account in rows(tables, "accounts"):
        prices, wanted = priced.get(text(account, "tariff")), account.get("meters")
        if not isinstance(prices, dict) or not isinstance(wanted, list):
            continue
        for id in wanted:
            kind = models.get(id) if isinstance(id, str) else None
            if kind is not None and kind.quantity == "energy" and (missing := lacking(kind.rates, prices)):
                yield ("accounts", number, "tariff"), f"meter {id} ({kind.id}) {some_registers(missing)}"


def lacking(registers: Iterable[str], prices: Iterable[str]) -> list[str]:
    """Rates of a price for which a meter that has registers per rate has none; empty for a meter without any, whose
    hours are told apart by readings."""
    has = set(registers)
    return sorted(set(prices) & set(RATES) - has) if has else []


def some_registers(missing: list[str]) -> str:
    """Why such a meter cannot be billed by such a price."""
    return f"keeps registers per rate and none for {', '.join(missing)}; give it a single price (R28)"


def misfits(core: Core, site: Site, password_of: Callable[[str], Password]) -> list[str]:
    """What the book has and the site file or the secrets do not fit: found before the first byte goes out."""
    found = []
    ports = {port.id: port.protocol for port in site.ports}
    for meter in core.state.meters.values():
        port, protocol = meter.row["port"], core.lives[meter.id].model.protocol
        if port not in ports:
            found.append(f"meter {meter.id} is on port {port!r} in the book, and the site file has no such port")
        elif ports[port] != protocol:
            found.append(f"meter {meter.id} speaks {protocol}, and the site file says that {port} speaks {ports[port]}")
        elif (relay := core.lives[meter.id].model.relay) is not None and relay.kind == "dlt645":
            try:
                address = meter.row["address"]
                dlt645_orders.control("alarm", address, {address}, password_of(meter.id), None)
            except (CodecError, ValueError, KeyError) as error:
                found.append(f"secrets/edge.json, meter_passwords for meter {meter.id}: {error}")
    if (genesis := core.state.genesis).get("gateway") != site.site.gateway or genesis.get("zone") != site.site.zone:
        found.append(
            f"the book is of gateway {genesis.get('gateway')} in {genesis.get('zone')}, "
            f"the site file of {site.site.gateway} in {site.site.zone}"
        )
    return found


OF_A_METER = ("model", "address", "serial", "multiplier")
"""What a replacement or a changed multiplier has otherwise than the site file that filled the book once."""


def overtaken(core: Core, site: Site) -> list[str]:
    """Rows of the site file that a replacement or a changed multiplier has overtaken: the book counts, and people who
    read the file should not be misled by it."""
    found = []
    for row in site.meters:
        meter = core.state.meters.get(row.id)
        if meter is None or not meter.since:
            continue
        now = {**meter.row, "serial": meter.serial}
        file = {key: value for key in OF_A_METER if (value := getattr(row, key)) is not None}
        if differs := [key for key, value in file.items() if now[key] != value]:
            told = "; ".join(f"{key} is {now[key]}, not {file[key]}" for key in differs)
            since = instant_of_micros(meter.since).astimezone(core.terms.zone).date()
            found.append(f"meter {row.id} was changed on {since}: {told}. The book counts; write so in the site file")
    return found


def fill(core: Core, site: Site) -> None:
    """Write the first entries of an empty book, all in one transaction."""
    now = core.now()
    drafts: list[Draft] = [
        (
            "genesis/1",
            "genesis",
            {
                "gateway": site.site.gateway,
                "name": site.site.name,
                "zone": site.site.zone,
                "epoch": secrets.token_hex(8),
            },
        )
    ]
    for tariff in site.tariffs:
        fields = {**booked(tariff), "version": 1, "effective_at": instant_text(now), "by": BY}
        drafts.append(("tariff/2", f"tariff:{tariff.id}:1", fields))
    for meter in site.meters:
        drafts.append(("meter/1", f"meter:{meter.id}:1", _meter(site, meter.model_dump())))
    for account in site.accounts:
        row = account.model_dump(exclude={"opening"})
        fields = {"account": row.pop("id"), **row, "since": instant_exact(now), "by": BY}
        drafts.append(("account/1", f"account:{account.id}", fields))
        if opening := nano_of_yuan(account.opening):
            sides = (BROUGHT_IN, TENANT + account.id)
            giver, taker = sides if opening > 0 else sides[::-1]
            moves = [{"from": giver, "to": taker, "amount_nano": abs(opening)}]
            body = {"account": account.id, "moves": moves, "balance_after_nano": opening, "by": BY}
            drafts.append(("opening-balance/1", f"opening-balance:{account.id}", body))
    core.append(*drafts)


def _meter(site: Site, row: dict[str, Any]) -> dict[str, Any]:
    kind = model.load(row["model"])
    return {
        "meter": row.pop("id"),
        **row,
        "model_name": kind.name,
        "protocol": kind.protocol,
        "phases": kind.phases,
        "max_amps": kind.max_amps,
        "volts": kind.volts,
        "rates": bool(kind.rates),
        "by": BY,
    }
