"""The curve on a phone: its scale stays in sight, and the words of a hole are never cut off by the picture's edge."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from panel_facts import NOW
from panel_stage import Stage

from panel.charts import LEFT, NARROW, RIGHT, WIDE, Day, power_chart
from panel.history import Point

MIDNIGHT = datetime(2026, 11, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
WORDS = re.compile(r'<text x="([\d.]+)" y="28" text-anchor="middle">([^<]+)</text>')


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("hours", [(1.0, 1.5), (7.0, 9.0), (22.0, 23.4), (14.5, 14.8)])
def test_the_words_of_a_hole_stay_within_the_picture(stage: Stage, language: str, hours: tuple[float, float]) -> None:
    """Readings from one hour to another: what is missing before and after is told in whole words, however narrow the
    hole is, and where it is wide by its later end, which a phone shows."""
    first, last = (MIDNIGHT + timedelta(hours=each) for each in hours)
    points = [Point(first + timedelta(minutes=5 * n), 2000) for n in range(int((last - first) / timedelta(minutes=5)))]
    day = Day(MIDNIGHT, MIDNIGHT + timedelta(days=1), MIDNIGHT + timedelta(hours=23.9))
    with stage.app.test_request_context():
        from flask import g

        g.language = language
        drawn = str(power_chart(day, points, [], [], 900))
    told = [(float(x), sum(WIDE if ord(each) > 0x2E7F else NARROW for each in words) / 2)
            for x, words in WORDS.findall(drawn)]  # fmt: skip
    assert told and all(x - half >= LEFT and x + half <= RIGHT for x, half in told), told
    x, half = told[0]
    if hours[0] > 6:
        assert abs(x + half + 6 - day.x(points[0].at)) < 0.1, "by the end of the hole"


def test_the_scale_is_drawn_once_more_to_stay_in_sight(shop: Stage) -> None:
    """The figures of the scale beside the curve are those of the curve."""
    shop.readings("a206", [(NOW - timedelta(minutes=5 * n), 2000) for n in range(20, 0, -1)])
    page = shop.visitor("engineer").see("/meter-chart/a206")
    curve, scale = (page[page.index(f'<svg class="{name}"') :] for name in ("chart", "chart scale"))
    figures = re.compile(r'text-anchor="end">([\d.]+)<')
    told = figures.findall(scale[: scale.index("</svg>")])
    assert told == figures.findall(curve[: curve.index("</svg>")])[: len(told)] and told[0] in ("0", "0.0")
