"""What runs here, as one dict of fixed shape and as lines for people. What is not known is null, never a guess.

{"ready", "programs": {name: {"state", "pid", "restarts", "why"}}, "broker": {"url", "credentials_file"},
 "panel": {"url"}, "meters": {"installed", "read"}, "seq", "clock": {"trusted", "doubt", "now"}, "mode"}
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from bridge.contract import secrets
from bridge.contract.clock import SystemClock, from_environment
from bridge.contract.messages import Info
from bridge.contract.secrets import NoSecrets
from bridge.contract.units import instant_text
from host import runfile
from host.asking import USER, Gateway, look
from host.places import DEMO, PRACTICE
from host.runfile import Run

PANEL_SILENT = "the panel does not answer yet"

BROKER_LIMIT_S = 3.0
PANEL_LIMIT_S = 2.0


@dataclass
class Standing:
    """What `riser status` found. `missing` says in words what stands between this and ready."""

    run: Run | None
    gateway: Gateway = field(default_factory=lambda: Gateway(None, None))
    missing: list[str] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return self.run is not None and not self.missing


def live_run(base: Path) -> Run | None:
    """The newest `up` that is alive in this data directory, its demo or its practice."""
    return runfile.live([base, base / DEMO, base / PRACTICE])


def gather(run: Run | None) -> Standing:
    """Ask the processes, the panel and the broker, in at most five seconds."""
    if run is None:
        return Standing(None, missing=["Riser does not run here; start it with `riser up`"])
    standing = Standing(run)
    for name, program in run.programs.items():
        if program["state"] != "running":
            why = f"needs a person: {program['why']}" if program.get("why") else f"is {program['state']}"
            standing.missing.append(f"{name} {why} (see {run.directory / 'log' / name}.log)")
    if not panel_answers(run.panel_url):
        standing.missing.append(PANEL_SILENT)
    try:
        standing.gateway = look(run, BROKER_LIMIT_S)
    except NoSecrets as error:
        standing.missing.append(str(error))
        return standing
    except ValidationError as error:
        standing.missing.append(f"the gateway speaks another version: {error.error_count()} fields are not understood")
        return standing
    standing.missing += _gateway_misses(standing.gateway)
    return standing


def _gateway_misses(gateway: Gateway) -> Iterator[str]:
    if gateway.status is None or gateway.info is None:
        yield "the broker has no word of the gateway"
    elif gateway.status.state != "online":
        yield "the gateway is off line"
    elif not round_read(gateway.info):
        yield "no round of the meters is read yet"


def round_read(info: Info) -> bool:
    """True when every open port with meters has finished a round and some meter was read, or there is none to read."""
    rounds = [port.round_at is not None for port in info.ports if port.meters and port.state == "open"]
    return info.meters_installed == 0 or (bool(rounds) and all(rounds) and info.meters_read > 0)


def panel_answers(url: str) -> bool:
    """True when the panel's /health says so. Asked directly: a proxy in the environment is not for this machine."""
    at = urlsplit(url)
    kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = kind(at.hostname or "127.0.0.1", at.port, timeout=PANEL_LIMIT_S)
    try:
        connection.request("GET", f"{at.path.rstrip('/')}/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def as_json(standing: Standing) -> dict[str, Any]:
    """The fixed shape above."""
    run, info = standing.run, standing.gateway.info
    clock = from_environment({"RISER_CLOCK": run.clock}) if run else SystemClock()
    return {
        "ready": standing.ready,
        "programs": run.programs if run else {},
        "broker": {
            "url": run.broker_url if run else None,
            "credentials_file": str(secrets.path_of(run.directory, USER)) if run else None,
        },
        "panel": {"url": run.panel_url if run else None},
        "meters": {
            "installed": info.meters_installed if info else None,
            "read": info.meters_read if info else None,
        },
        "seq": info.seq if info else None,
        "clock": {
            "trusted": info.clock_trusted if info else None,
            "doubt": info.clock_doubt if info else None,
            "now": instant_text(clock.now()),
        },
        "mode": info.mode if info else None,
    }


def _local(at: datetime, zone: str) -> str:
    """A time as the people of the site read it; in UTC, said so, where this machine does not know their zone."""
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone, there = "UTC", ZoneInfo("UTC")
    return f"{at.astimezone(there):%Y-%m-%d %H:%M:%S} in {zone}"


def as_lines(standing: Standing) -> list[str]:
    """The same for people."""
    run, info = standing.run, standing.gateway.info
    if run is None:
        return standing.missing
    lines = ["ready" if standing.ready else f"not ready: {'; '.join(standing.missing)}"]
    lines.append(f"panel     {run.panel_url}")
    lines.append(f"broker    {run.broker_url}  (login in {secrets.path_of(run.directory, USER)})")
    for name, program in run.programs.items():
        pid = f"process {program['pid']}" if program["pid"] else ""
        again = f"{program['restarts']} restart{'s' if program['restarts'] != 1 else ''}" if program["restarts"] else ""
        lines.append(f"{name:<9} {'  '.join(word for word in (program['state'], pid, again) if word)}")
    if info is not None:
        lines.append(f"meters    {info.meters_read} of {info.meters_installed} read in the last round")
        lines.append(f"book      entry {info.seq}, mode {info.mode}{f': {info.mode_why}' if info.mode_why else ''}")
        trust = "trusted" if info.clock_trusted else f"not trusted: {info.clock_why}"
        now = from_environment({"RISER_CLOCK": run.clock}).now()
        lines.append(f"clock     {_local(now, info.zone)}, {trust}")
        if info.clock_doubt:
            lines.append(f"          {info.clock_doubt}")
    lines.append(f"data      {run.data}")
    return lines
