"""`python -m firmware_sim --shaft FILE --run DIR`: a shaft of simulated meters until Ctrl-C. The composition root.

`python -m firmware_sim fault ...` speaks to the one that runs.

Exit codes: 0 ended by a signal or with its parent, 1 a line died of a defect, 2 the input was not usable.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path

from bridge.contract.clock import from_environment

from . import practice
from .faults import gather
from .from_site import described
from .running import RunningShaft, tell
from .shaft import load

DEMO = Path(__file__).parent / "demo" / "shaft.toml"

PARENT = "RISER_PARENT"
"""Environment variable: the process id of a parent without which this program shall not live."""
PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM. Returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["fault"]:
        return _fault(words[1:])
    options = _options(words)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        parent = _bind_to_parent()
        clock = from_environment()
        gather(options.fault)
        shaft = load(options.site, clock.now(), tables=described) if options.site else load(options.shaft, clock.now())
        running = RunningShaft(shaft, options.run, clock, options.fault)
        running.start()
    except (ValueError, OSError) as error:
        tell(str(error))
        return 2
    _show(running, options.json)
    code = 0
    try:
        while not ended.wait(1.0):
            if parent and os.getppid() != parent:
                break
            running.step()
    except RuntimeError as error:
        tell(str(error))
        code = 1
    running.stop()
    return code


RUN = "RISER_SIM_RUN"
"""Environment variable: the folder of the simulator that `fault` speaks to when no --run is given."""

FAULTS = f"""\
faults (KIND WHERE [ARG]):
{practice.kinds_text()}

while it runs, from another terminal (--run DIR where it is not the demo's):
  riser sim fault set a101 silent
  riser sim fault set line-1 noise 0.05
  riser sim fault set line-2 unplug
  riser sim fault clear a101
  riser sim fault clear
  riser sim fault list

at the start: --fault silent:a101, or faults = ["silent:a101", "noise:line-1:0.05"] in [shaft] of the shaft file
"""


def _fault(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="riser sim fault", description="Set and clear faults of a running shaft.",
        epilog=FAULTS, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    given = os.environ.get(RUN)
    parser.add_argument("--run", type=Path, default=given and Path(given), metavar="DIR", help="the simulator's folder")
    practice.add_verb(parser)
    options = parser.parse_args(words)
    if options.run is None and options.verb != "kinds":
        parser.error("no demo runs here; name the simulator's folder with --run DIR")
    try:
        return practice.run(options)
    except ValueError as error:
        return practice.complain(error)


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="riser sim", description="A shaft of simulated meters on pseudo-terminals, until Ctrl-C.",
        epilog=FAULTS, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--shaft", type=Path, default=DEMO, metavar="FILE", help="a shaft file [the demo's]")
    which.add_argument("--site", type=Path, metavar="FILE", help="a site file: meters as it describes them")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="ports, memory and faults live here")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND:WHERE[:ARG]", help="may stand several times; see below"
    )
    parser.add_argument("--json", action="store_true", help="tell the ports as one line of JSON")
    return parser.parse_args(words)


def _bind_to_parent() -> int:
    """End with the parent when RISER_PARENT names it. Returns its process id, or 0 where nothing is asked."""
    text = os.environ.get(PARENT, "")
    if not text:
        return 0
    if not text.isdigit():
        raise ValueError(f"{PARENT} holds a process id, not {text!r}")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refuses a parent-death signal")
    # The parent may have died before the call, and then no signal ever comes.
    if os.getppid() != int(text):
        raise ValueError(f"the parent {text} is gone already")
    return int(text)


def _show(running: RunningShaft, as_json: bool) -> None:
    ports = [
        {
            "id": wiring.line_id,
            "path": str(line.link),
            "device": line.device,
            "protocol": wiring.protocol,
            "baud": wiring.baud,
            "parity": wiring.parity,
            "meters": [meter.meter_id for meter in line.line.meters],
        }
        for wiring, line in zip(running.shaft.wirings, running.pty_lines, strict=True)
    ]
    if as_json:
        print(json.dumps({"name": running.shaft.name, "state": str(running.state_path), "ports": ports}), flush=True)
        return
    print(f"{running.shaft.name}: {len(running.shaft.meters)} meters", flush=True)
    for port in ports:
        meters = port["meters"]
        assert isinstance(meters, list)
        print(
            f"  {port['id']:<8} {port['path']}  {port['protocol']} {port['baud']} 8{port['parity']}1  "
            f"{len(meters)} meters: {' '.join(meters)}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
