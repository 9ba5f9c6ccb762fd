"""Everything `up` decides before the first child starts; whatever stands against it is said here, in one sentence.

Nothing is moved, made or installed before the lock of the data directory is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from bridge.contract.clock import Clock, SystemClock
from bridge.contract.site import Site
from bridge.contract.site_file import BadSite, load
from host import demo, logins, mosquitto, ports
from host.backup import moving
from host.demo import SPEED
from host.edge_check import asked
from host.exits import IN_USE, USAGE, Trouble
from host.mosquitto import BrokerChild
from host.places import DEMO, PRACTICE, make_directory, take_lock
from host.programs import Wiring

SITE_NAME = "site.toml"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What the person typed after `up`."""

    demo: bool = False
    speed: float = SPEED
    site: Path | None = None
    practice: bool = False
    panel_listen: str | None = None
    panel_port: int | None = None
    browser: bool = True
    edge_once: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """What will run, and on which ports. `lock` stays open as long as we live."""

    site: Site
    wiring: Wiring
    clock: Clock
    broker: BrokerChild | None
    broker_url: str
    panel_url: str
    lock: IO[str]


def lay_out(base: Path, wish: Wish, say: Say) -> Layout:
    """Check and prepare everything. Raises Trouble."""
    data = base / DEMO if wish.demo else base / PRACTICE if wish.practice else base
    moving.refuse_unfinished(data)
    site_file = None if wish.demo else _site_file(base, wish)
    # A mistake in the site file is told before anything is touched.
    if site_file is not None:
        check_site(site_file)
    make_directory(data)
    lock = take_lock(data)
    moving.refuse_unfinished(data)  # One may have been begun meanwhile.
    clock: Clock = SystemClock()
    clock_text = ""
    begin = demo.fresh if wish.demo else demo.set_aside
    if (wish.demo or wish.practice) and (aside := begin(data)) is not None:
        say(f"a fresh book; the last {data.name} is kept in {aside}")
    if wish.demo:
        scaled = demo.clock(wish.speed)
        clock, clock_text, site_file = scaled, scaled.environment(), data / SITE_NAME
    assert site_file is not None
    site = read_site(site_file)
    panel_listen = wish.panel_listen or site.panel.listen
    panel_port = _panel_port(panel_listen, site.panel.port, wish, site_file)
    broker, broker_url = _broker(site, site_file, data, wish.demo, panel_port, say)
    return Layout(
        site=site,
        wiring=Wiring(data, site_file, clock_text, panel_listen, panel_port, wish.demo, wish.practice, wish.edge_once),
        clock=clock,
        broker=broker,
        broker_url=broker_url,
        panel_url=f"http://{mosquitto.client_host(panel_listen)}:{panel_port}",
        lock=lock,
    )


def _site_file(base: Path, wish: Wish) -> Path:
    if wish.site is not None:
        return wish.site.expanduser().absolute()
    if (found := base / SITE_NAME).exists():
        return found
    raise Trouble(
        USAGE,
        "which site? Type `riser up --demo` for a shaft of simulated meters, or `riser up --site FILE` for your own "
        "(site.example.toml is a beginning)",
    )


def check_site(path: Path) -> None:
    """Let the edge look at a person's site file. Raises Trouble with every mistake on a line of its own."""
    if mistakes := asked(path)[0]:
        raise _bad_site(path, mistakes)


def read_site(path: Path) -> Site:
    """Read a site file. Raises Trouble with every mistake on a line of its own."""
    try:
        return load(path)
    except BadSite as bad:
        raise _bad_site(path, bad.lines) from None


def _bad_site(path: Path, mistakes: list[str]) -> Trouble:
    many = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "one mistake"
    told = "\n".join(f"  {mistake}" for mistake in mistakes)
    return Trouble(USAGE, f"the site file {path} has {many}; nothing was started:\n{told}")


def _panel_port(listen: str, usual: int, wish: Wish, site_file: Path) -> int:
    """The demo takes the next free port; a real site's people know theirs, so there a taken one is an error."""
    port = wish.panel_port or usual
    if wish.demo and wish.panel_port is None:
        return ports.first_free(listen, port)
    if not ports.is_free(listen, port):
        remedy = "with --panel-port" if wish.panel_port else f"as [panel] port in {site_file}, or with --panel-port"
        raise Trouble(IN_USE, f"port {port} for the panel is in use; end what uses it, or choose another {remedy}")
    return port


def _broker(
    site: Site, site_file: Path, data: Path, is_demo: bool, panel_port: int, say: Say
) -> tuple[BrokerChild | None, str]:
    """Our own Mosquitto, or the one the site file names; every program's secrets are written for it."""
    if site.broker.url is not None:
        access = logins.foreign_broker(site.broker, site_file)
        logins.write_all(data, access, {}, is_demo)
        return None, access.url
    binary = mosquitto.ensure_installed(say)
    port = ports.first_free(site.broker.listen, site.broker.port, taken=[panel_port])
    if port != site.broker.port:
        say(f"port {site.broker.port} is in use; the broker takes {port}")
    passwords = logins.kept_passwords(data, is_demo)
    child = mosquitto.prepare(binary, data / "broker", site, port, passwords, say)
    logins.write_all(data, logins.BrokerAccess(child.url, site.broker.protocol, True), passwords, is_demo)
    return child, child.url


def broker_answers(url: str) -> bool:
    """True when somebody accepts connections at the broker's address."""
    at = urlsplit(url)
    return ports.answers(at.hostname or "127.0.0.1", at.port or 1883)
