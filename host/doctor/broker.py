"""The broker, and what the gateway says through it: on line, in which mode, and why it would not cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bridge.contract.loopback import is_loopback
from host.doctor.findings import Finding, good, know, names, wrong
from host.doctor.seen import BrokerSeen, Snapshot

OLDEST_MOSQUITTO = 2

MODES = {
    "time": "See clock: it leaves this mode by itself.",
    "recovery": "The book is an older copy. Enter the payments that are missing, then end Riser and say so once: "
    "`riser up --recovered-by NAME`.",
    "version": "Start the newer Riser that wrote the book.",
    "identity": "Find the second program with this gateway's id (an old card, a copy, a test) and end it.",
    "disk": "See disk.",
    "book": "Run `riser verify`: it names the entry. Restore a backup where one lies, and start Riser again.",
}
"""What brings the gateway back to mode normal (I22)."""


def findings(snapshot: Snapshot) -> list[Finding]:
    seen = snapshot.broker
    if seen is None:
        return []
    found = [*_program(snapshot, seen), *_open_to_all(snapshot, seen)]
    if not seen.asked:
        return found
    reached = list(_reached(snapshot, seen))
    found += reached
    if not any(each.severity == "wrong" for each in reached):
        found += _gateway(snapshot, seen)
    return found


def _program(snapshot: Snapshot, seen: BrokerSeen) -> Iterator[Finding]:
    """Our own Mosquitto: is it installed, and new enough?"""
    if not seen.ours:
        return
    if seen.program is None:
        yield wrong(
            "broker",
            "",
            "Mosquitto, the broker, is not installed.",
            "Install Debian's package.",
            "sudo apt-get install -y mosquitto",
        )
        return
    version = seen.facts.version or seen.program_version or ""
    if (number := re.search(r"(\d+)\.\d+", version)) is None:
        yield know(
            "broker",
            "",
            f"The version of {seen.program} is not known.",
            "See what it says of itself.",
            f"{seen.program} -h",
        )
    elif int(number[1]) < OLDEST_MOSQUITTO:
        yield wrong(
            "broker",
            "",
            f"Mosquitto is version {version}; Riser needs version {OLDEST_MOSQUITTO}.",
            "Install the newer package; Debian 12 has it.",
            "sudo apt-get update && sudo apt-get install -y mosquitto",
        )
    elif not seen.asked:
        yield good("broker", "", f"Mosquitto {version.removeprefix('mosquitto version ')} is installed.")


def _open_to_all(snapshot: Snapshot, seen: BrokerSeen) -> Iterator[Finding]:
    """Passwords and names that go over a network in clear text."""
    at = urlsplit(seen.url)
    listen = snapshot.site.site.broker.listen if snapshot.site.site is not None else ""
    if seen.ours and listen and not is_loopback(listen):
        yield know(
            "broker",
            "",
            f"The broker listens on {listen} without TLS: passwords and tenants' names can be read in that network.",
            "Use a network of its own for it, or loopback and a broker with TLS.",
        )
    elif not seen.ours and at.scheme == "mqtt" and not is_loopback(at.hostname or ""):
        yield know(
            "broker",
            "",
            f"The broker {seen.url} is spoken to without TLS: the password can be read there.",
            'Write url = "mqtts://..." under [broker], if that broker offers it.',
        )


def _reached(snapshot: Snapshot, seen: BrokerSeen) -> Iterator[Finding]:
    whose = "The broker" if seen.ours else "The broker of the site file,"
    at = f"{whose} {seen.url}" + ("" if seen.ours else ",")
    again = f"See {snapshot.place.directory}/log/broker.log; start Riser again."
    if seen.no_login is not None:
        yield wrong(
            "broker",
            "",
            f"The broker could not be asked: {seen.no_login}.",
            "`riser up` writes the logins at its start: start Riser again.",
        )
    elif not seen.listening:
        there = again if seen.ours else "Is that machine on, the address and port right, a firewall between?"
        yield wrong("broker", "", f"{at} is not reachable.", there)
    elif not seen.let_in:
        why = seen.refused or "it closed the connection, or is no MQTT broker"
        login = (
            "Start Riser again: it writes the logins anew."
            if seen.ours
            else (f"Check user and password_file under [broker] in {snapshot.site.path} against that broker.")
        )
        yield wrong("broker", "", f"{at} does not let us in: {why}.", login)
    else:
        version = f", {seen.facts.version}" if seen.facts.version else ""
        yield good("broker", "", f"{at} answers{version}.")
        site = snapshot.site.site
        port = urlsplit(seen.url).port
        if seen.ours and site is not None and port != site.broker.port and not snapshot.place.demo:
            yield know(
                "broker",
                "",
                f"The broker is on port {port}, because {site.broker.port} was in use at the "
                "start: clients that ask at the usual port reach another broker.",
                f"End the other one and start Riser again, or write port = {port} under [broker].",
                "sudo systemctl disable --now mosquitto",
            )


def _gateway(snapshot: Snapshot, seen: BrokerSeen) -> Iterator[Finding]:
    facts = seen.facts
    if facts.strange:
        yield wrong(
            "broker",
            "",
            f"What the gateway says is not understood: {names(facts.strange)}. It is of another "
            "version than this doctor.",
            "Start Riser again, so that all programs are of one version.",
        )
    log = f"{snapshot.place.directory}/log/edge.log"
    if facts.status is None:
        yield wrong("broker", "", "The broker has never heard of this gateway.", f"Is the edge running? See {log}")
        return
    if facts.status.state != "online":
        running = snapshot.run is not None
        severity = wrong if running or not seen.ours else know
        remedy = f"See programs and {log}." if running else "Start Riser."
        yield severity("broker", "", "The gateway is off line.", remedy)
        return
    info = facts.info
    if info is None:
        return
    if info.mode == "normal":
        yield good("broker", "", f"The gateway {info.gateway} is on line, mode normal, entry {info.seq}.")
    else:
        # Mode time is told under clock, with what to do.
        yield (know if info.mode == "time" else wrong)(
            "broker",
            "",
            f"The gateway is in mode {info.mode} and cuts nobody: {info.mode_why or 'it does not say why'}.",
            MODES[info.mode],
        )
    if info.brake is not None:
        yield wrong(
            "broker",
            "",
            f"The brake on mass cuts has caught: {info.brake}.",
            "Find out why so many are due; if it is right, release the brake.",
            './riser request brake why="..."',
        )
