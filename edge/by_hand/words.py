"""The words of `riser meter`: which commands there are, for which protocol, and what each may be told."""

from __future__ import annotations

import argparse
from pathlib import Path

from bridge.contract.switching import OF_NO_KIND
from edge.exit_codes import epilog

PROTOCOLS = {"dlt645-2007": "E", "dlt645-1997": "E", "cjt188": "E", "modbus-rtu": "N"}
"""Protocols, and the parity their meters mostly have."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "dlt645-2007": (
        "read", "list", "survey", "address", "clock", "broadcast-time", "freeze", "set-speed", "set-address",
        "set-password", "off", "on", "trip", "close", "permit", "alarm", "alarm-off", "keep", "keep-off", "write",
    ),
    "dlt645-1997": ("read", "list", "survey"),
    "cjt188": ("read", "list", "survey", "off", "on"),
    "modbus-rtu": (
        "read", "list", "survey", "off", "on", "trip", "close", "release", "write-registers", "write-register",
        "write-coils",
    ),
}  # fmt: skip

NEEDS_MODEL = ("list", "survey", "off", "on", "trip", "close", "release")
"""Commands at a Modbus meter that only its model's file can carry out."""

EXITS = epilog(
    "read, or ordered and read back",
    "the meter does not answer, refuses, or does not show what was ordered",
    "the port or the words cannot be used, or the order was not confirmed: nothing was sent",
    "another program has the port open; a Riser that runs does",
)

EXAMPLES = """examples (PORT is a name below /dev/serial/by-id):
  riser meter PORT any address                         one meter on the line: what is its address?
  riser meter PORT 202603110101 survey                 what has it, what does it refuse?
  riser meter PORT 202603110101 read energy clock      values by name; `list` shows the names
  riser meter PORT 202603110101 read energy-settled 2  as it stood at the second settlement day back
  riser meter PORT 202603110101 off                    asks for the last digits of the address and the password
  riser meter PORT 3 --protocol dlt645-1997 --baud 1200 read energy
  riser meter PORT any --protocol cjt188 read metering
  riser meter PORT 6 --model acrel-ddsy1352 --baud 9600 survey
  riser meter PORT 6 --protocol modbus-rtu --baud 9600 read 0x0000 2

Not known what is out there? `riser scan PORT` finds protocol, speed and addresses.
DL/T 645-2007 has all commands but those marked Modbus; DL/T 645-1997 is only read.
"""

SHORTEST_VALID_MIN, MOST_VALID_MIN, VALID_MIN = 1, 1440, 10


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="riser meter",
        description="Speak to one meter on a line that nobody else holds: read it, or order it and read back.",
        epilog=f"{EXAMPLES}\n{EXITS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("port", type=Path, help="such as /dev/serial/by-id/usb-FTDI_...")
    found.add_argument(
        "address",
        help="digits on the meter's plate, 12 for DL/T 645 and 14 for water; fewer are filled with zeros in front. "
        "Modbus: 1 to 247. `any`: for reading, where the meter is alone on the line",
    )
    found.add_argument(
        "--protocol", choices=sorted(PROTOCOLS), help="language of the meter [dlt645-2007; that of --model]"
    )
    found.add_argument("--model", metavar="ID", help="Modbus: which meter it is, such as eastron-sdm120")
    found.add_argument("--circuit", type=int, metavar="N", help="Modbus: which circuit of a box with many meters")
    found.add_argument("--baud", type=int, default=2400, help="speed of the line in bit/s [2400]")
    found.add_argument("--parity", choices=("E", "N", "O"), help="even, none or odd [E; N for Modbus]")
    found.add_argument("--zone", default="Asia/Shanghai", help="local time of the meter's clock [Asia/Shanghai]")
    found.add_argument("--kind", default="10", metavar="HEX", help="water: 10 cold, 11 hot, 20 heat, 30 gas [10]")
    found.add_argument("--frames", action="store_true", help="show each frame on the line; passwords are masked")
    found.add_argument("--json", action="store_true", help="one object for programs")
    _commands(found.add_subparsers(dest="command", required=True, metavar="COMMAND"))
    return found


def _commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    both = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    both.add_argument("--frames", action="store_true", help=argparse.SUPPRESS)
    both.add_argument("--json", action="store_true", help="one object for programs")
    asks = argparse.ArgumentParser(add_help=False)
    asks.add_argument("--yes", action="store_true", help="do not ask for the last digits of the address first")
    secret = argparse.ArgumentParser(add_help=False)
    secret.add_argument(
        "--level", default="02", metavar="NN", help="level of the password that is typed, 02 at most meters [02]"
    )
    secret.add_argument(
        "--operator",
        default="00000000",
        metavar="NNNNNNNN",
        help="number of whoever does it, kept by the meter [00000000]",
    )
    secret.add_argument("--from-secrets", action="store_true", help="password from the data directory, not typed")
    secret.add_argument("--data", type=Path, metavar="DIR", help="data directory [RISER_DATA, else var]")

    read = _command(commands, "read", "values, by name or identifier", [both])
    read.add_argument(
        "items", nargs="+", metavar="NAME [N] | IDENTIFIER",
        help="names as `list` shows them, N is the how-manieth back; or identifiers in hex digits; Modbus: rows of its "
        "--model, or START COUNT",
    )  # fmt: skip
    read.add_argument(
        "--since", metavar="'YYYY-MM-DD HH:MM'", help="load records from this local time on [an hour ago]"
    )
    read.add_argument(
        "--function", type=int, choices=(1, 2, 3, 4), default=3,
        help="Modbus: 1 coils, 2 inputs, 3 holding registers, 4 input registers [3]",
    )  # fmt: skip
    _command(commands, "list", "what can be asked by name; of Modbus the rows of --model", [both])
    _command(commands, "survey", "ask everything once: what this meter has, what it refuses", [both])
    _command(commands, "address", "the address of the one meter on the line (13H)", [both])
    clock = _command(commands, "clock", "how far its clock is off; with --set its clock is set", [both, asks, secret])
    clock.add_argument("--set", action="store_true", help="set this one meter's clock to this machine's time")
    broadcast = _command(
        commands,
        "broadcast-time",
        "set all clocks of the line at once, which meters take once a day (R25)",
        [both, asks],
    )
    for each in (clock, broadcast):
        each.add_argument(
            "--clock-is-right", action="store_true",
            help="you compared this machine's clock with a right one: set the meter although no time server keeps it",
        )  # fmt: skip
    broadcast.add_argument(
        "--border", action="append", default=[], metavar="HH:MM",
        help="a time at which the tariff changes, such as 08:00, once for each; nothing is set within 5 minutes of it, "
        "nor of midnight, so that no energy is counted under the wrong tariff",
    )  # fmt: skip
    freeze = _command(commands, "freeze", "freeze its registers, now or at a time that comes again", [both, asks])
    freeze.add_argument(
        "when",
        nargs="*",
        metavar="WHEN",
        help="now, hourly MM, daily HH:MM, monthly DD HH:MM, such as daily 00:00 [now]",
    )
    speed = _command(commands, "set-speed", "give the meter another speed (17H)", [both, asks])
    speed.add_argument("baud_new", type=int, metavar="BAUD", help="600, 1200, 2400, 4800, 9600 or 19200")
    address = _command(commands, "set-address", "give the meter another address (15H)", [both, asks])
    address.add_argument("new", metavar="NEW", help="all twelve digits")
    password = _command(
        commands,
        "set-password",
        "change the password of a level (18H); both are typed, not shown",
        [both, asks, secret],
    )
    password.add_argument("of_level", type=int, choices=range(10), metavar="LEVEL", help="0 to 9")
    for word, text in (
        ("off", "supply off: a relay opens, a water meter's valve closes"),
        ("on", "supply on: a relay closes, a water meter's valve opens"),
        ("trip", "`off` in a relay's word; refused for a valve"),
        ("close", "`on` in a relay's word; refused for a valve, which it would shut"),
        ("permit", "permit closing by the meter's button"),
        ("release", "Modbus: the relay is the meter's own again"),
        ("alarm", "switch the meter's alarm on"),
        ("alarm-off", "switch the meter's alarm off"),
        ("keep", "keep power on: no trip is obeyed"),
        ("keep-off", "no longer keep power on"),
    ):
        relay = _command(commands, word, text, [both, asks, secret])
        relay.add_argument(
            "--minutes",
            type=int,
            default=VALID_MIN,
            metavar="N",
            help=f"DL/T 645: the order is void after so many minutes [{VALID_MIN}]",
        )
    write = _command(commands, "write", "a parameter, by its identifier", [both, asks, secret])
    write.add_argument("identifier", help="eight hex digits that begin with 04, such as 04001001")
    write.add_argument("hex", help="the value's bytes as they travel, low byte first: 30.00 yuan is 00300000")
    for word in OF_NO_KIND:
        commands.add_parser(word, parents=[both, asks])  # No help, so that no list shows it.
    for word, text in (
        ("write-registers", "Modbus: write registers (function 16) and read them back"),
        ("write-register", "Modbus: write one register (function 6) and read it back"),
        ("write-coils", "Modbus: write coils (function 5 or 15) and read them back"),
    ):
        registers = _command(commands, word, text, [both, asks])
        registers.add_argument("start", type=_number, metavar="START", help="the first one, decimal or 0x...")
        registers.add_argument(
            "values", type=_number, nargs="+", metavar="VALUE", help="decimal or 0x...; coils 0 or 1"
        )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    word: str,
    text: str,
    parents: list[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """A command, whose own help begins with what the list of commands says of it."""
    return commands.add_parser(word, parents=parents, help=text, description=f"{text[0].upper()}{text[1:]}.")


def _number(text: str) -> int:
    """A register or value, decimal or 0x...; 0 to 65535."""
    number = int(text, 0)
    if not 0 <= number <= 0xFFFF:
        raise ValueError(text)
    return number
