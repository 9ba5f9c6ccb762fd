"""What the judge holds a gateway to at a change of price: it is sure only of what was read twice, in time, and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.bench.policy_borders import Borders
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import Plan, Room, RoomMeter
from tests.bench.policy_truth import Prices, Used, micros

CHANGE = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
METER = RoomMeter("m011", 0, "000000000011", "constant", 6000, 1)
ROOM = Room("a001", "single", 0, (METER,))
LOST = "lost"
READ_IN_TIME = (-600, 20, 21, 1800)


@pytest.mark.parametrize(
    ("happens", "off_s", "doubted", "sure"),
    [
        (READ_IN_TIME, 0, False, True),
        ((-600, 5, 20, 21, 1800), 0, False, True),  # Another reading came before it.
        ((*READ_IN_TIME, LOST), 0, False, True),  # Written down.
        ((-600, 20, 21, LOST), 0, False, False),  # Not yet.
        ((-600, 20, LOST), 0, False, False),
        ((-600, 20, 1800), 0, False, False),  # No second look.
        ((-600, 58, 59, 1800), 0, False, False),  # Its answer takes a second or two.
        ((-600, 30, 31, 1800), -40, False, False),  # Too late, or too early, by the gateway's own calendar.
        ((-600, 1200, 1201), 0, False, False),
        (READ_IN_TIME, 0, True, False),
        ((-600, LOST), 0, False, True),  # Nothing changed yet.
    ],
)
def test_r27_a_change_of_price_that_was_not_surely_read_is_allowed_for(
    happens: tuple[int | str, ...], off_s: float, doubted: bool, sure: bool
) -> None:
    """Readings, in seconds after the change, and losses of the gateway: a guessed day may be at either price."""
    prices = Prices(Plan(1, "Asia/Shanghai", CHANGE - timedelta(hours=1), 1, (ROOM,), {}))
    prices.agreed("single", micros(CHANGE), {"total": 1_850_000})
    borders, seen = Borders(prices), Seen(ROOM, METER, Used(METER, "single", prices))
    before: float | None = None
    for each in happens:
        if each == LOST:
            assert before is not None
            borders.lost([seen], CHANGE + timedelta(seconds=before + 1), 1000.0 + before + 1)
        else:
            at, mono = CHANGE + timedelta(seconds=float(each)), 1000.0 + float(each)
            borders.read(seen, None if before is None else 1000.0 + before, at, mono, off_s, doubted)
            before = float(each)
    assert (seen.slack_nano < 10**9) == sure and (not seen.guessed_days) == sure
