"""Each demo and practice begins with a fresh book and keeps the last one aside; nothing a person chose is lost.

Everything in its directory goes aside except what is named here. That also takes the broker's memory: a
retained `info` of the old book would put the new edge into mode recovery.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from bridge.contract.clock import ScaledClock, SystemClock
from host.places import ROOT

STAYS = ("kept", "secrets", "log", "riser.lock", "panel.db*", "panel.key", "first-password.txt")
"""Who may sign in, with which password, stays: the first password is asked for once."""

KEPT_AT_MOST = 3

SITE = ROOT / "firmware_sim" / "demo" / "site.toml"
SHAFT = ROOT / "firmware_sim" / "demo" / "shaft.toml"

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
"""Friday, 10:30 in Shanghai: a workday, inside the hours in which a cut is allowed (R2)."""

SPEED = 60.0
FASTEST = 60.0
"""Faster, a line at 2400 bit/s could not be read often enough for its calendar: rooms would look stale (R3)."""

ACCOUNT = "100206"
PAYS_AFTER_S = 60
PAYS_FEN = 50_000
"""The tenant burns 29 yuan an hour: 500 yuan last until the next morning, so the round before stays to be looked at."""


def fresh(data: Path) -> Path | None:
    """Move the last demo aside and lay out a new one. Return where the last one went, None when there was none."""
    aside = set_aside(data)
    shutil.copyfile(SITE, data / "site.toml")
    return aside


def set_aside(data: Path) -> Path | None:
    """Move a demo's or practice's last book and all that belongs to it aside. Return where to, None for nothing."""
    old = [path for path in data.iterdir() if not any(fnmatch(path.name, stays) for stays in STAYS)]
    if not old:
        return None
    kept = data / "kept"
    kept.mkdir(exist_ok=True, mode=0o700)
    # Numbered, because a machine without a clock of its own may stamp the newest with the oldest time.
    before = sorted(path for path in kept.iterdir() if path.is_dir())
    number = int(before[-1].name.partition("-")[0]) + 1 if before else 1
    aside = kept / f"{number:05d}-{SystemClock().now():%Y%m%dT%H%M%SZ}"
    aside.mkdir()
    for path in old:
        path.rename(aside / path.name)
    for too_old in [*before, aside][:-KEPT_AT_MOST]:
        shutil.rmtree(too_old)
    return aside


def clock(speed: float) -> ScaledClock:
    """The demo's calendar, beginning now."""
    return ScaledClock(START, int(SystemClock().monotonic() * 1e9), speed)


def words_for(program: str) -> str | None:
    """RISER_DEMO of a program: whom the demo is about and how much is paid; for the pretend payer also when."""
    if program == "panel":
        return json.dumps({"account": ACCOUNT, "amount_fen": PAYS_FEN})
    if program == "demo":
        return json.dumps({"account": ACCOUNT, "after_s": PAYS_AFTER_S, "amount_fen": PAYS_FEN})
    return None
