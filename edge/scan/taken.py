"""Ids that a scan may not give again: those of a site file, and those of the installation this machine keeps.

What stands at an address already is told by its id, and not proposed a second time.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.contract import toml_text

USUAL_PLACES = (Path("site.toml"), Path("my.toml"), Path("/etc/riser/site.toml"))
"""Where a site file is looked for when none is named."""

MOST_BYTES = 4 * 1024 * 1024


class NoSite(ValueError):
    """The file that was named cannot be used; the text says why."""


@dataclass
class Taken:
    """Ids in use. `where` is the site file that was looked at, None where there is none."""

    where: Path | None = None
    ids: set[str] = field(default_factory=set)
    ports: list[dict[str, Any]] = field(default_factory=list)
    meters: list[dict[str, Any]] = field(default_factory=list)

    def free(self, prefix: str) -> str:
        """The first id of a row of numbers that nobody has; it is taken from now on."""
        found = next(id for number in itertools.count(1) if (id := f"{prefix}{number}") not in self.ids)
        self.ids.add(found)
        return found

    def port_at(self, device: Path) -> dict[str, Any] | None:
        """The port that the site file has for a device, under whichever name."""
        real = os.path.realpath(device)
        return next((each for each in self.ports if os.path.realpath(str(each.get("device"))) == real), None)

    def meter_at(self, port: str, address: str) -> str | None:
        """The id of the meter that the site file has at an address of a port."""
        rows = (each for each in self.meters if (each.get("port"), each.get("address")) == (port, address))
        return next((str(each.get("id")) for each in rows), None)


def look(site: Path | None, data: Path) -> Taken:
    """What is taken, by a site file and by `registry.json` of the data directory. Raises NoSite."""
    path = site or next((each for each in USUAL_PLACES if each.is_file()), None)
    taken = Taken(path)
    if path is not None:
        tables = _tables(path)
        taken.ports, taken.meters = list(_rows(tables, "ports")), list(_rows(tables, "meters"))
    installed = _installed(data)
    taken.ids = {str(each["id"]) for each in (*taken.ports, *taken.meters) if "id" in each}
    taken.ids |= {str(row[name]) for row in installed for name in ("meter", "port") if name in row}
    return taken


def _tables(path: Path) -> dict[str, Any]:
    """A site file as far as it can be read; its mistakes are `riser site check`'s to tell."""
    try:
        if not path.is_file():
            raise NoSite(f"{path} is no file; name your site file with --site")
        if path.stat().st_size > MOST_BYTES:
            raise NoSite(f"{path} is far too long for a site file")
        tables, _ = toml_text.read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoSite(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise NoSite(f"{path} is no text; name your site file with --site") from None
    if not tables:
        raise NoSite(f"{path} cannot be read as a site file; `riser site check {path}` tells its mistakes")
    return tables


def _rows(tables: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    rows = tables.get(name)
    yield from (each for each in (rows if isinstance(rows, list) else []) if isinstance(each, dict))


def _installed(data: Path) -> list[dict[str, Any]]:
    """The meters of this machine's installation; none where there is no such file."""
    try:
        rows = json.loads((data / "registry.json").read_text(encoding="utf-8"))["meters"].values()
        return [row for row in rows if isinstance(row, dict)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
