"""The gateway lost its card: what the archive saw since the backup is kept, and goes back to a real edge once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.archive.returning import Returning
from bridge.archive.tables import ENTRY, LEFT, READING, open_engine
from bridge.archive.writer import ArchiveWriter
from bridge.contract.messages import MESSAGES, Message, Response, Topics
from bridge.facts import Fact
from edge.audit.verify import verify
from tests.edge.building import KEYS, Building
from tests.edge.losing import ACCOUNT, METER, OTHER, OTHER_METER, backed_up, restored

FACTS = {cls.topic: cls for cls in MESSAGES if cls.topic in ("status", "info", "entry", "reading")}


class Site:
    """A building with its archive on another machine: messages go both ways until they are cut off."""

    def __init__(self, building: Building, directory: Path):
        self.building, self.directory, self._heard = building, directory, 0
        self.loses: Callable[[Message], bool] = lambda _: False
        self.asks = True
        self.start_bridge()

    def start_bridge(self) -> None:
        """A new bridge process on the same archive; the broker tells it what it retains."""
        opened = lambda: open_engine("sqlite", self.directory)  # noqa: E731
        building = self.building
        self.sinks = [
            ArchiveWriter("riser", self._publish, building.clock, opened),
            Returning("riser", self._publish, building.clock, KEYS["bridge"], opened),
        ]
        for topic, payload in building.broker.retained.items():
            self._take(topic, payload)

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        if not self.building.broker.connected or not self.asks:
            return None
        self.building.deliver(topic, payload)
        return 1

    def _take(self, topic: str, payload: bytes) -> None:
        topics = self.building.edge.topics
        parts = topics.below(topic) or [""]
        kind: type[Message] | None = FACTS.get("/".join(parts))
        id = ""
        if parts[0] == "response":
            kind, id = Response, parts[1]
        if kind is None:
            return
        message = kind.model_validate_json(payload)
        if not self.loses(message):
            for sink in self.sinks:
                sink.take(Fact(topics.gateway, id, message, False))

    def run(self, seconds: int) -> None:
        """Let both live; the bridge hears what the edge said."""
        until = self.building.clock.monotonic() + seconds
        while self.building.clock.monotonic() < until:
            self.building.run(seconds=1)
            self.hear()

    def hear(self) -> None:
        heard = self.building.broker.heard
        while self._heard < len(heard):
            topic, payload, _ = heard[self._heard]
            self._heard += 1
            self._take(topic, payload)
        for sink in self.sinks:
            sink.settle()

    def differences(self) -> list[str]:
        """Where the archive's book is not the gateway's."""
        with open_engine("sqlite", self.directory).connect() as connection:
            rows = connection.execute(select(ENTRY.c.seq, ENTRY.c.hash).order_by(ENTRY.c.seq)).all()
        book = [(entry.seq, entry.hash) for entry in self.building.edge.core.book.entries()]
        return [] if [tuple(row) for row in rows] == book else [f"{len(rows)} stored, {len(book)} in the book"]

    def left(self) -> list[int]:
        with open_engine("sqlite", self.directory).connect() as connection:
            return sorted(connection.scalars(select(LEFT.c.seq)))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    for name in ("first", "archive"):
        (tmp_path / name).mkdir()
    policy = {"emergency_credit": "20.00", "overdraft": "500.00"}
    building = Building(tmp_path / "first", meters={METER, OTHER_METER}, policy=policy, idle_s=1)
    site = Site(building, tmp_path / "archive")
    building.connect()
    site.run(90)
    assert site.differences() == []
    return site


def yuan(amount: int) -> int:
    return amount * 1_000_000_000


def posted(site: Site) -> dict[str, int]:
    return {id: site.building.edge.core.state.posted_nano(id) for id in (ACCOUNT, OTHER)}


def a_life_after_the_backup(site: Site, tmp_path: Path) -> tuple[str, dict[str, int]]:
    at = backed_up(site.building, tmp_path / "copy")
    for amount in (11_00, 22_00, 33_00):
        site.building.topup(ACCOUNT, amount)
    site.building.topup(OTHER, 44_00)
    site.run(30)
    return at, posted(site)


def restored_in_info(site: Site) -> dict[str, int]:
    return site.building.fact("info")["restored"]


@pytest.mark.parametrize("bridge", ["stays", "starts anew before", "starts anew in the middle"])
def test_the_archive_gives_back_what_it_saw(site: Site, tmp_path: Path, bridge: str) -> None:
    """Nobody presses anything: after the restore every payment is there once, the archive is a copy of the new book,
    and what the old one had after the backup is kept beside it."""
    at, had = a_life_after_the_backup(site, tmp_path)
    lost = restored(site.building, at, tmp_path / "copy")
    assert posted(site) != had
    if bridge == "starts anew before":
        site.start_bridge()
    if bridge == "starts anew in the middle":
        while restored_in_info(site)["brought"] < 2:
            site.run(1)
        site.start_bridge()
    site.run(60)
    assert posted(site) == had
    told = restored_in_info(site)
    assert (told["brought"], told["missed"], told["holes"], told["through"]) == (4, 0, 0, lost[-1].seq)
    assert site.differences() == [] and site.left() == [entry.seq for entry in lost]
    assert len(site.building.of("brought-back/1")) == 1
    site.building.stop_edge()
    assert verify(site.building.directory).good


def test_kills_on_both_sides_and_lost_answers_change_nothing(site: Site, tmp_path: Path) -> None:
    """The edge is killed again and again while payments come back, answers are lost, the bridge begins anew: each
    payment is there once."""
    at, had = a_life_after_the_backup(site, tmp_path)
    restored(site.building, at, tmp_path / "copy")
    answers = iter([True, False, True, True, False] * 100)
    site.loses = lambda message: isinstance(message, Response) and next(answers)
    for kill in range(5):
        site.run(9)
        site.building.stop_edge()
        site.building.start_edge()
        site.building.connect()
        if kill % 2:
            site.start_bridge()
    site.run(90)
    assert posted(site) == had and restored_in_info(site)["brought"] == 4
    assert site.differences() == []
    site.building.stop_edge()
    assert verify(site.building.directory).good


def test_entries_that_come_before_info_lose_nothing(site: Site, tmp_path: Path) -> None:
    """The first that is heard of a restored book are its entries, with or without the one that says so: the old rows
    are kept all the same, and come back."""
    at, had = a_life_after_the_backup(site, tmp_path)
    restored(site.building, at, tmp_path / "copy")
    early = {"info", "restored"}
    site.loses = lambda message: (
        (type(message).__name__ == "Info" or getattr(message, "kind", "") == "restored/1") and bool(early)
    )
    site.run(4)
    early.clear()
    site.run(90)
    assert posted(site) == had and site.differences() == []


def test_restored_twice_from_the_same_backup(site: Site, tmp_path: Path) -> None:
    """The second card dies too, and the same backup is put back once more: payments of both lives come back once."""
    at, _ = a_life_after_the_backup(site, tmp_path)
    restored(site.building, at, tmp_path / "copy")
    site.run(60)
    site.building.topup(OTHER, 55_00)
    site.run(20)
    had = posted(site)
    (tmp_path / "copy").rename(tmp_path / "again")
    restored(site.building, at, tmp_path / "again")
    site.run(90)
    assert posted(site) == had and site.differences() == []
    site.building.stop_edge()
    assert verify(site.building.directory).good


@pytest.mark.parametrize("bridge", ["the same", "a new archive"])
def test_a_book_of_three_epochs_is_followed(site: Site, tmp_path: Path, bridge: str) -> None:
    """Restored, used, backed up, and restored again from the newer backup: an archive that was there all the time, and
    one that begins empty, hold the whole book and settle down."""
    at, _ = a_life_after_the_backup(site, tmp_path)
    restored(site.building, at, tmp_path / "copy")
    site.run(60)
    at = backed_up(site.building, tmp_path / "second")
    site.building.topup(OTHER, 55_00)
    site.run(20)
    had = posted(site)
    restored(site.building, at, tmp_path / "second")
    if bridge == "a new archive":
        (tmp_path / "empty").mkdir()
        site.directory = tmp_path / "empty"
        site.start_bridge()
    site.run(90)
    assert site.differences() == []
    assert bridge == "a new archive" or posted(site) == had
    heard = len(site.building.broker.heard)
    site.run(30)
    replayed = [topic for topic, _, _ in site.building.broker.heard[heard:] if topic.endswith("response/replay")]
    assert replayed == [] and site.differences() == []
    site.building.stop_edge()
    assert verify(site.building.directory).good


def test_an_archive_that_was_behind_says_nothing(site: Site, tmp_path: Path) -> None:
    """An archive that had not come as far as the backup cannot know what followed: it gives no last word, and the
    person must say that there is none."""
    site.loses = lambda message: True
    site.building.topup(ACCOUNT, 10_00)
    site.run(10)
    at = backed_up(site.building, tmp_path / "copy")
    site.building.topup(ACCOUNT, 20_00)
    site.run(10)
    site.loses = lambda message: False
    restored(site.building, at, tmp_path / "copy")
    site.run(60)
    assert "through" not in restored_in_info(site) and site.differences() == []


def test_a_hole_in_the_archive_is_told(site: Site, tmp_path: Path) -> None:
    """An entry that never reached the archive before the card died is counted as missing, for the person to find."""
    at = backed_up(site.building, tmp_path / "copy")
    first = site.building.edge.core.book.seq + 1
    site.asks = False
    site.loses = lambda message: getattr(message, "seq", 0) == first and type(message).__name__ == "Entry"
    site.building.topup(ACCOUNT, 10_00)
    site.building.topup(OTHER, 20_00)
    site.run(10)
    site.asks, site.loses = True, lambda message: False
    before = posted(site)
    restored(site.building, at, tmp_path / "copy")
    site.run(60)
    told = restored_in_info(site)
    assert told["holes"] == 1 and told["brought"] == 1
    assert posted(site) == {ACCOUNT: before[ACCOUNT] - yuan(10), OTHER: before[OTHER]}


def test_readings_of_the_lost_day_stay(site: Site, tmp_path: Path) -> None:
    """What the archive heard of the meters between backup and loss stays in its tables, beside what comes now."""
    at, _ = a_life_after_the_backup(site, tmp_path)
    site.run(300)

    def numbers() -> set[int]:
        with open_engine("sqlite", site.directory).connect() as connection:
            return set(connection.scalars(select(READING.c.number)))

    before = numbers()
    restored(site.building, at, tmp_path / "copy")
    site.run(700)
    after = numbers()
    assert before <= after and max(after) > max(before) + 5_000


def test_without_a_key_nothing_is_asked(site: Site, tmp_path: Path) -> None:
    """A bridge that has no signing key keeps what it saw, and asks for nothing."""
    at, _ = a_life_after_the_backup(site, tmp_path)
    site.sinks[1] = Returning("riser", site._publish, site.building.clock, None, lambda: pytest.fail("opened"))
    lost = restored(site.building, at, tmp_path / "copy")
    site.run(30)
    assert site.left() == [entry.seq for entry in lost] and restored_in_info(site)["brought"] == 0


def test_topics_of_the_last_word() -> None:
    """What the sink listens to is what the edge answers on."""
    sink = Returning("riser", lambda *_: 1, None, None, lambda: None)  # type: ignore[arg-type, return-value]
    topics = Topics("riser", "+")
    assert {topics.response("bring-back"), topics.response("all-brought")} <= set(sink.subscriptions)
