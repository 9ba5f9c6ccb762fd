"""The power is cut a second time, while the edge starts on what the first cut left: the same result as one cut (37).

`python -m tests.proof.again DIRECTORY...`, under the shim: starts an edge on the book in each directory, asks for the
first payments again, and ends; the tape lies beside each directory.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.proof import shim, tape
from tests.proof.disk import MANNERS, Disk, Image
from tests.proof.judged import Story, Told
from tests.proof.opened import NOW, Found, Opener, laid
from tests.proof.tape import Kind

EACH = 10
"""Second cuts for each first one."""


class Again:
    """Keeps some of the disks that the first cut left, and cuts the power again on them."""

    def __init__(self, many: int, chance: random.Random):
        self._many, self._chance, self._offered = many, chance, 0
        self._taken: list[tuple[int, Image, Found, list[str]]] = []

    def offer(self, at: int, image: Image, found: Found, told: Told) -> None:
        """Each disk with the same chance of being taken."""
        if found.unreadable is not None or not self._many:
            return
        self._offered += 1
        taken = (at, image, found, list(told.answered))
        if len(self._taken) < self._many:
            self._taken.append(taken)
        elif (slot := self._chance.randrange(self._offered)) < self._many:
            self._taken[slot] = taken

    def cut(self, opener: Opener, seed: int) -> dict[str, Any]:
        """Start on each, cut again, and look."""
        violations, images = list[dict[str, Any]](), 0
        with tempfile.TemporaryDirectory(prefix="riser-again-", dir=shim.MEMORY) as scratch:
            places = [Path(scratch) / f"{number}" for number in range(len(self._taken))]
            before = []
            for place, (_, image, _, _) in zip(places, self._taken, strict=True):
                place.mkdir()
                laid(image, place)
                before.append({name: ((place / name).stat().st_ino, content) for name, content in image.items()})
            if places:
                shim.seen("tests.proof.again", [str(place) for place in places], 60 + 20 * len(places))
            for place, there, (at, _, found, answered) in zip(places, before, self._taken, strict=True):
                for manner, image, story, told in _second(place, there, found, answered, f"{seed}:{at}"):
                    images += 1
                    if (broken := story.wrong(opener.look(image), told)) is not None:
                        violations.append({"seed": seed, "place": at, "manner": f"second cut, {manner}",
                                           "promise": broken[0], "what": broken[1]})  # fmt: skip
        return {"images": images, "violations": violations}


def _second(place: Path, before: dict[str, tuple[int, bytes]], found: Found, answered: list[str], seed: str) -> Any:
    """(manner, disk, story, what was told) for second cuts anywhere in what the edge wrote from its start on."""
    with closing(sqlite3.connect(place / "book.db")) as book:
        rows = book.execute("SELECT hash, kind, id FROM journal ORDER BY seq").fetchall()
    hashes, kinds, ids = ([row[column] for row in rows] for column in range(3))
    changes = list(tape.read(place.with_suffix(".tape")))
    story = Story(changes, hashes, kinds, ids, begun_at=found.seq)
    chance, disk = random.Random(seed), Disk(str(place), before)
    told = Told(seq=found.seq, why="the first run", sweep=found.newest_sweep, answered=answered)
    places = [at for at, change in enumerate(changes) if change.kind is not Kind.MARK]
    wanted = set(chance.sample(places, min(EACH, len(places))))
    for at, change in enumerate(changes):
        if change.kind is Kind.MARK:
            told.hear(change.words)
            continue
        disk.take(change)
        if at in wanted:
            manner = chance.choice(MANNERS)
            yield manner, disk.image(manner, chance), story, told


def main(directories: list[str]) -> None:
    from tests.proof import story

    watch = story.begin()
    story.Days.first_boot = 1000
    for directory in map(Path, directories):
        watch.watch(directory, directory.with_suffix(".tape"))
        days = story.Days(directory, meters=story.METERS, poll_s=60, idle_s=2, start=NOW)
        days.connect()
        story.pay_first(days)
        days.run(minutes=1)
        days.stop_edge()
    print(json.dumps({"started": len(directories)}))


if __name__ == "__main__":
    main(sys.argv[1:])
