"""The mains as a meter sees it: volts, amps, hertz and power factor, integers drawn from seed and minute.

Nothing here is remembered: the same seed in the same minute has the same voltage, whoever asks and how often.
"""

from __future__ import annotations

from .instants import MINUTE_US

SHARES = {1: (1000,), 3: (362, 335, 303)}
"""How a load spreads over the phases, in permille. Real shops are never balanced."""


def draw(seed: int, minute: int, what: int, spread: int) -> int:
    """A number in 0..spread-1 that depends on nothing but its arguments."""
    x = (seed * 0x9E3779B1 + minute * 0x85EBCA6B + what * 0xC2B2AE35) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return (x ^ (x >> 16)) % spread


class Mains:
    """What one meter with `phases` phases measures while its load takes `watts`."""

    def __init__(self, seed: int, phases: int):
        if phases not in SHARES:
            raise ValueError(f"a meter has 1 or 3 phases, not {phases}")
        self.seed, self.phases = seed, phases

    def volts_d(self, at_us: int, phase: int) -> int:
        """Voltage of phase 0..2 in tenths of a volt: 223.0 to 231.9."""
        return 2230 + draw(self.seed, at_us // MINUTE_US, phase, 90)

    def hertz_c(self, at_us: int) -> int:
        """Frequency in hundredths of a hertz: 49.97 to 50.03. One grid, so every meter sees the same."""
        return 4997 + draw(0, at_us // MINUTE_US, 7, 7)

    def factor_m(self, at_us: int, watts: int) -> int:
        """Power factor in thousandths: 0.930 to 0.989; 1.000 where nothing flows."""
        return 930 + draw(self.seed, at_us // (5 * MINUTE_US), 8, 60) if watts else 1000

    def phase_watts(self, watts: int, phase: int) -> int:
        """Watts of one phase; the phases sum to `watts` exactly, the first takes the residue."""
        shares = SHARES[self.phases]
        if phase:
            return watts * shares[phase] // 1000
        return watts - sum(watts * share // 1000 for share in shares[1:])

    def milliamps(self, at_us: int, watts: int, phase: int) -> int:
        """Amps of one phase in thousandths, from its watts, its volts and the power factor."""
        flowing = self.phase_watts(watts, phase)
        if not flowing:
            return 0
        return flowing * 10_000_000 // (self.volts_d(at_us, phase) * self.factor_m(at_us, watts))
