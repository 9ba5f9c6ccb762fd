"""Who and what stands again after a restore with secrets: people, passwords, tenants' pages and keys of that day."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from host.backup import copying
from host.exits import Trouble

PANEL = "panel.db"
USERS = "SELECT name, role, hash FROM user"


@dataclass(frozen=True)
class CameBack:
    """What differs from what was here before; all of it empty where that can no longer be read."""

    people: tuple[str, ...] = ()
    """`name (role)` of who was not there any more, or in another role, or with another password."""
    pages: tuple[str, ...] = ()
    """Accounts whose tenant's page has an address again that had ended."""
    keys: tuple[str, ...] = ()
    """Files of keys and passwords that were others."""
    compared: bool = False
    """The people and pages of before could be read."""


def compare(before: Path | None, here: Path, names: Sequence[str]) -> CameBack:
    """What was brought back, against what was moved aside."""
    if before is None:
        return CameBack()
    keys = tuple(
        name for name in names
        if name.startswith("secrets/") and (before / name).is_file()
        and (before / name).read_bytes() != (here / name).read_bytes()
    )  # fmt: skip
    now, then = _told(here / PANEL), _told(before / PANEL)
    if PANEL not in names or now is None or then is None:
        return CameBack(keys=keys)
    people = tuple(f"{name} ({row[0]})" for name, row in sorted(now[0].items()) if then[0].get(name) != row)
    pages = tuple(account for account, token in sorted(now[1].items()) if then[1].get(account) != token)
    return CameBack(people, pages, keys, True)


def _told(path: Path) -> tuple[dict[str, tuple[str, str]], dict[str, str]] | None:
    """(role and password's hash by name, address by account); None where there is nothing that can be read."""
    try:
        with closing(copying.reading(path)) as db:
            people = {str(name): (str(role), str(told)) for name, role, told in db.execute(USERS)}
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'tenant_link'").fetchone()
            return people, dict(db.execute("SELECT account, token FROM tenant_link")) if known else {}
    except (sqlite3.Error, Trouble):
        return None  # Damaged, or of a Riser with other tables: the sentence that warns of all of it is told instead.


def told(found: CameBack) -> list[str]:
    """What to look at before anybody signs in."""
    lines = []
    if not found.compared:
        lines.append(
            "people, passwords and tenants' addresses are those of that day too: who was removed since can sign in "
            "again. Look through People and the tenants' pages first"
        )
    if found.people:
        lines.append(f"as they were that day, and not as they were now: {', '.join(found.people)}; look through People")
    if found.pages:
        lines.append(
            f"the addresses of that day lead again to the tenants' pages of {', '.join(found.pages)}; end them"
        )
    if found.keys:
        lines.append(
            f"keys and passwords of that day count again: {', '.join(found.keys)}. Where one of them was withdrawn, "
            "remove secrets/ once more"
        )
    return lines
