"""`riser meter PORT ADDRESS COMMAND`: one meter, by hand, on a line that nobody else holds.

Exit codes: 0 read, or ordered and read back; 1 no answer, refused or not followed; 2 nothing was sent; 3 port in use.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.contract.clock import Clock, SystemClock
from bridge.contract.switching import OF_NO_KIND
from edge import model as models
from edge.by_hand import broadcast, dlt645_commands, locked, other_commands
from edge.by_hand.desk import Desk, NotDone, Stopped
from edge.by_hand.hints import hint, padded
from edge.by_hand.modelled import model_of
from edge.by_hand.names import TABLES
from edge.by_hand.talk import NoAnswer, Talk
from edge.by_hand.words import COMMANDS, MOST_VALID_MIN, NEEDS_MODEL, PROTOCOLS, SHORTEST_VALID_MIN, parser
from edge.codec.errors import CodecError
from edge.device_words import IN_USE as BUSY
from edge.device_words import why_closed
from edge.exit_codes import FAILED, FINE, IN_USE, USAGE
from edge.line.wire import Line

HELD = "is used by another program; a Riser that runs holds its ports: end it first, or ask it with `riser request`"

FASTEST_BAUD = 4_000_000

DIGITS = {"dlt645-2007": 12, "dlt645-1997": 12, "cjt188": 14}


def main(arguments: list[str] | None = None, desk: Desk | None = None, clock: Clock | None = None) -> int:
    words = parser()
    options = words.parse_args(arguments)
    wrong = _wrong(options)
    if wrong:
        words.error(wrong)
    if options.command == "list":
        return _list(options)
    desk = desk or Desk()
    desk.yes = getattr(options, "yes", False)
    desk.level, desk.operator = getattr(options, "level", desk.level), getattr(options, "operator", desk.operator)
    if getattr(options, "from_secrets", False):
        desk.data = options.data or Path(os.environ.get("RISER_DATA", "") or "var")
    parity = options.parity or PROTOCOLS[options.protocol]
    line = Line("by-hand", options.port, options.protocol, options.baud, parity)
    shown = desk.say if options.frames else lambda text: None
    try:
        talk = Talk(line, clock or SystemClock(), shown)
    except (OSError, ValueError) as error:
        why = why_closed(options.port, error)
        desk.say(f"riser: {options.port} {HELD if why == BUSY else why}")
        return IN_USE if why == BUSY else USAGE
    try:
        return _carried_out(talk, desk, options)
    finally:
        talk.close()


def _carried_out(talk: Talk, desk: Desk, options: argparse.Namespace) -> int:
    """Do it, and put whatever comes of it into words and an exit code."""
    code = FINE
    try:
        _do(talk, desk, options)
    except Stopped as stopped:
        code = _ends(desk, str(stopped), USAGE)
    except NoAnswer as trouble:
        code = _ends(desk, f"{trouble}{hint(trouble.kind, options)}", FAILED)
    except (NotDone, CodecError) as trouble:
        code = _ends(desk, str(trouble), FAILED)
    except OSError as error:
        code = _ends(
            desk, f"{options.port} {why_closed(options.port, error)}; what was on its way may have left", FAILED
        )
    except KeyboardInterrupt:
        code = _ends(desk, "ended; if an order had left, read the meter to see what it did", FAILED)
    if options.json:
        print(json.dumps({"command": options.command, "done": code == 0, **desk.told}, ensure_ascii=False))
    return code


def _ends(desk: Desk, why: str, code: int) -> int:
    desk.say(f"riser: {why}")
    desk.told["why"] = why
    return code


def _do(talk: Talk, desk: Desk, options: argparse.Namespace) -> None:
    zone = ZoneInfo(options.zone)
    locked.look(options.command, options.address, options.circuit, getattr(options, "data", None), zone)
    if (zeros := padded(options)) is not None:
        desk.say(zeros)
    if options.command == "broadcast-time":
        _done(desk, options, broadcast.broadcast_time(talk, desk, options, zone))
    elif options.protocol.startswith("dlt645"):
        dlt645_commands.DOES[options.command](talk, desk, options, zone, lambda text: _done(desk, options, text))
    else:
        other_commands.do(talk, desk, options, lambda text: _done(desk, options, text))


def _done(desk: Desk, options: argparse.Namespace, text: str) -> None:
    """What came of it, for people at once and for programs at the end."""
    desk.told["told"] = [*desk.told.get("told", []), text]
    if not options.json:
        print(text, flush=True)


def _list(options: argparse.Namespace) -> int:
    if options.protocol == "modbus-rtu":
        return _list_model(options)
    table = TABLES[options.protocol]
    if options.json:
        rows: list[dict[str, Any]] = [
            {"name": name, "identifiers": identifiers.split(), "words": text} for name, identifiers, text in table
        ]
        print(json.dumps({"command": "list", "names": rows}, ensure_ascii=False))
        return FINE
    for name, identifiers, text in table:
        numbered = " N" if "{n}" in identifiers + text else ""
        print(f"{name + numbered:20s}  {text.replace('{n}', 'N')}")
    return FINE


def _list_model(options: argparse.Namespace) -> int:
    """The rows of a Modbus model, with what each gives."""
    kind = models.load(options.model)
    rows = {row.name: [str(value["key"]) for value in row.values] for row in kind.rows.values()}
    if options.json:
        print(json.dumps({"command": "list", "names": [{"name": name, "keys": keys} for name, keys in rows.items()]}))
        return FINE
    for name, keys in rows.items():
        print(f"{name:20s}  {', '.join(keys)}")
    return FINE


def _wrong(options: argparse.Namespace) -> str | None:
    """Why these words cannot be used, before the port is opened."""
    if (wrong := _wrong_model(options)) is not None:
        return wrong
    known = COMMANDS[options.protocol]
    if not 1 <= options.baud <= FASTEST_BAUD:
        return f"--baud lies in 1 to {FASTEST_BAUD}"
    if options.command in (*OF_NO_KIND, "close", "trip") and options.command not in known and "off" in known:
        return _off_or_on(options)
    if options.command not in known:
        others = [each for each, commands in COMMANDS.items() if options.command in commands]
        asked = f"`{options.command}` is for {' and '.join(others)}: name it with --protocol"
        has = f"a meter of {options.protocol} has no `{options.command}`; there are {', '.join(known)}"
        return has if options.protocol_said else f"{has}. {asked}"
    try:
        ZoneInfo(options.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{options.zone[:40]!r} is no time zone; write for example Asia/Shanghai"
    if not SHORTEST_VALID_MIN <= getattr(options, "minutes", 1) <= MOST_VALID_MIN:
        return f"--minutes lies in {SHORTEST_VALID_MIN} to {MOST_VALID_MIN}"
    if since := getattr(options, "since", None):
        try:
            options.since = datetime.strptime(since, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(options.zone))
        except ValueError:
            return f"--since reads 'YYYY-MM-DD HH:MM', not {since!r}"
    return _wrong_address(options)


def _off_or_on(options: argparse.Namespace) -> str:
    """A word that a meter of this kind does not take, because it says the opposite of another kind, or nothing."""
    valve, relay = "`off` closes the valve, `on` opens it", "`off` opens the relay, `on` closes it"
    if options.command == "trip":
        return f"`trip` is a relay's word; for a valve write `off` or `on`: {valve}"
    means = valve if options.protocol == "cjt188" else relay
    if not options.protocol_said:
        means = f"{relay}; for a valve, with --protocol cjt188, {valve}"
    return f"`{options.command}` would be mistaken for its opposite; write `off` or `on`: {means}"


def _wrong_model(options: argparse.Namespace) -> str | None:
    """What cannot be with --model and --circuit. Settles the protocol on the way."""
    options.protocol_said = options.protocol is not None or options.model is not None
    options.protocol = options.protocol or ("modbus-rtu" if options.model else "dlt645-2007")
    if options.model is None and options.circuit is None:
        if options.protocol == "modbus-rtu" and options.command in NEEDS_MODEL:
            return f"name the meter's model for `{options.command}`: --model and one of {', '.join(_modbus_models())}"
        return None
    if options.protocol != "modbus-rtu":
        return "--model and --circuit are for Modbus; the other protocols have names of their own, see `list`"
    try:
        model_of(options.model or "", options.circuit, listing=options.command == "list")
    except Stopped as stopped:
        return str(stopped).removeprefix("nothing was sent: ")
    return None


def _modbus_models() -> list[str]:
    return [each for each in models.known() if models.load(each).protocol == "modbus-rtu"]


def _wrong_address(options: argparse.Namespace) -> str | None:
    address, digits = options.address, DIGITS.get(options.protocol)
    if digits is None:
        right = address.isascii() and address.isdigit() and len(address) <= 3 and 1 <= int(address) <= 247
        return None if right else "a Modbus address is 1 to 247"
    if address == "any":
        readers = ("read", "survey", "address", "clock")
        if options.protocol == "dlt645-1997":
            return "DL/T 645-1997 has no wildcards: write the meter's address"
        allowed = options.command in readers and not getattr(options, "set", False)
        return None if allowed else "an order names its meter by all its digits, never by a wildcard (I13)"
    if not (address.isascii() and address.isdigit() and len(address) <= digits):
        return f"a meter's address has {digits} digits; fewer are filled with zeros in front, more or others cannot be"
    options.typed_address = address
    options.address = address.zfill(digits)
    return "the broadcast address is nobody's (I13)" if options.address == "9" * digits else None


if __name__ == "__main__":
    sys.exit(main())
