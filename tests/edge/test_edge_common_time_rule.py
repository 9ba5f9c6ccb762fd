"""What most clocks say together, and how long it is waited for when that has moved (R25): the rule alone."""

from __future__ import annotations

import pytest

from edge.common_time import WAIT_S, Held, after, common_s

FROM_S = 10


@pytest.mark.parametrize(
    ("offsets_s", "common"),
    [
        ([], None),
        ([-240], -240),
        ([0, 1, -2], 0),
        ([-240, -239, -242], -240),
        ([-240, -239, 0], -239),
        ([-240, 0], None),
        ([-240, -239, 0, 1], None),
        ([-240, -120, 0, 90, 200], None),
        ([-9, -9, 9, 9], -9),
        ([-240, -239, 0, 1, 10**9, 10**9, -(10**9)], None),
        ([-240, -239, 0, 10**9, 10**9, -(10**9)], -239),
    ],
)
def test_the_time_on_which_most_agree(offsets_s: list[int], common: int | None) -> None:
    """More than half of them, within what two clocks may differ that need no setting; a dead battery has no vote."""
    assert common_s(offsets_s, FROM_S) == common


CALM, WAITS = Held(), Held(0, -240, 1000 + WAIT_S)


@pytest.mark.parametrize(
    ("held", "common", "powered_s", "then"),
    [
        (CALM, 0, 1000, CALM),
        (CALM, 30, 1000, CALM),
        (CALM, -31, 1000, Held(0, -31, 1000 + WAIT_S)),
        (CALM, None, 1000, CALM),
        (CALM, -240, 1000, WAITS),
        (WAITS, -240, 1000 + WAIT_S - 1, WAITS),
        (WAITS, -225, 5000, WAITS),
        (WAITS, None, 5000, WAITS),
        (WAITS, -3, 5000, CALM),
        (WAITS, 200, 5000, Held(0, 200, 5000 + WAIT_S)),
        (WAITS, -240, 1000 + WAIT_S, Held(-240)),
        (Held(-240), -238, 9000, Held(-240)),
        (Held(-240), 2, 9000, Held(2)),
        (Held(-240), -480, 9000, Held(-240, -480, 9000 + WAIT_S)),
    ],
)
def test_what_is_waited_for_and_how_long(held: Held, common: int | None, powered_s: int, then: Held) -> None:
    """A day from when it moved, anew when it moves elsewhere; until it agrees again, or the day is over."""
    assert after(held, common, powered_s, FROM_S) == then
