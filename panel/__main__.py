"""The composition root: `python -m panel` reads the environment, builds the parts and serves them with gunicorn.

    RISER_DATA   data directory            RISER_CLOCK       one clock for all programs (demo)
    RISER_SITE   site file                 RISER_PANEL_PORT, RISER_PANEL_LISTEN  others than the site file's
    RISER_DEMO   {"account": "100206", "amount_fen": 50000}   shows the demo's page; its button takes that much
    RISER_PARENT set by `riser up`, which shows the first password itself: it stands in no log (I24)

One worker process with threads: the mirror lives in its memory. Exit code 2 when a setting cannot be used.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy.exc import SQLAlchemyError

from bridge.archive.tables import open_engine
from bridge.contract import clock, secrets, site_file
from bridge.contract.messages import PanelStatus, Topics
from bridge.contract.os_words import in_words
from bridge.contract.progress import Progress
from bridge.contract.site import Site
from bridge.mqtt import Link
from panel import guard
from panel.app import create_app
from panel.commands import KEY, Commands
from panel.feed import Feed
from panel.history import History
from panel.mirror import Mirror, subscriptions
from panel.parts import Demo, Parts
from panel.pulse import Pulse, answers
from panel.receipts import Receipts
from panel.sessions import Sessions
from panel.tenant_bills import TenantBills
from panel.tenant_links import TenantLinks
from panel.tenant_seen import TenantSeen
from panel.throttle import Throttle
from panel.users import Database, Users

THREADS = 24
"""Pages are answered in milliseconds; a thread each for two dozen people who click at once."""


class BadSetting(ValueError):
    """The environment does not say what is needed; the sentence says what to set."""


def settings(environ: dict[str, str] | os._Environ[str]) -> tuple[Path, Site, Demo | None]:
    """(data directory, site, the demo or None). Raises BadSetting, BadSite."""
    missing = [name for name in ("RISER_DATA", "RISER_SITE") if not environ.get(name)]
    if missing:
        raise BadSetting(f"{' and '.join(missing)} must be set; `riser up` does it")
    demo = None
    if text := environ.get("RISER_DEMO"):
        try:
            told = json.loads(text)
            demo = Demo(str(told["account"]), int(told.get("amount_fen", Demo.amount_fen)))
        except (ValueError, KeyError, TypeError, AttributeError):
            example = '{"account": "100206", "amount_fen": 50000}'
            raise BadSetting(f"RISER_DEMO reads {example}, not {text[:60]!r}") from None
    return Path(environ["RISER_DATA"]), site_file.load(Path(environ["RISER_SITE"])), demo


def compose(data: Path, site: Site, demo: Demo | None) -> tuple[Flask, Feed]:
    """Build everything and wire it together; nothing runs yet."""
    time = clock.from_environment()
    own = secrets.read(data, "panel")
    if KEY not in own.keys:
        raise BadSetting(f"the panel's secrets hold no key {KEY!r}; `riser up` writes it")
    topics = Topics(site.site.base, site.site.gateway)
    mirror, commands = Mirror(topics, time), Commands(topics, time, own.keys[KEY])
    feed = Feed(topics, mirror, commands)
    will = (topics.of(PanelStatus), PanelStatus(state="offline").payload())
    name = own.broker.client_id(f"riser-panel-{site.site.gateway}")
    feed.attach(Link(own.broker, name, feed.put, subscriptions=subscriptions(topics), will=will))
    database = Database(data / "panel.db")
    users = Users(database, data)
    history = History(open_engine(site.bridge.archive, data), site.site.gateway)
    stand = Parts(
        site, time, data, mirror, commands, feed, history, users,
        Sessions(database, users, time), Throttle(database, time),
        Receipts(database, time), TenantLinks(database, time),
        TenantBills(history, time), TenantSeen(commands, time), demo,
    )  # fmt: skip
    return create_app(stand), feed


def port_of(site: Site, environ: dict[str, str] | os._Environ[str]) -> int:
    """The port to listen on. Raises BadSetting."""
    text = environ.get("RISER_PANEL_PORT") or str(site.panel.port)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise BadSetting(f"RISER_PANEL_PORT is a port from 1 to 65535, not {text[:20]!r}")
    return int(text)


class Server(BaseApplication):
    """gunicorn without a command line; `load` runs in the worker, so threads and connections are born there."""

    def __init__(self, listen: str, port: int, data: Path, site: Site, demo: Demo | None):
        self._listen, self._port, self._composed = listen, port, (data, site, demo)
        super().__init__()

    def load_config(self) -> None:
        wanted: dict[str, Any] = {
            "bind": f"[{self._listen}]:{self._port}" if ":" in self._listen else f"{self._listen}:{self._port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 15,
            "graceful_timeout": 5,
            "timeout": 60,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "riser-panel",
        }
        for name, value in wanted.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app, feed = compose(*self._composed)
        feed.start()
        time = clock.from_environment()
        progress = Progress(time)
        if progress.watched:
            Pulse(feed, lambda: answers(self._listen, self._port), progress, time).start()
        return app


def cannot_start(why: str) -> int:
    print(f"the panel cannot start: {why}", file=sys.stderr)
    return 2


def main() -> int:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        data, site, demo = settings(os.environ)
        port = port_of(site, os.environ)
        data.mkdir(parents=True, exist_ok=True)
        secrets.read(data, "panel")
        clock.from_environment()
        guard.secret_key(data)
        password = Users(Database(data / "panel.db"), data).first_start()
        open_engine(site.bridge.archive, data).dispose()
    except sqlite3.Error as error:
        remedy = "is the disk full or not ours? Else restore it from a backup, or remove it and a new `admin` is made"
        return cannot_start(f"{data / 'panel.db'} cannot be used: {error}; {remedy}")
    except SQLAlchemyError as error:
        first, remedy = str(error).splitlines()[0], "remove the damaged archive, and it is filled anew from the book"
        return cannot_start(f"the archive cannot be opened: {first}; {remedy}")
    except OSError as error:
        return cannot_start(f"{error.filename or data}: {in_words(error)}")
    except ValueError as error:
        return cannot_start(str(error))
    if password and not os.environ.get("RISER_PARENT"):
        words = "you will be asked to change it"
        print(f"First sign-in: user admin, one-time password {password}; {words}", flush=True)
    Server(os.environ.get("RISER_PANEL_LISTEN") or site.panel.listen, port, data, site, demo).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
