"""A new installation whose power is cut in its first minute: somebody can still sign in, and what was said still holds.

`python -m tests.proof.first_start DIRECTORY TAPE`, under the shim, is that minute: the key of the cookies, the first
password, its change, another person added and removed again.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from panel import users as people
from panel.guard import secret_key
from panel.users import FIRST_USER, Database, Users
from tests.proof import shim, tape
from tests.proof.disk import MANNERS, Disk, Image
from tests.proof.opened import key_of, laid
from tests.proof.tape import Kind

CHANGED = "a-password-of-their-own"
OTHER = "zhang"


def minute(directory: Path, mark: Callable[..., None]) -> None:
    """What a person does after unpacking; `mark` says what they were told."""
    secret_key(directory)
    users = Users(Database(directory / "panel.db"), directory)
    password = users.first_start()
    assert password is not None
    mark(first=True)
    admin = users.check(FIRST_USER, password)
    assert admin is not None
    users.change_password(admin, password, CHANGED, CHANGED)
    mark(changed=True)
    users.add(OTHER, "finance")
    mark(added=True)
    other = users.named(OTHER)
    assert other is not None
    mark(removing=True)
    users.remove(other.id)
    mark(removed=True)


def wrong(directory: Path, told: dict[str, Any]) -> str | None:
    """Why a person cannot go on after the cut, or None."""
    try:
        secret_key(directory)
        users = Users(Database(directory / "panel.db"), directory)
        password = users.first_start()
    except (ValueError, OSError, sqlite3.Error) as error:
        return f"the panel does not start: {error}"
    changed = users.check(FIRST_USER, CHANGED) is not None
    if told.get("changed") and not changed:
        return "a password that was changed is the old one again"
    if not changed and (password is None or users.check(FIRST_USER, password) is None):
        return "nobody can sign in, and no first password is shown"
    there = users.named(OTHER) is not None
    if told.get("added") and not told.get("removing") and not there:
        return "a person who was added is gone"
    return "a person who was removed is there again" if told.get("removed") and there else None


def after_cuts(each: int = 8, seed: int = 1) -> dict[str, Any]:
    """Cut at every change of that minute, in `each` ways; JSON-able."""
    violations, looked = list[dict[str, Any]](), dict[tuple[bytes, str], str | None]()
    with tempfile.TemporaryDirectory(prefix="riser-first-", dir=shim.MEMORY) as scratch:
        data, written, place = (Path(scratch) / name for name in ("data", "tape", "place"))
        data.mkdir(), place.mkdir()
        shim.seen("tests.proof.first_start", [str(data), str(written)], 60)
        for at, manner, image, told in _disks(list(tape.read(written)), str(data), each, seed):
            key = key_of(image), json.dumps(told)
            if key not in looked:
                laid(image, place)
                looked[key] = wrong(place, told)
            if (what := looked[key]) is not None:
                violations.append({"seed": seed, "place": at, "manner": manner, "what": what})
    return {"images": len(looked), "violations": violations}


def _disks(
    changes: list[tape.Change], directory: str, each: int, seed: int
) -> Iterator[tuple[int, str, Image, dict[str, Any]]]:
    disk, told = Disk(directory), dict[str, Any]()
    for at, change in enumerate(changes, 1):
        if change.kind is Kind.MARK:
            told |= change.words
        else:
            disk.take(change)
        for number in range(each):
            manner = MANNERS[number % len(MANNERS)]
            yield at, manner, disk.image(manner, random.Random(f"{seed}:{at}:{number}")), dict(told)


def quick_hash(password: str) -> str:
    """The panel's own takes a tenth of a second, which is its sense and not ours here."""
    return people_hash(password, method="pbkdf2:sha256:1")


people_hash = people.generate_password_hash


def main(directory: Path, written: Path) -> None:
    people.generate_password_hash = quick_hash  # type: ignore[assignment]
    watch = shim.Shim()
    watch.watch(directory, written)
    minute(directory, watch.mark)
    print(json.dumps({"calls": watch.calls()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
