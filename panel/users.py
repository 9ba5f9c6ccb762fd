"""The people who may sign in, in `panel.db`: name, role, language, scrypt of the password. No default password.

The first start makes `admin` with a one-time password that must be changed at the first sign-in. A changed password or
role raises the person's `version`, which ends every session that was begun before.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from bridge.contract.permissions import KEYS
from panel.whole_file import write_whole
from panel.words import later

ROLES = ("manager", "finance", "engineer", "operations")
assert {*ROLES, "tenant"} == KEYS["panel"]  # A tenant has a page and no password.

SHORTEST_PASSWORD = 10
FIRST_USER = "admin"
FIRST_PASSWORD_FILE = "first-password.txt"
ONE_TIME_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without 0 O 1 I L: people type it from a paper."""

COMMON = frozenset((
    "1234567890", "0123456789", "12345678910", "1111111111", "0000000000", "8888888888", "6666666666",
    "9876543210", "1q2w3e4r5t", "qwertyuiop", "password12", "password123", "passw0rd123", "adminadmin",
    "administrator", "admin12345", "admin123456", "abcd123456", "a123456789", "123456789a", "aa12345678",
    "woaini1314", "5201314520", "1314520520", "qwerty12345", "letmein1234", "riserriser", "welcome123",
))  # fmt: skip
"""Passwords of ten characters and more that stand on top of every list of guesses."""

_NAME = re.compile(r"[\w.@-]{1,32}\Z")
_TABLES = """
CREATE TABLE IF NOT EXISTS user (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL, hash TEXT NOT NULL,
  language TEXT, one_time INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE TABLE IF NOT EXISTS session (
  token_hash TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE, version INTEGER NOT NULL,
  boot TEXT NOT NULL, begun_s REAL NOT NULL, seen_s REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS throttle (
  key TEXT PRIMARY KEY, boot TEXT NOT NULL, failures INTEGER NOT NULL, since_s REAL NOT NULL) STRICT;
"""


class Refused(ValueError):
    """A name or password that is not taken; the sentence says what to change. `places` fill it."""

    def __init__(self, sentence: str, **places: object):
        self.sentence, self.places = sentence, places
        super().__init__(sentence.format(**places))


@dataclass(frozen=True)
class User:
    id: int
    name: str
    role: str
    language: str | None
    one_time: bool
    version: int


class Database:
    """`panel.db`: one short connection for each act, so any thread may use it."""

    def __init__(self, path: Path):
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        with self.open() as connection:
            connection.executescript(_TABLES)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose work is committed at the end, or undone by an exception."""
        connection = sqlite3.connect(self._path, timeout=5.0)
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            # The rollback journal's removal is the commit: without a sync of its name a cut takes back what was said.
            connection.execute("PRAGMA synchronous=EXTRA")
            with connection:
                yield connection
        finally:
            connection.close()


class Users:
    """Adding, finding and changing people."""

    def __init__(self, database: Database, data_directory: Path):
        self._database, self._first_file = database, data_directory / FIRST_PASSWORD_FILE
        self._decoy = generate_password_hash(secrets.token_hex(8))

    def first_start(self) -> str | None:
        """Make `admin` when there is nobody yet. Return its one-time password while it still waits to be changed.

        The password also stands in `first-password.txt` (0600), which is deleted when it has been changed.
        """
        if self.all():
            try:
                return self._first_file.read_text(encoding="utf-8").strip() or None
            except FileNotFoundError:
                return None
        password = one_time_password()
        # On the disk before there is anybody: a cut must not leave an admin whose password nobody has ever seen.
        write_whole(self._first_file, f"{password}\n".encode())
        self.add(FIRST_USER, "manager", password)
        return password

    def all(self) -> list[User]:
        return self._select("ORDER BY name")

    def get(self, id: int) -> User | None:
        return next(iter(self._select("WHERE id = ?", id)), None)

    def named(self, name: str) -> User | None:
        return next(iter(self._select("WHERE name = ?", name)), None)

    def add(self, name: str, role: str, password: str | None = None) -> str:
        """Add a person. Return the one-time password, made here unless given. Raises Refused."""
        if not _NAME.match(name):
            raise Refused(later("A name has 1 to 32 letters, digits, dots or hyphens, and no spaces."))
        if role not in ROLES:
            raise Refused(later("Choose a role."))
        password = password or one_time_password()
        try:
            with self._database.open() as connection:
                connection.execute(
                    "INSERT INTO user (name, role, hash, one_time) VALUES (?, ?, ?, 1)",
                    (name, role, generate_password_hash(password)),
                )
        except sqlite3.IntegrityError:
            raise Refused(later("There is already somebody named {name}."), name=name) from None
        return password

    def check(self, name: str, password: str) -> User | None:
        """The person of this name and password. An unknown name takes as long as a wrong password."""
        with self._database.open() as connection:
            row = connection.execute("SELECT id, hash FROM user WHERE name = ?", (name,)).fetchone()
        fits = check_password_hash(row[1] if row else self._decoy, password)
        return self.get(row[0]) if row and fits else None

    def change_password(self, user: User, old: str, new: str, again: str) -> None:
        """Set a new password; every session of the person ends. Raises Refused."""
        if self.check(user.name, old) is None:
            raise Refused(later("The old password is not right."))
        check_new_password(user.name, old, new, again)
        self._set_password(user.id, new, one_time=False)
        if user.name == FIRST_USER:
            self._first_file.unlink(missing_ok=True)

    def new_one_time(self, id: int) -> str:
        """Give a person who forgot the password a one-time one; every session of the person ends."""
        password = one_time_password()
        self._set_password(id, password, one_time=True)
        return password

    def set_role(self, id: int, role: str) -> None:
        """Change a role; every session of the person ends. Raises Refused when no manager would be left."""
        if role not in ROLES:
            raise Refused(later("Choose a role."))
        with self._database.open() as connection:
            connection.execute("UPDATE user SET role = ?, version = version + 1 WHERE id = ?", (role, id))
            self._still_managed(connection)

    def remove(self, id: int) -> None:
        """Remove a person and end their sessions. Raises Refused when no manager would be left."""
        with self._database.open() as connection:
            connection.execute("DELETE FROM user WHERE id = ?", (id,))
            self._still_managed(connection)

    def set_language(self, id: int, language: str) -> None:
        with self._database.open() as connection:
            connection.execute("UPDATE user SET language = ? WHERE id = ?", (language, id))

    def _still_managed(self, connection: sqlite3.Connection) -> None:
        if not connection.execute("SELECT count(*) FROM user WHERE role = 'manager'").fetchone()[0]:
            raise Refused(later("At least one manager must remain."))

    def _set_password(self, id: int, password: str, one_time: bool) -> None:
        with self._database.open() as connection:
            connection.execute(
                "UPDATE user SET hash = ?, one_time = ?, version = version + 1 WHERE id = ?",
                (generate_password_hash(password), int(one_time), id),
            )

    def _select(self, where: str, *values: object) -> list[User]:
        with self._database.open() as connection:
            rows = connection.execute(f"SELECT id, name, role, language, one_time, version FROM user {where}", values)
            return [
                User(id, name, role, language, bool(one), version) for id, name, role, language, one, version in rows
            ]


def one_time_password() -> str:
    """Twelve characters in three groups: 59 bits."""
    return "-".join("".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(4)) for _ in range(3))


def check_new_password(name: str, old: str, new: str, again: str) -> None:
    """Raises Refused with what is wrong with a new password."""
    if new != again:
        raise Refused(later("The two new passwords differ."))
    if len(new) < SHORTEST_PASSWORD:
        raise Refused(later("The new password has at least {n} characters."), n=SHORTEST_PASSWORD)
    if len(new) > 200:
        raise Refused(later("The new password has at most 200 characters."))
    if new == old:
        raise Refused(later("The new password is the old one."))
    if new.lower() in COMMON or len(set(new)) < 4 or new.lower() == name.lower():
        raise Refused(later("This password stands on every list of guesses. Take another one."))
