"""The page Policy: days as they stand against a cut, the numbers in words, and what they would do to whom today."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from panel_facts import NOW, YUAN, at, policy, protection
from panel_stage import Stage
from panel_tenants import DELIVERED, rows, section, tenants

from panel.formats import Wall
from panel.policy_days import days_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
# --- the days ---


def test_two_weeks_are_rows_with_their_kind_in_words(stage: Stage) -> None:
    """R2: workday, weekend, holiday, make-up day and a protected day with its reason, each with its hours in words."""
    stage.say(policy())
    days = section(stage.visitor("manager").see("/policy"), "Two weeks ahead")
    listed = [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", each)).strip() for each in re.findall(r"<li.*?</li>", days, re.S)
    ]
    assert len(listed) == 14
    assert listed[0] == "Fri 11-20 today, workday cuts possible 09:00–16:00 now 14:50"
    assert listed[1] == "Sat 11-21 weekend protected all day"
    assert listed[6] == "Thu 11-26 holiday protected all day"
    assert listed[8] == "Sat 11-28 make-up day cuts possible 09:00–16:00"
    assert listed[12] == "Wed 12-02 protected day 换变压器 protected all day"


def test_the_bar_stands_at_the_hours_it_says(stage: Stage) -> None:
    """The coloured span begins at nine of the site's wall and lasts seven hours; now is marked on today alone."""
    stage.say(policy())
    page = stage.visitor("manager").get("/policy").text
    assert page.count('class="open" x="32400" y="0" width="25200"') == 9
    assert page.count('class="now"') == 1 and 'class="now" x="53412"' in page


@pytest.mark.parametrize(
    ("now", "hours", "opens_s"),
    [(datetime(2027, 3, 28, 8, tzinfo=UTC), 23, 8 * 3600), (datetime(2026, 10, 25, 8, tzinfo=UTC), 25, 10 * 3600)],
)
def test_a_day_of_23_or_25_hours_is_as_long_as_it_is(now: datetime, hours: int, opens_s: int) -> None:
    """When a clock is put forward or back the bar is that much shorter or longer, and nine is where the wall has it."""
    berlin = Wall(now, ZoneInfo("Europe/Berlin"))
    nine, four = now.replace(hour=8 if hours == 25 else 7), now.replace(hour=15)
    days = [{"date": f"{now:%Y-%m-%d}", "kind": "workday", "open": [{"from": at(0, nine), "to": at(0, four)}]}]
    day = days_of(policy(now, days=days), berlin)[0]
    assert (day.hours, day.odd, day.open[0][0]) == (hours, True, opens_s)
    assert day.words.startswith("可停电 09:00–") and day.marks[0] == opens_s - 3 * 3600


def test_a_window_to_the_end_of_the_day_ends_at_24(stage: Stage) -> None:
    """A window until midnight is told as 24:00 and fills the bar to its end; what lies on another day is left off."""
    days = [{"date": "2026-11-20", "kind": "workday",
             "open": [{"from": "2026-11-20T23:00:00+08:00", "to": "2026-11-21T02:00:00+08:00"}]}]  # fmt: skip
    (day,) = days_of(policy(days=days), Wall(NOW, SHANGHAI))
    assert day.open == ((82_800, 3600),) and day.words == "可停电 23:00–24:00"


def test_days_that_are_over_are_not_shown(stage: Stage) -> None:
    """A fact of last week tells nothing of today, and the page says so instead of showing old windows."""
    week_ago = NOW.replace(day=1)
    stage.say(policy(week_ago, days=[each.model_dump(by_alias=True) for each in policy(week_ago).days[:3]]))
    assert "tell nothing of today" in stage.visitor("manager").see("/policy")


def test_a_window_without_an_offset_is_not_believed(stage: Stage) -> None:
    """A window is two instants; a wall time alone would be guessed at, so the fact before it stays."""
    days = [{"date": "2026-11-20", "kind": "workday", "open": [{"from": "09:00", "to": "16:00"}]}]
    stage.say(policy(days=days))
    assert stage.mirror.unreadable == 1
    assert "older than this panel" in stage.visitor("manager").see("/policy")


def test_r2_a_year_whose_holidays_are_not_known_is_told(stage: Stage) -> None:
    """Which year, what the gateway does meanwhile and what to do, in both languages; else not a word of it."""
    stage.say(policy())
    assert "official holidays" not in stage.visitor("manager").see("/policy")
    stage.say(policy(unknown_years=[2026, 2027]))
    page = section(stage.visitor("manager").see("/policy"), "Two weeks ahead")
    assert "does not know the official holidays of 2026, 2027: nobody is cut on days that may be holidays" in page
    assert "rest_days and work_days of that year" in page
    assert "网关不知道 2026、2027 年的法定节假日安排" in stage.visitor("finance", "zh").see("/policy")


def test_an_older_gateway_publishes_no_policy(stage: Stage) -> None:
    """Without the fact the page says so and still tells whom it would meet."""
    tenants(stage, {"state": "final", "available": 3.18, "cut_at": at(-29), **DELIVERED})
    page = stage.visitor("finance").see("/policy")
    assert "This gateway does not publish its windows: it is older than this panel." in page
    assert "Not published by this gateway." in page and rows(page) == [("Will be cut unless paid", "A1")]


# --- the numbers ---


def test_every_number_is_told_in_words(stage: Stage) -> None:
    """Levels with their repeats, quiet hours, lead, cut and restore limit, stale, brake, what counts as delivered."""
    stage.say(policy(cut_limit_nano=-5 * YUAN, restore_above_nano=2 * YUAN, lead_s=7200, stale_s=1200, brake_meters=8))
    numbers = section(stage.visitor("finance").see("/policy"), "By which numbers")
    for words in (
        "Below 50.00 yuan, told once.", "Below 20.00 yuan, told again on 1 more day.",
        "Below 10.00 yuan, told again on 2 more days.", "22:00 to 07:00: low 1 and low 2 wait",
        "At least 2 h with power", "At a balance of −5.00 yuan or less", "By itself above 2.00 yuan",
        "older than 20 min",
        "After 8 cuts within an hour",
        "The meter's lamp was read back on, the tenant has read it on their own page, a notice was accepted,",
        "nothing of them goes to the tenant by itself.",
    ):  # fmt: skip
        assert words in numbers, words
    stage.say(policy(warning_counts="attempted", quiet_from=None, quiet_to=None))
    other = stage.visitor("finance").see("/policy")
    assert "The attempt counts here" in other and "None: warnings go out at any hour." in other


# --- the page ---


@pytest.mark.parametrize(("role", "listed"), [("manager", 1), ("finance", 1), ("engineer", 1), ("operations", 0)])
def test_the_menu_has_the_page_for_three_roles(stage: Stage, role: str, listed: int) -> None:
    """Manager, finance and engineer have it in their menu; others on the staff may read it by its address."""
    visitor = stage.visitor(role)
    assert visitor.get("/rooms").text.count('href="policy"') == listed
    assert visitor.get("/policy").status_code == 200


def test_a_stranger_sees_nothing_and_the_page_renews_itself(stage: Stage) -> None:
    """Signed out there is no page; signed in it asks for itself again, whole already without a script."""
    assert stage.visitor().get("/policy").status_code == 303
    stage.say(policy())
    visitor = stage.visitor("finance")
    page, part = visitor.see("/policy"), visitor.see("/policy-now")
    assert 'hx-get="policy-now"' in page and part.strip() in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_whole_in_both_languages(stage: Stage, language: str) -> None:
    """In Chinese no English word is left beside names."""
    stage.say(policy())
    warned = {"state": "final", "available": 3.18, "final_warning_at": at(5)}
    tenants(
        stage, warned, {**warned, **DELIVERED, "cut_at": at(-5)}, {"protections": [protection()]}, {"can_cut": False}
    )
    page = stage.visitor("finance", language).see("/policy")
    shown = re.sub(r"<[^>]*>", " ", re.sub(r"<(title|svg|script).*?</\1>", " ", page, flags=re.S))
    words = set(re.findall(r"[A-Za-z]{2,}", shown)) - {"Riser", "EN", "finance"}
    assert (not words) == (language == "zh"), words
