"""One state for each room, the first that applies: cut, final, held, off line, stale, keep, low 3 2 1, vacant, on.

The states come from what the edge published; only age is judged here, against the site's `stale_min`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.contract.messages import Account, AccountRow, Availability, HoldFacts, MeterFacts, MeterRow, Relay, Valve
from panel.faces import SHORT, icon_of, paint_of
from panel.final_warning import must_be_told
from panel.formats import Wall, lasts, span
from panel.mirror import View
from panel.protections import standing, until_of
from panel.switches import (
    TAGS,
    WATER_SHORT,
    WATER_STATES,
    Words,
    counts_water,
    place_of,
    relay_of,
    valve_of,
    words_of,
)
from panel.words import later, t

WORDS = {
    "cut": later("Cut off"),
    "final": later("Final warning"),
    "held": later("Held"),
    "off": later("Off line"),
    "stale": later("Stale"),
    "keep": later("Keep on"),
    "w3": later("Low 3"),
    "w2": later("Low 2"),
    "w1": later("Low 1"),
    "none": later("Vacant"),
    "on": later("On|supply"),
}
"""State and its word, in order of priority."""

PRIORITY = tuple(WORDS)

LOW = ("w3", "w2", "w1")

COVERS = {"cover": later("meter cover"), "terminal cover": later("terminal cover")}
HOLDS = {
    "arrears": later("arrears"),
    "lockout": later("service|hold"),
    "contract": later("contract ended"),
    "malignant": later("malignant load"),
    "manual": later("by hand"),
}
"""The five holds of R5."""

RATE_WORDS = {
    "total": later("Total"),
    "sharp": later("Sharp"),
    "peak": later("Peak"),
    "flat": later("Flat"),
    "valley": later("Valley"),
    "deep": later("Deep valley"),
}


@dataclass(frozen=True)
class Room:
    """A meter as the grid shows it."""

    meter: MeterRow
    tenant: AccountRow | None
    account: Account | None
    facts: MeterFacts | None
    relay: Relay | None
    availability: Availability | None
    state: str
    corner: str
    until: str | None
    valve: Valve | None = None
    disputed: bool = False
    """It is kept on because the bill is disputed, and for nothing else."""

    @property
    def word(self) -> str:
        if self.off_by_its_purse:
            return t("Off by itself")
        if self.disputed or self.in_debt:
            return t("Bill disputed|room") if self.disputed else t("In debt, not cut")
        return self._water_word(WATER_STATES) or t(WORDS[self.state])

    @property
    def short_word(self) -> str:
        if self.off_by_its_purse:
            return t("By itself|room")
        if self.disputed or self.in_debt:
            return t("Disputed|room") if self.disputed else t("In debt|room")
        return self._water_word(WATER_SHORT) or t(SHORT.get(self.state, WORDS[self.state]))

    def _water_word(self, states: dict[str, str]) -> str | None:
        """A valve on its way; whether water flows, where words would speak of electricity or a lease."""
        if self.valve is not None and self.valve.moving:
            return t(TAGS[self.valve.moving])
        if not counts_water(self.meter) or self.state not in ("cut", "held", "none", "on", "keep"):
            return None
        if self.state == "keep":
            return t("Water kept on|room")
        if self.relay is None or self.relay.observed == "unknown":
            return None if self.state != "none" else t(WORDS["on"])
        off = self.relay.observed == "open"
        return t(states[self.relay.observed]) if off or self.state != "held" else None

    @property
    def face(self) -> str:
        """The state as it is seen: dark by its purse, disputed and in debt have looks of their own."""
        if self.off_by_its_purse:
            return "itself"
        if self.disputed or self.in_debt:
            return "dispute" if self.disputed else "debt"
        return self.state

    @property
    def paint(self) -> str:
        return paint_of(self.face)

    @property
    def icon(self) -> str:
        """A drop where others have a bolt."""
        return "water" if self.state == "on" and self.is_water else icon_of(self.face)

    @property
    def is_water(self) -> bool:
        return counts_water(self.meter)

    @property
    def words(self) -> Words:
        return words_of(self.meter)

    @property
    def place(self) -> str:
        return place_of(self.meter)

    @property
    def off_by_its_purse(self) -> bool:
        """Dark, and not by the gateway: the meter has a purse of its own."""
        return self.state == "cut" and self.relay is not None and self.relay.own_purse is not None

    @property
    def in_debt(self) -> bool:
        """The balance is used up and supply flows: more than low, and nothing will be cut as things stand."""
        return self.state in LOW and self.account is not None and self.account.available_nano <= 0

    @property
    def off_by_itself(self) -> bool:
        """Dark or dry, and nobody here ordered it: a person decides, nothing brings it back."""
        return self.state == "cut" and self.relay is not None and self.relay.why == self.words.by_itself

    def matches(self, text: str) -> bool:
        """True when room, name, phone, account, meter id, number or address contain the text."""
        wanted = text.casefold().strip()
        row, tenant = self.meter, self.tenant
        fields = [row.room, row.name, row.id, row.serial or "", row.address]
        if tenant:
            fields += [tenant.name, tenant.phone, tenant.phone.replace(" ", "").replace("-", ""), tenant.id]
        return any(wanted in field.casefold() for field in fields)


def room_of(view: View, meter: MeterRow, wall: Wall, stale_s: float) -> Room:
    """Put together what is known of one meter."""
    tenant = view.account_of(meter)
    account = view.get(Account, tenant.id) if tenant else None
    facts, relay = view.get(MeterFacts, meter.id), relay_of(view, meter)
    availability = view.get(Availability, meter.id)
    state = state_of(tenant, account, facts, relay, availability, wall, stale_s)
    if state == "none" and counts_water(meter) and not (relay is not None and relay.observed == "open"):
        state = "on"  # Water has no account here yet: nobody is missing.
    corner, until = _corner(state, account, facts, relay, availability, wall)
    kinds = {each.kind for each in standing(account, wall)}
    disputed = state == "keep" and kinds == {"dispute"} and not (relay is not None and relay.keep_power)
    return Room(
        meter, tenant, account, facts, relay, availability, state, corner, until, valve_of(view, meter), disputed
    )  # fmt: skip


def lock_of(relay: Relay | None) -> HoldFacts | None:
    """The maintenance lock, where one stands."""
    return next((hold for hold in relay.holds if hold.kind == "lockout"), None) if relay else None


def other_holds(relay: Relay | None) -> list[HoldFacts]:
    """Holds that a payment does not lift."""
    return [hold for hold in relay.holds if hold.kind != "arrears"] if relay else []


def state_of(
    tenant: AccountRow | None, account: Account | None, facts: MeterFacts | None, relay: Relay | None,
    availability: Availability | None, wall: Wall, stale_s: float,
) -> str:  # fmt: skip
    """The first state that applies."""
    is_open = relay is not None and relay.observed == "open"
    for_arrears = relay is not None and any(hold.kind == "arrears" for hold in relay.holds)
    said, kept = (account.state if account else None), bool(standing(account, wall))
    if is_open and (for_arrears or (tenant is not None and not other_holds(relay))):
        return "cut"  # Also while the meter waits for its button, or was found open: the room is dark.
    if is_open and other_holds(relay):
        return "held"  # What is off already is not warned of being cut.
    if said == "final" and not kept and lock_of(relay) is None:
        return "final"
    if other_holds(relay):
        return "held"
    if availability is not None and availability.state == "offline":
        return "off"
    if facts is None or facts.read_at is None or wall.age_s(facts.read_at) > stale_s:
        return "stale"
    if kept or said == "keep" or (relay is not None and relay.keep_power):
        return "keep"
    if said in ("low1", "low2", "low3"):
        return f"w{said[-1]}"
    return "on" if tenant else "none"


def _corner(
    state: str, account: Account | None, facts: MeterFacts | None, relay: Relay | None,
    availability: Availability | None, wall: Wall,
) -> tuple[str, str | None]:  # fmt: skip
    """The few words in a room's corner, and the instant it counts down to."""
    if state == "keep" and (until := until_of(account, wall)):
        return wall.brief(until), None
    if state == "final" and account:
        if account.can_cut and must_be_told(account):
            return t("tell the tenant|room"), None
        if account.protected_until:
            return wall.brief(account.protected_until), None
        if account.blocked:
            return t("not now|room"), None
        return ("", account.cut_at) if account.cut_at else ("", account.zero_at)
    if state == "cut" and relay and relay.observed_since:
        same_day = wall.age_s(relay.observed_since) < wall.age_s(wall.midnight())
        return (wall.clock if same_day else wall.stamp)(relay.observed_since), None
    if state == "held":
        return ", ".join(t(HOLDS[hold.kind]) for hold in other_holds(relay)[:1]), None
    if state == "off" and availability:
        return span(wall.age_s(availability.since)), None
    if state == "stale":
        read_at = facts.read_at if facts else None
        return t("{span}|age in a room", span=span(wall.age_s(read_at))) if read_at else t("never"), None
    if account and account.available_nano <= 0:
        return t("used up") if account.can_cut or state not in LOW else t("cannot be cut|room"), None
    if account and account.days_left is not None:
        return lasts(account.days_left), None
    return "", None


def most_urgent(rooms: list[Room]) -> Room | None:
    """Of an account's meters the one whose state comes first."""
    return min(rooms, key=lambda room: PRIORITY.index(room.state), default=None)
