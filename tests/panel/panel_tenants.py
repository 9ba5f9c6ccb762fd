"""Tenants near a cut-off, and the page Policy as its rows, for the tests of what people see of R1 to R5."""

from __future__ import annotations

import re
from typing import Any

from panel_facts import at, reading, relay, row, standing, tenant
from panel_stage import Stage, install

DELIVERED = {"final_warning_at": at(2), "delivered_at": at(1), "delivered_by": "lamp"}


def tenants(stage: Stage, *facts: dict[str, Any]) -> None:
    """A1, A2, ...: each tenant with a meter of its own and these facts of its account."""
    ids = [f"a{number}" for number in range(1, len(facts) + 1)]
    meters = [row(id, id.upper(), f"acc-{id}") for id in ids]
    install(stage, meters, [tenant(f"acc-{id}", f"租户{id}", id.upper(), [id]) for id in ids])
    stage.online()
    for id, words in zip(ids, facts, strict=True):
        stage.say(reading(), id)
        stage.say(relay(), id)
        stage.say(standing(**words), f"acc-{id}")


def rows(page: str) -> list[tuple[str, str]]:
    """(group, room) in the order of the page, without the counts."""
    found, group = [], ""
    for tag, room in re.findall(
        r'scope="rowgroup">.*?</svg>([^·<]+) · \d+<|<a href="account/[^"]+"><b>(\w+)</b>', page, re.S
    ):
        group = tag or group
        if room:
            found.append((group, room))
    return found


def section(page: str, title: str) -> str:
    start = page.index(f"<h2>{title}</h2>")
    return page[start : page.index("</section>", start)]
