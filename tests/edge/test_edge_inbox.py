"""What waits for the loop is bounded: messages first, and replies where the loop no longer takes them (I23)."""

from __future__ import annotations

from bridge.contract.clock import SystemClock
from bridge.mqtt import Acknowledged, Received
from edge.inbox import MESSAGES_AT_MOST, QUEUE_AT_MOST, Inbox

MESSAGE = Received("request/topup", b"{}", False)


def test_messages_are_dropped_long_before_anything_else_is() -> None:
    """A flood of messages leaves room for what meters and the broker say, and nobody calls the loop stuck for it."""
    inbox = Inbox()
    for _ in range(2 * QUEUE_AT_MOST):
        inbox.put(MESSAGE)
    inbox.put(Acknowledged(1))
    assert inbox.events.qsize() == MESSAGES_AT_MOST + 1 and not inbox.stuck
    assert inbox.dropped == 2 * QUEUE_AT_MOST - MESSAGES_AT_MOST


def test_a_loop_that_takes_nothing_is_found_stuck() -> None:
    """The bound holds to the very event; what waited before is still there, in its order."""
    inbox = Inbox()
    for mid in range(QUEUE_AT_MOST):
        inbox.put(Acknowledged(mid))
    assert not inbox.stuck
    inbox.put(Acknowledged(QUEUE_AT_MOST))
    assert inbox.stuck and inbox.events.qsize() == QUEUE_AT_MOST
    assert [inbox.take(0) for _ in range(3)] == [Acknowledged(mid) for mid in range(3)]


def test_a_look_waits_as_long_as_it_may() -> None:
    """A look without waiting ends, one with waiting ends after its time, both with nothing."""
    inbox, clock = Inbox(), SystemClock()
    assert inbox.take(0) is None
    began = clock.monotonic()
    assert inbox.take(0.02) is None and clock.monotonic() - began >= 0.019
