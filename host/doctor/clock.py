"""The clock: without a believed one days stay open and nobody is cut (R25). What the machine says, and the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from host.doctor.findings import Finding, good, know, wrong
from host.doctor.seen import Snapshot

FIRST_YEAR, LAST_YEAR = 2026, 2099
"""This program is not older than the first; DL/T 645 writes a year with two digits."""

NTP = "sudo timedatectl set-ntp true"

SEE_TIME = "Compare this machine's time with a watch that is right, and see which time server it asks."
TIME_SERVER = "timedatectl timesync-status"

BACKWARD = timedelta(minutes=5)
"""The gateway itself forgives a correction of this size."""


def findings(snapshot: Snapshot) -> list[Finding]:
    seen = snapshot.clock
    if seen is None:
        return []
    found = [*_year(snapshot), *_synchronised(snapshot), *_gateway(snapshot)]
    if not seen.rtc:
        found.append(
            know(
                "clock",
                "",
                "This machine has no clock chip (RTC): after a power cut it does not know the time until "
                "a time server answers.",
                "Fit a DS3231 module (Pi 5: the battery), or see that a time server is reachable.",
            )
        )
    if not any(each.severity == "wrong" for each in found):
        text = f"{snapshot.now.astimezone(snapshot.zone):%Y-%m-%d %H:%M}"
        demo = " (the demo's own calendar)" if snapshot.place.demo and snapshot.run else ""
        found.append(good("clock", "", f"It is {text} in {snapshot.zone.key}{demo}."))
    return found


def _year(snapshot: Snapshot) -> Iterator[Finding]:
    seen = snapshot.clock
    assert seen is not None
    set_it = ("Set it by a time server, or by hand with timedatectl set-time.", NTP)
    if not FIRST_YEAR <= seen.now.year <= LAST_YEAR:
        yield wrong("clock", "", f"The machine's clock says the year {seen.now.year}.", *set_it)
    elif seen.newest_file_at is not None and seen.now < seen.newest_file_at - BACKWARD:
        yield wrong(
            "clock",
            "",
            f"The machine's clock says {seen.now.astimezone(snapshot.zone):%Y-%m-%d %H:%M}, and the book "
            f"was written at {seen.newest_file_at.astimezone(snapshot.zone):%Y-%m-%d %H:%M}: the clock has gone back, "
            "or stood wrong before.",
            *set_it,
        )


def _synchronised(snapshot: Snapshot) -> Iterator[Finding]:
    seen, site = snapshot.clock, snapshot.site.site
    assert seen is not None
    if seen.synchronised:
        yield good("clock", "", "The kernel says that the clock is synchronised.")
        return
    sentence = "The kernel says that the clock is not synchronised."
    remedy = "Let it ask time servers. Without internet: a time server in the house, or a clock chip; "
    if snapshot.place.demo:
        yield know("clock", "", f"{sentence} The demo keeps its own calendar, a real site would not cut.")
    elif site is not None and site.clock.trust == "always":
        yield know(
            "clock",
            "",
            f'{sentence} It is believed as it is, because the site file says trust = "always".',
            "See from time to time that it is right.",
        )
    else:
        remedy += f'or, if it is right as it is, write trust = "always" under [clock] in {snapshot.site.path}.'
        yield wrong(
            "clock", "", f"{sentence} The gateway reads and restores, closes no day and cuts nobody.", remedy, NTP
        )


def _gateway(snapshot: Snapshot) -> Iterator[Finding]:
    info, seen = snapshot.facts.info, snapshot.clock
    assert seen is not None
    if info is None:
        return
    if info.clock_trusted and info.clock_doubt:
        yield wrong("clock", "", f"The gateway doubts its clock: {info.clock_doubt}.", SEE_TIME, TIME_SERVER)
    elif info.clock_trusted:
        yield good("clock", "", f"The gateway believes the clock: {info.clock_why}.")
    elif seen.synchronised or "synchronised" not in info.clock_why:  # Else it is told already.
        yield wrong(
            "clock",
            "",
            f"The gateway does not believe the clock: {info.clock_why}. It closes no day and cuts nobody.",
            "Set the machine's clock right; the gateway looks every few seconds.",
        )
