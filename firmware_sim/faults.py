"""What is wrong with a shaft, one line each: KIND:WHERE[:ARG]. The kinds stand in `KINDS`, in words for who practises.

Lines count from the first to the last; `clear:WHERE` takes back what was said of a place before, `clear:*` all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

LATEST_S = 60.0
SECONDS_RANGE = f"seconds, more than 0 and at most {LATEST_S:.0f}"

METER, LINE, EITHER = "meter", "line", "line or meter"


@dataclass(frozen=True)
class Kind:
    """One kind of fault: where it may be, what stands behind the place (empty for nothing), and what happens."""

    where: str
    argument: str
    says: str
    example: str = ""
    """An argument as it may be written."""
    range: str = ""
    """What the argument may be, in words."""


KINDS = {
    "silent": Kind(METER, "", "the meter hears and answers nothing"),
    "stuck": Kind(METER, "", "control is acknowledged, the status shows the command, contact or valve never moves"),
    "noise": Kind(
        EITHER,
        "0 to 1",
        "so many replies have a byte flipped, lost or added, rubbish before, or their end cut off",
        "0.05",
        "a number from 0 to 1: how many of the replies",
    ),
    "flips": Kind(
        EITHER,
        "N, 0.x or sly",
        "flipped bits: N in every answer, or each bit with the chance 0.x, or two that the sum of DL/T 645 misses",
        "2",
        "a whole number from 1 to 100, a chance from 0 to 1 with a point in it, or the word sly",
    ),
    "late": Kind(
        METER, "seconds", "the meter answers so late that its answer falls into another question", "1.5", SECONDS_RANGE
    ),
    "echo": Kind(LINE, "", "the adapter sends back what it was sent, in front of the answer"),
    "unplug": Kind(LINE, "", "the adapter is pulled; cleared, it is back under its name and another device"),
    "cover": Kind(METER, "", "the meter's cover is open; the meter counts and notes it, as DL/T 645 has it"),
    "terminal": Kind(METER, "", "the terminal cover is open"),
    "magnet": Kind(METER, "", "a magnet is at the meter, which notes it"),
    "battery": Kind(METER, "", "the battery is low: status word 1 bit 2, ST bit 2 of a water meter"),
    "power": Kind(METER, "", "the meter has no supply: silent, nothing counted, no midnight frozen, power down noted"),
    "babble": Kind(
        METER,
        "seconds",
        "asked, the meter does not stop talking for so long, and what it says is rubbish",
        "3",
        SECONDS_RANGE,
    ),
}
"""Every kind of fault."""

EXAMPLES = "silent:a101 or noise:line-1:0.05"

CLEAR = "clear"
EVERYWHERE = "*"
SLY = "sly"
SECONDS = ("late", "babble")
SUFFERED = ("stuck", "cover", "terminal", "magnet", "battery", "power")
"""Kinds that happen to a meter and not to what it says."""


@dataclass(frozen=True)
class Faults:
    """The faults of the moment, by kind: a set of places, or places with what stands behind them.

    `noise` maps a line or a meter to the probability that a reply suffers, `flips` to a number, a rate or `sly`.
    """

    silent: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()
    noise: dict[str, float] = field(default_factory=dict)
    flips: dict[str, str] = field(default_factory=dict)
    late: dict[str, float] = field(default_factory=dict)
    echo: frozenset[str] = frozenset()
    unplug: frozenset[str] = frozenset()
    cover: frozenset[str] = frozenset()
    terminal: frozenset[str] = frozenset()
    magnet: frozenset[str] = frozenset()
    battery: frozenset[str] = frozenset()
    power: frozenset[str] = frozenset()
    babble: dict[str, float] = field(default_factory=dict)

    def noise_of(self, *places: str) -> float:
        """The largest probability among a line and the meter that answers."""
        return max((self.noise.get(place, 0.0) for place in places), default=0.0)

    def flips_of(self, *places: str) -> str:
        """How bits are flipped, where several places say so by the last of them; empty for not at all."""
        return next((self.flips[place] for place in reversed(places) if place in self.flips), "")

    def named(self) -> list[tuple[str, str]]:
        """(kind, place) of every fault."""
        return [(kind, place) for kind in KINDS for place in sorted(getattr(self, kind))]


NO_FAULTS = Faults()


def parse_fault(text: str) -> tuple[str, str, str]:
    """Kind, place and argument of one line; raises ValueError with a sentence that says what was expected."""
    kind, _, rest = text.strip().partition(":")
    where, colon, argument = rest.partition(":")
    known = KINDS.get(kind)
    if where and ((kind == CLEAR and not colon) or (known and _fits(kind, known, colon, argument))):
        return kind, where, argument
    raise ValueError(f"fault {text.strip()!r} is not understood; write {grammar()}, such as {EXAMPLES}")


def grammar() -> str:
    """All kinds with their places and arguments, in a row."""
    shapes = [(name, kind.where, f":<{kind.argument}>" if kind.argument else "") for name, kind in KINDS.items()]
    return ", ".join(f"{name}:<{where}>{behind}" for name, where, behind in shapes)


def _fits(kind: str, known: Kind, colon: str, argument: str) -> bool:
    if not known.argument:
        return not colon
    if kind == "flips" and argument == SLY:
        return True
    try:
        number = float(argument)
    except ValueError:
        return False
    if kind in SECONDS:
        return 0 < number <= LATEST_S
    if kind == "flips" and argument.isdigit():
        return 1 <= number <= 100
    return 0 <= number <= 1


def gather(texts: Iterable[str]) -> Faults:
    """All faults of a list of lines, without empty lines and # comments. Raises ValueError at the first wrong one."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for text in texts:
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        kind, where, argument = parse_fault(text)
        if kind == CLEAR:
            for places in found.values():
                if where == EVERYWHERE:
                    places.clear()
                places.pop(where, None)
        else:
            found[kind][where] = argument
    sets = {kind: frozenset(places) for kind, places in found.items() if not KINDS[kind].argument}
    noise, late, babble = ({where: float(text) for where, text in found[kind].items()} for kind in ("noise", *SECONDS))
    return Faults(noise=noise, late=late, babble=babble, flips=found["flips"], **sets)


def lines_of(faults: Faults) -> list[str]:
    """The faults as lines that `gather` reads back."""
    lines = []
    for kind, place in faults.named():
        behind = getattr(faults, kind)
        lines.append(f"{kind}:{place}:{behind[place]}" if isinstance(behind, dict) else f"{kind}:{place}")
    return lines
