"""The nightly backup as systemd units: a service that makes one and ends, and a timer that starts it. Pure text."""

from __future__ import annotations

from pathlib import Path

from host.units import Wanted, quoted

SERVICE_NAME, TIMER_NAME = "riser-backup.service", "riser-backup.timer"
SERVICE = Path("/etc/systemd/system") / SERVICE_NAME
TIMER = Path("/etc/systemd/system") / TIMER_NAME

KEPT = 14
"""Two weeks of nights: a mistake is often noticed at the end of a week."""

HEAD = "# Written by `riser service install`, which writes it anew when it differs; your own changes go into\n"


def texts(wanted: Wanted) -> dict[Path, str]:
    """Both files."""
    return {SERVICE: _service(wanted), TIMER: _timer()}


def _service(wanted: Wanted) -> str:
    to = wanted.backup_to or wanted.data / "backups"
    words: list[str | Path] = [wanted.repository / "riser", "backup", "--data", wanted.data, "--site", wanted.site]
    words += ["--to", to, "--keep", str(KEPT)]
    words += ["--secrets", wanted.backup_secrets] if wanted.backup_secrets is not None else ["--without-secrets"]
    writes = " ".join(quoted(str(path)) for path in dict.fromkeys((wanted.data, to)))
    return f"""\
{HEAD}# /etc/systemd/system/{SERVICE_NAME}.d/*.conf.

[Unit]
Description=A backup of Riser's book, proved by restoring it
RequiresMountsFor={quoted(str(to))}

[Service]
Type=oneshot
ExecStart={" ".join(quoted(str(word)) for word in words)}
Environment=RISER_UNATTENDED=1 PYTHONDONTWRITEBYTECODE=1
User={wanted.user}
UMask=0077
# The meters are read meanwhile: this takes what they leave.
Nice=15
IOSchedulingClass=idle
MemoryMax=384M
ProtectSystem=strict
ReadWritePaths={writes}
PrivateTmp=true
NoNewPrivileges=true
CapabilityBoundingSet=
RestrictAddressFamilies=AF_UNIX
"""


def _timer() -> str:
    return f"""\
{HEAD}# /etc/systemd/system/{TIMER_NAME}.d/*.conf.

[Unit]
Description=A backup of Riser's book each night

[Timer]
OnCalendar=*-*-* 02:30:00
RandomizedDelaySec=15min
# A night without power is made up for at the next start.
Persistent=true

[Install]
WantedBy=timers.target
"""
