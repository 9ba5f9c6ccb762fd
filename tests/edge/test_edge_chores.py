"""Long work is done in slices: between two of them the loop does what is urgent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bridge.contract.clock import ManualClock
from edge.chores import SLICE_S, Chores


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 27, tzinfo=UTC))


def test_a_slice_is_short_and_nothing_is_done_twice(clock: ManualClock) -> None:
    """A thousand accounts at 2 ms each: each slice ends after 5 ms and goes on where the one before ended."""
    chores, done = Chores(clock), []

    def closing() -> Iterator[None]:
        for account in range(1000):
            clock.advance(0.002)
            done.append(account)
            yield

    chores.begin("closing", closing)
    while chores.waiting:
        before, began = len(done), clock.monotonic()
        chores.work()
        chores.begin("closing", closing) if len(done) < 1000 else None
        assert (clock.monotonic() - began <= SLICE_S + 0.002 and len(done) > before) or len(done) == 1000
    assert done == list(range(1000))


def test_chores_take_turns(clock: ManualClock) -> None:
    """A long chore does not keep a short one waiting for its end."""
    chores, done = Chores(clock), []

    def work(name: str, count: int) -> Iterator[None]:
        for _ in range(count):
            clock.advance(0.001)
            done.append(name)
            yield

    chores.begin("long", lambda: work("long", 1000))
    chores.begin("short", lambda: work("short", 3))
    for _ in range(2):
        chores.work()
    assert done.count("short") == 3 and done.count("long") < 20


def test_a_chore_that_fails_is_over(clock: ManualClock) -> None:
    """What a chore raises reaches the loop, and the chore is not tried in the middle of itself."""
    chores = Chores(clock)

    def broken() -> Iterator[None]:
        yield
        raise OSError("the disk is gone")

    chores.begin("broken", broken)
    with pytest.raises(OSError, match="gone"):
        chores.work()
    assert not chores.waiting
