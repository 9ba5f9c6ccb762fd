"""What is wrong with a shaft, written as KIND:WHERE[:ARG]: a silent meter, a noisy line, a relay that is stuck.

silent:a101          the meter hears and answers nothing
noise:line-1:0.05    one reply in twenty has a byte flipped, lost or added, or rubbish before it
stuck:a206           control is acknowledged, status word 3 shows the command, the contact never moves
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True)
class Faults:
    """The faults of the moment. `noise` maps a line or a meter to the probability that a reply suffers."""

    silent: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()
    noise: dict[str, float] = field(default_factory=dict)

    def noise_of(self, *places: str) -> float:
        """The largest probability among a line and the meter that answers."""
        return max((self.noise.get(place, 0.0) for place in places), default=0.0)


NO_FAULTS = Faults()


def parse_fault(text: str) -> tuple[str, str, float]:
    """Kind, place and argument of one line; raises ValueError with a sentence that says what was expected."""
    parts = text.strip().split(":")
    kind, where = parts[0], parts[1] if len(parts) > 1 else ""
    if kind in ("silent", "stuck") and len(parts) == 2 and where:
        return kind, where, 1.0
    if kind == "noise" and len(parts) == 3 and where:
        try:
            probability = float(parts[2])
        except ValueError:
            probability = -1.0
        if 0 <= probability <= 1:
            return kind, where, probability
    raise ValueError(
        f"fault {text.strip()!r} is not understood; "
        "write silent:<meter>, stuck:<meter> or noise:<line or meter>:<0 to 1>"
    )


def gather(texts: Iterable[str]) -> Faults:
    """All faults of a list of lines, without empty lines and # comments. Raises ValueError at the first wrong one."""
    silent: set[str] = set()
    stuck: set[str] = set()
    noise: dict[str, float] = {}
    for text in texts:
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        kind, where, argument = parse_fault(text)
        if kind == "noise":
            noise[where] = argument
        else:
            (silent if kind == "silent" else stuck).add(where)
    return Faults(frozenset(silent), frozenset(stuck), noise)


def disturb(reply: bytes, dice: Random) -> bytes:
    """One accident of the line: a byte flipped, lost or added, rubbish before the reply, or its end cut off."""
    spot = int(dice.random() * len(reply))
    byte = int(dice.random() * 256)
    accident = int(dice.random() * 5)
    if accident == 0:
        return reply[:spot] + bytes((reply[spot] ^ (byte or 0x10),)) + reply[spot + 1 :]
    if accident == 1:
        return reply[:spot] + reply[spot + 1 :]
    if accident == 2:
        return reply[:spot] + bytes((byte,)) + reply[spot:]
    if accident == 3:
        return bytes(int(dice.random() * 256) for _ in range(1 + byte % 5)) + reply
    return reply[:spot]
