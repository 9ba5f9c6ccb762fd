"""Who and what stands again after a restore with secrets: people, roles, passwords and tenants' pages of that day."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

PANEL = "panel.db"


@dataclass(frozen=True)
class CameBack:
    """What differs from the panel that was here before; both empty where that can no longer be read."""

    people: tuple[str, ...] = ()
    """`name (role)` of who was not there any more, or in another role, or with another password."""
    pages: tuple[str, ...] = ()
    """Accounts whose tenant's page has an address again that had ended."""
    compared: bool = False


def compare(before: Path | None, here: Path) -> CameBack:
    """The panel's people and pages as restored, against those that were moved aside."""
    now = _told(here / PANEL)
    then = None if before is None else _told(before / PANEL)
    if now is None or then is None:
        return CameBack()
    people = tuple(f"{name} ({row[0]})" for name, row in sorted(now[0].items()) if then[0].get(name) != row)
    pages = tuple(account for account, token in sorted(now[1].items()) if then[1].get(account) != token)
    return CameBack(people, pages, True)


def _told(path: Path) -> tuple[dict[str, tuple[str, str]], dict[str, str]] | None:
    """(role and password's hash by name, address by account); None where there is nothing that can be read."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            people = {
                str(name): (str(role), str(hash))
                for name, role, hash in db.execute("SELECT name, role, hash FROM user")
            }
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'tenant_link'").fetchone()
            pages = dict(db.execute("SELECT account, token FROM tenant_link")) if known else {}
            return people, pages
    except sqlite3.Error:
        return None  # Damaged, or of a Riser with other tables: the sentence that warns of all of it is told instead.


def told(found: CameBack) -> list[str]:
    """What to look at before anybody signs in."""
    lines = [
        "people, passwords, tenants' addresses and keys are those of that day too: who was removed since can sign in "
        "again, and a key that was withdrawn since is valid again. Look through People first; where a key was "
        "withdrawn, remove secrets/ once more"
    ]
    if found.people:
        lines.append(f"as they were that day, and not as they were now: {', '.join(found.people)}")
    if found.pages:
        lines.append(
            f"the addresses of that day lead again to the tenants' pages of {', '.join(found.pages)}; end them"
        )
    if found.compared and not (found.people or found.pages):
        lines[0] = "people, passwords, addresses of tenants' pages are those of that day and have not changed since"
    return lines
