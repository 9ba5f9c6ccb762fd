"""The power is cut at every place of a story, and each disk that this can leave is opened, verified and compared.

cuts(images=2_000, seed=1)      answered lost, unreadable, half done, and where, with what repeats it
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.proof import shim, tape
from tests.proof.again import Again
from tests.proof.disk import MANNERS, Disk, Image
from tests.proof.judged import Story, Told
from tests.proof.opened import Found, Opener, laid
from tests.proof.tape import Kind

NEAR = 12
"""Half of the cuts come within so many changes of an answer, an order on a line or an append."""

KEPT = 20
"""So many violations are told; the others are counted."""

AGAIN = 100
"""One disk in so many is started on, and the power is cut again while it starts."""

TORN_REGISTRY = 8
"""On one disk in so many the registry is rubbish or cut short as well: it costs its being written anew."""

Say = Callable[[str], None]


def recorded(directory: Path, plant: str = "") -> tuple[Story, dict[str, Any]]:
    """Live the story once under the shim."""
    data, written = directory / "data", directory / "tape"
    data.mkdir()
    told = shim.seen("tests.proof.story", [str(data), str(written), "--plant", plant], 300)
    with sqlite3.connect(data / "book.db") as book:
        rows = book.execute("SELECT hash, kind, id FROM journal ORDER BY seq").fetchall()
    book.close()
    hashes, kinds, ids = ([row[column] for row in rows] for column in range(3))
    return Story(list(tape.read(written)), hashes, kinds, ids), {**told, "directory": str(data)}


def places(story: Story, images: int, chance: random.Random) -> list[int]:
    """After how many records the power is cut, image by image: half anywhere, half near what matters."""
    changes = [at for at, change in enumerate(story.tape, 1) if change.kind is not Kind.MARK]
    marks = [at for at, change in enumerate(story.tape, 1) if change.kind is Kind.MARK and _matters(change.words)]
    near = [at for at in changes if any(abs(at - mark) <= NEAR for mark in _beside(marks, at))]
    found = [changes[number * len(changes) // max(1, images // 2)] for number in range(images // 2)]
    return sorted(found + [chance.choice(near) for _ in range(images - len(found))])


def _matters(words: dict[str, Any]) -> bool:
    return "group" in words or "answer" in words or "order" in words


def _beside(marks: list[int], at: int) -> list[int]:
    """The marks next to a place."""
    here = bisect(marks, at)
    return marks[max(0, here - 1) : here + 1]


def disks(story: Story, directory: str, wanted: list[int], seed: int) -> Iterator[tuple[int, str, Image, Told]]:
    """(place, manner, disk, what was told) for each place that is wanted."""
    disk, told, waiting = Disk(directory), Told(), Counter(wanted)
    turn = 0
    for at, change in enumerate(story.tape, 1):
        if change.kind is Kind.MARK:
            told.hear(change.words)
            continue
        disk.take(change)
        for number in range(waiting.get(at, 0)):
            # With nothing at risk every manner leaves the same disk; the next place gets the next manner.
            manner = MANNERS[turn % len(MANNERS)]
            turn += disk.unsafe > 0
            yield at, manner, disk.image(manner, random.Random(f"{seed}:{at}:{number}")), told


def cuts(
    images: int = 2_000, seed: int = 1, *, plant: str = "", keep: Path | None = None, say: Say = lambda words: None
) -> dict[str, Any]:
    """Cut the power `images` times; JSON-able. A disk that breaks a promise is laid below `keep`."""
    began, chance = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="riser-cuts-", dir=shim.MEMORY) as scratch:
        story, told_of = recorded(Path(scratch), plant)
        recorded_s = time.monotonic() - began
        say(f"{told_of['calls']} changes of the disk recorded in {recorded_s:.1f} s")
        found = _cut(story, told_of["directory"], images, seed, chance, keep, say)
    changes = sum(change.kind is not Kind.MARK for change in story.tape)
    return {
        "images": images, "seed": seed, **found, "changes_recorded": changes, "entries": told_of["entries"],
        "kinds": told_of["kinds"], "recorded_s": round(recorded_s, 1), "seconds": round(time.monotonic() - began, 1),
        "within": not any(found[name] for name in ("answered_lost", "unreadable", "half_done", "orders_wrong")),
    }  # fmt: skip


def _cut(
    story: Story, directory: str, images: int, seed: int, chance: random.Random, keep: Path | None, say: Say
) -> dict[str, Any]:
    wrong, manners, violations = Counter[str](), Counter[str](), list[dict[str, Any]]()
    at_risk = answers = 0
    with tempfile.TemporaryDirectory(prefix="riser-disk-", dir=shim.MEMORY) as place:
        opener, second = Opener(Path(place)), Again(images // AGAIN, chance)
        for number, (at, manner, image, told) in enumerate(
            disks(story, directory, places(story, images, chance), seed), 1
        ):
            if number % TORN_REGISTRY == 0 and "registry.json" in image:
                image = {**image, "registry.json": torn(image["registry.json"], chance)}
            manners[manner] += 1
            answers = max(answers, len(told.answered))
            found: Found = opener.look(image)
            if (broken := story.wrong(found, told)) is None:
                second.offer(at, image, found, told)
            else:
                wrong[broken[0]] += 1
                if len(violations) < KEPT:
                    violations.append(
                        {"seed": seed, "place": at, "manner": manner, "promise": broken[0], "what": broken[1]}
                    )
                    if keep is not None:
                        kept = keep / f"{at}-{manner}"
                        kept.mkdir(parents=True, exist_ok=True)
                        laid(image, kept)
            if number % 500 == 0:
                say(f"{number} of {images} disks, {opener.different} of them different")
        twice = second.cut(opener, seed)
        for broken in twice["violations"]:
            wrong[broken["promise"]] += 1
        violations += twice["violations"][:KEPT]
        at_risk, derived = opener.different, opener.derived
    orders = [trouble for change in story.tape if change.kind is Kind.MARK
              and (trouble := story.impossible(change.words)) is not None]  # fmt: skip
    return {
        "different_images": at_risk, "different_books": derived, "answers_told": answers,
        "answered_lost": wrong["lost"], "unreadable": wrong["unreadable"], "half_done": wrong["half"],
        "orders_wrong": len(orders), "images_of_a_second_cut": twice["images"],
        "manners": dict(sorted(manners.items())),
        "violations": violations + [{"seed": seed, "promise": "order", "what": each} for each in orders],
    }  # fmt: skip


def torn(content: bytes, chance: random.Random) -> bytes:
    """A registry that somebody else's fault cut short or filled with rubbish."""
    with suppress(IndexError):
        return chance.choice([content[: chance.randrange(len(content))], chance.randbytes(len(content)), b"{}", b""])
    return content
