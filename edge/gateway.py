"""The one loop that owns the truth: a single thread drains one bounded queue of replies, messages and ticks.

Port threads and paho's thread only enqueue. The same code runs under simulation by calling `step()`. An event is
handled: decide (pure), append and fsync, fold, then act and tell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from bridge.contract.clock import Clock
from bridge.contract.messages import Topics
from bridge.contract.site import Site
from bridge.contract.units import instant_text
from bridge.mqtt import Acknowledged, Connected, Disconnected, Received
from edge.accounts import Accounts
from edge.book import Book, WriteError
from edge.chores import Chores
from edge.clocks import Clocks
from edge.closing import Closing
from edge.codec.dlt645_orders import Password
from edge.core import CannotWrite, Core
from edge.disk import Disk, is_damaged
from edge.exits import Exits
from edge.facts import VERSION, Facts
from edge.hearing import Hearing
from edge.holidays import Holidays
from edge.inbox import Event, Inbox
from edge.line.request import Port, Ready, Reply
from edge.modes import Modes
from edge.opening import Snapshots
from edge.outbox import Outbox, Sender
from edge.polling import Polling
from edge.publisher import Publisher
from edge.readings import Readings
from edge.registry import Registry
from edge.relays import Relays
from edge.requests import Requests
from edge.restless import Restless
from edge.settings import terms_on
from edge.state import MeterState
from edge.statistics import Statistics
from edge.swaps import Swaps
from edge.sweeps import Sweeps
from edge.table_reads import TableReads

log = logging.getLogger("riser.edge")

TICK_S = 0.2
"""Line seconds between two looks at what is due, which come when an answer has just been told: the next is far."""

TICK_LATEST_S = 0.4
"""The same while no answer comes."""

RELOOK_S = 60
"""Calendar seconds after which an account is looked at without a new reading: lead over, window opened."""

INFO_EVERY_S = 5.0
"""Line seconds between two `info` messages while nothing changes."""


class Gateway:
    """One edge, put together from its parts."""

    def __init__(
        self, site: Site, book: Book, clock: Clock, link: Sender, keys: dict[str, bytes],
        password_of: Callable[[str], Password], registry: Registry | None = None,
    ):  # fmt: skip
        today = clock.now().astimezone(site.zone).date()
        self.site, self.clock, self._link, self._today = site, clock, link, today
        self.core = core = Core(book, terms_on(site, today), clock)
        self.topics = Topics(site.site.base, site.site.gateway)
        self.outbox = Outbox(book, self.topics, link, clock.monotonic)
        self.accounts = Accounts(core, lambda meter: self.relays.consider(meter))
        self.relays = Relays(core, self.accounts, password_of)
        self.restless = Restless(core, self.relays)
        self.readings = Readings(core, self.accounts, self.relays)
        self.sweeps = Sweeps(core, self.readings)
        self.chores, self.snapshots = Chores(clock), Snapshots(core)
        self.closing = Closing(core, self.accounts, self._take)
        self.clocks, self.tables = Clocks(core, site.clock.set_meters), TableReads(core)
        self.holidays = Holidays(core, site.policy)
        self.hearing = Hearing(self.topics, self.outbox, {port.id for port in site.ports})
        self.requests = Requests(core, self.accounts, self.relays, keys, self.topics.request, self.hearing.respond)
        self.modes, self.disk, self.polls = Modes(core, site.clock.trust), Disk(core), dict[str, Polling]()
        self.statistics = Statistics(core.ports, clock.monotonic(), clock.now())
        started_at = instant_text(clock.now())
        facts = Facts(core, self.accounts, self.relays, self.polls, self.modes, started_at, self.statistics)
        self.publisher = Publisher(core, facts, self.outbox, registry)
        for part in (self.relays.commands, self.readings, self.requests.acts):
            part.take = self._take
        self.accounts.read_again = self.readings.read_again
        self.requests.acts.released = self.readings.released
        self.requests.agreed.final = Exits(core, self.closing).final
        self.requests.prices.begin = self.chores.begin
        self.requests.replay = lambda asked: self.outbox.replay(asked.entries_from, asked.readings_from)
        core.ears += [self.publisher, Swaps(core, self.closing, self.readings, self.tables, self.relays, self.requests)]
        self.inbox = Inbox()
        self.enqueue, self.events = self.inbox.put, self.inbox.events
        self.failed: str | None = None
        self._ticked, self._informed, self._relooked = -1e9, -1e9, clock.elapsed()

    # --- putting together ---

    def attach(self, ports: dict[str, Port]) -> None:
        """Hand the ports over, one polling each."""
        self.core.ports.update(ports)
        for port in self.site.ports:
            heard, swept, returned = self.readings.heard, self.sweeps.swept, self._returned
            self.polls[port.id] = Polling(self.core, port.id, float(port.poll_s), heard, swept, returned)

    def _returned(self, meter: MeterState) -> None:
        """A meter answers again after a silence."""
        self.statistics.returned(meter.row["port"], meter.id, self.core.lives[meter.id].off_mono)
        self.relays.commands.returned(meter)

    def begin(self, recovered_by: str | None = None, doubt: str | None = None) -> None:
        """The first entry of this run, and everything that is installed. `recovered_by` says that every payment since
        the backup stands in the book again, `doubt` why it may not."""
        self.disk.look()
        try:
            self.modes.begin(VERSION, recovered_by, doubt)
        except WriteError as error:
            if is_damaged(error):
                raise
            self.disk.failed(error)
            self.modes.judge()
        self.publisher.announce()

    # --- the loop ---

    def run(self, stopping: Callable[[], bool], alive: Callable[[], bool], beat: Callable[[], None]) -> None:
        """Drain the queue until told to stop; beat after each tick (47). RuntimeError when a part has died (46)."""
        while not stopping():
            if self.inbox.stuck:
                self.failed = "the loop's queue is full: the loop is stuck"
            if self.failed is not None or not alive():
                raise RuntimeError(self.failed or "a thread of the edge, or its ports' process, has died")
            ticked = self._ticked
            self.step(self.inbox.take(0 if self.chores.waiting else TICK_S / 4))
            if self._ticked != ticked:
                beat()
        self.shut()

    def step(self, event: Event | None) -> None:
        """Handle one event, then whatever is due. This is the whole edge; tests and the simulator call it directly."""
        self.modes.look()
        if event is not None:
            self._unless_full(type(event).__name__, self._handle, event)
        self._tell()  # What was just heard, before what follows from it and what is due: that may take a while.
        if self.readings.read:
            self._unless_full("what follows from a reading", self.readings.follow)
        if (now := self.clock.monotonic()) - self._ticked >= (TICK_S if isinstance(event, Reply) else TICK_LATEST_S):
            self._ticked = now
            self._tick()
        for poll in self.polls.values():
            poll.feed()
        if self.chores.waiting and self.core.cannot_write is None:
            self.chores.work()
        self._tell()

    def _unless_full(self, name: str, what: Callable[..., None], *given: Event) -> None:
        try:
            what(*given)
        except CannotWrite:  # Mode disk says why.
            log.debug("%s: not written, so not done", name)

    def _tell(self) -> None:
        if self._link.connected:
            self.publisher.render()
        self.outbox.pump()

    def _handle(self, event: Event) -> None:
        if isinstance(event, Reply):
            self.statistics.take(event)
            handler = self.core.handler_of(event.request.number)
            if handler is not None:
                handler(event)
                self.requests.read_back.settle(self.core.state.meters[event.request.meter])
        elif isinstance(event, Ready):
            self.relays.ready(event.request, event.port)
        elif isinstance(event, Received):
            self.hearing.received(event, self.requests, self.modes)
        elif isinstance(event, Acknowledged):
            self.outbox.acknowledged(event.mid, event.error)
        elif isinstance(event, Connected):
            self.outbox.connected()
            self.requests.promised.connected()
            self.publisher.announce()
        elif isinstance(event, Disconnected):
            self.modes.disconnected(event)

    def _tick(self) -> None:
        core = self.core
        self.disk.look()
        self.modes.judge()
        self._new_day()
        self.relays.commands.tick()
        if core.cannot_write is not None:
            self._tick_in_memory()
            return
        core.beat()
        self.closing.border_reads()
        self.chores.begin("closing", self.closing.work)
        self.clocks.tick()
        self.tables.tick()
        self.requests.tick(self._link.connected)
        self.holidays.tick()
        if core.clock.elapsed() - self._relooked >= min(RELOOK_S, core.terms.lead_s / 30):
            self._relooked = core.clock.elapsed()
            self.chores.begin("accounts", self.readings.look_at_all)
        self.restless.look()
        if self.snapshots.due():
            self.chores.begin("snapshot", self.snapshots.work)
        self.sweeps.save()
        self.outbox.save()
        self._inform()

    def _tick_in_memory(self) -> None:
        """The disk takes nothing: lights are brought back whose cause stands in the book, and facts are shown."""
        if self.disk.well_again:
            self.failed = "the disk takes entries again"
        for meter in self.core.state.meters.values():
            self.relays.consider(meter)
            self.relays.looking.watch(meter)
        self._inform()

    def _inform(self) -> None:
        """Tell how things stand, every few seconds, and what was dropped meanwhile."""
        if self.clock.monotonic() - self._informed < INFO_EVERY_S:
            return
        self._informed = self.clock.monotonic()
        self.core.changed("info")
        for port in self.statistics.due(self.clock.monotonic()):
            self.core.changed("port", port)
        self.inbox.tell_dropped()

    def _new_day(self) -> None:
        """Holidays are looked up afresh on each local day, so that a gateway that runs for years knows them."""
        today = self.clock.now().astimezone(self.site.zone).date()
        if today != self._today:
            self._today = today
            self.core.terms = terms_on(self.site, today)
            self.core.changed("policy")

    def shut(self) -> None:
        """Save what is saved lazily; nobody is left waiting for an answer."""
        self.requests.promised.stopping(self._link.connected)
        self.outbox.pump()
        if self.core.cannot_write is not None:
            return
        self.sweeps.save(force=True)
        self.outbox.save(force=True)
        self.core.save_times()
        self.snapshots.save()

    def _take(self, meter, name: str, reply: Reply) -> bool:  # type: ignore[no-untyped-def]
        return self.polls[meter.row["port"]].take(meter, name, reply)
