"""With which byte a DL/T 645 meter says no: bits of the error byte (§7), and of SERR for 03H and 1CH."""

from __future__ import annotations

OTHER, NO_DATA, PASSWORD, SPEED, ZONES, PERIODS, RATES = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40
"""Error byte: bit 0 other, 1 no such data, 2 password or not authorised, 3 speed, 4 too many year zones, 5 too many
day periods, 6 too many tariffs."""

TOO_LATE, POWER_KEPT, NO_RESTORE_TIME = 0x10, 0x20, 0x80
"""SERR of 1CH: time tag, power is kept, restore time invalid."""

REPEATED, CHECK_FAILED, NOT_AUTHENTICATED, CUSTOMER, COUNT, HOARDING = 0x02, 0x04, 0x08, 0x10, 0x20, 0x40
"""SERR of 03H."""


class Refusal(Exception):
    """The meter says no; `error` is what it says it with. Asking the same again gives the same."""

    def __init__(self, error: int):
        super().__init__(f"error {error:02X}")
        self.error = error
