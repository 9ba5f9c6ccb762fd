"""What stands in the book before the first byte of a trip leaves (I7): why, on which reading, after which warning; and
of a close, its cause (I10)."""

from __future__ import annotations

from typing import Any

from bridge.contract.units import instant_exact, instant_of_micros, instant_text
from edge.core import Core, Draft
from edge.cuttable import closing
from edge.model import Model
from edge.state import MeterState

FRESH_S = 60.0
"""Line seconds: a trip rests on a read at most this old, with the meter's own number read back."""

PERSONS_FRESH_S = 300.0
"""The number, before what a person orders: of a building that is switched off at once all meters are read, then cut."""


def evidence_reads(model: Model) -> tuple[str, ...]:
    """What is read afresh before a trip; the number tells that the frame will reach the right meter (failure 27)."""
    return ("serial", model.registers, model.relay.row if model.relay else "status")


def stale_evidence(core: Core, meter: MeterState) -> str | None:
    """Why the fresh reads do not carry a trip, or None when they do."""
    live, now = core.lives[meter.id], core.clock.monotonic()
    if meter.serial is None:
        return "the meter's own number is not known, so it cannot be told from a neighbour"
    if live.serial != meter.serial:
        return f"the meter says it is {live.serial}, and {meter.serial} is meant"
    fresh_s = PERSONS_FRESH_S if meter.held_by_people else FRESH_S
    if live.serial_mono is None or now - live.serial_mono > fresh_s:
        return "the meter's number was not read just before"
    if meter.held_by_people:
        return None  # A person's trip rests on the hold, not on a balance.
    if live.sample is None or now - live.sample.mono > FRESH_S:
        return "the registers were not read in the last minute"
    return None


def draft_of(core: Core, meter: MeterState, cause: str) -> Draft:
    """The evidence entry of a trip."""
    live, state = core.lives[meter.id], core.state
    account = state.accounts.get(meter.account or "")
    fields: dict[str, Any] = {
        "meter": meter.id,
        "account": meter.account,
        "cause": cause,
        "attempt": len(meter.trips) + 1,
    }
    if live.model.relay_is_valve:
        fields["valve"] = "close"
    if live.sample is not None:
        fields["read"] = {
            "registers_wh": live.sample.registers_wh,
            "read_at": instant_text(live.sample.read_at),
            "age_ms": int((core.clock.monotonic() - live.sample.mono) * 1000),
            "serial": live.serial,
            "frames": [list(pair) for pair in live.sample.frames] + [list(live.serial_frames or ())],
        }
    if account is not None and cause == "arrears":
        now, final = core.now(), account.final
        version = core.balances.version_now(account)
        posted, (provisional, provisional_wh) = state.posted_nano(account.id), core.balances.provisional_nano(account)
        assert final is not None and final.delivered_powered_s is not None and meter.billed is not None
        window = core.terms.window.at(now)
        fields |= {
            "episode": account.episode,
            "balance_seq": account.last_money_seq,
            "posted_nano": posted,
            "provisional_nano": provisional,
            "provisional_wh": provisional_wh,
            "available_nano": posted - provisional,
            "cut_limit_nano": core.terms.cut_limit_nano,
            "billed": {
                "registers_wh": meter.billed.registers_wh,
                "at": instant_exact(instant_of_micros(meter.billed.at)),
                "source": meter.billed.source,
            },
            "tariff": version.tariff,
            "version": version.version,
            "final_seq": final.seq,
            "delivered_seq": final.delivered_seq,
            "warned_s": core.powered_s() - final.delivered_powered_s,
            "window": [instant_text(edge) for edge in window] if window else [],
        }
    else:
        holds = [{"hold": h.kind, "why": h.why, "who": h.by, "seq": h.seq} for h in meter.holds.values()]
        fields["holds"] = holds
    return ("trip/1", core.own_id(f"trip:{meter.id}"), fields)


def close_draft(core: Core, meter: MeterState) -> Draft:
    """The entry of a close, direct or permitted."""
    way = closing(core, meter)
    fields = {"meter": meter.id, "account": meter.account, "command": way, "cause": meter.restore}
    if core.lives[meter.id].model.relay_is_valve:
        fields["valve"] = "open"
    return ("close/1", core.own_id(f"close:{meter.id}"), fields)
