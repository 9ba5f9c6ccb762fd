"""What a replaced meter or a changed multiplier would write, as things stand now: the charge to the last register of
before, and the entry from which everything counts anew (R22, R23). Writes nothing.

The same plan is made when it is proposed and when it is approved, so nothing hopeless is proposed and nothing that has
become wrong is carried out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bridge.contract.entries import CHARGES
from bridge.contract.site_references import address_mistake
from bridge.contract.units import (
    instant_exact,
    instant_of,
    instant_of_micros,
    instant_text,
    micros_of,
    micros_of_text,
    wall_time,
)
from edge import gate, model
from edge.asked import Refusal
from edge.billing.spans import GUESSED
from edge.closing import Closing
from edge.core import Core, Draft
from edge.fold_meters import REPLACE
from edge.install import lacking
from edge.live import Sample
from edge.model import Model
from edge.pricing import ENERGY, mark_body
from edge.state import AccountState, Mark, MeterState

Fields = dict[str, Any]

KEPT = ("room", "floor", "shaft", "name", "multiplier", "relay", "circuit", "purse", "port")
"""What a new meter has of the old one's row: the place, its transformers, its line."""


class MeterPlans:
    """Plans of one core."""

    def __init__(self, core: Core, closing: Closing):
        self._core, self._closing = core, closing

    # --- the new meter ---

    def row(self, meter: MeterState, model_id: str | None, address: str, serial: str | None) -> Fields:
        """The row of a meter that takes this one's place. Raises Refusal."""
        name = model_id or meter.row["model"]
        if name not in model.known():
            raise Refusal("R22", f"there is no meter model {name[:32]!r}; take one that the site file could name")
        kind = model.load(name)
        self._fits(meter, kind)
        if address_mistake(kind.protocol, address):
            raise Refusal("R22", f"{address[:20]!r} is no address on {meter.row['port']}: DL/T 645 has 12 digits, "
                          "CJ/T 188 has 14, Modbus has 1 to 247")  # fmt: skip
        if "serial" in kind.rows and not kind.rows["serial"].optional and serial is None:
            raise Refusal("R22", "give the number on the new meter's plate: it is compared with what the meter says")
        row = {
            "meter": meter.id, **{key: meter.row[key] for key in KEPT if key in meter.row}, "model": kind.id,
            "model_name": kind.name, "protocol": kind.protocol, "phases": kind.phases, "max_amps": kind.max_amps,
            "volts": kind.volts, "rates": bool(kind.rates), "address": address, "serial": serial,
        }  # fmt: skip
        self.free(row)
        return row

    def _fits(self, meter: MeterState, kind: Model) -> None:
        """Raises Refusal for a model that cannot take this meter's place."""
        old = self._core.lives[meter.id].model
        if meter.row.get("circuit") is not None or kind.circuits is not None:
            raise Refusal("R22", f"meter {meter.id} is a circuit of a box, which is replaced with all its circuits; "
                          "install the new box beside it")  # fmt: skip
        if kind.protocol != old.protocol:
            raise Refusal("R22", f"{kind.id} speaks {kind.protocol}, and the line of meter {meter.id} does not")
        if kind.quantity != old.quantity:
            raise Refusal("R22", f"{kind.id} does not count what meter {meter.id} counts")
        if kind.relay is None and meter.row["relay"] != "none":
            raise Refusal("R22", f"{kind.id} is read only here, and meter {meter.id} has a relay that is used")
        account = self._core.state.accounts.get(meter.account or "")
        if account is None:
            return
        if kind.purse and meter.row.get("purse") != "off":
            raise Refusal("R14", f"{kind.id} keeps a balance of its own, and nobody is billed twice; take another")
        for version in self._core.pricing.versions(account, self._core.balances.unit(meter)):
            if kind.quantity == "energy" and (missing := lacking(kind.rates, version.prices_micro)):
                raise Refusal("R28", f"a {kind.id} keeps registers per rate and none for {', '.join(missing)}, "
                              f"which the price of meter {meter.id} has")  # fmt: skip

    def free(self, row: Fields) -> None:
        """Raises Refusal where another meter has this address (I21)."""
        for other in self._core.state.meters.values():
            if other.id != row["meter"] and (other.row["port"], other.row["address"]) == (row["port"], row["address"]):
                raise Refusal("I21", f"meter {other.id} has the address {row['address']} on {row['port']}; "
                              "give the new meter one of its own")  # fmt: skip

    # --- the last register of the old one ---

    def last(self, meter: MeterState, before: int) -> Fields | None:
        """The newest register that the meter said itself, with its frames where this run heard it; None for one that
        was never read. `before` is when it was gone. Raises Refusal where only an estimate is known."""
        live, billed = self._core.lives[meter.id], meter.billed
        said = [(live.floor, "saved"), (live.before, "read"), (live.sample, "read")]
        found: list[tuple[Mark, Fields]] = []
        if billed is not None and billed.source not in GUESSED:
            found.append((billed, _end(billed, [])))
        for sample, source in said:
            if sample is not None and sample.believed and micros_of(sample.read_at) <= before:
                mark = Mark(sample.registers_wh, micros_of(sample.read_at), source)
                found.append((mark, _end(mark, [list(each) for each in sample.frames])))
        if not any(each[0].source in ("read", "saved") for each in found):
            if live.sample is not None:
                raise Refusal("R22", f"meter {meter.id} was read after it was taken off, and nothing is kept of before;"
                              " give the registers that its display shows")  # fmt: skip
            if live.floor is not None and not live.floor.believed:
                raise Refusal("R22", f"meter {meter.id} was last read while the clock was not trusted, so nobody knows "
                              "when; give the registers that its display shows")  # fmt: skip
        newest = max(found, key=lambda each: each[0].at, default=None)  # Of two the one by which it was charged.
        if billed is not None and (newest is None or newest[0].at < billed.at):
            raise Refusal("R22", f"meter {meter.id} was charged by an estimate after it was last read; "
                          "give the registers that its display shows")  # fmt: skip
        return None if newest is None else newest[1]

    def displayed(self, meter: MeterState, registers: Fields, removed_at: str | None, before: int) -> Fields:
        """The registers that a person read off the old meter's display. Raises Refusal."""
        kind = self._core.lives[meter.id].model
        known = {"total", *kind.rates}
        if "total" not in registers or not registers.keys() <= known:
            words = ", ".join(sorted(known))
            raise Refusal("R22", f"the registers of the old meter are {words}; the total is needed")
        # Whoever gives no time means now, and the new one's answer was on its way to us for a moment since.
        at = instant_of_micros(before) if removed_at is None else instant_of(removed_at)
        if micros_of(at) > before:
            read_at = wall_time(at, self._core.terms.zone)
            raise Refusal("R22", f"{read_at} is later than the new meter was read; the old one went first")
        end = _end(Mark(dict(registers), micros_of(at), "display"), [])
        self.follows(meter, end)
        return end

    def follows(self, meter: MeterState, end: Fields) -> None:
        """Raises Refusal where the gate would set such a reading aside (R20, R21)."""
        live, registers = self._core.lives[meter.id], end["registers_wh"]
        sample = Sample(registers, instant_of(end["at"]), 0.0, ())
        before = live.sample or live.floor
        if before is None and meter.proven is not None:
            before = Sample(meter.proven.registers_wh, instant_of_micros(meter.proven.at), 0.0, ())
        if before is None:
            return
        shared = {name: wh for name, wh in before.registers_wh.items() if name in registers}
        yardstick = Sample(shared, before.read_at, 0.0, (), believed=before.believed)
        verdict = gate.check(live.model, yardstick, sample, sample, None)
        if verdict.action != "accept":
            raise Refusal(verdict.rule or "R21", f"that does not follow on what meter {meter.id} said: {verdict.why}")

    # --- what is written ---

    def drafts(self, what: str, body: Fields, signed: Fields) -> list[Draft]:
        """The entries of an approval after the decision. `signed` says who proposed and approved. Raises Refusal."""
        core, meter = self._core, self._core.state.meters[body["meter"]]
        if not core.book.trusted:
            raise Refusal("R25", "the clock is not trusted, so nobody can tell when the day is divided")
        if (meter.row["address"], meter.row["model"], meter.multiplier, meter.since) != tuple(body["stood"]):
            raise Refusal("R22", f"meter {meter.id} is not what it was when this was proposed; propose it anew")
        account = core.state.accounts.get(meter.account or "")
        end = body["last"] if what == REPLACE else body["mark"]
        found: list[Draft] = []
        if meter.quarantined is not None:
            if what != REPLACE:
                raise Refusal("I15", f"a reading of meter {meter.id} is set aside; release it first")
            # What was doubted is the new meter's, or goes with the old one: two people have looked.
            released = {"meter": meter.id, "why": "the meter was replaced", **signed}
            found.append(("release/1", f"release:{meter.id}:{signed['proposal']}", released))
        charge = None if account is None or account.ended or end is None else self._charge(account, meter, end, signed)
        found += [charge] if charge else []
        words = {
            "meter": meter.id, "account": meter.account, "charge": charge[1] if charge else None,
            "papers": body["papers"], "why": body["why"], **signed,
        }  # fmt: skip
        words |= {"unit": "L"} if core.balances.unit(meter) != ENERGY else {}
        if what == REPLACE:
            self.free(body["row"])
            was = {key: meter.row[key] for key in ("model", "address")} | {"serial": meter.serial}
            was |= {key: end[key] for key in ("registers_wh", "at", "source")} if end else {}
            new = {"row": body["row"], "serial": body["serial"], "serial_frames": body["serial_frames"], **body["mark"]}
            return [*found, ("replacement/1", f"replacement:{signed['proposal']}", {**words, "was": was, **new})]
        ratio = {"multiplier_before": meter.multiplier, "multiplier": body["multiplier"]}
        return [*found, ("ratio/1", f"ratio:{signed['proposal']}", {**words, **ratio, **body["mark"]})]

    def _charge(self, account: AccountState, meter: MeterState, end: Fields, signed: Fields) -> Draft | None:
        """The charge up to the last register of before; None where it was charged to that very one. Raises Refusal."""
        core, at, billed = self._core, micros_of_text(end["at"]), meter.billed
        if billed is None or (at == billed.at and end["registers_wh"] == billed.registers_wh):
            return None
        if at <= billed.at:
            charged_to = wall_time(instant_of_micros(billed.at), core.terms.zone)
            raise Refusal("R22", f"meter {meter.id} is charged up to {charged_to} already, "
                          "which is later than this register; propose it anew")  # fmt: skip
        closed = account.closed_through or self._closing.day_before(account)
        day = max(instant_of_micros(at).astimezone(core.terms.zone).date(), closed + timedelta(days=1))
        posted, counters = core.state.posted_nano(account.id), dict(account.counters)
        draft = self._closing.charge(account, meter, day, end, posted, counters, released=True)
        if draft is None or draft[0] not in CHARGES:
            why = draft[2]["text"] if draft else "it has no opening register"
            raise Refusal("R22", f"meter {meter.id} cannot be charged to its last register: {why}")
        return draft[0], f"charge:{meter.id}:{signed['proposal']}", draft[2]


def stood(meter: MeterState) -> list[Any]:
    """What a proposal rests on, and what must still be so when it is approved."""
    return [meter.row["address"], meter.row["model"], meter.multiplier, meter.since]


def _end(mark: Mark, frames: list[Any]) -> Fields:
    """A mark as the end of a charge."""
    at = instant_of_micros(mark.at)
    return {**mark_body(mark), "at": instant_exact(at), "read_at": instant_text(at), "frames": frames}
