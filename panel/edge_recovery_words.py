"""What the edge says of a restored book and of what comes back to it (I5): `edge_words`."""

from __future__ import annotations

from panel.words import later

OF_RECOVERY = (
    later("restored from the backup of {at}, which ends at entry {n}: payments made since then may be missing"),
    later("two people, or readings of then, belong to it"),
    later("its id is used by another entry here"),
    later("entry {n} stands in the backup; what came after {m} is wanted"),
    later("what the archive says of entry {n} does not fit its hash; look at the archive"),
    later("entry {n} of that epoch was brought back already, and {m} is said to be its last"),
    later("this book waits for nothing: it was not restored, or a person has said it is complete"),
    later("this book goes on from the epoch {epoch}, not from {id}"),
    later("the gateway is not in mode recovery; nothing to do"),
    later(
        "no archive has told yet what was paid after the backup; wait for it, or say that there is none "
        "(without_archive=true)"
    ),
    later("cut before the restore, at entry {n} of the former book"),
    later("withdrawn before the restore, at entry {n} of the former book"),
    later("the hold {hold} was set by {who} after the restore; it stays"),
    later("the protection {protection} was lifted; it stands here until a person lifts it again"),
    later("the protection {protection} was set again after the restore; that one counts"),
    later("the protection {protection} was over at {at}"),
    later("this tenancy was settled after the backup that was restored; settle it again"),
    later(
        "paid before the backup that was restored, and it may have been locked since: it waits for an archive with "
        "every entry, for `on`, or until the book is said to be complete"
    ),
    later("{who} says that the book is complete: {why}"),
)
