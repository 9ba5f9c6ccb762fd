"""A short visit to the broker as the person at this machine: every retained fact of the gateway, and the broker's own.

Nothing is published. A visit ends when everything that `info`, `meters` and `accounts` promise has come, or nothing new
comes.
"""

from __future__ import annotations

import errno
import os
import queue
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bridge.contract import messages as m
from bridge.contract import secrets
from bridge.contract.clock import Clock
from bridge.contract.messages import Message, Topics
from bridge.contract.secrets import BrokerLogin, NoSecrets
from bridge.contract.site import Site
from bridge.mqtt import Connected, Disconnected, Happening, Link, Received
from host import mosquitto, ports
from host.asking import USER
from host.doctor.seen import BrokerSeen, Facts
from host.runfile import Run

VERSION_TOPIC = "$SYS/broker/version"

CONNECT_S, QUIET_S, LIMIT_S = 3.0, 1.0, 8.0
"""A broker on this machine lets in within milliseconds; one on a network that needs seconds is told as it is."""

SINGLE = (m.Status, m.Info, m.Meters, m.Accounts, m.Policy)
PER_METER = (m.MeterFacts, m.Availability, m.Relay, m.Valve)

Kind = TypeVar("Kind", bound=Message)


@dataclass(frozen=True)
class Visit:
    """What came of a visit: were we let in, if not why not, and every topic that was heard."""

    let_in: bool
    refused: str | None
    heard: dict[str, bytes]


def look(data: Path, site: Site | None, run: Run | None, clock: Clock) -> BrokerSeen:
    """The broker of this installation, asked where there is one to ask. Raises OSError."""
    foreign = site.broker.url if site is not None else None
    ours = foreign is None
    program = mosquitto.find_binary() if ours else None
    version = _program_version(program) if program is not None else None
    url = run.broker_url if run is not None else foreign or ""
    seen = BrokerSeen(asked=False, ours=ours, url=url, program=program, program_version=version)
    # Ours runs only while Riser does; another's may have kept what the gateway said last.
    path = secrets.path_of(data, USER)
    if run is None and (ours or not path.exists()):
        return seen
    if path.exists() and not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    try:
        login = secrets.read(data, USER).broker
    except NoSecrets as error:
        return _with(seen, no_login=str(error).partition(";")[0])
    if not ports.answers(login.host, login.port):
        return _with(seen)
    base = run.base if run is not None else site.site.base if site is not None else ""
    gateway = run.gateway if run is not None else site.site.gateway if site is not None else ""
    topics = Topics(base, gateway)
    came = visit(login, topics, clock)
    return _with(seen, listening=True, let_in=came.let_in, refused=came.refused, facts=understood(topics, came.heard))


def _with(seen: BrokerSeen, **changes: object) -> BrokerSeen:
    return BrokerSeen(**{**seen.__dict__, "asked": True, **changes})


def _program_version(program: str) -> str | None:
    """`mosquitto version 2.0.11`: the first line of its help."""
    told = subprocess.run([program, "-h"], capture_output=True, text=True, timeout=5).stdout
    found = re.search(r"mosquitto version [\w.]+", told)
    return found[0] if found else None


def visit(login: BrokerLogin, topics: Topics, clock: Clock) -> Visit:
    """Listen until nothing is missing or nothing new comes."""
    wanted = [topics.of(cls) for cls in SINGLE] + [
        topics.of(cls, "+") for cls in (*PER_METER, m.Account, m.PortStatistics)
    ]
    happenings: queue.Queue[Happening] = queue.Queue()
    client = f"{USER}-{os.getpid()}-{os.urandom(3).hex()}"
    link = Link(login, client, happenings.put, subscriptions=[*wanted, VERSION_TOPIC])
    heard: dict[str, bytes] = {}
    let_in, began_s = False, clock.monotonic()
    until_s = began_s + CONNECT_S
    link.start()
    try:
        while not complete(topics, heard) and (left_s := min(until_s, began_s + LIMIT_S) - clock.monotonic()) > 0:
            try:
                happening = happenings.get(timeout=left_s)
            except queue.Empty:
                break
            if isinstance(happening, Connected):
                let_in, until_s = True, clock.monotonic() + QUIET_S
            elif isinstance(happening, Disconnected) and not let_in:
                break  # It answered and did not let us in; asking again would change nothing.
            elif isinstance(happening, Received):
                if happening.topic not in heard:
                    until_s = clock.monotonic() + QUIET_S
                heard[happening.topic] = happening.payload
        return Visit(let_in, link.refused, heard)
    finally:
        link.stop()


def complete(topics: Topics, heard: dict[str, bytes]) -> bool:
    """True when everything has come that the lists of meters, accounts and ports promise. A meter may have no relay."""
    facts = understood(topics, heard)
    if facts.info is None or facts.meters is None or facts.accounts is None or facts.version is None:
        return False
    ids = {row.id for row in facts.meters.meters}
    tenants = {row.id for row in facts.accounts.accounts}
    lines = {port.id for port in facts.info.ports}
    meters = ids <= facts.values.keys() and ids <= facts.availability.keys()
    return meters and tenants <= facts.account.keys() and lines <= facts.lines.keys()


def understood(topics: Topics, heard: dict[str, bytes]) -> Facts:
    """The facts in these payloads; what this version does not understand is named and left out."""
    strange: list[str] = []

    def one(cls: type[Kind]) -> Kind | None:
        return _read(cls, topics.of(cls), heard, strange)

    def each(cls: type[Kind]) -> dict[str, Kind]:
        head, tail = topics.of(cls, "\n").split("\n")
        ids = [t[len(head) : len(t) - len(tail)] for t in heard if t.startswith(head) and t.endswith(tail)]
        found = {id: _read(cls, topics.of(cls, id), heard, strange) for id in ids if id and "/" not in id}
        return {id: message for id, message in found.items() if message is not None}

    version = heard.get(VERSION_TOPIC)
    return Facts(
        status=one(m.Status),
        info=one(m.Info),
        meters=one(m.Meters),
        accounts=one(m.Accounts),
        policy=one(m.Policy),
        values=each(m.MeterFacts),
        availability=each(m.Availability),
        relays=each(m.Relay),
        valves=each(m.Valve),
        account=each(m.Account),
        lines=each(m.PortStatistics),
        version=None if version is None else version.decode("utf-8", "replace"),
        strange=tuple(strange),
    )


def _read(cls: Callable[..., Kind], topic: str, heard: dict[str, bytes], strange: list[str]) -> Kind | None:
    payload = heard.get(topic)
    if not payload:
        return None
    try:
        return cls.model_validate_json(payload)  # type: ignore[attr-defined]
    except ValidationError:
        strange.append(topic)
        return None
