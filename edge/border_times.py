"""When registers are wanted at a border, and of which meters: midnights, hours (R28), changes of price (R27).

A midnight is wanted of meters that keep none themselves; a border of hours of those whose hours are told apart by
readings; the instant at which a price version takes effect of all that are billed by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from edge.billing.tariff import Version, in_force
from edge.core import Core
from edge.pricing import reads_hours
from edge.schedule import Schedule
from edge.state import MeterState


class BorderTimes:
    """The borders of one core. Found anew when the book has grown, for prices, tables and tenants are in it."""

    def __init__(self, core: Core, schedule: Schedule):
        self._core, self._schedule = core, schedule
        self._found: tuple[datetime, tuple[MeterState, ...]] | None = None
        self._seq, self._after = -1, datetime.max.replace(tzinfo=UTC)

    def next(self, after: datetime) -> tuple[datetime, tuple[MeterState, ...]]:
        """The first border after an instant, and the meters that are read there; at the latest the next midnight."""
        seq = self._core.state.seq
        if self._found is None or seq != self._seq or self._found[0] <= after or after < self._after:
            self._found, self._seq, self._after = self._first(after), seq, after
        return self._found

    def _first(self, after: datetime) -> tuple[datetime, tuple[MeterState, ...]]:
        core, midnight = self._core, self._schedule.next_midnight(after)
        first, found = midnight, [meter for meter in self._billed() if not core.lives[meter.id].model.freeze]
        known: dict[tuple[str, bool], datetime | None] = {}
        for meter in self._billed():
            versions = core.pricing.versions(core.state.accounts[meter.account or ""], core.balances.unit(meter))
            if not versions:
                continue
            key = versions[0].tariff, reads_hours(meter)
            if key not in known:
                known[key] = min(self._within(versions, key[1], after, midnight), default=None)
            at = known[key]
            if at is not None and at <= first:
                first, found = (at, [meter]) if at < first else (first, [*found, meter])
        return first, tuple(found)

    def _billed(self) -> Iterator[MeterState]:
        return (meter for meter in self._core.state.meters.values() if meter.account)

    def _within(self, versions: Sequence[Version], hours: bool, after: datetime, until: datetime) -> Iterator[datetime]:
        """Borders of one price between two instants of a day."""
        begins = min(each.effective_at for each in versions)  # The first version changes nothing: it counts before too.
        changes = sorted({each.effective_at for each in versions if max(after, begins) < each.effective_at < until})
        yield from changes
        for start, end in pairwise([after, *changes, until]):
            version = in_force(list(versions), start)
            if not (hours and version.by_hours):
                continue
            spans = version.spans(start, self._core.terms.zone, 1, self._core.state.days)
            yield from (
                later[0] for sooner, later in pairwise(spans) if sooner[2] != later[2] and start < later[0] < end
            )
