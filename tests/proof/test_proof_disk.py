"""The model of a disk that loses its power: what was synced stays, what was not may be there in any way."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from tests.proof.disk import MANNERS, SECTOR, Disk, Image
from tests.proof.tape import Change, Kind

D = "/data"


def create(name: str, inode: int) -> Change:
    return Change(Kind.CREATE, inode, 0, f"{D}/{name}", b"")


def write(inode: int, offset: int, data: bytes) -> Change:
    return Change(Kind.WRITE, inode, offset, f"{D}/any", data)


def sync(inode: int) -> Change:
    return Change(Kind.SYNC, inode, 0, f"{D}/any", b"")


SYNC_NAMES = Change(Kind.SYNC, 1, 0, D, b"")


def after(*changes: Change) -> Disk:
    disk = Disk(D)
    for change in changes:
        disk.take(change)
    return disk


def images(disk: Disk, manner: str, count: int = 200) -> list[Image]:
    return [disk.image(manner, random.Random(seed)) for seed in range(count)]


def contents(found: Iterable[Image], name: str) -> set[bytes | None]:
    return {image.get(name) for image in found}


@pytest.mark.parametrize("manner", MANNERS)
def test_what_was_synced_is_there_after_any_cut(manner: str) -> None:
    """A file and its name, both synced: every cut leaves them, to the byte."""
    disk = after(create("a", 7), write(7, 0, b"money"), sync(7), SYNC_NAMES)
    assert disk.unsafe == 0 and images(disk, manner, 5) == [{"a": b"money"}] * 5


def test_a_name_is_lost_until_its_directory_is_synced() -> None:
    """A synced file whose directory was not: a cut may leave a directory without it."""
    disk = after(create("a", 7), write(7, 0, b"money"), sync(7))
    assert disk.image("nothing", random.Random(1)) == {}
    assert disk.image("all", random.Random(1)) == {"a": b"money"}
    assert contents(images(disk, "subset"), "a") == {None, b"money"}


def test_bytes_are_lost_until_their_file_is_synced() -> None:
    """A name that is safe, bytes that are not: nothing, all, half a write, later writes without earlier ones."""
    old, new = b"o" * 4 * SECTOR, b"n" * 4 * SECTOR
    begun = (create("a", 7), write(7, 0, old), sync(7), SYNC_NAMES)
    disk = after(*begun, write(7, 0, new), write(7, 4 * SECTOR, b"end"))
    assert disk.image("nothing", random.Random(1)) == {"a": old}
    assert disk.image("all", random.Random(1)) == {"a": new + b"end"}
    assert contents(images(disk, "subset"), "a") == {old, old + b"end", new, new + b"end"}
    torn = contents(images(disk, "prefix"), "a")
    assert new[: 2 * SECTOR] + old[2 * SECTOR :] in torn and old + b"end" not in torn
    sectors = contents(images(disk, "sectors"), "a")
    assert old[:SECTOR] + new[SECTOR : 2 * SECTOR] + old[2 * SECTOR :] in sectors
    assert old + bytes(3) in contents(images(disk, "holes"), "a")
    rubbish = contents(images(disk, "garbage"), "a")
    assert any(set(each or b"") - set(b"oned") for each in rubbish)


def test_a_rename_is_whole_and_ordered() -> None:
    """A temp file put in the place of another: a cut leaves the old one or the new one, never none and never both."""
    begun = (create("a", 7), write(7, 0, b"old"), sync(7), SYNC_NAMES)
    disk = after(*begun, create("a.new", 8), write(8, 0, b"new"), sync(8),
                 Change(Kind.RENAME, 0, 0, f"{D}/a.new", f"{D}/a".encode()))  # fmt: skip
    for manner in MANNERS:
        for image in images(disk, manner, 50):
            assert image in ({"a": b"old"}, {"a": b"old", "a.new": b"new"}, {"a": b"new"})
    disk.take(SYNC_NAMES)
    assert disk.image("nothing", random.Random(1)) == {"a": b"new"}


def test_an_inode_number_that_is_used_again_is_another_file() -> None:
    """Removed and made anew under the same number, as file systems do: the old file may still be what a cut leaves."""
    disk = after(create("a", 7), write(7, 0, b"old"), sync(7), SYNC_NAMES,
                 Change(Kind.REMOVE, 0, 0, f"{D}/a", b""), create("b", 7), write(7, 0, b"new"), sync(7))  # fmt: skip
    assert disk.image("nothing", random.Random(1)) == {"a": b"old"}
    assert {tuple(image.items()) for image in images(disk, "subset")} == {(("a", b"old"),), (), (("b", b"new"),)}


def test_a_length_is_a_change_like_any_other() -> None:
    """Cut short or made longer: lost or there."""
    disk = after(create("a", 7), write(7, 0, b"12345"), sync(7), SYNC_NAMES, Change(Kind.LENGTH, 7, 2, f"{D}/a", b""))
    assert contents(images(disk, "subset"), "a") == {b"12345", b"12"}
    disk.take(Change(Kind.LENGTH, 7, 4, f"{D}/a", b""))
    assert disk.image("all", random.Random(1)) == {"a": b"12\0\0"}


def test_directories_below_are_refused() -> None:
    """What the model cannot show it does not pass over in silence."""
    with pytest.raises(ValueError, match="not modelled"):
        after(create("deeper/a", 7))
