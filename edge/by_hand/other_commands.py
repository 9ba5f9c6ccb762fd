"""Which command of `riser meter` does what to a CJ/T 188 or a Modbus meter."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from edge.by_hand import others
from edge.by_hand.desk import Desk, Stopped
from edge.by_hand.talk import Talk
from edge.codec import cjt188, modbus


def do(talk: Talk, desk: Desk, options: argparse.Namespace, done: Callable[[str], None]) -> None:
    """Raises Stopped, NotDone, NoAnswer, OSError."""
    (_water if talk.line.protocol == "cjt188" else _modbus)(talk, desk, options, done)


def _water(talk: Talk, desk: Desk, options: argparse.Namespace, done: Callable[[str], None]) -> None:
    anybody = options.address == "any"
    kind = cjt188.ANY_KIND if anybody else _kind(options.kind)
    water = others.Water(talk, desk, kind, cjt188.ANY if anybody else options.address)
    if options.command != "read":
        done(water.valve({"off": "close", "on": "open"}[options.command]))
        return
    for item in options.items:
        identifier = {"metering": cjt188.METERING, "address": cjt188.ADDRESS}.get(item, item.upper())
        if len(identifier) != 4 or set(identifier) - set("0123456789ABCDEF"):
            raise Stopped(f"{item!r} is neither metering, address, nor an identifier of four hex digits")
        _tell(desk, water.read(identifier), done)


def _kind(text: str) -> int:
    try:
        kind = int(text, 16)
    except ValueError:
        kind = -1
    if not 0x10 <= kind <= 0x49:
        raise Stopped("--kind is two hex digits: 10 cold water, 11 hot water, 20 heat, 30 gas")
    return kind


def _modbus(talk: Talk, desk: Desk, options: argparse.Namespace, done: Callable[[str], None]) -> None:
    slave = others.Slave(talk, desk, int(options.address))
    if options.command == "read":
        try:
            start, count = (int(text, 0) for text in options.items)
            fits = start >= 0 and 1 <= count <= others.MOST_REGISTERS and start + count <= 0x10000
        except ValueError:
            fits = False
        if not fits:
            raise Stopped(f"write read START COUNT, such as read 0x0000 2; at most {others.MOST_REGISTERS} at once")
        _tell(desk, slave.read(options.function, start, count), done)
        return
    if options.start + len(options.values) > 0x10000 or len(options.values) > others.MOST_REGISTERS:
        raise Stopped("nothing was sent: these registers reach beyond FFFF, or are too many for one frame")
    if options.command == "write-coils":
        if set(options.values) - {0, 1}:
            raise Stopped("nothing was sent: a coil is 0 or 1")
        act = modbus.coils(options.start, [bool(value) for value in options.values])
    else:
        single = options.command == "write-register"
        if single and len(options.values) > 1:
            raise Stopped("nothing was sent: function 6 writes one register; `write-registers` writes several")
        act = modbus.registers(options.start, options.values, single=single)
    done(slave.write(act))


def _tell(desk: Desk, found: others.Explanation, done: Callable[[str], None]) -> None:
    desk.told.setdefault("readings", []).append(others.fields(found))
    for line in others.lines(found):
        done(line)
