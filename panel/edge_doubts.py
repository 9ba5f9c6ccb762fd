"""What the edge says while it is not sure of itself: of its clock, disk, book or name. See `edge_words.py`."""

from __future__ import annotations

from panel.edge_recovery_words import OF_RECOVERY
from panel.words import later

DOUBTS = (
    later("the clock stands before the newest entry of the book"),
    later("the demo's own calendar"),
    later("believed as it is, by the site file"),
    later("not synchronised since start; see `timedatectl`, or set clock.trust in the site file"),
    later("synchronised"),
    later("the meters' clocks stand {s} s from the calendar; see `timedatectl`, or set clock.trust in the site file"),
    later("the calendar has leapt, and the meters' clocks are being read first"),
    later("the calendar has leapt while the gateway ran; if it is right, start the gateway again"),
    later(
        "most meters agree with each other on a time {s} s from the gateway's: its clock was moved, or they were all "
        "set wrong. See `timedatectl`; if the gateway's time is right, they are set to it once this has lasted {n} "
        "hours, or at once with `riser meter PORT ADDRESS broadcast-time` (R25)"
    ),
    later("another program seems to use this gateway's id at the broker"),
    later("the broker knows entry {n}, this book ended at {m}"),
    later("the book holds kinds this version does not know: {kinds}"),
    later("recovered, says {who}"),
    *OF_RECOVERY,
    later("this book is a restored copy, says a person: payments made since may be missing"),
    later("this book was begun anew: balances are the site file's, and payments are missing"),
    later("the disk takes no entries ({error})"),
    later("the disk is full ({n} MB left)"),
    later("the book on the disk is not what was written: see entry {n}"),
    later("the state in memory is not what the book says"),
    later("{why}; nobody is cut meanwhile. Run `riser verify`, it names the entry, and restore a backup"),
    later("the clock is not trusted, so nobody can tell whether this request is still wanted"),
    later("{why}; nothing was booked or done. Ask again later"),
)
"""Why the clock is believed or not, why the mode is what it is, and what is refused meanwhile."""
