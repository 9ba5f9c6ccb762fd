"""Finding the meters of one line at one setting, as questions and what became of them; no port, no clock.

A search is a generator: it yields `Probe`s and is sent an `Outcome` for each; what it returns is what is there.

DL/T 645 is searched by wildcards: AA stands for any two digits and fills from the high end, so the lowest digits
can be fixed first. Silence: nobody. An answer: one meter, which names itself. Noise: several at once, so the
next two digits are tried from 00 to 99. Where all twelve digits are fixed and it is still noise, two have one address.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

from edge.codec import cjt188, dlt645, dlt1997, modbus

ENERGY_2007, NUMBER_2007, VOLTAGES_2007, ENERGY_1997 = "00010000", "04000402", "0201FF00", "9010"
STATUS_3_2007, REMAINING_2007 = "04000503", "00900200"
PREPAID = (0x0100, 0x0200)
"""Bits 8 and 9 of status word 3: energy, or money, is prepaid in the meter."""
DIGITS = 12
ANSWERS_TO_BELIEVE_NOISE = 2
"""A spark on the line is noise once; meters that talk at once are noise again."""


@dataclass(frozen=True)
class Probe:
    """One question. `about` tells a person what is being tried."""

    protocol: str
    frame: bytes
    about: str
    crowd: bool = False
    """Several meters may answer, so the line is listened to until all who wanted to have spoken."""


@dataclass(frozen=True)
class Outcome:
    """What became of a probe: the reply, or `silent`, or `noise`."""

    raw: bytes | None
    error: str | None = None


@dataclass(frozen=True)
class Found:
    """A meter. `doubled` says that more than one answers to this address; `number` is what it reads back itself.

    `phases` is how many phases it measures, None where it does not tell. `purse`: it keeps prepaid money itself.
    """

    protocol: str
    address: str
    number: str | None = None
    doubled: bool = False
    phases: int | None = None
    purse: bool = False


Search = Generator[Probe, Outcome, list[Found]]


def dlt645_meters(fixed: str = "") -> Search:
    """Every DL/T 645-2007 meter whose address ends with the digits `fixed`."""
    pattern = "A" * (DIGITS - len(fixed)) + fixed
    frame = dlt645.read(pattern, ENERGY_2007)
    outcome = yield from _asked(Probe("dlt645-2007", frame, f"address {pattern}", crowd=True))
    if outcome.raw is not None:
        found = yield from _named(dlt645.decode(outcome.raw).address)
        return [found]
    if outcome.error != "noise":
        return []
    if len(fixed) == DIGITS:
        return [Found("dlt645-2007", fixed, doubled=True)]
    meters: list[Found] = []
    for pair in range(100):
        meters += yield from dlt645_meters(f"{pair:02d}{fixed}")
    return meters


def _named(address: str) -> Generator[Probe, Outcome, Found]:
    """Ask a found meter for its own number; two numbers behind one address are noise or differ."""
    frame = dlt645.read(address, NUMBER_2007)
    outcome = yield from _asked(Probe("dlt645-2007", frame, f"number of {address}"))
    if outcome.raw is None:
        return Found("dlt645-2007", address, doubled=outcome.error == "noise")
    reply = dlt645.decode(outcome.raw)
    number = reply.data[:3:-1].hex() if not reply.abnormal and len(reply.data) == 10 else ""
    phases = yield from _phases(address)
    purse = yield from _purse(address)
    return Found("dlt645-2007", address, number if number.isdigit() else None, phases=phases, purse=purse)


def _phases(address: str) -> Generator[Probe, Outcome, int | None]:
    """A three-phase meter has a voltage of phase B; a single-phase one says FF there, sends less, or refuses."""
    frame = dlt645.read(address, VOLTAGES_2007)
    outcome = yield from _asked(Probe("dlt645-2007", frame, f"phases of {address}"))
    if outcome.raw is None or (reply := dlt645.decode(outcome.raw)).abnormal:
        return None
    return 3 if len(reply.data) >= 8 and reply.data[6:8] not in (b"\xff\xff", b"\x00\x00") else 1


def _purse(address: str) -> Generator[Probe, Outcome, bool]:
    """A meter keeps prepaid money where its status word 3 says so, or where an amount is left in it: not every maker
    sets those bits. A meter with remote control says neither, or refuses both."""
    word = yield from _value(address, STATUS_3_2007, 2, "status")
    if word is not None and int.from_bytes(word, "little") & 0x0300 in PREPAID:
        return True
    left = yield from _value(address, REMAINING_2007, 4, "purse")
    return left is not None and left[::-1].hex().isdigit() and any(left)


def _value(address: str, identifier: str, size: int, about: str) -> Generator[Probe, Outcome, bytes | None]:
    """The `size` value bytes of an identifier; None where the meter is silent, refuses it, or answers otherwise."""
    outcome = yield from _asked(Probe("dlt645-2007", dlt645.read(address, identifier), f"{about} of {address}"))
    if outcome.raw is None:
        return None
    reply = dlt645.decode(outcome.raw)
    fits = not reply.abnormal and reply.identifier == identifier and len(reply.data) == 4 + size
    return reply.data[4:] if fits else None


def dlt1997_meters() -> Search:
    """The DL/T 645-1997 meter of a line: there are no wildcards, and a read to everybody is answered by one alone."""
    probe = Probe("dlt645-1997", dlt1997.read(dlt1997.EVERYBODY, ENERGY_1997), "any meter of 1997", crowd=True)
    outcome = yield from _asked(probe)
    if outcome.raw is not None:
        return [Found("dlt645-1997", dlt645.decode(outcome.raw).address)]
    return [Found("dlt645-1997", "", doubled=True)] if outcome.error == "noise" else []


def cjt188_meters() -> Search:
    """The CJ/T 188 meter of a line. Wildcards stand for whole addresses only, so several cannot be told apart."""
    frame = cjt188.read(cjt188.ANY_KIND, cjt188.ANY)
    outcome = yield from _asked(Probe("cjt188", frame, "any water, gas or heat meter", crowd=True))
    if outcome.raw is not None:
        return [Found("cjt188", cjt188.decode(outcome.raw).address)]
    return [Found("cjt188", "", doubled=True)] if outcome.error == "noise" else []


def modbus_meters(slaves: Iterable[int] = range(1, 248)) -> Search:
    """Every Modbus slave among `slaves`; a refusal is an answer too."""
    meters: list[Found] = []
    for slave in slaves:
        outcome = yield from _asked(Probe("modbus-rtu", modbus.read(slave, 3, 0, 2), f"slave {slave}"))
        if outcome.raw is not None or outcome.error == "noise":
            meters.append(Found("modbus-rtu", str(slave), doubled=outcome.raw is None))
    return meters


def _asked(probe: Probe) -> Generator[Probe, Outcome, Outcome]:
    """Ask until noise is believed."""
    outcome = Outcome(None, "silent")
    for _ in range(ANSWERS_TO_BELIEVE_NOISE):
        outcome = yield probe
        if outcome.error != "noise":
            break
    return outcome
