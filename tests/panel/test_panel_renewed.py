"""A protection that goes on and on is shown: on the account, on Policy, and where things wait for a second person."""

from __future__ import annotations

from typing import Any

import pytest
from panel_facts import at, protection, standing
from panel_stage import Stage

ACCOUNT = "/account/100206"
WEEKS: dict[str, Any] = {"since": at(60 * 24 * 20), "renewed": 4, "by": ["王敏"]}
DAYS: dict[str, Any] = {**WEEKS, "since": at(60 * 24 * 3)}


def kept(shop: Stage, told: dict[str, Any] | None, **more: Any) -> None:
    shop.say(standing("keep", 5, **{"protections": [protection()], "kept": told, **more}), "100206")


def test_the_account_and_policy_tell_how_long_it_goes_on(shop: Stage) -> None:
    """Since when, how often and by whom stands on the account, in the form that renews it and on Policy."""
    kept(shop, WEEKS)
    clerk = shop.visitor("finance")
    for path in (ACCOUNT, "/protection/keep-power/100206", "/policy"):
        page = clerk.see(path)
        assert "rotected without a break since 10-31 14:50 (20 d); renewed 4 ×, by 王敏 alone" in page, path
    assert "续期 4 次，经手人：仅 王敏 一人" in shop.visitor("manager", "zh").see(ACCOUNT)


def test_two_people_are_both_named(shop: Stage) -> None:
    """Who has asked somebody else is not told as one who renews alone."""
    kept(shop, {**WEEKS, "by": ["王敏", "李强"]})
    page = shop.visitor("finance").see("/policy")
    assert "by 王敏, 李强" in page and "alone" not in page


@pytest.mark.parametrize(
    ("told", "more", "there"),
    [
        (WEEKS, {}, True),
        (DAYS, {}, False),
        ({**WEEKS, "renewed": 0}, {}, False),
        (WEEKS, {"protections": []}, False),
        (WEEKS, {"protections": [protection(hours=-1)]}, False),
        (None, {}, False),
    ],
)
def test_approvals_show_who_is_protected_for_weeks(
    shop: Stage, told: dict[str, Any] | None, more: dict[str, Any], there: bool
) -> None:
    """Renewed for more than a week, and still standing: the others see it beside what waits for them. An older gateway
    tells nothing of it."""
    kept(shop, told, **more)
    page = shop.visitor("manager").see("/money/waiting")
    assert ('id="long-kept"' in page) is there and ("renewed 4 ×" in page) is there


def test_a_first_protection_says_nothing_of_renewals(shop: Stage) -> None:
    """Given once: no such line anywhere."""
    kept(shop, {**WEEKS, "renewed": 0})
    clerk = shop.visitor("finance")
    assert all("without a break" not in clerk.see(path) for path in (ACCOUNT, "/policy"))
