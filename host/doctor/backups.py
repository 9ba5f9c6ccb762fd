"""The newest backup: is there one, how old is it, and does it lie where it survives the card."""

from __future__ import annotations

from datetime import timedelta

from host.doctor.findings import Finding, good, know, wrong
from host.doctor.seen import Snapshot

OLD, TOO_OLD = timedelta(hours=50), timedelta(days=7)
"""Two nights without one are noticed; after a week of payments the receipts would have to be typed in from paper."""


def findings(snapshot: Snapshot) -> list[Finding]:
    seen = snapshot.backup
    if seen is None or snapshot.place.demo or snapshot.disk is None or not snapshot.disk.book_begun:
        return []
    remedy, command = "Make one, best onto another disk; each night by `./riser service install`.", "./riser backup"
    if seen.at is None:
        why = "No backup of this book is known here" + (f" ({seen.trouble})" if seen.trouble else "")
        return [know("disk", "backup", f"{why}: when the card dies, all balances are gone.", remedy, command)]
    age = snapshot.machine_now - seen.at if snapshot.machine_now is not None else timedelta(0)
    at = snapshot.time(seen.at)
    told = f"The newest backup is of {at}, up to entry {seen.seq}"
    if age > TOO_OLD:
        days = age.days
        return [wrong("disk", "backup", f"{told}: {days} days of payments stand nowhere else.", remedy, command)]
    if age > OLD:
        return [know("disk", "backup", f"{told}; the last nights brought none.", remedy, command)]
    if not seen.there:
        return [
            know("disk", "backup", f"{told}, and {seen.file} is not there now.", "Was it moved, see that it is kept.")
        ]
    if seen.same_disk:
        remedy = "Name another disk with --to, or copy it to another machine."
        return [know("disk", "backup", f"{told}, and it lies on the disk of the book: both go together.", remedy)]
    return [good("disk", "backup", f"{told}, proved by restoring it.")]
