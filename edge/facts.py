"""Renders what the edge publishes: each retained fact from the state and the newest observations, nothing kept here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bridge.contract import messages as m
from bridge.contract.site_prices import is_household
from bridge.contract.units import instant_of, instant_text, micros_of, text_of
from edge import common_time
from edge.account_facts import account_fact
from edge.accounts import Accounts
from edge.availability import availability_of
from edge.billing.spans import GUESSED
from edge.billing.tariff import local_midnight
from edge.core import Core
from edge.cuttable import closing
from edge.modes import Modes
from edge.policy_facts import policy_fact
from edge.polling import Polling
from edge.port_facts import port_fact
from edge.relays import Relays
from edge.restored_facts import restored_fact
from edge.state import AccountState, MeterState
from edge.statistics import Statistics
from edge.switch_facts import kind_of_switch, switch_fact
from edge.tariff_facts import proposals_fact, tariff_fact

VERSION = "0.1.0"


class Facts:
    """Turns state and observations into messages."""

    def __init__(
        self,
        core: Core,
        accounts: Accounts,
        relays: Relays,
        polls: dict[str, Polling],
        modes: Modes,
        started_at: str,
        statistics: Statistics,
    ):
        self._core, self._accounts, self._relays, self._polls = core, accounts, relays, polls
        self._modes, self._started_at, self._statistics = modes, started_at, statistics

    # --- gateway ---

    def info(self) -> m.Info:
        core, now = self._core, self._core.now()
        state, window = core.state, core.terms.window
        mode: Any = core.mode
        next_change = window.changes(now)
        return m.Info(
            gateway=state.genesis["gateway"],
            name=state.genesis["name"],
            version=VERSION,
            at=instant_text(now),
            started_at=self._started_at,
            zone=state.genesis["zone"],
            clock_trusted=self._modes.trusted,
            clock_why=self._modes.trust_why,
            clock_doubt=common_time.sentence(core.clock_moved_s) if core.clock_moved_s else None,
            mode=mode,
            mode_why=core.mode_why,
            brake=state.brake,
            seq=core.book.seq,
            hash=core.book.hash,
            epoch=state.epoch or "",
            restored=restored_fact(state),
            sweep=core.book.sweep_number - core.book.unsaved_sweeps,
            meters_installed=len(state.meters),
            meters_read=sum(poll.read_last_round for poll in self._polls.values()),
            cut_window_open=window.is_open(now),
            cut_window_next=None if next_change is None else instant_text(next_change),
            ports=[self._port(poll) for poll in self._polls.values()],
        )

    def _port(self, poll: Polling) -> m.PortFacts:
        port = self._core.ports[poll.port]
        state: Any = port.state
        return m.PortFacts(
            id=poll.port,
            device=port.line.device.name,
            protocol=port.line.protocol,
            baud=port.line.baud,
            state=state,
            why=port.why,
            closed_since=instant_text(poll.closed[1]) if poll.closed and state == "closed" else None,
            meters=len(poll.meters()),
            read=poll.read_last_round,
            round_s=None if poll.round_s is None else round(poll.round_s, 2),
            round_at=None if poll.round_at is None else instant_text(poll.round_at),
            asked=poll.asked,
            failed=poll.failed,
        )

    def port(self, id: str) -> m.PortStatistics:
        return port_fact(self._core, self._statistics, id, self._polls[id].closed)

    # --- meters ---

    def meters(self) -> m.Meters:
        rows = []
        for meter in self._core.state.meters.values():
            model = self._core.lives[meter.id].model
            keys = ("name", "model", "model_name", "protocol", "port", "address", "room", "floor", "shaft", "phases")
            rows.append(
                m.MeterRow(
                    id=meter.id,
                    serial=meter.serial,
                    multiplier=meter.multiplier,
                    relay=closing(self._core, meter),
                    button=model.relay is not None and model.relay.has_button,
                    switch=kind_of_switch(self._core, meter),
                    account=meter.account,
                    circuit=meter.row.get("circuit"),
                    quantities=model.quantities(),
                    **{key: meter.row[key] for key in keys},
                )
            )
        return m.Meters(meters=rows)

    def meter(self, meter: MeterState) -> m.MeterFacts:
        live, sample, billed = self._core.lives[meter.id], self._core.lives[meter.id].sample, meter.billed
        quality: Any = live.quality
        fields: dict[str, Any] = {}
        if sample is not None:
            if live.model.quantity == "volume":
                fields["volume_l"] = sample.registers_wh["total"]
            else:
                for rate, wh in sample.registers_wh.items():
                    fields["energy_wh" if rate == "total" else f"energy_{rate}_wh"] = wh
            fields["read_at"] = instant_text(sample.read_at)
        for key, names in (("power_read_at", ("power",)), ("electrical_read_at", ("voltage", "amps", "factor"))):
            times = [live.read_at[name] for name in names if name in live.read_at]
            if times:
                fields[key] = instant_text(min(times))
        if live.clock_offset_s is not None:
            fields |= {"clock_offset_s": live.clock_offset_s, "clock_read_at": instant_text(live.read_at["clock"])}
        if billed is not None and billed.source not in ("opening", *GUESSED) and live.model.quantity == "energy":
            fields |= {"freeze_at": text_of(billed.at), "freeze_energy_wh": billed.registers_wh["total"]}
        if live.word_3 is not None:
            fields["status_word_3"] = f"{live.word_3:04X}"
        if live.seen is not None and live.model.relay_is_valve:
            fields["valve"] = live.valve_stands
        for question, cover in meter.covers.items():
            key = question.replace("-", "_")
            fields |= {f"{key}_openings": cover.count, f"{key}_open": cover.is_open}
        if meter.account is None and billed is not None and sample is not None:
            used = (sample.registers_wh["total"] - billed.registers_wh["total"]) % live.model.full_scale_wh
            fields |= {"unbilled_wh": used * meter.multiplier, "unbilled_since": text_of(billed.at)}
        if meter.table_found is not None:
            fields["time_table"] = "differs" if meter.table_found else "same"
        return m.MeterFacts(
            quality=quality,
            quality_why=live.quality_why,
            energy_today_wh=self._today_wh(meter),
            **fields,
            **live.values,
        )

    def _today_wh(self, meter: MeterState) -> int | None:
        """Used since the last local midnight, where the billed register is of that midnight or later."""
        core, sample = self._core, self._core.lives[meter.id].sample
        if sample is None or meter.billed is None or core.lives[meter.id].model.quantity == "volume":
            return None
        midnight = local_midnight(core.now().astimezone(core.terms.zone).date(), core.terms.zone)
        used = sample.registers_wh["total"] - meter.billed.registers_wh["total"]
        if meter.since > micros_of(midnight):
            return None  # Part of it was counted by another meter, or with another multiplier.
        return used if meter.billed.at >= micros_of(midnight - timedelta(minutes=1)) and used >= 0 else None

    def availability(self, meter: MeterState) -> m.Availability | None:
        return availability_of(self._core.lives[meter.id], self._core.ports[meter.row["port"]].state == "closed")

    def relay(self, meter: MeterState) -> m.Relay | m.Valve | None:
        """Of its relay, or of the valve that it has instead; None where it has neither."""
        return switch_fact(self._core, self._relays, meter)

    # --- accounts and prices ---

    def accounts(self) -> m.Accounts:
        rows = []
        for account in self._core.state.accounts.values():
            keys = ("name", "room", "phone", "tariff")
            since = instant_text(instant_of(account.row["since"]))
            rows.append(
                m.AccountRow(
                    id=account.id,
                    meters=account.meters,
                    since=since,
                    water_tariff=account.row.get("water_tariff"),
                    category=account.row.get("category"),
                    household=is_household(account.row),
                    **{key: account.row[key] for key in keys},
                )
            )
        return m.Accounts(accounts=rows)

    def account(self, account: AccountState) -> m.Account:
        return account_fact(self._core, self._accounts, account)

    def tariff(self, id: str) -> m.Tariff:
        return tariff_fact(self._core, id)

    def policy(self) -> m.Policy:
        return policy_fact(self._core)

    def proposals(self) -> m.Proposals:
        return proposals_fact(self._core)
