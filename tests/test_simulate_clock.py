"""The simulator's judge of time and of forged messages: what may be believed (I16), what is refused (I12)."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.contract.messages import Topics
from tests.simulate import witnesses_clock
from tests.simulate.clocks import HouseClock, KernelWord
from tests.simulate.forger import Forger
from tests.simulate.known import Known
from tests.simulate.town import SETTLED_S, Town
from tests.test_simulate_checker import rows, true_book


class Kernel(KernelWord):
    """Unsure from the second 90 to the second 200, and asked from the second 100 on."""

    def __init__(self) -> None:
        self.mono, self.unsynchronised_since = 0.0, None
        self.mono, self.unsynchronised_since = 90.0, 90.0
        for self.mono in (94.0, 100.0, 130.0):
            self.kernel_asked(HouseClock(datetime(2026, 5, 7, tzinfo=UTC)))
        self.mono, self.unsynchronised_since = 200.0, None


def test_what_the_kernel_said_is_remembered() -> None:
    """Of each second for how long it could have been heard that it was unsure."""
    kernel = Kernel()
    assert [kernel.unsure_s(at) for at in (50, 95, 130, 199, 200, 900)] == [0, 0, 30, 99, 0, 0]
    assert kernel.unsynchronised_since is None


@pytest.mark.parametrize(
    ("trusted", "mono_s", "at_s", "fair", "trust", "why"),
    [
        (1, 50, 0, False, "auto", ""), (1, 111, 0, False, "auto", ""), (0, 113, 0, False, "auto", ""),
        (1, 113, 0, False, "auto", "unsure of it for 13 s"), (1, 113, 0, False, "always", ""),
        (1, 250, -299, False, "auto", ""), (1, 250, -301, False, "auto", "301 s before one that was believed"),
        (0, 250, 0, True, "auto", "nothing is wrong with it"), (0, 250, 7 * 3600, True, "auto", ""),
    ],
)  # fmt: skip
def test_i16_what_may_be_believed(trusted: int, mono_s: int, at_s: int, fair: bool, trust: str, why: str) -> None:
    """By the kernel's word, a few seconds after it, and never behind what was believed; in calm all is."""
    known, last = Known(), None
    for entry in rows(true_book()):
        known.take(last := replace(entry, trusted=1))
    assert last is not None
    clock, plan = SimpleNamespace(wrong_s=lambda mono: 0.0), SimpleNamespace(trust=trust)
    house: Any = SimpleNamespace(unsure_s=Kernel().unsure_s, fair=fair, plan=plan, clock=clock)
    entry = replace(last, trusted=trusted, mono_ns=mono_s * 10**9, at=known.trusted_us + at_s * 10**6)
    said = list(witnesses_clock.i16(house, known, entry))
    assert len(said) == bool(why) and why in "".join(said)


def test_i16_what_is_written_while_it_is_installed_need_not_be_believed() -> None:
    """Nobody has looked at the clock yet; whoever never looks is named by what comes later."""
    house: Any = SimpleNamespace(fair=True)
    said = [list(witnesses_clock.i16(house, Known(), replace(entry, trusted=0))) for entry in rows(true_book())]
    assert not said[0] and said[-1]


def test_i16_a_wrong_calendar_is_not_believed_for_long() -> None:
    """The meters tell it within some rounds; it is wrong from the look that sees it to the last one that does."""
    clock = HouseClock(datetime(2026, 5, 6, tzinfo=UTC))
    begins = clock.monotonic()
    for off_s in (0.0, 331.0, -4000.0, 329.0, 331.0):
        clock.off_s = off_s
        clock.looked_at()
        clock.advance(2000)
    assert [clock.wrong_s(begins + s) for s in (1999, 2000, 3999, 4000, 8000)] == [0, 0, 1999, 0, 0]
    last = [*rows(true_book())][-1]
    house: Any = SimpleNamespace(unsure_s=lambda mono: 0.0, fair=False, plan=SimpleNamespace(trust="auto"), clock=clock)
    for late_s, owed in ((699, False), (701, True)):
        clock._wrong = [(begins, begins + 9000)]
        entry = replace(last, trusted=1, mono_ns=int((begins + 2000 + late_s) * 1e9))
        said = list(witnesses_clock.i16(house, Known(), entry))
        assert (said != []) is owed and (not owed or "wrong for 2701 s" in said[0])


def test_r25_whoever_doubts_a_clock_that_is_right_is_named() -> None:
    """Some hours after the last of what excuses it, and at the end some minutes, or a round where it was wrong; another
    mode is another matter."""
    for mode, kernel_at, wrong_at, excused, whole, owed in (
        ("time", 1299, 800, True, True, True), ("time", 1301, 0, True, True, False),
        ("time", 0, 801, True, True, False),
        ("time", float("inf"), 0, False, True, False), ("normal", 0, 0, False, True, False),
        ("recovery", 0, 0, False, True, False), ("time", 0, 0, True, False, False), ("time", 0, 0, False, False, True),
    ):  # fmt: skip
        core = SimpleNamespace(mode=mode, mode_why="it stands before the newest entry")
        clock = SimpleNamespace(wrong_until=wrong_at)
        house: Any = SimpleNamespace(
            mono=2000.0, kernel_said_at=kernel_at, clock=clock, may_doubt=excused, edge=SimpleNamespace(core=core)
        )
        assert [*map(str, witnesses_clock.r25(house, whole))] == owed * [
            "its clock is right and the kernel says so, and the gateway does not believe it: "
            "it stands before the newest entry"
        ]


@pytest.mark.parametrize(("wrong_until", "recovering", "parts"), [(0.0, 0, 3), (9000.0, 0, 5), (0.0, 6, 7)])
def test_a_town_goes_on_until_a_clock_that_came_right_can_be_believed(
    wrong_until: float, recovering: int, parts: int
) -> None:
    """And until nobody restores any more; each part has the same four minutes."""
    lived, start = list[timedelta](), datetime(2026, 5, 7, tzinfo=UTC)
    over = SimpleNamespace(ear=SimpleNamespace(seq=1, misses=lambda now: False), heals=lambda: None, mono=9000.0)
    over.clock = SimpleNamespace(wrong_until=wrong_until, true=SimpleNamespace(now=lambda: start))
    over.plan, over.shown = SimpleNamespace(gateway="g0", start=start), SimpleNamespace()
    over.memory = SimpleNamespace(recovering=False)
    over.edge = SimpleNamespace(core=SimpleNamespace(book=SimpleNamespace(seq=1)))
    checker = SimpleNamespace(look=lambda whole: None, end=lambda: None)

    def lives_on(since_start: timedelta, longer: Any) -> None:
        lived.append(since_start)
        over.mono += SETTLED_S
        over.memory.recovering = len(lived) <= recovering

    town = Town.__new__(Town)
    town.days, town.lives = 1, [SimpleNamespace(house=over, checker=checker)]  # type: ignore[list-item]
    town._until = lives_on  # type: ignore[method-assign,assignment]
    town._settle()
    assert lived == [timedelta(days=1, seconds=part * SETTLED_S) for part in range(1, parts + 1)]


@pytest.mark.parametrize(
    ("written", "meanwhile", "why"),
    [
        ("refusal/1", {}, ""), (None, {}, "the book does not say so"), ("topup/1", {}, "the book does not say so"),
        (None, {"boot": "another"}, ""), (None, {"full": "the disk takes no entries"}, ""),
        (None, {"troubles": 1}, ""), (None, {"connected": False}, ""),
    ],
)  # fmt: skip
def test_i12_a_forged_message_with_a_true_seal_is_refused_in_the_book(
    written: str | None, meanwhile: dict[str, Any], why: str, tmp_path: Path
) -> None:
    """Whether or not its answer was heard; not where the disk takes nothing, nobody is connected, or the gateway has
    started anew since."""
    with sqlite3.connect(tmp_path / "book.db") as db:
        db.execute("CREATE TABLE journal (id TEXT, kind TEXT)")
        if written:
            db.execute("INSERT INTO journal VALUES ('panel:forged-1', ?)", (written,))
    db.close()
    core = SimpleNamespace(
        book=SimpleNamespace(boot=meanwhile.get("boot", "b")), cannot_write=meanwhile.get("full")
    )  # fmt: skip
    house: Any = SimpleNamespace(
        directory=tmp_path, broken=[], edge=SimpleNamespace(core=core),
        weather=SimpleNamespace(troubles=meanwhile.get("troubles", 0)),
        broker=SimpleNamespace(connected=meanwhile.get("connected", True)),
    )  # fmt: skip
    Forger(house, random.Random(1))._refused("_beyond", "forged-1", "b", (0, False))
    assert len(house.broken) == bool(why) and why in "".join(house.broken)


def test_i12_a_forged_message_is_never_done() -> None:
    """Whatever else it is answered."""
    house: Any = SimpleNamespace(broken=[])
    forger = Forger(house, random.Random(1))
    for status in ("refused", "done", "accepted"):
        forger._answered("_beyond", {"status": status})
    assert [each.rpartition(" ")[2] for each in house.broken] == ["done", "accepted"]


@pytest.mark.parametrize(
    ("started", "wrong", "off_s", "trusted", "connected", "sealed"),
    [(40, 40, 0, True, True, True), (40, 40, 200, True, True, True), (100, 40, 0, True, True, False),
     (40, 100, 0, True, True, False), (40, 40, 301, True, True, False), (40, 40, 0, False, True, False),
     (40, 40, 0, True, False, False)],
)  # fmt: skip
def test_i12_an_old_message_is_sent_to_who_knows_the_time(
    started: float, wrong: float, off_s: float, trusted: bool, connected: bool, sealed: bool
) -> None:
    """A payment may come late to a gateway that does not; one that starts finds that out before it looks at it."""
    clock = SimpleNamespace(true=HouseClock(datetime(2026, 5, 7, tzinfo=UTC)), off_s=off_s, wrong_until=wrong)
    core = SimpleNamespace(book=SimpleNamespace(trusted=trusted))
    house: Any = SimpleNamespace(
        clock=clock, mono=100.0, started_mono=started, broker=SimpleNamespace(connected=connected),
        edge=SimpleNamespace(core=core, topics=Topics("riser", "g1")),
    )  # fmt: skip
    seen: Any = SimpleNamespace(meter=SimpleNamespace(id="m1"), room=SimpleNamespace(account="a1"))
    forger = Forger(house, random.Random(1))
    forger._sealed = True
    _, payload, _ = forger._old(seen, "forged-1")
    assert forger._sealed is sealed and payload.endswith(b"}") is sealed


def test_a_gateway_has_an_excuse_for_its_doubt_for_some_hours() -> None:
    """After a calendar that was seconds off, a kernel that was unsure, a sleep; not for longer."""
    kernel, clock = Kernel(), HouseClock(datetime(2026, 5, 7, tzinfo=UTC))
    assert kernel.odd_mono == 130
    for mono, off_s, slept, odd_mono in ((900, 4, False, 130), (1000, 6, False, 1000), (2000, 0, True, 2000)):
        kernel.mono, clock.off_s = mono, off_s
        if slept:
            clock.sleep(20)
        kernel.kernel_asked(clock)
        assert kernel.odd_mono == odd_mono
    kernel.mono = 2000 + 4 * 3600
    assert kernel.may_doubt and not clock.slept
    kernel.mono += 1
    assert not kernel.may_doubt
