"""Which command of `riser meter` does what to a CJ/T 188 or a Modbus meter."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from zoneinfo import ZoneInfo

from edge.by_hand import others
from edge.by_hand.desk import Desk, NotDone, Stopped
from edge.by_hand.modelled import MOVES, Modelled, Told, model_of
from edge.by_hand.names import Wanted, everything, wanted
from edge.by_hand.reading import SILENT_AT_MOST
from edge.by_hand.talk import NoAnswer, Talk
from edge.codec import cjt188, modbus

Done = Callable[[str], None]


def do(talk: Talk, desk: Desk, options: argparse.Namespace, done: Done) -> None:
    """Raises Stopped, NotDone, NoAnswer, OSError."""
    if talk.line.protocol == "cjt188":
        _water(talk, desk, options, done)
    elif options.model is not None and (options.command in ("read", "survey") or options.command in MOVES):
        _model(talk, desk, options, done)
    else:
        _modbus(talk, desk, options, done)


# --- CJ/T 188 ---


def _water(talk: Talk, desk: Desk, options: argparse.Namespace, done: Done) -> None:
    anybody = options.address == "any"
    kind = cjt188.ANY_KIND if anybody else _kind(options.kind)
    water = others.Water(talk, desk, kind, cjt188.ANY if anybody else options.address)
    if options.command == "survey":
        _survey_water(water, desk, done)
    elif options.command == "read":
        try:
            items = wanted("cjt188", options.items)
        except ValueError as error:
            raise Stopped(str(error)) from None
        for item in items:
            _tell(desk, water.read(item.identifier), done)
    else:
        done(water.valve({"off": "close", "on": "open"}[options.command]))


def _survey_water(water: others.Water, desk: Desk, done: Done) -> None:
    """Everything once. Who answered the first question and keeps silent to a later one has not got that."""
    has: list[str] = []
    lacks: list[str] = []
    silent = SILENT_AT_MOST
    for item in everything("cjt188"):
        try:
            found = water.read(item.identifier)
        except NotDone as refusal:
            silent = 0
            _lacks(item, str(refusal), lacks, done)
        except NoAnswer as trouble:
            silent += 1
            if silent > SILENT_AT_MOST:
                raise
            _lacks(item, f"no answer ({trouble.short})", lacks, done)
        else:
            silent = 0
            has.append(item.identifier)
            done(f"{item.identifier}  {item.name}")
            _tell(desk, found, done)
    desk.told |= {"has": has, "lacks": lacks}
    done(f"has {len(has)} of {len(has) + len(lacks)} identifiers; has not: {' '.join(lacks) or 'nothing is missing'}")


def _lacks(item: Wanted, why: str, lacks: list[str], done: Done) -> None:
    lacks.append(item.identifier)
    done(f"{item.identifier}  {item.name}: {why}")


def _kind(text: str) -> int:
    try:
        kind = int(text, 16)
    except ValueError:
        kind = -1
    if not 0x10 <= kind <= 0x49:
        raise Stopped("--kind is two hex digits: 10 cold water, 11 hot water, 20 heat, 30 gas")
    return kind


# --- Modbus ---


def _model(talk: Talk, desk: Desk, options: argparse.Namespace, done: Done) -> None:
    kind = model_of(options.model, options.circuit)
    meter = Modelled(talk, desk, kind, options.address, ZoneInfo(options.zone), options.circuit)
    if options.command in MOVES:
        done(meter.move(options.command))
        return

    def tell(told: Told) -> None:
        desk.told.setdefault("readings", []).append(told.fields())
        for line in told.lines():
            done(line)

    if options.command == "read" and not any(item.lower()[:2] == "0x" or item.isdecimal() for item in options.items):
        if all(each.refused is not None for each in meter.read(options.items, tell)):
            raise NotDone("the meter has none of these")
    elif options.command == "read":
        _modbus(talk, desk, options, done)
    else:
        found = meter.read(list(kind.rows), tell)
        has = [each.row for each in found if each.refused is None]
        lacks = [each.row for each in found if each.refused is not None]
        desk.told |= {"model": kind.id, "has": has, "lacks": lacks}
        missing = " ".join(lacks) or "nothing is missing"
        done(f"has {len(has)} of {len(found)} rows of {kind.id}; has not: {missing}")


def _modbus(talk: Talk, desk: Desk, options: argparse.Namespace, done: Done) -> None:
    slave = others.Slave(talk, desk, int(options.address))
    if options.command == "read":
        try:
            start, count = (int(text, 0) for text in options.items)
            fits = start >= 0 and 1 <= count <= others.MOST_REGISTERS and start + count <= 0x10000
        except ValueError:
            fits = False
        if not fits:
            raise Stopped(
                f"write read START COUNT, such as read 0x0000 2, at most {others.MOST_REGISTERS} at once; or name the "
                "meter's model, such as --model eastron-sdm120 read energy"
            )
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


def _tell(desk: Desk, found: others.Explanation, done: Done) -> None:
    desk.told.setdefault("readings", []).append(others.fields(found))
    for line in others.lines(found):
        done(line)
