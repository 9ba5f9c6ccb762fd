"""Meters that keep prepaid money themselves: who pays twice, and whose relay their own purse may have opened (R14)."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.messages import MeterRow
from host.doctor.findings import Finding, know, wrong
from host.doctor.seen import Snapshot

REMEDIES = {
    "empty": "Top it up, or switch its prepay function off; a close from here does not last while that purse is empty.",
    "low": "Press the button on the meter, then top it up before it is empty.",
    "perhaps": "Look at the meter's display: is its purse empty, top it up or switch its prepay function off; is it "
    "not, and is it safe there, close the relay from here.",
}
"""What to do where the gateway lays an open relay to the meter's purse; not every open relay of such a meter is."""


def findings(snapshot: Snapshot, row: MeterRow) -> Iterator[Finding]:
    """What the gateway says of one meter's purse."""
    values, room = snapshot.facts.values.get(row.id), f" ({row.room})" if row.room else ""
    if values is not None and values.purse_counts and row.account is not None:
        yield wrong(
            "meters",
            row.id,
            f"Meter {row.id}{room}: what is prepaid in it counts down, and account {row.account} is billed for it "
            "here too; the tenant pays twice.",
            "Switch the prepay function off in the meter, with its maker's tool or card, and give back what is left in "
            "it; the finding goes when the meter's status word 3 says so.",
        )
    relay = snapshot.facts.relays.get(row.id)
    if relay is not None and relay.own_purse is not None and may_have_opened(snapshot, row):
        since = snapshot.time(relay.observed_since)
        yield know(
            "meters",
            row.id,
            f"Meter {row.id}{room}: its relay is open since {since}, and not by the gateway: {relay.why}.",
            REMEDIES[relay.own_purse],
            f'./riser request on meter={row.id} why="..."' if relay.own_purse == "perhaps" else "",
        )


def may_have_opened(snapshot: Snapshot, row: MeterRow) -> bool:
    """True where a relay stands open and the gateway names the meter's own purse as the reason."""
    relay = snapshot.facts.relays.get(row.id)
    return relay is not None and relay.observed == "open" and relay.own_purse is not None
