"""The files that make Riser start with the machine, as text: the systemd unit and the udev rules. Pure.

Whatever a line of the unit forbids was tried against all programs under a real systemd; what is left open says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from host.exits import USAGE, Trouble

NAME = "riser.service"
UNIT = Path("/etc/systemd/system") / NAME
RULES = Path("/etc/udev/rules.d/70-riser.rules")

SITE = Path("/etc/riser/site.toml")
DATA = Path("/var/lib/riser")
USER = "riser"
LINES_GROUP = "dialout"
"""Whose the serial ports are, on Debian and Raspberry Pi OS."""

HOMES = (Path("/home"), Path("/root"), Path("/run/user"))

BAD_IN_PATHS = set('"\\$%\n\t')
"""systemd gives these a meaning of its own, not the same one in each setting."""


@dataclass(frozen=True)
class Wanted:
    """What `riser service install` was asked for. All paths are absolute."""

    repository: Path
    python: Path
    """The program behind .venv/bin/python."""
    site: Path = SITE
    data: Path = DATA
    user: str = USER
    backup_to: Path | None = None
    """Where the nightly backups go; `backups` in the data directory unless named."""
    backup_secrets: Path | None = None
    """The file with the passphrase that seals the secrets in them; without it they stay out."""

    def check(self) -> None:
        """Raises Trouble for what no unit can hold."""
        for path in filter(None, (self.repository, self.site, self.data, self.backup_to, self.backup_secrets)):
            if not BAD_IN_PATHS.isdisjoint(str(path)):
                raise Trouble(
                    USAGE, f"{path}: systemd cannot hold a path with {' '.join(sorted(BAD_IN_PATHS))[4:]} in it"
                )
        if self.user == "root":
            raise Trouble(USAGE, "Riser needs nothing of root's; leave out --user, and it runs as a user of its own")


def unit(wanted: Wanted) -> str:
    """systemd.service(5)."""
    command = " ".join(
        quoted(str(word)) for word in (wanted.repository / "riser", "up", "--site", wanted.site, "--data", wanted.data)
    )
    needed = (wanted.repository, wanted.python, wanted.site, wanted.data)
    at_home = any(path.is_relative_to(home) for path in needed for home in HOMES)
    # Where the programs or the data live in somebody's home, the homes are there to be read and no more.
    protect_home = "read-only" if at_home else "true"
    return f"""\
# Written by `riser service install`, which writes it anew when it differs; your own changes go into
# /etc/systemd/system/{NAME}.d/*.conf.

[Unit]
Description=Riser, prepaid metering of this electrical shaft
Documentation={(wanted.repository / "README.md").as_uri().replace("%", "%%")}
# Neither the network nor a synchronised clock is waited for: the edge reads, bills and restores without both.
After=network.target time-set.target
# The cupboard is locked; nobody is there to start it again.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
WorkingDirectory={wanted.data}
Environment=RISER_UNATTENDED=1 PYTHONDONTWRITEBYTECODE=1
User={wanted.user}
SupplementaryGroups={LINES_GROUP}
UMask=0077
Restart=always
RestartSec=5
# Riser beats from its own loop, and watches its programs in the same way.
WatchdogSec=60
TimeoutStartSec=180
# First Riser alone is asked, and ends its programs in order; who is left after a minute is killed.
KillMode=mixed
TimeoutStopSec=60
# One program that outgrows the memory is started again; the others go on.
MemoryMax=512M
OOMPolicy=continue
TasksMax=256
LimitCORE=0
# The process that holds the lines asks to be woken in time (see setpriority below).
LimitNICE=-10

ProtectSystem=strict
ReadWritePaths={quoted(str(wanted.data))}
ProtectHome={protect_home}
PrivateTmp=true
PrivateMounts=true
ProtectProc=invisible
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectKernelLogs=true
ProtectControlGroups=true
ProtectHostname=true
NoNewPrivileges=true
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
RemoveIPC=true
KeyringMode=private
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@resources
SystemCallFilter=setpriority
# Reading whether the clock is synchronised (R25). For the same reason there is no ProtectClock; without
# capabilities nobody here can set the clock.
SystemCallFilter=adjtimex clock_adjtime clock_adjtime64
# Serial ports and nothing else. By number (ttyUSB, ttyACM, ttyAMA, ttyS), because a name counts only when its driver
# is loaded at the start, and an adapter may be plugged in later; ttySC, of RS-485 hats, has no fixed number.
DevicePolicy=closed
DeviceAllow=char-188 rw
DeviceAllow=char-166 rw
DeviceAllow=char-204 rw
DeviceAllow=char-4 rw
DeviceAllow=char-ttySC rw

[Install]
WantedBy=multi-user.target
"""


def rules() -> str:
    """udev(7). The stable names themselves are systemd's own: /dev/serial/by-id and /dev/serial/by-path."""
    return """\
# Written by `riser service install`; removed by `riser service uninstall`.

# FTDI adapters hand bytes on after 1 ms instead of 16: every answer of a meter is heard that much sooner.
ACTION=="add", SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{latency_timer}="1"

# ModemManager would greet every new adapter with modem commands, and the meters would hear them. These drivers are
# those of RS-485 adapters; a real modem has others.
SUBSYSTEM=="tty", SUBSYSTEMS=="usb-serial", DRIVERS=="ftdi_sio|ch341-uart|cp210x|pl2303", ENV{ID_MM_PORT_IGNORE}="1"
"""


def quoted(word: str) -> str:
    """A word of a command or of a list, for systemd."""
    return f'"{word}"' if " " in word else word
