"""What the edge says of a serial port that it cannot open, for `edge_words`."""

from __future__ import annotations

from panel.words import later

OF_PORTS = (
    later("is not there: is the adapter plugged in, and is this its name?"),
    later("may not be opened by this user; add it to the group of the device, mostly dialout, and sign in again"),
    later("is used by another program; end that one"),
    later("is used by process {n} ({program}); end that one"),
    later("the program that holds the ports does not respond; it is started anew if that lasts"),
    later("is a directory, not a serial port"),
    later("is no serial port"),
    later("does not take this speed or parity"),
    later("fails (input/output error): pull it out and plug it in again, or try another adapter"),
    later("the adapter was pulled, or has failed"),
    # why there is no answer
    later("what it says comes damaged, in {n} rounds"),
    later("silent|line"),
    later("noise|line"),
    later("babble|line"),
    later("unfinished|line"),
    later("late|line"),
    later("withdrawn|line"),
    later("closed|line"),
    later("refused|line"),
)
