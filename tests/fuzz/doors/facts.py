"""The door of facts: whatever a broker says to the panel and the bridge, both live on, and pages are still shown."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

from bridge.contract.messages import Account, Info, MeterFacts, Meters, Relay
from bridge.mqtt import Received
from tests.fuzz.doors import odd
from tests.fuzz.doors.door import Door, Input

sys.path.insert(0, str(Path(__file__).parents[2] / "panel"))
from panel_stage import Stage, one_shop
from showcase import policy

LOOKED_AT = (
    "/rooms",
    "/account/100206",
    "/meter/a206",
    "/lines/ports",
    "/accounts",
    "/policy",
    "/prices",
    "/money/waiting",
)


class FactDoor(Door):
    """A panel with one shop; each fact that it knows comes again with odd contents, on its topic or another."""

    name = "facts"

    def __init__(self, scratch: Path):
        directory = scratch / "facts"
        directory.mkdir()
        self._stage = Stage(directory)
        said: list[tuple[str, bytes]] = []
        take = self._stage.feed.take

        def heard(event: object) -> None:
            if isinstance(event, Received):
                said.append((event.topic, event.payload))
            take(event)  # type: ignore[arg-type]

        self._stage.feed.take = heard  # type: ignore[method-assign]
        one_shop(self._stage)
        self._stage.say(policy())
        self._stage.feed.take = take  # type: ignore[method-assign]
        self.corpus = said
        facts = ((Info, ""), (Meters, ""), (MeterFacts, "a206"), (Relay, "a206"), (Account, "100206"))
        assert {self._stage.topics.of(kind, id) for kind, id in facts} <= dict(said).keys()
        self._visitor = self._stage.visitor("manager")
        self._stage.app.config["PROPAGATE_EXCEPTIONS"] = True

    def make(self, dice: Random) -> Input:
        topic, raw = dice.choice(self.corpus)
        if dice.random() < 0.1:
            topic = dice.choice(self.corpus)[0]
        if dice.random() < 0.05:
            topic = topic.replace("206", str(dice.choice(odd.TEXTS))[:20])
        if dice.random() < 0.8:
            body = json.loads(raw)
            place = body
            if dice.random() < 0.5 and (rows := [each for each in body.values() if each and isinstance(each, list)]):
                if isinstance(rows[0][0], dict):
                    rows[0][0] = odd.mixed(dice, rows[0][0], dice.choice((1, 1, 3)))
            else:
                place = odd.mixed(dice, body, dice.choice((1, 1, 3)))
            raw = json.dumps(place).encode()
        if dice.random() < 0.15:
            raw = odd.damaged(dice, raw)
        return Input(raw, {"topic": topic, "page": dice.choice(LOOKED_AT), "retained": dice.random() < 0.8})

    def try_(self, given: Input) -> bool:
        try:
            given.about["topic"].encode()
        except UnicodeEncodeError:
            return False  # MQTT carries no such topic.
        self._stage.feed.take(Received(given.about["topic"], given.raw, given.about["retained"]))
        page = self._visitor.get(given.about["page"])
        assert page.status_code in (200, 302, 303, 404), f"{given.about['page']}: {page.status_code}"
        return page.status_code == 200
