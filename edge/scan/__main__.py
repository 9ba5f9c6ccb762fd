"""`riser scan PORT`: what is on a line. Reads only; a port that a running Riser has open is not touched.

Exit codes: 0 meters were found, 1 nobody answers, 2 the port or the words cannot be used, 3 the port is in use.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bridge.contract.clock import Clock, SystemClock
from edge.device_words import IN_USE as HELD
from edge.device_words import why_closed
from edge.exit_codes import FAILED, FINE, IN_USE, USAGE, epilog
from edge.line.wire import Line
from edge.scan.listening import listen
from edge.scan.search import (
    Found,
    Outcome,
    Probe,
    Search,
    cjt188_meters,
    dlt645_meters,
    dlt1997_meters,
    modbus_meters,
)
from edge.scan.taken import NoSite, Taken, look
from edge.scan.telling import Setting, about_ids, as_json, oddities, section

SETTINGS = (
    *(Setting("dlt645-2007", baud, "E") for baud in (2400, 9600, 1200, 4800, 19200)),
    *(Setting("modbus-rtu", baud, parity) for baud, parity in ((9600, "N"), (9600, "E"), (19200, "N"), (4800, "N"))),
    *(Setting("dlt645-1997", baud, "E") for baud in (1200, 2400, 9600)),
    *(Setting("cjt188", baud, "E") for baud in (2400, 9600, 1200)),
)
"""In the order of likelihood; a protocol that was found at one speed is not looked for at others."""

SLAVES = 32
"""Modbus addresses that are tried; most installations count from 1. `--slaves 247` tries all."""

EXITS = epilog(
    "meters were found", "nobody answers", "the port or the words cannot be used", "another program has the port open"
)

Say = Callable[[str], None]


def scan(port: Path, settings: Iterator[Setting], slaves: int, patience_s: float, clock: Clock, say: Say) -> tuple[
    list[tuple[Setting, list[Found]]], int
]:  # fmt: skip
    """Try the settings on a port: ([(setting, meters found)], questions asked). Raises OSError."""
    found: list[tuple[Setting, list[Found]]] = []
    asked = 0
    for setting in settings:
        if any(setting.protocol == done.protocol for done, _ in found):
            continue
        line = Line("scan", port, setting.protocol, setting.baud, setting.parity)
        wire = line.open()
        try:
            meters, questions = run(searches(slaves)[setting.protocol](), line, wire, clock, patience_s, say)
        finally:
            wire.close()
        asked += questions
        say(f"{setting}: {len(meters) or 'nobody'}{' found' if meters else ''}")
        if meters:
            found.append((setting, meters))
    return found, asked


def searches(slaves: int) -> dict[str, Callable[[], Search]]:
    """The search of each protocol."""
    return {
        "dlt645-2007": dlt645_meters,
        "modbus-rtu": lambda: modbus_meters(range(1, slaves + 1)),
        "dlt645-1997": dlt1997_meters,
        "cjt188": cjt188_meters,
    }


def run(search: Search, line: Line, wire: object, clock: Clock, patience_s: float, say: Say) -> tuple[list[Found], int]:
    """Carry a search out on an open line: (meters, questions asked)."""
    asked = 0
    answer: Outcome | None = None
    while True:
        try:
            probe: Probe = search.send(answer)  # type: ignore[arg-type]
        except StopIteration as end:
            return end.value, asked
        say(f"{line.protocol} at {line.baud}: {probe.about}")
        answer, asked = listen(line, wire, probe, clock, patience_s), asked + 1  # type: ignore[arg-type]


class Progress:
    """One line on a terminal that is written over; without a terminal only results."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        if self._live:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif text.endswith(("found", "nobody")):
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="riser scan", description="Find the meters of a line, and propose their tables. Nothing is written.",
        epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("port", type=Path, help="such as /dev/serial/by-id/usb-FTDI_...")
    parser.add_argument(
        "--protocol", choices=sorted({each.protocol for each in SETTINGS}), action="append",
        help="only this one; may stand several times [all, one after the other]",
    )  # fmt: skip
    parser.add_argument("--baud", type=int, action="append", help="only this speed; may stand several times")
    parser.add_argument("--slaves", type=int, default=SLAVES, metavar="N", help=f"Modbus addresses 1 to N [{SLAVES}]")
    parser.add_argument("--patience", type=int, default=200, metavar="MS", help="how long a meter may think [200]")
    parser.add_argument(
        "--site", type=Path, metavar="FILE",
        help="your site file, so that no id is proposed twice [site.toml, my.toml or /etc/riser/site.toml]",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, metavar="DIR", help="data directory [RISER_DATA, else var]")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    return parser


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 1 <= options.slaves <= 247 or not 20 <= options.patience <= 2000:
        parser.error("--slaves lies in 1 to 247 and --patience in 20 to 2000")
    settings = [
        each
        for each in SETTINGS
        if each.protocol in (options.protocol or (each.protocol,)) and each.baud in (options.baud or (each.baud,))
    ]
    if not settings:
        known = ", ".join(str(each) for each in SETTINGS if each.protocol in (options.protocol or (each.protocol,)))
        parser.error(f"no setting is left to try; with these protocols there are {known}")
    progress = Progress()
    try:
        taken = look(options.site, options.data or Path(os.environ.get("RISER_DATA", "") or "var"))
        found, asked = scan(
            options.port, iter(settings), options.slaves, options.patience / 1000, SystemClock(), progress
        )  # fmt: skip
    except NoSite as trouble:
        print(f"riser: {trouble}", file=sys.stderr)
        return USAGE
    except (OSError, ValueError) as error:
        progress.end()
        why = why_closed(options.port, error)
        print(f"riser: {options.port} {why}", file=sys.stderr)
        return IN_USE if why == HELD else USAGE
    progress.end()
    if options.json:
        print(json.dumps(as_json(found, asked)))
    else:
        _tell(options.port, found, taken)
    return FINE if found else FAILED


def _tell(port: Path, found: list[tuple[Setting, list[Found]]], taken: Taken) -> None:
    for sentence in oddities(list(itertools.chain.from_iterable(meters for _, meters in found))):
        print(f"# {sentence}")
    if found:
        print(f"# {about_ids(taken)}")
    for setting, meters in found:
        print(f"# {setting}: {len(meters)} found\n{section(port, setting, meters, taken)}\n")
    if not found:
        print(f"nobody answers on {port}: try A and B the other way round, and look at the meters' supply")


if __name__ == "__main__":
    sys.exit(main())
