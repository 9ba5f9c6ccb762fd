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


def make(name: str) -> Change:
    return Change(Kind.MAKE_DIRECTORY, 0, 0, f"{D}/{name}", b"")


def move(name: str, to: str) -> Change:
    return Change(Kind.RENAME, 0, 0, f"{D}/{name}", f"{D}/{to}".encode())


def sync_of(name: str) -> Change:
    return Change(Kind.SYNC, 3, 0, f"{D}/{name}", b"")


def test_a_directory_below_is_lost_with_all_in_it_until_its_name_is_safe() -> None:
    """A file in a new directory, both synced, and the directory above not: a cut may leave neither."""
    disk = after(make("deep"), create("deep/a", 7), write(7, 0, b"x"), sync(7), sync_of("deep"))
    assert disk.image("nothing", random.Random(1)) == {}
    disk.take(SYNC_NAMES)
    assert disk.unsafe == 0 and disk.image("nothing", random.Random(1)) == {"deep/": b"", "deep/a": b"x"}


def test_a_file_moved_to_another_directory_is_in_one_of_them() -> None:
    """Never in both and never in none; a sync of either is enough, and takes along what came before in the other."""
    begun = (make("deep"), create("a", 7), create("b", 8), SYNC_NAMES, sync_of("deep"))
    disk = after(*begun, move("a", "deep/a"), move("b", "b2"))
    found = [set(image) - {"deep/"} for image in images(disk, "subset")]
    assert {"a", "b"} in found and {"deep/a", "b2"} in found and {"deep/a", "b"} in found
    assert not any({"a", "deep/a"} <= each or not {"a", "deep/a"} & each for each in found)
    disk.take(sync_of("deep"))
    assert set(disk.image("nothing", random.Random(1))) == {"deep/", "deep/a", "b"}
    disk.take(move("deep/a", "deep/c"))
    disk.take(move("deep/c", "c"))
    disk.take(SYNC_NAMES)
    assert set(disk.image("nothing", random.Random(1))) == {"deep/", "b2", "c"}


def test_two_directories_come_differently_far() -> None:
    """What was renamed later in one may be there, and what was renamed earlier in another one not."""
    disk = after(make("x"), make("y"), SYNC_NAMES, create("x/a", 7), create("y/b", 8))
    found = {frozenset(image) - {"x/", "y/"} for image in images(disk, "subset")}
    assert found == {frozenset(), frozenset({"x/a"}), frozenset({"y/b"}), frozenset({"x/a", "y/b"})}
    assert frozenset({"x/", "y/", "y/b"}) not in {frozenset(image) for image in images(disk, "prefix")}


def test_a_removed_directory_is_there_until_that_is_safe() -> None:
    """As with files."""
    disk = after(make("x"), SYNC_NAMES, Change(Kind.REMOVE, 0, 0, f"{D}/x", b""))
    assert {frozenset(image) for image in images(disk, "subset")} == {frozenset(), frozenset({"x/"})}


def test_what_the_model_cannot_show_is_refused() -> None:
    """A file below a directory that nobody made, a directory under another name: not passed over in silence."""
    with pytest.raises(ValueError, match="nobody made its directory"):
        after(create("deeper/a", 7))
    with pytest.raises(KeyError, match="x"):
        after(make("x"), move("x", "y"))
