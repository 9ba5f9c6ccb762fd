"""The policy page says that nobody will be cut today where that is sure; Rooms tells debt, dispute and care apart."""

from __future__ import annotations

import re
from typing import Any

import pytest
from panel_facts import at, policy, protection
from panel_stage import Stage
from panel_tenants import DELIVERED, section, tenants
from test_panel_outlook import cell

WARNED = {"state": "final", "available": 3.18, **DELIVERED}
TODAY = "2026-11-20"
CLOSED = [{"date": TODAY, "kind": "protected", "why": "高考", "open": []}]
OVER = [{"date": TODAY, "kind": "workday",
         "open": [{"from": "2026-11-20T09:00:00+08:00", "to": "2026-11-20T11:30:00+08:00"}]}]  # fmt: skip
BRAKE = "5 meters were cut within an hour; a named person must release the brake"


def said(stage: Stage) -> str:
    return section(stage.visitor("manager").see("/policy"), "What it would do today")


@pytest.mark.parametrize(
    ("days", "facts", "info", "words"),
    [
        (CLOSED, [WARNED | {"cut_at": at(-29)}], {}, "No hour of today is open to cuts: the whole day is protected."),
        (OVER, [WARNED | {"cut_at": at(-29)}], {}, "The last hour of today that is open to cuts has passed."),
        (None, [{}], {}, "Nobody has a final warning, and no balance runs out today at the load of now."),
        (None, [WARNED | {"protected_until": at(-3970)}, {"can_cut": False, "available": -80}], {},
         "The next cut-off is possible Mon 11-23 at 09:00 at the earliest."),
        (None, [WARNED | {"cut_at": at(-29)}], {"brake": BRAKE}, "so it stays until a named person releases it."),
        (None, [WARNED | {"cut_at": at(-29)}], {"mode": "time"}, "That lasts until its cause is gone."),
    ],
)  # fmt: skip
def test_that_nobody_will_be_cut_today_is_said_with_its_reason(
    stage: Stage, days: Any, facts: list[dict[str, Any]], info: dict[str, Any], words: str
) -> None:
    """No window left, nobody warned, only later, the brake, a careful mode: each with what ends it."""
    stage.say(policy(**({"days": days} if days else {})))
    tenants(stage, *facts)
    stage.online(**info)
    shown = said(stage)
    assert "Nobody will be cut today." in shown and words in shown


@pytest.mark.parametrize(
    "facts",
    [
        WARNED | {"cut_at": at(-29)},
        {"state": "final", "final_warning_at": at(2), "needs_telling": True},
        WARNED | {"blocked": "R3", "blocked_why": "the newest reading is too old"},
        WARNED | {"protected_until": at(-60)},
        {"zero_at": at(-100), "available": 4.0},
        {"protections": [protection(hours=1)], "available": -5},
    ],
)
def test_it_is_not_said_where_somebody_may_be_cut(stage: Stage, facts: dict[str, Any]) -> None:
    """Due, not told yet, waiting for a reading or for the window, used up today, protected for an hour: none is safe
    for the day. Nor is it said before the gateway was heard."""
    stage.say(policy())
    assert "Nobody will be cut" not in said(stage)
    tenants(stage, facts)
    assert "Nobody will be cut" not in said(stage)


def test_debt_that_cannot_be_cut_does_not_look_like_a_low_balance(stage: Stage) -> None:
    """Eighty yuan below nothing without a relay: a word of its own, why, and the sentence as title; who has five yuan
    left is Low 3 as before."""
    tenants(stage, {"state": "low3", "available": -80, "can_cut": False}, {"state": "low3", "available": 5})
    visitor = stage.visitor("finance")
    deep, low = cell(visitor, "a1"), cell(visitor, "a2")
    assert "In debt" in deep and "cannot be cut" in deep and "Low 3" not in deep
    assert 'title="No meter of this tenant can switch supply off."' in deep
    assert "Low 3" in low and "title" not in low
    assert "In debt, not cut" in visitor.see("/account/acc-a1")
    assert "欠费未停" in cell(stage.visitor("manager", "zh"), "a1")


def test_a_disputed_bill_and_power_that_is_kept_on_are_told_apart(stage: Stage) -> None:
    """Of both at once the room says that power is kept on: that is what nobody may forget."""
    kept, disputed = protection(), protection("dispute", hours=48)
    tenants(stage, {"protections": [kept]}, {"protections": [disputed]}, {"protections": [kept, disputed]})
    visitor = stage.visitor("finance")
    words = [[word for word in ("Keep on", "Disputed") if word in cell(visitor, id)] for id in ("a1", "a2", "a3")]
    assert words == [["Keep on"], ["Disputed"], ["Keep on"]]
    assert "Bill disputed" in visitor.see("/account/acc-a2")


LOOKS: list[tuple[dict[str, Any], str]] = [
    ({"state": "low3", "available": -80, "can_cut": False}, "debt"),
    ({"protections": [protection("dispute")]}, "dispute"), ({"protections": [protection()]}, "keep"),
    ({"state": "low3", "available": 5}, "low"), ({"state": "low2", "available": 15}, "low"),
    ({"state": "low1", "available": 45}, "low"), ({"state": "final", "final_warning_at": at(2)}, "final"),
    ({"available": 400}, "on"),
]  # fmt: skip
"""Facts of an account, and the chip that shows it."""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_two_states_look_alike(stage: Stage, language: str) -> None:
    """Each state differs from every other in its ground, in its icon and in its word; nobody needs to see colours."""
    tenants(stage, *(facts for facts, _ in LOOKS))
    visitor = stage.visitor("manager", language)
    looks = [
        re.search(r'class="room ([^"]+)".*?class="w"><svg.*?href="#(i-[^"]+)"/></svg>([^<]+)<', cell(visitor, id), re.S)
        for id in (f"a{number}" for number in range(1, len(LOOKS) + 1))
    ]
    for part in (1, 2, 3):
        assert len({look[part] for look in looks if look}) == len(LOOKS), [look and look[part] for look in looks]


def test_what_looks_different_has_a_chip_of_its_own(stage: Stage) -> None:
    """Each chip wears the look of its rooms, counts them and shows them alone: debt is not under Low, nor a disputed
    bill under Keep on."""
    tenants(stage, *(facts for facts, _ in LOOKS))
    visitor = stage.visitor("manager")
    for name in dict.fromkeys(chip for _, chip in LOOKS):
        page = visitor.see(f"/rooms?state={name}")
        wanted = [f"a{number}" for number, (_, chip) in enumerate(LOOKS, 1) if chip == name]
        assert re.findall(r'id="r-(a\d)"', page) == wanted
        chip = re.search(rf'id="c-{name}".*?class="sw ([^"]+)">.*?<b>(\d+)</b>', page, re.S)
        assert chip and int(chip[2]) == len(wanted) and (name == "low" or f'class="room {chip[1]}"' in page)


def test_the_account_wears_the_look_of_its_room(stage: Stage) -> None:
    """The tag on its page and in the list of accounts is painted as the room in the grid."""
    tenants(stage, *(facts for facts, _ in LOOKS[:2]))
    visitor = stage.visitor("manager")
    assert 'class="tag s-w3 s-debt"><svg class="i" aria-hidden="true"><use href="#i-debt"' in visitor.see(
        "/account/acc-a1"
    )
    assert 'class="tag s-bill"' in visitor.see("/account/acc-a2") and 'class="tag s-bill"' in visitor.see(
        "/accounts?list=all"
    )
