"""A healthy installation as the doctor sees it, in pieces that a test spoils one at a time."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.contract import messages as m
from bridge.contract.port_statistics import ErrorCounts, MeterOnPort
from bridge.contract.site import Site
from host.doctor.findings import Finding
from host.doctor.seen import (
    Adapter,
    BrokerSeen,
    ClockSeen,
    DiskSeen,
    Facts,
    Place,
    PortSeen,
    PortsSeen,
    ProgramsSeen,
    SecretsSeen,
    SiteSeen,
    Snapshot,
    User,
)
from host.doctor.visit import judge
from host.runfile import Run

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DATA = Path("/srv/riser")
PI = User(1000, "pi", frozenset({1000, 20}))
FTDI = "/dev/serial/by-id/usb-FTDI_FT232R_A1"
MODELS = {"dlt645-1p": {"lamp": True, "relay": True}, "eastron-sdm630": {"lamp": False, "relay": False}}

SITE = """
[site]
name = "East"
own_supply = "breaker Q1"
gateway = "east"
[[ports]]
id = "line-1"
device = "/dev/serial/by-id/usb-FTDI_FT232R_A1"
protocol = "dlt645-2007"
[[tariffs]]
id = "shop"
name = "Shop"
kind = "single"
price = "0.85"
[[meters]]
id = "a101"
model = "dlt645-1p"
port = "line-1"
address = "202603110101"
room = "A101"
[[meters]]
id = "a102"
model = "dlt645-1p"
port = "line-1"
address = "202603110102"
room = "A102"
[[accounts]]
id = "7"
name = "Tea"
room = "A101"
phone = "13800000000"
tariff = "shop"
meters = ["a101", "a102"]
"""


def site(*swaps: tuple[str, str], more: str = "") -> Site:
    """The site file with pieces of text exchanged."""
    text = SITE
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new)
    return Site.model_validate(tomllib.loads(text + more, parse_float=Decimal))


def site_seen(*swaps: tuple[str, str], more: str = "") -> SiteSeen:
    return SiteSeen(Path("/etc/site.toml"), site(*swaps, more=more), (), MODELS)


def port(**changes: Any) -> PortSeen:
    return replace(PortSeen("line-1", FTDI, Path(FTDI), real="/dev/ttyUSB0"), **changes)


def adapter(n: int = 0, **changes: Any) -> Adapter:
    usual = Adapter(
        f"/dev/ttyUSB{n}", (f"/dev/serial/by-id/usb-FTDI_FT232R_A{n + 1}",),
        (f"/dev/serial/by-path/platform-usb-0:1.{n}",), "FTDI FT232R", f"A{n + 1}", True,
    )  # fmt: skip
    return replace(usual, **changes)


def port_facts(**changes: Any) -> m.PortFacts:
    usual = m.PortFacts(
        id="line-1", device="d", protocol="dlt645-2007", baud=2400, state="open", meters=2, read=2, round_s=2.1,
        round_at="2026-11-20T03:59:00+00:00", asked=1000, failed=1,
    )  # fmt: skip
    return usual.model_copy(update=changes)


def info(*ports: m.PortFacts, **changes: Any) -> m.Info:
    usual = m.Info(
        gateway="east", name="East", version="0.1.0", at="2026-11-20T04:00:00+00:00", zone="Asia/Shanghai",
        started_at="2026-11-20T02:00:00+00:00", clock_trusted=True, clock_why="synchronised", mode="normal", seq=9,
        hash="", epoch="e", sweep=1, ports=list(ports or [port_facts()]), meters_installed=2, meters_read=2,
        cut_window_open=True,
    )  # fmt: skip
    return usual.model_copy(update=changes)


def row(id: str, **changes: Any) -> m.MeterRow:
    usual = m.MeterRow(
        id=id, name="", model="dlt645-1p", model_name="", protocol="dlt645-2007", port="line-1", address="2",
        room=id.upper(), floor="", shaft="", phases=1, multiplier=1, relay="direct", account="7", quantities={},
    )  # fmt: skip
    return usual.model_copy(update=changes)


def silent(since: str = "2026-11-20T02:31:00+00:00") -> m.Availability:
    return m.Availability(state="offline", since=since, why="silent in 3 rounds")


def on_port(id: str, **changes: Any) -> MeterOnPort:
    usual = MeterOnPort(id=id, asked=400, failed=0, lost_s=0.0, asked_total=40_000, failed_total=2)
    return usual.model_copy(update=changes)


def line(*rows: MeterOnPort, **changes: Any) -> m.PortStatistics:
    """The figures of a line on which hardly anything fails."""
    usual = m.PortStatistics(
        at="2026-11-20T03:59:55+00:00", since="2026-11-20T02:00:00+00:00", window_s=880.0, asked=800, failed=1,
        repeated=1, errors=ErrorCounts(noise=1), bytes_out=1, bytes_in=1, wire_s=100.0, busy_s=400.0, lost_s=1.0,
        asked_total=80_000, failed_total=4, repeated_total=4, errors_total=ErrorCounts(noise=4), bytes_out_total=1,
        bytes_in_total=1, lost_s_total=9.0, meters=list(rows or (on_port("a101"), on_port("a102"))),
    )  # fmt: skip
    return usual.model_copy(update=changes)


def values(**changes: Any) -> m.MeterFacts:
    return m.MeterFacts(quality="good", read_at="2026-11-20T03:59:00+00:00").model_copy(update=changes)


def relay(**changes: Any) -> m.Relay:
    usual = m.Relay(
        desired="closed", observed="closed", holds=[], why="nothing holds it", following=True, keep_power=False,
        alarm=False,
    )  # fmt: skip
    return usual.model_copy(update=changes)


def facts(**changes: Any) -> Facts:
    """Two meters on one line, both read."""
    on = m.Availability(state="online", since="2026-11-20T02:01:00+00:00")
    usual = Facts(
        status=m.Status(state="online"), info=info(), meters=m.Meters(meters=[row("a101"), row("a102")]),
        accounts=m.Accounts(accounts=[]), values={"a101": values(), "a102": values()},
        availability={"a101": on, "a102": on}, relays={"a101": relay(), "a102": relay()},
        lines={"line-1": line()},
        version="mosquitto version 2.0.11",
    )  # fmt: skip
    return replace(usual, **changes)


def broker(**changes: Any) -> BrokerSeen:
    usual = BrokerSeen(
        asked=True, ours=True, url="mqtt://127.0.0.1:1883", listening=True, let_in=True,
        program="/usr/sbin/mosquitto", program_version="mosquitto version 2.0.11", facts=facts(),
    )  # fmt: skip
    return replace(usual, **changes)


def run(**programs: str) -> Run:
    table = {name: {"state": state, "pid": 5, "restarts": 0} for name, state in programs.items()}
    return Run(
        1, 1, "2026-11-20T02:00:00+00:00", False, str(DATA), "", "riser", "east", "", "mqtt://127.0.0.1:1883",
        "http://127.0.0.1:8080", table,
    )  # fmt: skip


def snapshot(**changes: Any) -> Snapshot:
    """All well, Riser running."""
    usual = Snapshot(
        place=Place(DATA, PI, PI, owner="pi"),
        run=run(edge="running", panel="running"),
        site=site_seen(),
        now=NOW,
        ports=PortsSeen((port(),), (adapter(),)),
        clock=ClockSeen(NOW, True, True),
        broker=broker(),
        disk=DiskSeen("/", "ext4", 9 * 10**9, 16 * 10**9, 10**6, 10**6, False, {"book": 10**6}, (0.004, 0.005)),
        secrets=SecretsSeen(),
        programs=ProgramsSeen((3, 11, 2), (3, 51, 3), "0.1.0", panel_answers=True),
    )
    return replace(usual, **changes)


def found(snapshot: Snapshot) -> list[Finding]:
    """What a person would have to read: everything that is not good."""
    return [each for each in judge(snapshot) if each.severity != "good"]


def only(snapshot: Snapshot) -> Finding:
    """The one thing that is not good."""
    everything = found(snapshot)
    assert len(everything) == 1, everything
    return everything[0]
