"""apply(state, entry) -> state: the one meaning of each kind of entry. No clock, no wire, no decision.

Replaying the journal from empty gives the same state, always (I25). An unknown kind is noted and otherwise
left alone: the gateway then keeps off automatic trips (mode `version`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from bridge.contract.entries import KINDS, TENANT
from edge import fold_meters, fold_money, fold_proposals, fold_relays, fold_restored, fold_warned
from edge.billing.days import Days
from edge.charged import charged, mark_of, moved_in, opened, put_right
from edge.entry import Entry
from edge.pricing import counter_of
from edge.state import AILMENTS, AccountState, Cover, MeterState, State

Fields = dict[str, Any]


def apply(state: State, entry: Entry, *, hashed: bool = False) -> State:
    """Fold one entry into the state; `hashed` says that its hash was made just now. Raises ValueError when the entry
    is not the next one (I16)."""
    if entry.seq != state.seq + 1 or entry.prev_hash != state.hash:
        raise ValueError(f"entry {entry.seq} does not follow entry {state.seq}")
    if not hashed and entry.hash != entry.computed_hash:
        raise ValueError(f"entry {entry.seq} is not what was written: its hash does not fit (I17)")
    fields = entry.fields
    for move in (moves := fields.get("moves", ())):
        _move(state, entry, move)
    _paid(state, entry, moves)
    if entry.kind in _APPLY:
        _APPLY[entry.kind](state, entry, fields)
    elif entry.kind not in KINDS:
        state.unknown_kinds.add(entry.kind)
    if "former" in fields:
        fold_restored.came_back(state, entry)
    state.seq, state.hash = entry.seq, entry.hash
    if entry.trusted:
        state.believed_since = state.believed_since or entry.at
        state.newest_at = max(state.newest_at, entry.at)
    return state


def _move(state: State, entry: Entry, move: Fields) -> None:
    amount = move["amount_nano"]
    if amount <= 0:
        raise ValueError(f"entry {entry.seq} moves {amount}: an entry moves positive amounts (R10)")
    state.ledger[move["from"]] = state.ledger.get(move["from"], 0) - amount
    state.ledger[move["to"]] = state.ledger.get(move["to"], 0) + amount
    for side in (move["from"], move["to"]):
        if side.startswith(TENANT):
            state.accounts[side.removeprefix(TENANT)].last_money_seq = entry.seq


def _paid(state: State, entry: Entry, moves: Sequence[Fields]) -> None:
    """Which tenants it brought money, beyond what it paid off at once."""
    for wallet in {move["to"] for move in moves if move["to"].startswith(TENANT)}:
        came = sum(move["amount_nano"] for move in moves if move["to"] == wallet)
        if came > sum(move["amount_nano"] for move in moves if move["from"] == wallet):
            state.accounts[wallet.removeprefix(TENANT)].paid_seq = entry.seq


def _genesis(state: State, entry: Entry, fields: Fields) -> None:
    state.genesis = fields


def _tariff(state: State, entry: Entry, fields: Fields) -> None:
    state.tariffs.setdefault(fields["tariff"], []).append(fields)
    state.installed_seq = entry.seq


def _meter(state: State, entry: Entry, fields: Fields) -> None:
    state.meters[fields["meter"]] = MeterState(fields["meter"], fields, serial=fields["serial"])
    state.installed_seq = entry.seq


def _account(state: State, entry: Entry, fields: Fields) -> None:
    state.accounts[fields["account"]] = AccountState(fields["account"], fields, since_believed=entry.trusted)
    for meter in fields["meters"]:
        moved_in(state.meters[meter], fields["account"])
    state.installed_seq = entry.seq


def _close_way(state: State, entry: Entry, fields: Fields) -> None:
    account = state.accounts[fields["account"]]
    account.row = account.row | {"close": fields["close"]}
    account.way = fold_relays.ordered(entry, fields)
    state.installed_seq = entry.seq


def _opening(state: State, entry: Entry, fields: Fields) -> None:
    opened(state.meters[fields["meter"]], fields)


def _charge(state: State, entry: Entry, fields: Fields) -> None:
    charged(state.meters[fields["meter"]], fields)
    state.accounts[fields["account"]].open_charges.append(entry.id)
    if (counter := fields.get("counter")) is not None:
        state.accounts[fields["account"]].counters[fields["unit"]] = counter_of(counter)


def _reading_correction(state: State, entry: Entry, fields: Fields) -> None:
    put_right(state.meters[fields["meter"]], fields)
    state.accounts[fields["account"]].counters[fields["unit"]] = counter_of(fields["counter"])


def _border(state: State, entry: Entry, fields: Fields) -> None:
    state.meters[fields["meter"]].borders.append(mark_of(fields))


def _time_table(state: State, entry: Entry, fields: Fields) -> None:
    state.meters[fields["meter"]].table_found = fields["differs"]


def _calendar(state: State, entry: Entry, fields: Fields) -> None:
    """Days from `since` to `until` are as this entry has them; others stay as they were."""
    since, until = date.fromisoformat(fields["since"]), date.fromisoformat(fields["until"])

    def merged(known: frozenset[date], told: list[str]) -> frozenset[date]:
        return frozenset(day for day in known if not since <= day <= until) | {date.fromisoformat(d) for d in told}

    state.days = Days(merged(state.days.rest, fields["rest_days"]), merged(state.days.work, fields["work_days"]))


def _closing(state: State, entry: Entry, fields: Fields) -> None:
    account = state.accounts[fields["account"]]
    account.closed_through = date.fromisoformat(fields["date"])
    account.closing_nano = fields["closing_nano"]
    account.open_charges = []


def _quarantine(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    meter.quarantined, meter.quarantined_wh = fields["why"], fields["registers_wh"]["total"]


def _release(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters[fields["meter"]]
    meter.quarantined = meter.quarantined_wh = None
    if fields.get("who") != "policy":
        meter.released_at = entry.at


def _cover(state: State, entry: Entry, fields: Fields) -> None:
    still_open = fields["opened_at"] is not None and fields["closed_at"] is None
    state.meters[fields["meter"]].covers[fields["cover"]] = Cover(fields["count"], still_open)


def _alarm(state: State, entry: Entry, fields: Fields) -> None:
    meter = state.meters.get(fields.get("meter", ""))
    if meter is None:
        return
    if fields["alarm"] == fold_relays.PAID_AND_DARK:
        fold_relays.told_dark(state, entry, meter)
    if fields["alarm"] in AILMENTS:
        meter.ailing.add(fields["alarm"])
    meter.ailing -= {ailment for ailment, cure in AILMENTS.items() if cure == fields["alarm"]}


def _clock_set(state: State, entry: Entry, fields: Fields) -> None:
    state.meters[fields["meter"]].clock_set_at = entry.at


def _brake(state: State, entry: Entry, fields: Fields) -> None:
    if fields["set"]:
        state.brake = fields["why"]
    else:
        state.brake = None
        state.cuts.clear()  # Somebody has looked: from here on it is counted anew.


def _mode(state: State, entry: Entry, fields: Fields) -> None:
    if fields["mode"] == "recovery":
        state.recovering = fields["why"]
    elif fields["mode"] == "normal":
        state.recovering = None


_APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {
    "genesis/1": _genesis,
    "tariff/1": _tariff,
    "tariff/2": _tariff,
    "meter/1": _meter,
    "account/1": _account,
    "close-way/1": _close_way,
    "opening/1": _opening,
    "charge/1": _charge,
    "charge/2": _charge,
    "reading-correction/1": _reading_correction,
    "border/1": _border,
    "time-table/1": _time_table,
    "calendar/1": _calendar,
    "closing/1": _closing,
    "quarantine/1": _quarantine,
    "release/1": _release,
    "cover/1": _cover,
    "alarm/1": _alarm,
    "clock-set/1": _clock_set,
    "brake/1": _brake,
    "mode/1": _mode,
    **fold_meters.APPLY,
    **fold_money.APPLY,
    **fold_proposals.APPLY,
    **fold_relays.APPLY,
    **fold_restored.APPLY,
    **fold_warned.APPLY,
}
