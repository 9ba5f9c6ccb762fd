"""Reading a site file: all mistakes are told at once, each with its path; a file with one is not used."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.contract.site import Site


class BadSite(ValueError):
    """The site file cannot be used; `mistakes` lists every one of them with its path."""

    def __init__(self, mistakes: list[str]):
        self.mistakes = mistakes
        super().__init__("; ".join(mistakes))


def load(path: Path) -> Site:
    """Read and check a site file. Raises BadSite with every mistake found."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadSite([f"{path}: there is no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSite([f"{path}: cannot be read: {error}"]) from None
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise BadSite([f"{path}: is not TOML: {error}"]) from None
    try:
        site = Site.model_validate(tables)
    except ValidationError as error:
        raise BadSite([_mistake(each) for each in error.errors()]) from None
    if mistakes := references(site):
        raise BadSite(mistakes)
    return site


def _mistake(error: object) -> str:
    assert isinstance(error, dict)
    path = ""
    for step in error["loc"]:
        path += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if path else str(step)
    words = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        words = "there is no such setting; is it misspelt?"
    return f"{path}: {words}"


def references(site: Site) -> list[str]:
    """Mistakes between tables: doubled ids, names that point nowhere, addresses used twice, impossible prices."""
    mistakes: list[str] = []
    for name in ("ports", "tariffs", "meters", "accounts"):
        rows: list[Any] = getattr(site, name)
        seen: dict[str, int] = {}
        for number, row in enumerate(rows, 1):
            if row.id in seen:
                mistakes.append(f"{name}[{number}].id: {row.id!r} stands already at {name}[{seen[row.id]}]")
            seen[row.id] = number
    mistakes += _meter_references(site) + _account_references(site)
    return mistakes


def _meter_references(site: Site) -> list[str]:
    mistakes = []
    ports = {port.id: port for port in site.ports}
    taken: dict[tuple[str, str], str] = {}
    devices: dict[str, str] = {}
    for number, port in enumerate(site.ports, 1):
        if port.device in devices:
            mistakes.append(f"ports[{number}].device: {port.device} is already port {devices[port.device]}")
        devices[port.device] = port.id
    for number, meter in enumerate(site.meters, 1):
        at = f"meters[{number}] ({meter.id})"
        port_found = ports.get(meter.port)
        if port_found is None:
            mistakes.append(f"{at}.port: there is no port {meter.port!r}")
            continue
        if mistake := _address_mistake(port_found.protocol, meter.address):
            mistakes.append(f"{at}.address: {mistake}")
        if (other := taken.get((meter.port, meter.address))) is not None:
            mistakes.append(f"{at}.address: {meter.address} on {meter.port} is already meter {other}")
        taken[meter.port, meter.address] = meter.id
    return mistakes


def _address_mistake(protocol: str, address: str) -> str:
    digits = address.isascii() and address.isdigit()
    if protocol == "dlt645-2007":
        if not (digits and len(address) == 12):
            return "a DL/T 645 address has 12 digits, in quotes"
        return "999999999999 is the broadcast address" if address == "9" * 12 else ""
    if not (digits and len(address) <= 3 and 1 <= int(address) <= 247 and str(int(address)) == address):
        return 'a Modbus address is "1" to "247", in quotes'
    return ""


def _account_references(site: Site) -> list[str]:
    mistakes = []
    meters = {meter.id for meter in site.meters}
    tariffs = {tariff.id for tariff in site.tariffs}
    owner: dict[str, str] = {}
    for number, account in enumerate(site.accounts, 1):
        at = f"accounts[{number}] ({account.id})"
        if account.tariff not in tariffs:
            mistakes.append(f"{at}.tariff: there is no tariff {account.tariff!r}")
        for meter in account.meters:
            if meter not in meters:
                mistakes.append(f"{at}.meters: there is no meter {meter!r}")
            elif meter in owner:
                mistakes.append(f"{at}.meters: meter {meter} already belongs to account {owner[meter]}")
            owner[meter] = account.id
    return mistakes
