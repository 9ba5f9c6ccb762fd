"""From messages to rows: what the archive's columns say about an entry or a sweep. Pure, and lenient about bodies.

An entry whose body is not understood is kept all the same: the archive is a copy, it judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from bridge.contract.entries import TENANT
from bridge.contract.messages import Entry, Info, Reading
from bridge.contract.switching import VALVE_IS
from bridge.contract.units import instant_of, micros_of


def body_of(text: str) -> dict[str, Any]:
    """The body of an entry; empty where it is not a JSON object."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


RESTORED = "restored/1"


class Restore(NamedTuple):
    """A book goes on from a backup: the epoch before, that epoch's newest entry in it, the epoch that goes on, and the
    one in which the book began."""

    before: str
    seq: int
    hash: str
    epoch: str
    first: str


def restores(info: Info | None, rows: list[dict[str, Any]]) -> Iterator[Restore]:
    """What `info` and new rows tell of restores. Of a book that was restored twice only the newest is told."""
    newest = -1
    if info is not None and (told := info.restored) is not None:
        newest = told.seq
        yield Restore(told.before, told.seq, told.hash, info.epoch, told.first)
    for row in rows:
        body = body_of(row["body"])
        before, epoch = body.get("before"), body.get("epoch")
        if row["kind"] == RESTORED and row["seq"] - 1 > newest and isinstance(before, str) and isinstance(epoch, str):
            yield Restore(before, row["seq"] - 1, row["prev_hash"], epoch, before)


def net_nano(body: dict[str, Any], account: str) -> int | None:
    """What the entry adds to the posted balance of `account`, in nano-yuan; None where it moves no money of theirs."""
    wallet, net, touched = TENANT + account, 0, False
    moves = body.get("moves")
    for move in moves if isinstance(moves, list) else ():
        if not isinstance(move, dict) or type(move.get("amount_nano")) is not int:
            continue
        for end, sign in (("to", 1), ("from", -1)):
            if move.get(end) == wallet:
                net, touched = net + sign * move["amount_nano"], True
    return net if touched else None


def entry_row(gateway: str, entry: Entry) -> dict[str, Any]:
    """The row of an entry. Raises ValueError when `at` is no instant."""
    body = body_of(entry.body)
    account, meter = (body[key] if isinstance(body.get(key), str) else None for key in ("account", "meter"))
    return {
        "gateway": gateway,
        "seq": entry.seq,
        "id": entry.id,
        "at_us": micros_of(instant_of(entry.at)),
        "kind": entry.kind,
        "account": account,
        "meter": meter,
        "amount_nano": None if account is None else net_nano(body, account),
        "body": entry.body,
        "boot": entry.boot,
        "mono_ns": entry.mono_ns,
        "trusted": int(entry.trusted),
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }


def reading_rows(gateway: str, sweep: Reading) -> list[dict[str, Any]]:
    """One row per meter of the sweep: of `reading`, or of `water` where it has litres. The column `relay` tells of
    supply in a relay's words, also of a valve. ValueError when an instant is none."""
    return [
        {
            "gateway": gateway,
            "number": sweep.number,
            "meter": row.meter,
            "read_at_us": micros_of(instant_of(row.read_at)),
            "relay": row.relay or VALVE_IS.get(row.valve or ""),
            **(
                {"volume_l": row.volume_l}
                if row.volume_l is not None
                else {"energy_wh": row.energy_wh, "power_w": row.power_w}
            ),
        }
        for row in sweep.readings
        if row.energy_wh is not None or row.volume_l is not None
    ]
