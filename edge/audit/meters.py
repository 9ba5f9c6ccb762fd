"""A replaced meter, a changed multiplier, the time between two tenants: does each follow from what stands before it?

From its proposal, the register up to which the old one was charged, and the frames of the new one (I21, R22, R23).
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import micros_of
from edge import model
from edge.audit import frames
from edge.audit.lie import Report, Wrong, must
from edge.first_registers import unbilled
from edge.fold_meters import CHANGE_RATIO, CHANGES, REPLACE
from edge.pricing import mark_body
from edge.state import MeterState, Proposal, State

Fields = dict[str, Any]

BY_PEOPLE = ("display", "saved")
"""Sources of a last register that has no frames: two people answer for it."""


def place_is_free(state: State, fields: Fields) -> None:
    """Raises Wrong where another meter has this address."""
    place = (fields["port"], fields["address"], fields.get("circuit"))
    for other in state.meters.values():
        if other.id != fields["meter"] and place == (
            other.row["port"], other.row["address"], other.row.get("circuit")
        ):  # fmt: skip
            raise Wrong(f"meter {other.id} has its address {place[1]} on {place[0]}", "one meter there (I21)")


def last_charge(state: State, meter: MeterState, id: str, end: Fields) -> bool:
    """Is this the charge up to the last register before a change? Raises Wrong for one that pretends to be."""
    proposal = state.proposals.get(id.removeprefix(f"charge:{meter.id}:"))
    if proposal is None:
        if end["source"] in BY_PEOPLE:
            raise Wrong(f"its end was obtained as {end['source']!r}", "frames, or an approved replacement")
        return False
    _approved(proposal, CHANGES, meter.id)
    told = proposal.body["last" if proposal.what == REPLACE else "mark"]
    must((end["registers_wh"], end["source"]), (told["registers_wh"], told["source"]), "its end, as it was approved,")
    return True


def replaced(state: State, fields: Fields, zone: ZoneInfo, report: Report) -> None:
    """Check a `replacement/1` before it is folded. Raises Wrong."""
    meter = state.meters[fields["meter"]]
    body = _proposed(state, fields, REPLACE)
    was, row = fields["was"], fields["row"]
    must((was["model"], was["address"], was["serial"]), (meter.row["model"], meter.row["address"], meter.serial),
         "the meter that it takes off")  # fmt: skip
    for key in ("row", "serial"):
        must(fields[key], body[key], f"its {key}, as it was approved,")
    must(row["multiplier"], meter.multiplier, "the multiplier of the new meter (R23)")
    if (billed := _charged(state, meter)) is not None:
        must([was["registers_wh"], was["at"]], [billed["registers_wh"], billed["at"]], "the old meter's last register")
    if (last := body["last"]) is not None:
        must(was["source"], last["source"], "how the old meter's last register was obtained")
    place_is_free(state, row)
    _anew(fields, body, row, meter, zone, report)


def ratio(state: State, fields: Fields, zone: ZoneInfo, report: Report) -> None:
    """Check a `ratio/1` before it is folded. Raises Wrong."""
    meter = state.meters[fields["meter"]]
    body = _proposed(state, fields, CHANGE_RATIO)
    must(fields["multiplier_before"], meter.multiplier, "the multiplier before")
    must(fields["multiplier"], body["multiplier"], "the multiplier, as it was approved,")
    if (billed := _charged(state, meter)) is not None:
        must([fields["registers_wh"], fields["at"]], [billed["registers_wh"], billed["at"]], "where it begins")
    _anew(fields, body, meter.row, meter, zone, report)


def vacancy(state: State, fields: Fields) -> None:
    """What an opening says was used by nobody. Raises Wrong."""
    if "unbilled" in fields:
        meter = state.meters[fields["meter"]]
        own = unbilled(meter, fields["registers_wh"], model.of_row(meter.row).full_scale_wh)
        must(fields["unbilled"], own.get("unbilled"), "what was used without a tenant")


def _charged(state: State, meter: MeterState) -> Fields | None:
    """The register up to which a tenant was charged; None where nobody is."""
    account = state.accounts.get(meter.account or "")
    if account is None or account.ended or meter.billed is None:
        return None
    return mark_body(meter.billed)


def _proposed(state: State, fields: Fields, what: str) -> Fields:
    proposal = state.proposals.get(fields["proposal"])
    if proposal is None:
        raise Wrong(f"there is no proposal {fields['proposal']!r} before it", "one that another person approved (R32)")
    _approved(proposal, (what,), fields["meter"])
    assert proposal.decision is not None
    signed = proposal.who, proposal.role, proposal.decision.who
    must((fields["who"], fields["role"], fields["approved_by"]), signed, "who proposed and approved")
    for key in ("papers", "why"):
        must(fields[key], proposal.body[key], f"its {key}, as it was approved,")
    must(fields["account"], state.meters[fields["meter"]].account, "its account")
    if fields["charge"] is not None:
        must(fields["charge"], f"charge:{fields['meter']}:{proposal.id}", "the charge that it names")
    return proposal.body


def _approved(proposal: Proposal, what: tuple[str, ...], meter: str) -> None:
    decision = proposal.decision
    if proposal.what not in what or proposal.body["meter"] != meter or decision is None or not decision.approved:
        raise Wrong(f"proposal {proposal.id} is none of this meter that was approved", "an approved one (R32)")


def _anew(fields: Fields, body: Fields, row: Fields, meter: MeterState, zone: ZoneInfo, report: Report) -> None:
    """From this register on it counts: as it was proposed, as its frames say, and not before what was charged."""
    mark = {key: fields[key] for key in ("registers_wh", "at", "read_at", "source", "frames")}
    must(mark, {key: body["mark"][key] for key in mark}, "its register, as it was approved,")
    if meter.billed is not None and micros_of(frames.instant(fields["at"])) < meter.billed.at:
        raise Wrong(f"it counts from {fields['at']}, before the last charge ended", "that instant or later")
    if frames.check(row, mark, zone, "its register"):
        report.count("registers read again from raw frames")
    report.count("meters replaced or multipliers changed")
