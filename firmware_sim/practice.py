"""`riser sim fault ...`: a person sets and clears faults while the simulator runs, and is told what is in force.

    riser sim fault set a101 silent          riser sim fault clear a101
    riser sim fault set line-1 noise 0.05    riser sim fault clear
    riser sim fault list                     riser sim fault kinds

It edits DIR/faults, which the simulator reads within a second, and waits for its word in DIR/faults.json.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .faults import CLEAR, EITHER, EVERYWHERE, KINDS, LINE, METER, parse_fault
from .running import IN_FORCE, version_of

WAIT_S = 5.0
"""The simulator looks once a second."""


def add_verb(parser: argparse.ArgumentParser) -> None:
    """The words behind `fault`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    put = verbs.add_parser("set", help="set a fault: WHERE KIND [ARG], such as: a101 silent")
    put.add_argument("where", help="id of a meter or a line")
    put.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    put.add_argument("argument", nargs="?", default="", metavar="ARG", help="see `fault kinds`")
    take = verbs.add_parser("clear", help="clear the faults of a place, or all of them")
    take.add_argument("where", nargs="?", default=EVERYWHERE, help="id of a meter or a line [all]")
    verbs.add_parser("list", help="what is in force, and which meters and lines there are")
    verbs.add_parser("kinds", help="every kind of fault and what it does")


def run(options: argparse.Namespace, wait: Callable[[float], None] = time.sleep) -> int:
    """Do what was asked. Raises ValueError with a sentence where it cannot be done; nothing is changed then."""
    if options.verb == "kinds":
        print(kinds_text())
        return 0
    folder = options.run
    there = _there(folder)
    path = folder / "faults"
    if options.verb == "list":
        print(_as_text(there))
        return 0
    if options.verb == "set":
        line = f"{options.kind}:{options.where}" + (f":{options.argument}" if options.argument else "")
        _fits(options, line, there)
        lines = [each for each in _lines(path) if _place(each) != f"{options.kind}:{options.where}"] + [line]
    elif options.where == EVERYWHERE:
        lines = [f"{CLEAR}:{EVERYWHERE}"]
    else:
        _know(options.where, EITHER, there)
        kept = [each for each in _lines(path) if each.split(":")[1:2] != [options.where]]
        lines = [*kept, f"{CLEAR}:{options.where}"]
    beside = path.with_name(".faults")
    beside.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    beside.replace(path)
    print(_as_text(_taken_over(folder, version_of(path), wait)))
    return 0


def kinds_text() -> str:
    """The kinds of faults, one a line."""
    rows = [(f"{name} {kind.argument}".strip(), kind.where, kind.says) for name, kind in KINDS.items()]
    return "\n".join(f"  {what:<22} {where:<14} {says}" for what, where, says in rows)


def _there(folder: Path) -> dict[str, Any]:
    """What the running simulator says of itself. Raises ValueError where none runs."""
    try:
        with (folder / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return json.loads((folder / IN_FORCE).read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except FileNotFoundError:
        pass
    raise ValueError(f"no simulator serves {folder}; start one, or name its folder with --run")


def _fits(options: argparse.Namespace, line: str, there: dict[str, Any]) -> None:
    """Raises ValueError that says what is wrong with the words of `set`, and how they are written right."""
    known = KINDS.get(options.kind)
    if known is None:
        turned = KINDS.get(options.where)
        if turned is not None:
            raise ValueError(f"the place comes first, then what is wrong there; {_such_as(options.where, there)}")
        kinds = ", ".join(KINDS)
        raise ValueError(f"there is no fault {options.kind!r}; there are {kinds}; {_such_as('silent', there)}")
    _know(options.where, known.where, there)
    try:
        parse_fault(line)
    except ValueError:
        asked = options.argument or "nothing"
        wanted = f"takes {known.range}, not {asked!r}" if known.argument else f"takes nothing behind it, not {asked!r}"
        raise ValueError(f"{options.kind} {wanted}; {_such_as(options.kind, there, options.where)}") from None


def _such_as(kind: str, there: dict[str, Any], where: str | None = None) -> str:
    """A line that can be typed as it stands."""
    known = KINDS[kind]
    where = where or next(iter({METER: there["meters"], LINE: there["lines"]}.get(known.where, there["lines"])), "a101")
    return f"write for example: riser sim fault set {' '.join(filter(None, (where, kind, known.example)))}"


def _know(where: str, kind: str, there: dict[str, Any]) -> None:
    places = {METER: there["meters"], LINE: there["lines"], EITHER: there["lines"] + there["meters"]}[kind]
    if where not in places:
        raise ValueError(f"there is no {kind} {where!r}; there are {', '.join(places)}")


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        return []


def _place(line: str) -> str:
    """KIND:WHERE of a line."""
    return ":".join(line.split(":")[:2])


def _taken_over(folder: Path, version: str | None, wait: Callable[[float], None]) -> dict[str, Any]:
    for _ in range(int(WAIT_S / 0.05)):
        there = _there(folder)
        if there["version"] == version:
            return there
        wait(0.05)
    raise ValueError(f"{folder / 'faults'} is written, but the simulator has not taken it over; is it stopped?")


def _as_text(there: dict[str, Any]) -> str:
    lines = [f"  {each}" for each in there["in_force"]] or ["  none"]
    places = [f"{kind}: {' '.join(there[kind])}" for kind in ("lines", "meters")]
    return "\n".join(["in force:", *lines, *places])


def complain(error: ValueError) -> int:
    """One sentence, and the code for input that is not usable."""
    print(f"riser sim: {error}", file=sys.stderr)
    return 2
