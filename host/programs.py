"""The programs of this machine: how each is called, what it is told, in which order they start and end.

RISER_PROGRAMS names a TOML file whose table `[programs]` (name = list of words) takes the place of the table here:
for tests, and to run one program under a debugger.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.contract.clock import ENVIRONMENT as CLOCK
from host import demo
from host.exits import USAGE, Trouble
from host.mosquitto import BrokerChild
from host.places import DATA, ROOT
from host.program import Program

INSTEAD = "RISER_PROGRAMS"

BROKER = "broker"
SIM = "sim"

END_ORDER = ("panel", "bridge", "demo", "edge", SIM, BROKER)
"""First nobody asks any more, then nobody listens, then the book is closed, then the line and the broker go."""


BEATS_WITHIN_S = {"edge": 60.0, "bridge": 180.0, "panel": 90.0, "demo": 180.0}
"""How long each may be silent before it counts as hanging. A slow card makes the edge wait seconds for a sync; a
database that is out of reach makes the bridge wait two minutes for its TCP connection; gunicorn replaces a worker that
hangs by itself after 60 s."""


@dataclass(frozen=True)
class Wiring:
    """What every program is told. `clock` is the text of RISER_CLOCK, empty for the machine's own."""

    data: Path
    site_file: Path
    clock: str
    panel_listen: str
    panel_port: int
    demo: bool
    practice: bool = False
    """The site's ports lead to simulated meters, in a data directory of their own."""
    edge_once: tuple[str, ...] = ()
    """What a person says to the edge for this one start."""

    @property
    def lines(self) -> Path:
        """Where the simulator puts its ports, each under its id."""
        return self.data / SIM


def commands(wiring: Wiring, environ: Mapping[str, str] = os.environ) -> dict[str, tuple[str, ...]]:
    """Name and command of every program but the broker, in the order of starting. Raises Trouble."""
    if instead := environ.get(INSTEAD):
        return _commands_of(Path(instead))
    found: dict[str, tuple[str, ...]] = {}
    if wiring.demo or wiring.practice:
        shaft = ("--shaft", str(demo.SHAFT)) if wiring.demo else ("--site", str(wiring.site_file))
        found[SIM] = _module("firmware_sim", *shaft, "--run", str(wiring.lines))
    found |= {name: _module(name) for name in ("edge", "bridge", "panel")}
    if wiring.demo:
        found["demo"] = _module("bridge.demo")
    return found


def programs(wiring: Wiring, environ: Mapping[str, str] = os.environ) -> list[Program]:
    """Every program but the broker, ready to be started in this order. Raises Trouble."""
    # What takes their place may be halted in a debugger, or be a stand-in that does not beat.
    limits = {} if environ.get(INSTEAD) else BEATS_WITHIN_S
    return [
        Program(
            name,
            argv,
            environment(wiring, name, environ),
            ROOT,
            beats_within_s=limits.get(name),
            once=wiring.edge_once if name == "edge" else (),
        )
        for name, argv in commands(wiring, environ).items()
    ]


def environment(wiring: Wiring, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What a program finds in its environment: ours, without the RISER_ variables of whoever started us."""
    found = {key: value for key, value in environ.items() if not key.startswith("RISER_")}
    found |= {
        DATA: str(wiring.data),
        "RISER_SITE": str(wiring.site_file),
        "RISER_PANEL_LISTEN": wiring.panel_listen,
        "RISER_PANEL_PORT": str(wiring.panel_port),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }
    if wiring.clock:
        found[CLOCK] = wiring.clock
    if wiring.practice:
        found["RISER_LINES"] = str(wiring.lines)
    if wiring.demo and (words := demo.words_for(name)):
        found["RISER_DEMO"] = words
    return found


def broker_program(child: BrokerChild, environ: Mapping[str, str] = os.environ) -> Program:
    """Our own Mosquitto. It tells of every connection; the terminal gets only its errors and warnings."""
    found = {key: value for key, value in environ.items() if not key.startswith("RISER_")}
    return Program(BROKER, child.argv, found, Path("/"), child.user, lambda line: line.startswith(("Error", "Warning")))


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


def _commands_of(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["programs"]
        return {str(name): tuple(str(word) for word in words) for name, words in table.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Trouble(USAGE, f"{INSTEAD}: {path} cannot be used: {error!r}") from None
