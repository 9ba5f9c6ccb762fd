"""What a program on the broker's listening side does to start and to end: site, secrets, link, loop, SIGTERM.

Environment: RISER_DATA (data directory, default `var`), RISER_SITE (site file, default `site.toml`), RISER_CLOCK.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.contract import secrets
from bridge.contract.clock import Clock, from_environment
from bridge.contract.progress import Progress
from bridge.contract.secrets import NoSecrets, Secrets
from bridge.contract.site import Site
from bridge.contract.site_file import BadSite, load
from bridge.loop import STOPPED, Inbox, Loop
from bridge.mqtt import Link
from bridge.sink import Publish, Sink

log = logging.getLogger("riser")

CANNOT_START = 2
"""Exit code: the site file, the secrets or the clock cannot be used; starting again cannot help before that changed."""


class CannotStart(Exception):
    """One sentence says why the program cannot start and what to do."""


@dataclass(frozen=True)
class Surroundings:
    """What a program finds at its start."""

    directory: Path
    site: Site
    secrets: Secrets
    clock: Clock


def surroundings(program: str) -> Surroundings:
    """Read site file, secrets and clock. Raises CannotStart."""
    directory = Path(os.environ.get("RISER_DATA", "var"))
    try:
        site = load(Path(os.environ.get("RISER_SITE", "site.toml")))
        return Surroundings(directory, site, secrets.read(directory, program), from_environment())
    except (BadSite, NoSecrets, ValueError) as error:
        raise CannotStart(str(error)) from None


def talk_plainly() -> None:
    """Log lines for people, on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def run(
    around: Surroundings,
    program: str,
    sinks_for: Callable[[Publish], Sequence[Sink]],
    will: tuple[str, bytes] | None = None,
) -> int:
    """Connect, loop until SIGTERM or SIGINT, leave in order. Return the exit code of the loop."""
    inbox = Inbox()
    links: list[Link] = []
    sinks = sinks_for(lambda *words, **more: links[0].publish(*words, **more))
    link = Link(
        around.secrets.broker,
        f"{around.site.site.gateway}-{program}",
        inbox.put,
        subscriptions=sorted({topic for sink in sinks for topic in sink.subscriptions}),
        will=will,
    )
    links.append(link)
    loop = Loop(around.site.site.base, link, inbox, sinks)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    link.start()
    code = loop.run(Progress(around.clock).beat)
    if code == STOPPED:  # Else the broker must notice our end by itself, and publish the will.
        link.stop()
    return code


def main(program: str, work: Callable[[Surroundings], int]) -> int:
    """Run a program's `work` in its surroundings; say in one sentence where it cannot start."""
    talk_plainly()
    try:
        return work(surroundings(program))
    except CannotStart as error:
        print(f"{program}: {error}", file=sys.stderr)
        return CANNOT_START
