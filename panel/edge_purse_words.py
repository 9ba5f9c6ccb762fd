"""What is said of a meter with a purse of its own, for `edge_words`: what it refuses (DL/T 645 functions 03H and 1CH),
that it counts beside an account of ours, and that it has opened its relay."""

from __future__ import annotations

from panel.words import later

OWN_PURSE = (
    later(
        "the meter holds its relay open by itself: its own purse is empty; top it up, or switch its prepay function off"
    ),
    later(
        "the meter may hold its relay open by itself as a warning: its own purse is low; press its button and top it up"
    ),
    later(
        "the meter has a purse of its own and may hold its relay open by itself: look at its display; "
        "top it up, or switch its prepay function off"
    ),
)
"""Why a relay is open that the gateway did not open, where the meter's own purse may have done it."""

OF_PURSES = (
    *OWN_PURSE,
    later(
        "what is prepaid in the meter counts down while this gateway bills it too, so its tenant pays twice (R14): "
        "switch the prepay function off in the meter"
    ),
    later("what is prepaid in the meter no longer counts down beside this gateway's account"),
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
