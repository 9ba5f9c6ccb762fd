"""The edge's composition root: site file, book, ports, broker, loop. `python -m edge`.

RISER_DATA    directory of the book, the registry and the secrets       RISER_SITE   the site file
RISER_CLOCK   the demo's calendar, absent in ordinary use               RISER_LOG    level, INFO unless set
RISER_LINES   where simulated lines are, to practise; absent otherwise

Exit codes: 0 told to stop, 1 a part died or the disk failed (start again), 2 the site file or the book needs a person.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import secrets as tokens
import signal
import sys
import threading
from pathlib import Path

from bridge.contract import kernel_clock, secrets
from bridge.contract.clock import from_environment
from bridge.contract.messages import Status, Topics
from bridge.contract.progress import Progress
from bridge.contract.site_file import BadSite
from bridge.mqtt import Link
from edge import install, process, site_check, trust
from edge.book import Book, BookError, WriteError
from edge.codec.dlt645_orders import Password
from edge.core import Core
from edge.disk import is_damaged
from edge.gateway import Gateway
from edge.line.request import Port
from edge.line.station import Station
from edge.registry import Registry
from edge.settings import lines_of, terms_of

log = logging.getLogger("riser.edge")

RESTORED = "this book is a restored copy, says a person: payments made since may be missing"
BEGUN_ANEW = "this book was begun anew: balances are the site file's, and payments are missing"

PASSWORDS = '{"default": {"level": "02", "password": "000000", "operator": "00000000"}}'


def passwords(extra: dict[str, object]):  # type: ignore[no-untyped-def]
    """A function from meter id to its password, from the table `meter_passwords` of the edge's secrets."""
    table = extra.get("meter_passwords", {})
    if not (isinstance(table, dict) and all(isinstance(row, dict) for row in table.values())):
        raise secrets.NoSecrets(f"secrets/edge.json: meter_passwords reads {PASSWORDS}; mend it")

    def of(meter: str) -> Password:
        try:
            return Password(**{**table.get("default", {}), **table.get(meter, {})})
        except (TypeError, AttributeError):
            raise ValueError(f"a password reads {PASSWORDS}") from None

    return of


def boot_id() -> str:
    """This start's name: the machine's boot and a token of its own."""
    machine = Path("/proc/sys/kernel/random/boot_id")
    start = machine.read_text().strip()[:8] if machine.exists() else "boot"
    return f"{start}-{tokens.token_hex(4)}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="edge", description="The edge of one electrical shaft.")
    parser.add_argument("--begin-anew", action="store_true", help="begin an empty book although there was one")
    parser.add_argument(
        "--recovered-by", metavar="NAME", help="leave mode recovery: all payments are in the book again"
    )
    parser.add_argument("--restored", action="store_true", help="this book is a copy: payments may be missing in it")
    parser.add_argument("--check-site", type=Path, metavar="FILE", help="tell every mistake of a site file, as JSON")
    options = parser.parse_args(argv)
    if options.check_site is not None:
        print(json.dumps(found := site_check.looked_at(options.check_site)))
        return 2 if found["mistakes"] else 0
    process.begin()
    directory = Path(os.environ.get("RISER_DATA", "var"))
    try:
        return _run(directory, options)
    except BadSite as error:
        for mistake in error.lines:
            log.error("site file: %s", mistake)
        return 2
    except (BookError, secrets.NoSecrets) as error:
        log.error("%s", error)
        return 2
    except WriteError as error:
        if is_damaged(error):
            log.critical("the book in %s is damaged: %s; restore a backup (failure 42)", directory, error)
            return 2
        log.critical("the book in %s takes no writing: %s; make room on its disk or make it writable", directory, error)
        return 1
    except (RuntimeError, OSError) as error:
        log.critical("the edge ends and is to be started again: %s", error)
        return 1


def _run(directory: Path, options: argparse.Namespace) -> int:
    sheet = install.look(Path(os.environ.get("RISER_SITE", "site.toml")))
    site = sheet.site
    if sheet.found or site is None:
        raise sheet.refuse()
    clock = from_environment()
    mine = secrets.read(directory, "edge")
    book = Book(directory, clock, boot_id(), begin_anew=options.begin_anew)
    doubt = RESTORED if options.restored else BEGUN_ANEW if options.begin_anew and book.seq == 0 else None
    if book.seq == 0:
        book.trusted, _ = trust.judge(clock, 0, site.clock.trust, kernel_clock.is_synchronised())
        install.fill(Core(book, terms_of(site, (frozenset(), frozenset())), clock), site)
        log.info("the book begins with %d entries from the site file", book.seq)
    topics = Topics(site.site.base, site.site.gateway)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    gateway: Gateway
    link = Link(
        mine.broker,
        client_id=mine.broker.client_id(f"riser-edge-{site.site.gateway}"),
        inbox=lambda happening: gateway.enqueue(happening),
        subscriptions=[topics.request("+"), f"{topics.root}/info"],
        will=(topics.of(Status), Status(state="offline").payload()),
        persistent=True,
    )
    gateway = Gateway(site, book, clock, link, mine.keys, passwords(mine.extra), Registry(directory))
    if misfits := install.misfits(gateway.core, site, passwords(mine.extra)):
        raise BadSite(misfits)
    for sentence in install.overtaken(gateway.core, site):
        log.warning("%s", sentence)
    lines = lines_of(site, directory, os.environ.get("RISER_LINES", ""))
    station = Station(lines, gateway.enqueue, clock)
    ports: dict[str, Port] = dict(station.ports)
    gateway.attach(ports)
    gateway.begin(options.recovered_by, doubt)
    process.settled()
    log.info(
        "%d meters on %d ports, entry %d, mode %s",
        len(gateway.core.state.meters),
        len(ports),
        book.seq,
        gateway.core.mode,
    )
    station.start()
    link.start()
    gc.freeze()  # The book's state stays; the collector need not look through it while replies wait.
    try:
        gateway.run(
            stopping.is_set,
            lambda: link.alive and station.works(),
            Progress(clock).beat,
        )
    finally:
        station.stop()
    if link.connected:
        link.publish(topics.of(Status), json.dumps({"state": "offline"}).encode(), retain=True)
    link.stop()
    book.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
