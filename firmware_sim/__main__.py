"""`python -m firmware_sim --shaft FILE --run DIR`: a shaft of simulated meters until Ctrl-C. The composition root.

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
    options = _options(arguments)
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


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="firmware_sim", description="A shaft of simulated meters on pseudo-terminals."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--shaft", type=Path, default=DEMO, metavar="FILE", help="a shaft file [the demo's]")
    which.add_argument("--site", type=Path, metavar="FILE", help="a site file: meters as it describes them")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="ports, memory and faults live here")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND:WHERE[:ARG]",
        help="silent:<meter>, stuck:<meter>, noise:<line or meter>:<0 to 1>; may stand several times",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="tell the ports as one line of JSON")
    return parser.parse_args(arguments)


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
