"""The disk below the data directory: is there space, does it last, is it fast enough, may it be written at all."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from host.doctor.findings import Finding, good, know, wrong
from host.doctor.seen import DiskSeen, Snapshot

MB = 1_000_000

LEAST_FREE, LITTLE_FREE = 100 * MB, 1_000 * MB
"""Below the first a day's book, archive and logs may not find their place; below the second somebody should know."""

LEAST_INODES, LITTLE_INODES = 1_000, 10_000

SLOW_FSYNC_S, HOPELESS_FSYNC_S = 0.1, 1.0
"""Every entry waits for one sync. Above the second the evidence of a cut is late and the cut is withdrawn (I8)."""

GONE = {"tmpfs", "ramfs", "overlay", "aufs"}
NO_OWNERS = {"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk"}
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"}


def findings(snapshot: Snapshot) -> list[Finding]:
    seen = snapshot.disk
    if seen is None:
        return []
    found = [*_kind(snapshot, seen), *_space(snapshot, seen), *_speed(seen), *_book(snapshot, seen)]
    if not any(each.severity == "wrong" for each in found):
        sizes = ", ".join(f"{name} {size_text(size)}" for name, size in seen.files.items() if size)
        sizes = f" Here: {sizes}." if sizes else ""
        found.insert(
            0,
            good(
                "disk",
                "",
                f"{size_text(seen.free)} of {size_text(seen.size)} free on {seen.mount} ({seen.kind}).{sizes}",
            ),
        )
    return found


def size_text(size: int) -> str:
    """Bytes as people say them."""
    for unit, name in ((1000 * MB, "GB"), (MB, "MB"), (1000, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _kind(snapshot: Snapshot, seen: DiskSeen) -> Iterator[Finding]:
    directory = snapshot.place.directory
    elsewhere = "End Riser, move the directory to the card or an SSD with ext4, and name it with --data or RISER_DATA."
    if seen.read_only:
        yield wrong(
            "disk",
            "",
            f"{seen.mount} is read-only: nothing can be written into the book.",
            "A card that fails turns read-only by itself: look at `dmesg | tail`, make a copy of the data now, then "
            "check the file system or change the card. If it is read-only by intent, open it.",
            f"sudo mount -o remount,rw {seen.mount}",
        )
    if seen.kind in GONE:
        why = f"{directory} is in memory ({seen.kind}): the book is gone after a power cut or restart."
        if snapshot.place.demo:
            yield know("disk", "", f"{why} For the demo that does no harm.")
        elif seen.kind == "overlay":
            yield wrong(
                "disk",
                "",
                f"{directory} is on an overlay: what is written there is gone when the container, "
                "or the Pi with its overlay file system, starts anew.",
                "Container: mount a volume there. Pi: sudo raspi-config, Performance, Overlay File System: off.",
            )
        else:
            yield wrong("disk", "", why, elsewhere)
    elif seen.kind in NO_OWNERS:
        yield wrong(
            "disk",
            "",
            f"{directory} is on {seen.kind}, which knows no owners and is not safe when the power "
            "goes: secrets cannot be kept and the book can be lost.",
            elsewhere,
        )
    elif seen.kind in NETWORK:
        yield wrong(
            "disk",
            "",
            f"{directory} is on a network drive ({seen.kind}): SQLite cannot keep a book safe there.",
            elsewhere,
        )


def _space(snapshot: Snapshot, seen: DiskSeen) -> Iterator[Finding]:
    largest = max(seen.files, key=lambda name: seen.files[name], default="")
    hint = f"Largest here: {largest} with {size_text(seen.files[largest])}. " if seen.files.get(largest) else ""
    remedy = (f"{hint}Look what else there is.", f"sudo du -xh -d 2 {seen.mount} | sort -h | tail")
    if seen.free < LEAST_FREE:
        yield wrong(
            "disk", "", f"{seen.mount} is full: {size_text(seen.free)} of {size_text(seen.size)} are left.", *remedy
        )
    elif seen.free < LITTLE_FREE:
        yield know("disk", "", f"{size_text(seen.free)} of {size_text(seen.size)} are left on {seen.mount}.", *remedy)
    if seen.inodes_free is not None and seen.inodes_free < LITTLE_INODES:
        kind = wrong if seen.inodes_free < LEAST_INODES else know
        yield kind(
            "disk",
            "",
            f"{seen.mount} has places for only {seen.inodes_free} more files.",
            "Many small files fill it; look where.",
            f"sudo du -x --inodes -d 2 {seen.mount} | sort -n | tail",
        )


def _speed(seen: DiskSeen) -> Iterator[Finding]:
    if not seen.fsync_s:
        return
    usual, worst = statistics.median(seen.fsync_s), max(seen.fsync_s)
    words = f"{usual * 1000:.1f} ms, at worst {worst * 1000:.1f} ms"
    if usual > HOPELESS_FSYNC_S:
        yield wrong(
            "disk",
            "",
            f"The disk takes {words} to keep one entry: cuts will be withdrawn and people wait.",
            "Change the card (one made for cameras or dash cams, A1 or better, or an SSD).",
        )
    elif usual > SLOW_FSYNC_S:
        yield know(
            "disk",
            "",
            f"The disk is slow: it takes {words} to keep one entry.",
            "A worn card gets slow before it fails; have a new one ready.",
        )
    else:
        yield good("disk", "", f"The disk keeps an entry within {words}.")


def _book(snapshot: Snapshot, seen: DiskSeen) -> Iterator[Finding]:
    """The marker beside the book says that there was one (failure 43), another one that it is being exchanged."""
    if seen.restore_unfinished:
        yield wrong(
            "disk",
            "restore.unfinished",
            f"A restore into {snapshot.place.directory} was not finished; Riser does not start before it is.",
            f"{seen.restore_unfinished[:1].upper()}{seen.restore_unfinished[1:]}.",
        )
        return
    if not seen.book_begun or seen.book_size:
        return
    how = "missing" if seen.book_size is None else "empty"
    yield wrong(
        "disk",
        "book.db",
        f"{snapshot.place.directory}/book.db is {how}, and there was a book here: all balances stand in it.",
        "Put it or a backup back. Only if it is really lost: `riser up --begin-anew`, once.",
    )
