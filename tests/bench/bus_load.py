"""What goes on around a line while it is judged: the bridge and the panel as shipped, the panel read all the time, and
the day of a thousand accounts closed."""

from __future__ import annotations

import itertools
import json
import re
import statistics
import threading
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

from bridge.contract.messages import Entry, Topics
from panel.users import Database, Users
from tests.bench.bus_rig import BusRig, free_port

PASSWORD = "a bench reads this panel"
PAGES = ("/rooms", "/rooms-grid", "/lines/now", "/account/{account}", "/meter/{meter}")
"""The overview and what browsers ask for while they are open; a page that is not there fails the bench."""

PAGE_EVERY_S = 0.2
"""Five pages a second are a dozen open browsers."""

CLOSED_WITHIN_S = 240.0
PANEL_STARTS_S = 60.0


class Load:
    """Bridge and panel, and somebody who reads the panel in a loop."""

    def __init__(self, rig: BusRig):
        self._rig, self._port = rig, free_port()
        users = Users(Database(rig.directory / "panel.db"), rig.directory)
        old, admin = users.first_start(), users.named("admin")
        assert old is not None and admin is not None
        users.change_password(admin, old, PASSWORD, PASSWORD)
        rig.spawn("bridge")
        rig.spawn("panel", RISER_PANEL_PORT=str(self._port))
        self.took_s: list[float] = []
        self.trouble: str | None = None
        self._stopping = threading.Event()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _get(self, path: str, **form: str) -> str:
        body = urllib.parse.urlencode(form).encode() if form else None
        with self._opener.open(f"http://127.0.0.1:{self._port}{path}", body, timeout=30) as answer:
            return str(answer.read().decode())

    def start(self) -> None:
        """Wait for the panel, sign in, begin to read."""

        def signed_in() -> bool:
            try:
                token = re.search(r'name="csrf_token" value="([^"]+)"', self._get("/sign-in"))
                assert token, "the sign-in page has no form"
                return "csrf" in self._get("/sign-in", csrf_token=token[1], name="admin", password=PASSWORD)
            except OSError:
                return False

        self._rig.wait(signed_in, PANEL_STARTS_S, "the panel's first page")
        self._thread.start()

    def _read(self) -> None:
        ids = itertools.cycle(id for id, _, _ in self._rig.building.meters())
        try:
            while not self._stopping.is_set():
                id = next(ids)
                for page in PAGES:
                    began = time.monotonic()
                    self._get(page.format(account=f"a-{id}", meter=id))
                    self.took_s.append(time.monotonic() - began)
                    if self._stopping.wait(PAGE_EVERY_S):
                        return
        except OSError as error:
            self.trouble = f"the panel: {error}"

    def stop(self) -> dict[str, Any]:
        self._stopping.set()
        self._thread.join(30)
        if self.trouble is not None or not self.took_s:
            raise AssertionError(self.trouble or "the panel was not read")
        return {"pages_read": len(self.took_s), "page_median_s": round(statistics.median(self.took_s), 3)}


def closings(rig: BusRig, begin: float, end: float) -> dict[str, Any]:
    """The day's closings as a subscriber heard them: how many, from when to when after midnight, all in the window?"""
    topic = Topics("riser", "bench").of(Entry)
    heard: dict[str, float] = {}
    charges: set[str] = set()
    for at, where, payload in rig.since(rig.midnight_s):
        if where == topic and (b'"closing/1"' in payload or b'"charge/2"' in payload):
            entry = json.loads(payload)
            if entry["kind"] == "closing/1":
                heard.setdefault(entry["id"], at)  # The bridge asks for what it missed, and all hear it again.
            else:
                charges.add(entry["id"])
    instants = sorted(heard.values())
    return {
        "closed": len(instants),
        "charges": len(charges),
        "closed_in_window": sum(begin <= at <= end for at in instants),
        "first_after_midnight_s": round(instants[0] - rig.midnight_s, 2) if instants else None,
        "last_after_midnight_s": round(instants[-1] - rig.midnight_s, 2) if instants else None,
    }
