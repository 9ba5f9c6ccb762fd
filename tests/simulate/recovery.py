"""Copies of the book, made while it is used, and an old one put back on a bad day.

Whoever puts a copy back says so, or the gateway finds out by its own retained `info`; nobody is cut until every payment
since then was asked for again under its old id and a person says so. What people agreed on since the copy would be
lost, so it is put back only where there was nothing; their holds they set again.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

from tests.bench.policy_seen import Seen
from tests.bench.policy_truth import micros
from tests.simulate.house import House
from tests.simulate.memory import Copy
from tests.simulate.powered import BOOK_FILES
from tests.simulate.rows import opened_since
from tests.simulate.till import Till

OLD_ENOUGH_US = int(2.5 * 3600e6)
RESTORED = "this is a restored copy"
RECOVERED_AFTER_S = (4500.0, 30_000.0)


class Recovery:
    """Of one house."""

    def __init__(self, house: House, till: Till, chance: random.Random):
        self.house, self.till, self.chance = house, till, chance
        house.healed.append(self._goes_on)

    @property
    def _path(self) -> Path:
        return self.house.directory / "copy.db"

    def copied(self) -> None:
        """By SQLite's own means, beside the running gateway."""
        house = self.house
        if house.memory.recovering or house.weather.disk is not None:
            return
        self._path.unlink(missing_ok=True)
        used, copy = sqlite3.connect(house.directory / "book.db"), sqlite3.connect(self._path)
        used.backup(copy)
        seq = copy.execute("SELECT max(seq) FROM journal").fetchone()[0]
        used.close()
        copy.close()
        held = {id for id, seen in house.judge.by_id.items() if seen.held}
        house.memory.copy = Copy(seq, house.memory.agreed, held, micros(house.clock.true.now()))

    def restored(self, tries: int = 0) -> bool:
        """The newest copy stands where the book stood; waits for a day on which that is possible."""
        house, copy = self.house, self.house.memory.copy
        now_us = micros(house.clock.true.now())
        possible = (
            copy is not None and copy.agreed == house.memory.agreed and now_us - copy.made_us > OLD_ENOUGH_US
            and not house.memory.recovering and house.weather.disk is None and not house.memory.broker_gone
            and house.clock.off_s == 0 and house.unsynchronised_since is None
        )  # fmt: skip
        if not possible or copy is None:
            if tries < 40:
                house.at(7200, lambda: self._again(tries + 1))
            return False
        house.say(f"the copy of entry {copy.seq} is put back")
        house.before_restoring()
        house.weather.calm()
        house.judge.lost(house.clock.true.now(), house.mono, copy.made_us)
        house.judge.off_s += 30
        house.stop_edge()
        for name in BOOK_FILES:
            (house.directory / name).unlink(missing_ok=True)
        shutil.copyfile(self._path, house.directory / "book.db")
        house.memory.recovering = True
        house.ear.forget_after(copy.seq)
        house.broker.story += 1
        for each in house.restored:
            each()
        book = house.directory / "book.db"
        house.opens([
            seen for seen in house.judge.by_id.values()
            if not seen.vacant and (seen.unopened or not opened_since(book, seen.meter.id, seen.room.account))
        ])  # fmt: skip
        house.clock.advance(30)
        told = house.broker.retained.get(f"{house.broker.root}/info", b'{"seq": 0}')
        finds_out = json.loads(told)["seq"] > copy.seq and self.chance.random() < 0.5
        house.rise(doubt=None if finds_out else RESTORED)
        house.at(60, self.till.again)
        house.at(600, self.till.again)
        lost = self._forgotten(copy)
        house.at(120, lambda: self._holds(lost))
        house.at(self.chance.uniform(*RECOVERED_AFTER_S), self._recovered)
        return True

    def _goes_on(self) -> None:
        """A life that ends in mode recovery: who has paid asks again, and a person says that the book is complete."""
        if self.house.memory.recovering:
            self.house.at(60, self.till.again)
            self.house.at(300, self._recovered)

    def _again(self, tries: int) -> None:
        if self.restored(tries):
            self.house.happened["backup-restored"] += 1

    def _forgotten(self, copy: Copy) -> list[Seen]:
        """Whose person's hold the copy does not know of, or still has: for the gateway it is as the copy says."""
        lost = [seen for id, seen in self.house.judge.by_id.items() if seen.held != (id in copy.held)]
        for seen in lost:
            seen.held = not seen.held
        return lost

    def _holds(self, lost: list[Seen]) -> None:
        """People's holds since the copy are set and lifted again."""
        for seen in lost:
            self.house.hold(seen, not seen.held)

    def _recovered(self) -> None:
        """A person says that every payment stands in the book; they looked, so it does."""
        house = self.house
        done = [one for one in self.till.payments.values() if one.answered == "done"]
        missing = [one for one in done if not self._stands(one.transaction)]
        if missing or house.weather.disk is not None or house.memory.broker_gone:
            self.till.again()
            house.at(900, self._recovered)
            return
        house.memory.recovering = False
        house.say("recovered, says 王敏")
        house.fall(5.0, recovered_by="王敏")

    def _stands(self, transaction: str) -> bool:
        db = sqlite3.connect(f"file:{self.house.directory / 'book.db'}?mode=ro", uri=True)
        try:
            return db.execute("SELECT 1 FROM journal WHERE id = ?", (f"panel:{transaction}",)).fetchone() is not None
        finally:
            db.close()
