"""A short visit to the broker as the person at this machine: look at retained facts, or ask and wait for the answer."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable
from dataclasses import dataclass

from bridge.contract import secrets
from bridge.contract.clock import SystemClock
from bridge.contract.messages import Info, Response, Status, Topics
from bridge.mqtt import Acknowledged, Connected, Happening, Link, Received
from host.exits import FAILED, Trouble
from host.runfile import Run

USER = "shell"


@dataclass(frozen=True)
class Gateway:
    """What a gateway says of itself; None where nothing was heard in time."""

    status: Status | None
    info: Info | None


def visit(
    run: Run, topics: list[str], first: tuple[str, bytes] | None, take: Callable[[Received], bool], limit_s: float
) -> bool:
    """Listen on `topics`, send `first` once connected, until `take` returns True; False when time is up.

    Raises NoSecrets when this user may not read the secrets, Trouble when the broker does not take the request.
    """
    login = secrets.read(run.directory, USER).broker
    happenings: queue.Queue[Happening] = queue.Queue()
    link = Link(login, f"{USER}-{os.getpid()}-{os.urandom(3).hex()}", happenings.put, subscriptions=topics)
    clock = SystemClock()
    deadline_s = clock.monotonic() + limit_s
    link.start()
    try:
        while (left_s := deadline_s - clock.monotonic()) > 0:
            try:
                happening = happenings.get(timeout=left_s)
            except queue.Empty:
                break
            # The broker handles our subscription before what we send after it: one connection, one order.
            if isinstance(happening, Connected) and first is not None:
                link.publish(*first)
            elif isinstance(happening, Acknowledged) and happening.error:
                raise Trouble(FAILED, f"the broker refuses the request: {happening.error}")
            elif isinstance(happening, Received) and take(happening):
                return True
        return False
    finally:
        link.stop()


def look(run: Run, limit_s: float) -> Gateway:
    """The gateway's retained `status` and `info`."""
    topics = Topics(run.base, run.gateway)
    found: dict[str, bytes] = {}
    wanted = [topics.of(Status), topics.of(Info)]

    def take(message: Received) -> bool:
        found[message.topic] = message.payload
        return all(found.get(topic) for topic in wanted)

    visit(run, wanted, None, take, limit_s)
    status, info = found.get(wanted[0]), found.get(wanted[1])
    return Gateway(
        Status.model_validate_json(status) if status else None, Info.model_validate_json(info) if info else None
    )


def answers(run: Run, operation: str, request: tuple[str, bytes], transaction: str, limit_s: float) -> list[Response]:
    """Send a request and return its answers: at most `accepted`, then refused, done or failed. Empty: none in time."""
    heard: list[Response] = []

    def take(message: Received) -> bool:
        answer = Response.model_validate_json(message.payload)
        if answer.transaction == transaction:
            heard.append(answer)
        return bool(heard) and heard[-1].status != "accepted"

    visit(run, [Topics(run.base, run.gateway).response(operation)], request, take, limit_s)
    return heard
