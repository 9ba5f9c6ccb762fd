"""`python -m bridge`: the bridge's parts are put together here and nowhere else.

One link, one queue, one loop, and sinks that know nothing of each other: presence, archive, Home Assistant.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence

from sqlalchemy import Engine

from bridge.announcements import Form
from bridge.archive.returning import Returning
from bridge.archive.tables import open_engine
from bridge.archive.writer import ArchiveWriter
from bridge.contract.messages import BridgeStatus, Topics
from bridge.discovery import Discovery
from bridge.running import Surroundings, main, run
from bridge.sink import Presence, Publish, Sink

MEMORY = "discovery.json"
"""File in the data directory: what was announced to Home Assistant."""


def bridge(around: Surroundings) -> int:
    """Run until told to stop. Return the exit code."""
    site, settings = around.site.site, around.site.bridge
    topic = Topics(site.base, site.gateway).of(BridgeStatus)
    online, offline = BridgeStatus(state="online").payload(), BridgeStatus(state="offline").payload()
    form = Form(site.base, settings.discovery_prefix, settings.discovery_form) if settings.home_assistant else None

    def archive() -> Engine:
        return open_engine(settings.archive, around.directory)

    def sinks(publish: Publish) -> Sequence[Sink]:
        return (
            Presence(publish, topic, online, offline),
            ArchiveWriter(site.base, publish, around.clock, archive),
            Returning(site.base, publish, around.clock, around.secrets.keys.get("bridge"), archive),
            Discovery(site.base, form, publish, around.clock, random.Random(), around.directory / MEMORY),
        )

    return run(around, "bridge", sinks, will=(topic, offline))


if __name__ == "__main__":
    sys.exit(main("bridge", bridge))
