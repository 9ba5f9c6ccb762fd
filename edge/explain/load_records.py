"""Load records of DL/T 645-2007 (DI 06 0c 00 0w, annex B): blocks of values at one instant, as many as fit an answer.

    A0 A0 N   mm hh DD MM YY   class 1 AA  class 2 AA  ...  class 6 AA   CS E5

N counts the bytes from the time to the last AA; CS is the sum from the first A0 to the last AA, modulo 256. A class
that is not recorded is an AA alone; no decimal digit is AA, so the two cannot be confused. E0 E0 instead of A0 A0 is
the meter's own mark for a record that is not right. A single class (c from 1 to 6) comes in the same block.

Certainty: annex B itself was not at hand. Order and size of everything stand alike in five public programs that quote
it (terminals and a parser in C, a note in English); N and CS are as two of them, terminals in the field, compare them,
and a sixth lets N count CS and E5 too: that is read as well, and said. Class 5 is left out in one quotation. No frame
of a real meter was found, so the test's frame is worked by hand, and what does not fit is shown as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.explain import formats

Quantity = tuple[str, str | None, str]
"""Label, text (None: not available), unit."""

BEGIN, MARKED_BAD, APART, END = b"\xa0\xa0", b"\xe0\xe0", b"\xaa", b"\xe5"
CUT = "here it is cut"

CLASSES: tuple[str, ...] = (
    "3*~phase(voltage:XXX.X@V) 3*~phase(amperes:+XXX.XXX@A) frequency:XX.XX@Hz",
    "4*~total(active_power:+XX.XXXX@kW) 4*~total(reactive_power:+XX.XXXX@kvar)",
    "4*~total(power_factor:+X.XXX)",
    "forward_active:XXXXXX.XX@kWh reverse_active:XXXXXX.XX@kWh"
    " combined_reactive_1:+XXXXXX.XX@kvarh combined_reactive_2:+XXXXXX.XX@kvarh",
    "4*~quadrant:XXXXXX.XX@kvarh",
    "active_demand:+XX.XXXX@kW reactive_demand:+XX.XXXX@kvar",
)
"""Values of the six classes, in the order of the line: 17, 24, 8, 16, 16 and 6 bytes."""

NAMES = ("voltage, amperes, frequency", "power", "power factor", "energy", "reactive energy", "demand")
"""The classes in words; 06 01 .... asks for the first alone, 06 06 .... for the last."""


@dataclass(frozen=True)
class Record:
    """One block: when it was stored by the meter's own clock, and its values.

    `remarks` are sentences: a sum that is wrong, a mark of the meter's, a length that counts more.
    """

    at: str | None
    values: tuple[Quantity, ...]
    remarks: tuple[str, ...] = ()


@dataclass
class Look:
    """What bytes say as load records. `told` covers them without a gap: (how many bytes, what they say)."""

    raw: bytes
    records: list[Record] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    trouble: str | None = None
    """Why the rest is no record; None where all is made of whole ones."""

    @property
    def rest(self) -> bytes:
        return self.raw[sum(size for size, _ in self.told) :]

    def take(self, size: int, words: str) -> bytes:
        piece = self.rest[:size]
        self.told.append((len(piece), words))
        return piece

    def expects(self, wanted: bytes, words: str) -> None:
        if self.rest[: len(wanted)] != wanted:
            found = self.rest[: len(wanted)].hex(" ").upper()
            cut = wanted.startswith(self.rest[: len(wanted)])
            raise _Odd(CUT if cut else f"{wanted.hex(' ').upper()} should stand here and {found} does")
        self.take(len(wanted), words)


class _Odd(Exception):
    """The layout ends here; the text says why."""


def look(raw: bytes) -> Look:
    """Read records as far as they go. Nothing at all is an answer too: the meter has none from there on."""
    found = Look(raw)
    while found.rest and found.trouble is None:
        try:
            _block(found, f"record {len(found.records) + 1}")
        except _Odd as odd:
            found.trouble = str(odd)
            found.take(len(found.rest), f"no more of the layout: {odd}")
    return found


def records(raw: bytes) -> list[Record] | None:
    """The records of an answer, None where it is not made of whole ones. Empty: the meter has none from there on."""
    found = look(raw)
    return found.records if found.trouble is None else None


def _block(found: Look, name: str) -> None:
    """One record. Raises _Odd where it does not go on as the layout has it."""
    block, remarks = found.rest, []
    if block[:2] == MARKED_BAD:
        remarks.append("the meter marks this record as not right")
        found.take(2, f"{name}: {remarks[0]}")
    else:
        found.expects(BEGIN, f"{name}: its start")
    counted = _length(found, block, remarks)
    begins = len(found.rest)
    at = _time(found)
    values = [value for number, layout in enumerate(CLASSES, 1) for value in _class(found, number, layout)]
    if begins - len(found.rest) != counted:
        raise _Odd(f"{begins - len(found.rest)} bytes from the time to the last AA, and its length says {counted}")
    if not found.rest:
        raise _Odd(CUT)
    right, told = sum(block[: 3 + counted]) & 0xFF, "sum of the record, modulo 256: right"
    if found.rest[0] != right:
        told = f"the record's own sum is {found.rest[0]:02X} and should be {right:02X}"
        remarks.append(told)
    found.take(1, told)
    found.expects(END, "end of the record")
    found.records.append(Record(at, tuple(values), tuple(remarks)))


def _length(found: Look, block: bytes, remarks: list[str]) -> int:
    """How many bytes there are from the time to the last AA, whichever way the meter counts."""
    if len(block) < 3:
        raise _Odd(CUT)
    length = block[2]
    found.take(1, f"its length, {length}")
    ends_so, ends_early = (block[length + at : length + at + 1] == END for at in (4, 2))
    if ends_so or not ends_early:
        return length
    remarks.append("its length counts its sum and its end too, as some makers have it")
    return length - 2


def _time(found: Look) -> str | None:
    raw = found.rest[:5]
    try:
        at = formats.read("YYMMDDhhmm", raw).text
    except ValueError as error:
        raise _Odd(CUT if len(raw) < 5 else f"no time: {error}") from None
    found.take(5, f"stored at {at}")
    return at


def _class(found: Look, number: int, layout: str) -> list[Quantity]:
    """The values of a class, and its AA."""
    values: list[Quantity] = []
    body, size = found.rest, 0
    for part in formats.parts(layout, 0) if body[:1] != APART else ():
        raw = body[size : size + formats.size_of(part.format)]
        try:
            values.append((part.label, formats.read(part.format, raw).text, part.unit or ""))
        except ValueError as error:
            found.take(size, _words(number, values))
            raise _Odd(CUT if len(raw) < formats.size_of(part.format) else f"{part.label}: {error}") from None
        size += len(raw)
    if values:
        found.take(size, _words(number, values))
    found.expects(APART, f"end of class {number}" + ("" if values else f" ({NAMES[number - 1]}): it is not recorded"))
    return values


def _words(number: int, values: list[Quantity]) -> str:
    told = (f"{label} {'not available' if text is None else f'{text} {unit}'.rstrip()}" for label, text, unit in values)
    return f"class {number}: {', '.join(told)}" if values else f"class {number}"
