"""The words of `riser meter`: which commands there are, for which protocol, and what each may be told."""

from __future__ import annotations

import argparse
from pathlib import Path

PROTOCOLS = {"dlt645-2007": "E", "dlt645-1997": "E", "cjt188": "E", "modbus-rtu": "N"}
"""Protocols, and the parity their meters mostly have."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "dlt645-2007": (
        "read", "list", "survey", "address", "clock", "broadcast-time", "freeze", "set-speed", "set-address",
        "set-password", "off", "on", "trip", "close", "permit", "alarm", "alarm-off", "keep", "keep-off", "write",
    ),
    "dlt645-1997": ("read", "list", "survey"),
    "cjt188": ("read", "off", "on"),
    "modbus-rtu": ("read", "write-registers", "write-register", "write-coils"),
}  # fmt: skip

OF_NO_KIND = ("open",)
"""Words that somebody may try, and that mean light off for a relay and water on for a valve."""

EXITS = """exit codes:
  0  read, or ordered and read back
  1  the meter does not answer, refuses, or does not show what was ordered
  2  the port or the words cannot be used, or the order was not confirmed: nothing was sent"""

SHORTEST_VALID_MIN, MOST_VALID_MIN, VALID_MIN = 1, 1440, 10


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="riser meter",
        description="Speak to one meter on a line that nobody else holds: read it, or order it and read back.",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("port", type=Path, help="such as /dev/serial/by-id/usb-FTDI_...")
    found.add_argument("address", help="all digits of the meter; `any` for reading where it is alone on the line")
    found.add_argument("--protocol", choices=sorted(PROTOCOLS), default="dlt645-2007", help="[dlt645-2007]")
    found.add_argument("--baud", type=int, default=2400, help="[2400]")
    found.add_argument("--parity", choices=("E", "N", "O"), help="[E; N for Modbus]")
    found.add_argument("--zone", default="Asia/Shanghai", help="local time of the meter's clock [Asia/Shanghai]")
    found.add_argument("--kind", default="10", metavar="HEX", help="CJ/T 188: kind of meter, 10 is cold water [10]")
    found.add_argument("--frames", action="store_true", help="show each frame; passwords are masked")
    found.add_argument("--json", action="store_true", help="one object for programs")
    _commands(found.add_subparsers(dest="command", required=True, metavar="COMMAND"))
    return found


def _commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    both = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    both.add_argument("--frames", action="store_true", help=argparse.SUPPRESS)
    both.add_argument("--json", action="store_true", help="one object for programs")
    asks = argparse.ArgumentParser(add_help=False)
    asks.add_argument("--yes", action="store_true", help="do not ask for the last digits of the address")
    secret = argparse.ArgumentParser(add_help=False)
    secret.add_argument("--level", default="02", metavar="NN", help="level of the password that is typed [02]")
    secret.add_argument(
        "--operator", default="00000000", metavar="NNNNNNNN", help="operator the meter notes [00000000]"
    )
    secret.add_argument("--from-secrets", action="store_true", help="password from the data directory, not typed")
    secret.add_argument("--data", type=Path, metavar="DIR", help="data directory [RISER_DATA, else var]")

    read = commands.add_parser("read", parents=[both], help="values, by name or identifier")
    read.add_argument("items", nargs="+", metavar="NAME [N] | IDENTIFIER", help="Modbus: START COUNT")
    read.add_argument("--since", metavar="'YYYY-MM-DD HH:MM'", help="load records from this local time on")
    read.add_argument("--function", type=int, choices=(1, 2, 3, 4), default=3, help="Modbus: what is read [3]")
    commands.add_parser("list", parents=[both], help="what can be asked by name")
    commands.add_parser("survey", parents=[both], help="ask everything once: what this meter has, what it refuses")
    commands.add_parser("address", parents=[both], help="who is there (13H): one meter on the line only")
    clock = commands.add_parser("clock", parents=[both, asks, secret], help="how far its clock is off")
    clock.add_argument("--set", action="store_true", help="set it to this machine's time")
    broadcast = commands.add_parser("broadcast-time", parents=[both, asks], help="set all clocks of the line (R25)")
    for each in (clock, broadcast):
        each.add_argument("--clock-is-right", action="store_true", help="although this machine is not synchronised")
    broadcast.add_argument("--border", action="append", default=[], metavar="HH:MM", help="a tariff changes then")
    freeze = commands.add_parser("freeze", parents=[both, asks], help="freeze its registers")
    freeze.add_argument("when", nargs="*", help="now, hourly MM, daily HH:MM, monthly DD HH:MM")
    speed = commands.add_parser("set-speed", parents=[both, asks], help="another speed (17H)")
    speed.add_argument("baud_new", type=int, metavar="BAUD")
    address = commands.add_parser("set-address", parents=[both, asks], help="another address (15H)")
    address.add_argument("new", metavar="NEW")
    password = commands.add_parser("set-password", parents=[both, asks, secret], help="another password (18H)")
    password.add_argument("of_level", type=int, choices=range(10), metavar="LEVEL")
    for word, text in (
        ("off", "supply off: a relay opens, a water meter's valve closes"),
        ("on", "supply on: a relay closes, a water meter's valve opens"),
        ("trip", "`off` in a relay's word"), ("permit", "permit closing by the meter's button"), ("alarm", "alarm on"),
        ("alarm-off", "alarm off"), ("keep", "keep power on"), ("keep-off", "no longer keep power on"),
        ("close", "`on` in a relay's word; refused for a valve, which it would shut"),
    ):  # fmt: skip
        relay = commands.add_parser(word, parents=[both, asks, secret], help=text)
        relay.add_argument("--minutes", type=int, default=VALID_MIN, metavar="N", help=f"valid so long [{VALID_MIN}]")
    write = commands.add_parser("write", parents=[both, asks, secret], help="a parameter, bytes as they travel")
    write.add_argument("identifier")
    write.add_argument("hex")
    for word in OF_NO_KIND:
        commands.add_parser(word, parents=[both, asks], help=argparse.SUPPRESS)
    for word in ("write-registers", "write-register", "write-coils"):
        registers = commands.add_parser(word, parents=[both, asks], help="Modbus: function 16, 6 or 5 and 15")
        registers.add_argument("start", type=_number)
        registers.add_argument("values", type=_number, nargs="+")


def _number(text: str) -> int:
    """A register or value, decimal or 0x...; 0 to 65535."""
    number = int(text, 0)
    if not 0 <= number <= 0xFFFF:
        raise ValueError(text)
    return number
