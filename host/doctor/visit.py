"""`riser doctor`: look at everything, judge it, tell it. Nothing is changed, and the book is never opened."""

from __future__ import annotations

import logging
from pathlib import Path

from bridge.contract.clock import Clock
from host.doctor import (
    accounts,
    backups,
    broker,
    clock,
    disk,
    holidays,
    meters,
    own_supply,
    ports,
    programs,
    rights,
    site,
)
from host.doctor.findings import Finding, count, with_data
from host.doctor.gather import gather
from host.doctor.seen import Snapshot
from host.exits import FAILED, FINE
from host.programs import SIM

CHECKS = (programs, ports, rights, meters, clock, broker, disk, backups, site, holidays, own_supply, accounts)


def visit(
    base: Path, site_file: Path | None, machine: Clock, command: str, data: str | None = None
) -> tuple[list[Finding], str]:
    """(all findings, a line that says what was looked at). `data` is --data as typed; it is in every command then."""
    # What the connection logs is told as a finding, in words and once.
    logging.getLogger("riser").addHandler(logging.NullHandler())
    snapshot = gather(base, site_file, machine, command)
    findings = judge(snapshot)
    return [with_data(each, data) for each in findings] if data else findings, headline(snapshot)


def judge(snapshot: Snapshot) -> list[Finding]:
    """Every finding; a pure function of what was seen."""
    return [*snapshot.troubles, *(finding for check in CHECKS for finding in check.findings(snapshot))]


def headline(snapshot: Snapshot) -> str:
    name = f"{snapshot.site.site.site.name}, " if snapshot.site.site is not None else ""
    practice = snapshot.run is not None and SIM in snapshot.run.programs
    demo = " (the demo)" if snapshot.place.demo else " (to practise: simulated meters)" if practice else ""
    return f"{name}data in {snapshot.place.directory}{demo}"


def code(findings: list[Finding]) -> int:
    """0 when nothing is wrong, else 1; what is only worth knowing does not count."""
    return FAILED if count(findings, "wrong") else FINE
