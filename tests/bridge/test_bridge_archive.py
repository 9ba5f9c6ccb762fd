"""The archive is the book's copy: whatever was lost, doubled or late on the way, both agree again."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, inspect, select

from bridge.archive.coverage import Coverage, Runs
from bridge.archive.tables import ENTRY, READING, open_engine
from bridge.contract.messages import Entry, Response, Status
from tests.bridge.desk import Desk, fill


@pytest.fixture(params=["answer last", "answer first"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A gateway may answer a replay before or after it sends what it promises."""
    desk = Desk(tmp_path)
    desk.answer_first = request.param == "answer first"
    return desk


def test_an_empty_archive_fills_itself(desk: Desk) -> None:
    """Delete the archive: book and readings are fetched again, 500 and 200 at a time, then nothing is asked."""
    desk.edge.grow(1234)
    for _ in range(555):
        desk.edge.sweep()
    desk.connect()
    desk.run(5)
    assert desk.differences() == []
    asked = [each.entries_from for each in desk.edge.asked if each.entries_from]
    assert asked == [1, 501, 1001]
    desk.edge.asked.clear()
    desk.run(60)
    assert desk.edge.asked == []


def test_every_lost_message_is_asked_for(desk: Desk) -> None:
    """A third of all messages lost at random, answers included: within a minute archive and book are equal."""
    chance = random.Random(7)
    desk.loses = lambda _: chance.random() < 0.33
    fill(desk, 300, 300)
    desk.run(60)
    desk.loses = lambda _: False
    desk.connect()
    desk.run(20)
    assert desk.differences() == []


def test_what_comes_twice_stands_once(desk: Desk) -> None:
    """A repeated entry or sweep changes nothing, also within one batch."""
    fill(desk, 5, 5)
    desk.give(*desk.edge.entries, *desk.edge.sweeps.values(), *desk.edge.entries)
    desk.run(2)
    assert desk.differences() == []


def test_holes_from_an_earlier_run_are_found_at_start(desk: Desk) -> None:
    """Rows missing in the middle of the tables are noticed by a new bridge, not only those missing at the end."""
    fill(desk, 50, 50)
    with desk.engine.begin() as connection:
        connection.execute(ENTRY.delete().where(ENTRY.c.seq.in_([7, 8, 30])))
        connection.execute(READING.delete().where(READING.c.number.in_([9, 40])))
    desk.start_bridge()
    desk.connect()
    desk.run(10)
    assert desk.differences() == []


def test_one_request_at_a_time_and_again_after_five_seconds(desk: Desk) -> None:
    """A silent gateway is asked once per kind, and again every five seconds: no flood while it is busy."""
    desk.edge.grow(10)
    desk.answers = False
    desk.connect()
    times = []
    for second in range(14):
        desk.writer.settle()
        times += [second] * sum(each.entries_from is not None for each in desk.requests)
        desk.requests.clear()
        desk.clock.advance(1)
    assert times == [1, 6, 11]


@pytest.mark.parametrize(("own", "status"), [(False, "done"), (True, "refused"), (True, "failed")])
def test_only_a_done_answer_to_our_own_request_counts(desk: Desk, own: bool, status: str) -> None:
    """Somebody else's replay and a refusal never make the archive give up: it goes on asking until it is filled."""
    desk.edge.grow(10)
    desk.answers = False
    desk.connect()
    for _ in range(60):
        desk.writer.settle()
        for asked in desk.requests:
            words = {"transaction": asked.transaction if own else "anothers", "status": status, "at": "x", "data": {}}
            desk.give(Response.model_validate(words), id="replay")
        desk.requests.clear()
        desk.clock.advance(1)
    desk.answers = True
    desk.run(10)
    assert desk.differences() == []


def test_an_absent_gateway_is_not_asked(desk: Desk) -> None:
    """While a gateway is off line nothing is requested: it would all wait for it and be answered at once."""
    desk.edge.grow(10)
    desk.writer.connected()
    desk.give(Status(state="offline"), desk.edge.info())
    desk.run(20)
    assert desk.edge.asked == []
    desk.give(Status(state="online"))
    desk.run(3)
    assert desk.differences() == []


def test_readings_that_the_gateway_has_trimmed_are_not_asked_for_ever(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Readings older than the gateway keeps are asked for once per connection, said to be gone, and left."""
    caplog.set_level(logging.WARNING)
    desk.edge.append()
    for _ in range(300):
        desk.edge.sweep()
    for number in range(1, 101):
        del desk.edge.sweeps[number]
    desk.connect()
    desk.run(5)
    assert desk.differences() == []
    assert "readings 1 to 100: the gateway no longer has them" in caplog.text
    desk.edge.asked.clear()
    desk.run(120)
    assert desk.edge.asked == []
    desk.connect()
    desk.run(5)
    assert [each.readings_from for each in desk.edge.asked] == [1]


def test_sweeps_that_never_were_stored_are_given_up(desk: Desk) -> None:
    """A number the gateway skipped or lost at its end does not keep the archive asking."""
    desk.edge.append()
    for _ in range(30):
        desk.edge.sweep()
    for number in (10, 11, 29, 30):
        del desk.edge.sweeps[number]
    desk.connect()
    desk.run(30)
    assert desk.differences() == []
    desk.edge.asked.clear()
    desk.run(60)
    assert desk.edge.asked == []


def test_an_archive_that_cannot_be_opened_is_opened_later(desk: Desk) -> None:
    """A database that is down at start costs nothing: it is tried every five seconds and then filled."""
    real, tries = desk.open, []

    def broken() -> Engine:
        tries.append(desk.clock.monotonic())
        raise OSError("no route to the database")

    desk.open = broken
    desk.connect()
    desk.give(*desk.edge.grow(10))
    for _ in range(10):
        with contextlib.suppress(OSError):
            desk.writer.settle()
        desk.clock.advance(1)
    assert len(tries) == 2
    desk.open = real
    desk.give(desk.edge.info())
    desk.run(10)
    assert desk.differences() == []


def test_programs_that_open_a_new_archive_at_once_all_get_it(tmp_path: Path) -> None:
    """Bridge and panel start together on an empty directory: neither finds half-made tables, neither fails."""
    for number in range(20):
        directory = tmp_path / str(number)
        directory.mkdir()
        together = threading.Barrier(4)

        def opened(directory: Path = directory, together: threading.Barrier = together) -> list[str]:
            together.wait()
            engine = open_engine("sqlite", directory)
            try:
                return sorted(inspect(engine).get_table_names())
            finally:
                engine.dispose()

        with ThreadPoolExecutor(4) as pool:
            found = [each.result() for each in [pool.submit(opened) for _ in range(4)]]
        assert found == [["entry", "former", "left_entry", "reading", "water"]] * 4


def test_a_batch_that_fails_is_fetched_again(desk: Desk) -> None:
    """A full disk in the middle of a batch raises, changes nothing, and the rows come back once there is room."""
    fill(desk, 5, 5)
    with desk.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON entry WHEN new.seq = 9 BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    desk.give(*desk.edge.grow(10), desk.edge.sweep())
    with pytest.raises(Exception, match="disk full"):
        desk.writer.settle()
    with desk.engine.begin() as connection:
        assert connection.scalar(select(func.max(ENTRY.c.seq))) == 6, "nothing of the batch is stored"
        connection.exec_driver_sql("DROP TRIGGER full")
    desk.run(10)
    assert desk.differences() == []


def test_an_entry_that_never_arrives_is_given_up_aloud(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """An entry that the gateway says it sent and that cannot be taken is asked for a few times, named, and left."""
    desk.edge.grow(10)
    desk.loses = lambda message: isinstance(message, Entry) and message.seq == 5
    desk.connect()
    desk.run(60)
    assert [each.entries_from for each in desk.edge.asked] == [1, 5, 5, 5, 5]
    assert "entries 5 to 5: the gateway no longer has them" in caplog.text


def test_what_was_given_up_beyond_the_newest_counts_again() -> None:
    """A stale word about 900 entries, none of which exist, does not hide a later loss."""
    coverage = Coverage([(1, 5)], newest=900)
    coverage.give_up(6, 900)
    coverage.announce(5)
    assert coverage.missing is None
    coverage.add(7)
    assert coverage.missing == (6, 6)


def test_runs_merge_and_split() -> None:
    """The list of what is here stays sorted and gapless whatever order the numbers come in."""
    chance = random.Random(3)
    for _ in range(50):
        numbers = set(chance.sample(range(1, 60), 30))
        runs = Runs()
        for number in chance.sample(sorted(numbers), len(numbers)):
            runs.add(number, number)
        spread = {number for first, last in runs for number in range(first, last + 1)}
        assert spread == numbers
        flat = [edge for run in runs for edge in run]
        assert flat == sorted(flat) and all(b - a > 1 for a, b in zip(flat[1::2], flat[2::2], strict=False))
        coverage = Coverage(runs, newest=60)
        assert coverage.missing is not None and coverage.missing[0] == min(set(range(1, 61)) - numbers)
