"""A stand-in for the edge: says it is online with four meters read, and answers every top-up with `done`."""

from __future__ import annotations

import os
import queue
import signal
from pathlib import Path

from bridge.contract import secrets
from bridge.contract.clock import from_environment
from bridge.contract.messages import Info, PortFacts, Response, Status, Topics
from bridge.contract.signing import open_envelope
from bridge.contract.site_file import load
from bridge.contract.units import instant_text
from bridge.mqtt import Connected, Link, Received


def main() -> None:
    data = Path(os.environ["RISER_DATA"])
    site = load(Path(os.environ["RISER_SITE"])).site
    found, clock = secrets.read(data, "edge"), from_environment()
    topics, inbox = Topics(site.base, site.gateway), queue.Queue()
    now = instant_text(clock.now())
    port = PortFacts(
        id="p", device="d", protocol="dlt645-2007", baud=2400, state="open", meters=4, read=4, round_at=now, asked=4,
        failed=0,
    )  # fmt: skip
    info = Info(
        gateway=site.gateway, name=site.name, version="0", at=now, started_at=now, zone="Asia/Shanghai",
        clock_trusted=True, clock_why="told", mode="normal", seq=7, hash="00", epoch="e", sweep=1, meters_installed=4,
        meters_read=4, cut_window_open=True, ports=[port],
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: inbox.put(None))
    link = Link(found.broker, "edge", inbox.put, subscriptions=[topics.request("+")])
    link.start()
    (data / "book.db").write_text("a book")
    print("the stand-in edge works", flush=True)
    while (happening := inbox.get()) is not None:
        if isinstance(happening, Connected):
            link.publish(topics.of(Status), Status(state="online").payload(), retain=True)
            link.publish(topics.of(Info), info.payload(), retain=True)
        elif isinstance(happening, Received):
            words, key, _ = open_envelope(happening.topic, happening.payload, found.keys)
            refused = words["amount_fen"] > 1_000_000
            answer = Response(
                transaction=words["transaction"], key=key, status="refused" if refused else "done",
                rule="R12" if refused else None, error="that is too much" if refused else None,
                data={"who": words["who"]}, at=now,
            )  # fmt: skip
            link.publish(topics.response("topup"), answer.payload())
    link.stop()


if __name__ == "__main__":
    main()
