"""What was seen of an installation, as plain values: the checks get this and nothing else. None is "not seen"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import messages as m
from bridge.contract.site import Site
from bridge.contract.units import instant_of
from host.adapters import Adapter
from host.doctor.backup_seen import BackupSeen as BackupSeen
from host.doctor.findings import Finding
from host.runfile import Run


@dataclass(frozen=True)
class User:
    """A user of this machine, and the numbers of the groups that count for what it may open."""

    uid: int
    name: str
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Place:
    """The data directory, who looks, and as whom Riser runs (or would)."""

    directory: Path
    me: User
    runner: User
    exists: bool = True
    owner: str = ""
    readable: bool = True
    demo: bool = False
    command: str = "./riser doctor"
    """What was typed, to be typed again as somebody else."""

    @property
    def as_owner(self) -> str:
        """The line that looks again as whoever may see everything."""
        who = "sudo" if self.runner.uid in (0, self.me.uid) else f"sudo -u {self.runner.name}"
        return f"{who} {self.command}"


@dataclass(frozen=True)
class SiteSeen:
    """The site file; `site` is None when it has mistakes or was not found. `models` is the edge's own table."""

    path: Path | None
    site: Site | None = None
    mistakes: tuple[str, ...] = ()
    models: dict[str, dict[str, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class Holder:
    """A process that has a device open or locked."""

    pid: int
    command: str


@dataclass(frozen=True)
class PortSeen:
    """The device of one port of the site file, as it stands in /dev."""

    id: str
    device: str
    path: Path
    relative: bool = False
    exists: bool = True
    is_device: bool = True
    real: str = ""
    mode: int = 0o660
    owner: str = "root"
    group: str = "dialout"
    group_may: bool = True
    may_open: bool = True
    in_group: bool = False
    """The runner is in the device's group by /etc/group; with `may_open` false its session is older than that."""
    holders: tuple[Holder, ...] = ()
    latency_ms: int | None = None
    latency_file: str = ""


@dataclass(frozen=True)
class PortsSeen:
    """All ports. `blind` counts the processes whose open files this user may not see."""

    ports: tuple[PortSeen, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    blind: int = 0


@dataclass(frozen=True)
class ClockSeen:
    """The machine's clock, not the demo's. `newest_file_at` is when the book or a log was written last."""

    now: datetime
    synchronised: bool
    rtc: bool
    newest_file_at: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """What the gateway says of itself at the broker, as far as it was heard."""

    status: m.Status | None = None
    info: m.Info | None = None
    meters: m.Meters | None = None
    accounts: m.Accounts | None = None
    policy: m.Policy | None = None
    values: dict[str, m.MeterFacts] = field(default_factory=dict)
    availability: dict[str, m.Availability] = field(default_factory=dict)
    relays: dict[str, m.Relay] = field(default_factory=dict)
    valves: dict[str, m.Valve] = field(default_factory=dict)
    account: dict[str, m.Account] = field(default_factory=dict)
    lines: dict[str, m.PortStatistics] = field(default_factory=dict)
    version: str | None = None
    strange: tuple[str, ...] = ()
    """Topics whose contents this version does not understand."""


@dataclass(frozen=True)
class BrokerSeen:
    """The broker. `asked` is False where there is none to ask: ours runs only while Riser does."""

    asked: bool
    ours: bool
    url: str = ""
    no_login: str | None = None
    listening: bool = False
    let_in: bool = False
    refused: str | None = None
    program: str | None = None
    program_version: str | None = None
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class DiskSeen:
    """The file system below the data directory. Sizes in bytes; `fsync_s` are the measured ones, in seconds."""

    mount: str
    kind: str
    free: int
    size: int
    inodes_free: int | None
    inodes: int | None
    read_only: bool
    files: dict[str, int]
    fsync_s: tuple[float, ...] | None
    book_begun: bool = False
    book_size: int | None = None
    restore_unfinished: str | None = None
    """What to do about a restore that was not finished; None where there is none."""


@dataclass(frozen=True)
class RegistrySeen:
    """registry.json, the edge's copy of what is installed; `trouble` says why it could not be used."""

    seq: int = 0
    epoch: str | None = None
    meters: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    tariffs: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: bool = False
    trouble: str | None = None


@dataclass(frozen=True)
class PrivateFile:
    """A file that only its owner should read."""

    path: str
    mode: int
    owner: str
    uid: int


@dataclass(frozen=True)
class SecretsSeen:
    """The secrets: how they are kept, never what they are."""

    files: tuple[PrivateFile, ...] = ()
    factory_passwords: bool = False
    first_password_file: str | None = None
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProgramsSeen:
    """The code, Python and its packages, and what the logs said last. `packages` is {name: (wanted, installed)}."""

    python: tuple[int, int, int]
    sqlite: tuple[int, ...]
    version: str
    packages: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    last_words: dict[str, str] = field(default_factory=dict)
    panel_answers: bool | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything. `now` is the site's calendar: the demo's in the demo. A part that could not be seen is None."""

    place: Place
    run: Run | None
    site: SiteSeen
    now: datetime
    ports: PortsSeen | None = None
    clock: ClockSeen | None = None
    broker: BrokerSeen | None = None
    disk: DiskSeen | None = None
    backup: BackupSeen | None = None
    registry: RegistrySeen | None = None
    secrets: SecretsSeen | None = None
    programs: ProgramsSeen | None = None
    troubles: tuple[Finding, ...] = ()
    unseen: tuple[str, ...] = ()
    """What this user has no right to look at."""

    @property
    def machine_now(self) -> datetime | None:
        """The machine's own time: backups are made by it, also beside a demo's calendar."""
        return self.clock.now if self.clock is not None else None

    @property
    def facts(self) -> Facts:
        """What the running gateway said; empty where it was not heard, or is off line and its words are old."""
        facts = self.broker.facts if self.broker is not None else Facts()
        return facts if facts.status is not None and facts.status.state == "online" else Facts()

    @property
    def other_gateway(self) -> str | None:
        """The gateway that runs here, where the site file is of another one; then the two are not compared."""
        site, gateway = self.site.site, self.run.gateway if self.run is not None else None
        return gateway if site is not None and gateway is not None and gateway != site.site.gateway else None

    @property
    def zone(self) -> ZoneInfo:
        return self.site.site.zone if self.site.site is not None else ZoneInfo("Asia/Shanghai")

    def time(self, instant: str | datetime | None) -> str:
        """An instant as the site's people read it: the day only where it is not today."""
        if instant is None:
            return "an unknown time"
        at = (instant_of(instant) if isinstance(instant, str) else instant).astimezone(self.zone)
        today = at.date() == self.now.astimezone(self.zone).date()
        return f"{at:%H:%M}" if today else f"{at:%Y-%m-%d %H:%M}"
