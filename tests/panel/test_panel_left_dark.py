"""A vacant room that was left cut off: its page says why, and who may switch it on has the button."""

from __future__ import annotations

import pytest
from panel_facts import hold, relay, row
from panel_stage import Stage, install

from bridge.contract.permissions import role_may

METER = "/meter/a206"


@pytest.mark.parametrize("role", ["manager", "finance", "engineer", "operations"])
def test_r5_a_room_left_dark_is_switched_on_by_who_may(shop: Stage, role: str) -> None:
    """Told to everybody; the button only for who switches meters, and the dialog says what it lifts."""
    install(shop, [row("a206", "A206")], [])
    shop.say(relay("open", holds=[hold("arrears", "episode 1", "policy")]), "a206")
    visitor = shop.visitor(role)
    page = visitor.see(METER)
    assert "Left cut off" in page and "charged to nobody" in page
    card = page[page.index('id="left-dark"') : page.index("</section>", page.index('id="left-dark"'))]
    assert ("?ask=close" in card) == role_may(role, "close")
    if role_may(role, "close"):
        assert "it also lifts the hold that the last one" in visitor.see(f"{METER}?ask=close")


def test_a_room_with_a_tenant_has_no_such_button(shop: Stage) -> None:
    """Who lives there pays; a lock of somebody who works there hides it as well."""
    shop.say(relay("open", holds=[hold("arrears", "episode 1", "policy")]), "a206")
    assert "Left cut off" not in shop.visitor("engineer").see(METER)
    install(shop, [row("a206", "A206")], [])
    shop.say(relay("open", holds=[hold("arrears", "episode 1", "policy"), hold("lockout", "x")]), "a206")
    assert "?ask=close" not in shop.visitor("engineer").see(METER)
