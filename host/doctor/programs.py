"""The programs on this machine: do they run, what did they say last, are Python and its packages as tested."""

from __future__ import annotations

from collections.abc import Iterator

from host.doctor.findings import Finding, good, know, names, of, wrong
from host.doctor.seen import ProgramsSeen, Snapshot

OLDEST_PYTHON = (3, 11)
MENDED_SQLITE = (3, 51, 3)
"""Before it, two connections that write or checkpoint one file at once may damage it, rarely (failure 44)."""

MANY_RESTARTS = 3


def findings(snapshot: Snapshot) -> list[Finding]:
    found = list(_running(snapshot))
    if snapshot.programs is not None:
        found += [*_machine(snapshot.programs), *_panel(snapshot, snapshot.programs)]
    return found


def _running(snapshot: Snapshot) -> Iterator[Finding]:
    run, words = snapshot.run, snapshot.programs.last_words if snapshot.programs is not None else {}
    if run is None and not snapshot.place.readable:
        return
    if run is None:
        start = "./riser up --demo" if snapshot.place.demo else f"./riser up --site {snapshot.site.path or 'FILE'}"
        yield know(
            "programs",
            "",
            f"Riser does not run here ({snapshot.place.directory}); what only a running gateway "
            "knows was not looked at: meters, modes, relays.",
            "Start it.",
            start,
        )
        return
    restless = False
    for name, program in run.programs.items():
        log = f"{run.directory / 'log' / name}.log"
        said = f" It said: {words[name]}" if name in words else ""
        if program["state"] != "running":
            restless = True
            yield wrong("programs", name, f"The {name} is {program['state']}.{said}", f"See {log}")
        elif program["restarts"] >= MANY_RESTARTS:
            restless = True
            yield know(
                "programs", name, f"The {name} was started again {program['restarts']} times.{said}", f"See {log}"
            )
    if not restless:
        demo = "The demo runs" if run.demo else "Riser runs"
        yield good("programs", "", f"{demo} since {snapshot.time(run.started_at)}: {', '.join(run.programs)}.")


def _machine(seen: ProgramsSeen) -> Iterator[Finding]:
    python = ".".join(map(str, seen.python))
    if seen.python[:2] < OLDEST_PYTHON:
        yield wrong(
            "programs",
            "python",
            f"Python {python} is too old; Riser needs 3.11 or newer.",
            "Debian 12 and Raspberry Pi OS of 2023 or later bring it.",
        )
    missing = [name for name, (_, installed) in seen.packages.items() if installed is None]
    other = [
        f"{name} {found} instead of {wanted}"
        for name, (wanted, found) in seen.packages.items()
        if found is not None and found != wanted
    ]
    if missing:
        yield wrong(
            "programs",
            "packages",
            f"Python packages are missing: {names(missing)}.",
            "Use the script ./riser, which installs them; else remove .venv and start again.",
        )
    if other:
        yield know(
            "programs",
            "packages",
            f"Python packages are not the tested ones: {names(other)}.",
            "Use the script ./riser, which installs the tested ones; else remove .venv and start again.",
        )
    if not missing and not other:
        yield good("programs", "packages", f"Python {python} with {of(len(seen.packages), 'package')} as tested.")
    if seen.sqlite < MENDED_SQLITE:
        yield know(
            "programs",
            "sqlite",
            f"SQLite {'.'.join(map(str, seen.sqlite))} is older than 3.51.3 and has a "
            "rare fault when two connections write one file at once. The book has one writer and is not touched by "
            "it.",
            "Nothing to do; Debian's updates bring the newer one.",
        )


def _panel(snapshot: Snapshot, seen: ProgramsSeen) -> Iterator[Finding]:
    run, info = snapshot.run, snapshot.facts.info
    if run is not None and "panel" in run.programs:
        if seen.panel_answers:
            yield good("panel", "", f"The panel answers at {run.panel_url}.")
        elif seen.panel_answers is not None:
            yield wrong(
                "panel",
                "",
                f"The panel does not answer at {run.panel_url}.",
                f"See {run.directory}/log/panel.log; end Riser and start it again.",
            )
    if info is not None and info.version != seen.version:
        yield know(
            "programs",
            "version",
            f"The gateway that runs is version {info.version}, the programs here are {seen.version}.",
            "Start Riser again.",
        )
    site = snapshot.site.site
    if site is not None and site.panel.listen not in ("127.0.0.1", "::1", "localhost"):
        yield know(
            "panel",
            "",
            f"The panel listens on {site.panel.listen} without TLS: passwords can be read in that network.",
            "Put it behind TLS (a reverse proxy), see the README.",
        )
