"""Renders `meter/<id>/relay`, or `meter/<id>/valve` where a valve is in its place: each in its own words."""

from __future__ import annotations

from typing import Any, Literal

from bridge.contract import messages as m
from bridge.contract.switching import VALVE_IS
from bridge.contract.units import instant_text, text_of
from edge.core import Core
from edge.cuttable import may_be_locked
from edge.purses import OPENED, why_open
from edge.relays import Relays
from edge.state import MeterState
from edge.switch_words import LOCKED_MAYBE, coming_on, held, locked_as_it_stands, off_by_itself, still_off


def kind_of_switch(core: Core, meter: MeterState) -> Literal["relay", "valve"] | None:
    """What switches this meter's supply, by whoever is allowed to; None where nothing is to be switched."""
    model = core.lives[meter.id].model
    if model.relay is None or meter.row["relay"] == "none":
        return None
    return "valve" if model.relay_is_valve else "relay"


def switch_fact(core: Core, relays: Relays, meter: MeterState) -> m.Relay | m.Valve | None:
    """The fact, from the newest look."""
    kind, live = kind_of_switch(core, meter), core.lives[meter.id]
    if kind is None or live.model.relay is None:
        return None
    desired: Any = relays.desired(meter)
    row, why = live.model.relay.row, _why(core, relays, meter, live.stands, desired)
    common: dict[str, Any] = {
        "observed_at": instant_text(live.read_at[row]) if row in live.read_at else None,
        "observed_since": text_of(meter.observed_since),
        "holds": [
            m.HoldFacts(kind=each.kind, why=each.why, by=each.by, since=text_of(each.since) or "", off=each.off)  # type: ignore[arg-type]
            for each in meter.holds.values()
        ],
        "why": why,
        "following": relays.following(meter),
        "step": relays.commands.step(meter),
    }
    if kind == "valve":
        moving = relays.commands.moving(meter)
        return m.Valve(desired=VALVE_IS[desired], observed=live.valve_stands, moving=moving, **common)  # type: ignore[arg-type]
    return m.Relay(
        desired=desired,
        observed=live.stands,
        own_purse=OPENED.get(why),
        keep_power=live.keep_power,
        alarm=live.lamp_on,
        **common,
    )


def _unknown(core: Core, meter: MeterState) -> str:
    seen = core.lives[meter.id].seen
    if seen is None:
        return "the status word was not read yet"
    if seen.supply == "fault":
        return "the meter says that it is out of order"
    return "the meter decides by itself and does not say how it stands"


def _why(core: Core, relays: Relays, meter: MeterState, observed: str, desired: str) -> str:
    if observed == "unknown":
        return _unknown(core, meter)
    valve = core.lives[meter.id].model.relay_is_valve
    if meter.holds and not meter.held_off:
        return locked_as_it_stands(valve)
    if meter.holds:
        return held(valve, ", ".join(meter.holds), observed == "open")
    if desired == "open":
        return "a cut for arrears is due"
    if observed == "closed":
        return "nothing holds it"
    own = why_open(core.lives[meter.id])
    if meter.restore is not None and may_be_locked(core, meter):
        return LOCKED_MAYBE
    if meter.restore is not None and core.cannot_write is not None and relays.looking.long_dark(meter):
        return still_off(valve, meter.restore, relays.commands.at_its_button(meter))  # No alarm can be written now.
    if meter.restore is not None and (own is None or relays.following(meter)):
        return coming_on(valve, relays.commands.at_its_button(meter))
    return own or off_by_itself(valve)
