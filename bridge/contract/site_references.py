"""What the tables of a site file say of each other: doubled ids, names that point nowhere, addresses used twice.

It looks at the tables as they were read, before anybody knows whether each field is right: a row with another mistake
is still there, and what is no text or no list is passed over, because that is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.contract.site_payers import payers_of

Mistake = tuple[tuple[Any, ...], str]
"""(path, words); the path counts rows from zero."""

TABLES = ("ports", "tariffs", "meters", "accounts")


def rows(tables: dict[str, Any], name: str) -> list[tuple[int, dict[str, Any]]]:
    """(number from zero, row) of a table, as far as it is one."""
    found = tables.get(name)
    return [(n, row) for n, row in enumerate(found) if isinstance(row, dict)] if isinstance(found, list) else []


def text(row: dict[str, Any], name: str) -> str | None:
    """A field that is a text; None for anything else."""
    found = row.get(name)
    return found if isinstance(found, str) else None


def references_of(tables: dict[str, Any]) -> Iterator[Mistake]:
    """Every mistake between tables."""
    for name in TABLES:
        seen: dict[str, int] = {}
        for number, row in rows(tables, name):
            if (id := text(row, "id")) is None:
                continue
            if id in seen:
                yield (name, number, "id"), f"{id!r} stands already at {name}[{seen[id] + 1}]"
            seen[id] = number
    yield from _port_references(tables)
    yield from _meter_references(tables)
    yield from _own_meter(tables)
    yield from payers_of(rows(tables, "accounts"), rows(tables, "tariffs"))
    yield from _account_references(tables)


def _port_references(tables: dict[str, Any]) -> Iterator[Mistake]:
    devices: dict[str, str] = {}
    for number, port in rows(tables, "ports"):
        if (device := text(port, "device")) is None:
            continue
        if device in devices:
            yield ("ports", number, "device"), f"{device} is already port {devices[device]}"
        devices[device] = text(port, "id") or f"ports[{number + 1}]"


def _meter_references(tables: dict[str, Any]) -> Iterator[Mistake]:
    protocols = {id: text(port, "protocol") for _, port in rows(tables, "ports") if (id := text(port, "id"))}
    taken: dict[tuple[str, str], dict[int | None, str]] = {}
    for number, meter in rows(tables, "meters"):
        port, address = text(meter, "port"), text(meter, "address")
        if port is None:
            continue
        if port not in protocols:
            yield ("meters", number, "port"), f"there is no port {port!r}"
            continue
        if address is None:
            continue
        if mistake := address_mistake(protocols[port], address):
            yield ("meters", number, "address"), mistake
        there = taken.setdefault((port, address), {})
        circuit = meter["circuit"] if isinstance(meter.get("circuit"), int) else None
        if circuit in there and circuit is not None:
            yield ("meters", number, "circuit"), f"circuit {circuit} of {address} on {port} is already {there[circuit]}"
        elif there and (circuit is None or None in there):
            other = there.get(None) or next(iter(there.values()))
            yield ("meters", number, "address"), f"{address} on {port} is already {other}"
        there[circuit] = f"meter {text(meter, 'id') or f'meters[{number + 1}]'}"


def _own_meter(tables: dict[str, Any]) -> Iterator[Mistake]:
    """R8: a cut behind which the gateway itself hangs would leave nobody who could bring supply back."""
    site = tables.get("site")
    own = text(site, "own_meter") if isinstance(site, dict) else None
    if own is None:
        return
    row = next((meter for _, meter in rows(tables, "meters") if text(meter, "id") == own), None)
    if row is None:
        yield ("site", "own_meter"), f"there is no meter {own!r}"
    elif row.get("relay") != "none":
        words = f"meter {own} could switch off this gateway itself (R8): feed the gateway from before that meter"
        yield ("site", "own_meter"), f'{words}, or write relay = "none" there'


ADDRESS_DIGITS = {"dlt645-2007": (12, "DL/T 645"), "dlt645-1997": (12, "DL/T 645"), "cjt188": (14, "CJ/T 188")}


def address_mistake(protocol: str | None, address: str) -> str:
    """Why this is no address on a line of this protocol; empty where it is one."""
    digits = address.isascii() and address.isdigit()
    if protocol in ADDRESS_DIGITS:
        count, name = ADDRESS_DIGITS[protocol]
        if not (digits and len(address) == count):
            return f"a {name} address has {count} digits, in quotes"
        return f"{address} is the broadcast address" if address == "9" * count else ""
    if protocol == "modbus-rtu" and not (
        digits and len(address) <= 3 and 1 <= int(address) <= 247 and str(int(address)) == address
    ):
        return 'a Modbus address is "1" to "247", in quotes'
    return ""


def _account_references(tables: dict[str, Any]) -> Iterator[Mistake]:
    meters = {text(meter, "id") for _, meter in rows(tables, "meters")}
    owner: dict[str, str] = {}
    for number, account in rows(tables, "accounts"):
        wanted = account.get("meters")
        for meter in wanted if isinstance(wanted, list) else ():
            if not isinstance(meter, str):
                continue
            if meter not in meters:
                yield ("accounts", number, "meters"), f"there is no meter {meter!r}"
            elif meter in owner:
                yield ("accounts", number, "meters"), f"meter {meter} already belongs to account {owner[meter]}"
            owner[meter] = text(account, "id") or f"accounts[{number + 1}]"
