"""What every page stands on, made once by the composition root and handed to the factory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from bridge.contract.clock import Clock
from bridge.contract.site import Site
from panel.commands import Commands
from panel.feed import Feed
from panel.formats import Wall
from panel.history import History
from panel.mirror import Mirror
from panel.receipts import Receipts
from panel.sessions import Sessions
from panel.tenant_bills import TenantBills
from panel.tenant_links import TenantLinks
from panel.tenant_seen import TenantSeen
from panel.throttle import Throttle
from panel.users import Users

EXTENSION = "riser"


@dataclass(frozen=True)
class Demo:
    """What the demo is about: its prepared account, and how much its button takes."""

    account: str
    amount_fen: int = 10_000


@dataclass(frozen=True)
class Parts:
    """`demo` is None on a real site."""

    site: Site
    clock: Clock
    data_directory: Path
    mirror: Mirror
    commands: Commands
    feed: Feed
    history: History
    users: Users
    sessions: Sessions
    throttle: Throttle
    receipts: Receipts
    tenant_links: TenantLinks
    tenant_bills: TenantBills
    tenant_seen: TenantSeen
    demo: Demo | None = None

    def wall(self) -> Wall:
        """The site's time at this moment."""
        return Wall(self.clock.now(), self.site.zone)

    def line_wall(self) -> Wall:
        """The same for pages about lines: all spans are real seconds, as a line keeps them; times are the site's."""
        return Wall(self.clock.now(), self.site.zone, self.clock.speed)

    @property
    def stale_s(self) -> float:
        return self.site.policy.stale_min * 60.0


def parts() -> Parts:
    """The parts of the running application."""
    found: Parts = current_app.extensions[EXTENSION]
    return found
