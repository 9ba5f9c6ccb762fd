"""What a meter with a purse of its own refuses, for `edge_words`: the bits of DL/T 645 functions 03H and 1CH."""

from __future__ import annotations

from panel.words import later

OF_PURSES = (
    later("this purchase was made already"),
    later("the check of the security module failed"),
    later("not authenticated"),
    later("another customer number"),
    later("wrong purchase count"),
    later("more than the meter may hold"),
    later("address or record abnormal"),
    later("the meter is suspended"),
    later("relay error"),
    later("tripped, no restoring"),
)
