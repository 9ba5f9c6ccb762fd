"""A relay or a valve, each in its own words: nobody reads of a water meter that its relay is closed.

Inside the panel a valve is seen as the relay whose place it takes, closed where the valve is open, so that holds and
states are judged once for both. What people read comes from the `Words` of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.contract.messages import MeterRow, Relay, Valve
from bridge.contract.switching import VALVE_IS
from panel.edge_water_words import CLOSED_BY_ITSELF, MOVING, VALVE
from panel.words import later, t

if TYPE_CHECKING:
    from panel.mirror import View

SWITCHES: dict[str, type[Relay] | type[Valve]] = {"relay": Relay, "valve": Valve}
"""The last part of a topic below `meter/<id>`, and what stands there."""


@dataclass(frozen=True)
class Words:
    """What is said of one kind, and what is asked of it: `off` and `on` are the operations."""

    meter: str
    meter_number: str
    title: str
    off: str
    on: str
    icons: tuple[str, str]
    """Off and on."""
    states: dict[str, str]
    """As a relay would be called: closed gives supply."""
    ask_off: str
    ask_on: str
    off_title: str
    on_title: str
    off_says: str
    on_says: str
    off_go: str
    on_go: str
    none: str
    holds: str
    stuck: str
    newest: str
    on_its_way: str
    is_off: str
    is_on: str
    reasons: tuple[str, ...]
    """That are often typed."""
    stays_off: str
    by_itself: str
    """The edge's sentence for one that was found off: `desired` is on then as well, yet nothing will move it."""
    found_off: str
    look_first: str
    returning: str
    returning_says: str
    is_off_though_paid: str
    supply_is_off: str
    returns: str


RELAY = Words(
    meter=later("Meter"),
    meter_number=later("Meter {number}"),
    title=later("Relay"),
    off="trip",
    on="close",
    icons=("open", "closed"),
    states={"closed": later("closed|relay"), "open": later("open|relay"), "unknown": later("unknown|relay")},
    ask_off=later("Trip…"),
    ask_on=later("Close…"),
    off_title=later("Cut the supply of {room}?"),
    on_title=later("Lift the hold of {room}?"),
    off_says=later(
        "Supply goes off at once: refrigerators, cookers and lights stop together. It stays off until this hold is "
        "lifted; a payment does not lift it."
    ),
    on_says=later(
        "Lifts a hold that people set. Supply returns only when no other hold remains. Make sure that nobody works on "
        "the line."
    ),
    off_go=later("Cut the supply"),
    on_go=later("Lift the hold"),
    none=later("This meter has no relay; it is only read."),
    holds=later("The relay closes only when all five are clear. A payment clears arrears only."),
    stuck=later("It was told several times and has not moved. Somebody must go and look."),
    newest=later("Newest relay command: {step}"),
    on_its_way=later("Accepted by the gateway; waiting until the meter has confirmed."),
    is_off=later("The relay is open, read back."),
    is_on=later("The hold is lifted and the state read back."),
    reasons=(later("service work"), later("the tenant asked"), later("danger")),
    stays_off=later("The hold is lifted. Supply stays off: {holds}."),
    by_itself=later("open by itself or by hand; nobody here ordered it, so a person decides"),
    found_off=later("Supply off since {time}, and nobody ordered it"),
    look_first=later("Go and look first; then switch on with “Close” on the meter's page."),
    returning=later("Supply is coming back"),
    returning_says=later("The gateway switches on; the state is shown when it has been read back."),
    is_off_though_paid=later("Supply is off although the balance is enough"),
    supply_is_off=later("Supply is off"),
    returns=later("Supply returns when no hold remains."),
)

OF_VALVE = Words(
    meter=later("Meter|water"),
    meter_number=later("Meter {number}|water"),
    title=later("Valve"),
    off="off",
    on="on",
    icons=("valve-closed", "valve-open"),
    states={"closed": VALVE["open"], "open": VALVE["closed"], "unknown": VALVE["unknown"]},
    ask_off=later("Close the valve…"),
    ask_on=later("Open the valve…"),
    off_title=later("Close the valve of {room}?"),
    on_title=later("Open the valve of {room}?"),
    off_says=later(
        "No water flows as soon as the valve has turned. It stays closed until this hold is lifted; a payment does not "
        "lift it."
    ),
    on_says=later(
        "Lifts a hold that people set. Water flows again only when no other hold remains. Make sure that no tap and no "
        "pipe stands open."
    ),
    off_go=later("Close the valve"),
    on_go=later("Open the valve"),
    none=later("This meter has no valve; it is only read."),
    holds=later("The valve opens only when all five are clear. A payment clears arrears only."),
    stuck=later("It was told and has not arrived in its time. Somebody must go and look."),
    newest=later("Newest order to the valve: {step}"),
    on_its_way=later("Accepted by the gateway. A valve takes its time to turn; it is shown when it was read back."),
    is_off=later("The valve is closed, read back: no water flows."),
    is_on=later("The valve is open, read back: water flows."),
    reasons=(later("work on the pipes"), later("the tenant asked"), later("a leak")),
    stays_off=later("The hold is lifted. The valve stays closed: {holds}."),
    by_itself=CLOSED_BY_ITSELF,
    found_off=later("Water off since {time}, and nobody ordered it"),
    look_first=later("Go and look first; then open the valve on the meter's page."),
    returning=later("Water is coming back"),
    returning_says=later("The gateway opens the valve; the state is shown when it has been read back."),
    is_off_though_paid=later("Water is off although the balance is enough"),
    supply_is_off=later("Water is off"),
    returns=later("Water flows again when no hold remains."),
)

OPERATIONS = {operation for words in (RELAY, OF_VALVE) for operation in (words.off, words.on)}
"""What is asked of a relay or a valve."""

WATER_STATES = {"open": later("Water off"), "closed": later("Water on")}
WATER_SHORT = {"open": later("Off|water"), "closed": later("On|water")}
"""Of a water meter, in place of words that mean electricity or a lease; by the relay it would be."""
TAGS = {"opening": later("Opening|valve"), "closing": later("Closing|valve")}
"""The state of a room whose valve is on its way."""


def has_valve(meter: MeterRow) -> bool:
    return meter.switch == "valve"


def counts_water(meter: MeterRow) -> bool:
    return has_valve(meter) or "volume_l" in meter.quantities


def water_alone(view: View, account: str) -> bool:
    """True where an account has water and no electricity, by the meters that are or were its."""
    row = view.accounts.get(account)
    meters = view.meters_of(row) if row is not None else []
    return bool(meters) and all(map(counts_water, meters))


def words_of(meter: MeterRow | None) -> Words:
    """The words for what switches this meter, or would."""
    return OF_VALVE if meter is not None and counts_water(meter) else RELAY


def valve_of(view: View, meter: MeterRow) -> Valve | None:
    return view.get(Valve, meter.id) if has_valve(meter) else None


def relay_of(view: View, meter: MeterRow) -> Relay | None:
    """What is known of a meter's relay, or of its valve as if it were one."""
    if not has_valve(meter):
        return view.get(Relay, meter.id)
    valve = valve_of(view, meter)
    return None if valve is None else as_relay(valve)


def as_relay(valve: Valve) -> Relay:
    """Open is closed and closed is open; what is out of order is not known."""
    return Relay(
        desired=VALVE_IS[valve.desired],  # type: ignore[arg-type]
        observed=VALVE_IS.get(valve.observed, "unknown"),
        observed_at=valve.observed_at, observed_since=valve.observed_since, holds=valve.holds, why=valve.why,
        following=valve.following, keep_power=False, alarm=False, step=valve.step,
    )  # fmt: skip


def moving_words(valve: Valve | None) -> str | None:
    """Where a valve is on its way to, in words; None while it rests."""
    return t(MOVING[valve.moving]) if valve is not None and valve.moving else None


def stands_words(relay: Relay, valve: Valve | None) -> str:
    """How it was read back, in the words of its kind."""
    return t(VALVE[valve.observed]) if valve is not None else t(RELAY.states[relay.observed])


def agreement(relay: Relay, valve: Valve | None) -> str:
    """Of what should be and what is: `agrees`, `differs`, `moving` while it has time to arrive, else `unknown`."""
    if valve is not None and valve.moving:
        return "moving"
    if valve is not None and valve.observed == "fault":
        return "differs"
    if relay.observed == "unknown":
        return "unknown"
    return "agrees" if relay.observed == relay.desired else "differs"


def place_of(meter: MeterRow) -> str:
    """The room, and which circuit of a box it is: one address serves many, and nobody may cut a neighbour's."""
    label = meter.room or meter.id
    return label if meter.circuit is None else t("{room} · circuit {n}", room=label, n=meter.circuit)


def typed_place(meter: MeterRow) -> str:
    """What is typed to confirm that it is this one: the room, of a box with its circuit, such as `A301-2`."""
    return meter.room if meter.circuit is None else f"{meter.room}-{meter.circuit}"


def number_of(meter: MeterRow) -> str:
    """The number on the plate, else the address; of a box, with its circuit."""
    return _of_box(meter, meter.serial or meter.address)


def meter_number(meter: MeterRow) -> str:
    """How a list calls a meter: the number on its plate, else its id."""
    return _of_box(meter, meter.serial or meter.id)


def _of_box(meter: MeterRow, number: str) -> str:
    return number if meter.circuit is None else t("{number}, circuit {n}", number=number, n=meter.circuit)
