"""A book that has an entry of every kind: what the edge writes over a day, and examples of what it seldom does.

The tenant of A206 runs dry, is warned, cut and restored; a price changes in the evening; every act with money is done;
a tenant moves out. A kind that is new in `bridge/contract/entries.py` needs its place here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.contract.entries import INCOME
from bridge.contract.units import instant_exact, instant_of
from edge.pricing import mark_body
from edge.registry import Registry
from tests.edge.building import Building
from tests.edge.pricing import HOURS, propose, request, set_price

RUNS_DRY, SINGLE, BORDERING = "a206", "a102", "a301"
METERS = {RUNS_DRY, SINGLE, BORDERING}
NEIGHBOUR = "202603110207"
"""A meter that hangs on the same line and is not installed."""

DRY, OTHER = "100206", "100102"
MISTAKE = {"reason": "wrong-meter", "papers": "inspection 31"}


def build(directory: Path) -> None:
    """Write the book, and the registry beside it."""
    policy = {"emergency_credit": "20.00", "overdraft": "500.00"}
    building = Building(directory, meters=METERS, poll_s=120, idle_s=20, policy=policy)
    building.connect()
    _cut_and_restored(building)
    _money(building)
    _night(building)
    _meters(building)
    _moves_out(building)
    _seldom(building)
    _first_kind(building)
    core = building.edge.core
    Registry(directory).refresh(core.state)
    core.book.save_notes({"entry_cursor": core.book.seq})
    building.stop_edge()


def agreed(building: Building, operation: str, **fields: Any) -> dict[str, Any]:
    """Proposed by one, approved by another."""
    proposed = request(building, operation, "王敏", "finance", **fields)
    assert proposed["status"] == "done", proposed
    answer = request(building, "approve-money", "李强", "finance", proposal=proposed["data"]["proposal"])
    assert answer["status"] == "done", answer
    return dict(answer["data"])


def _cut_and_restored(building: Building) -> None:
    building.run_until(lambda: building.of("relay/1", meter=RUNS_DRY, observed="open"), hours=4)
    building.request("lend", account=DRY, why="the shop is open")
    building.topup(DRY, 300_00)
    building.run_until(lambda: building.of("cancelled/1") and building.of("rearm/1"), hours=1)
    building.run(minutes=5)
    building.request("off", meter=RUNS_DRY, why="works")
    building.run_until(lambda: building.of("done/1"), hours=1)
    building.request("on", meter=RUNS_DRY, why="done")
    building.run(minutes=5)
    building.request("lock", meter=RUNS_DRY, who="电工老周", role="engineer", why="cable")
    building.run(minutes=5)
    building.request("unlock", meter=RUNS_DRY, in_place_of="电工老周", why="he went home")
    building.run(minutes=5)


def _money(building: Building) -> None:
    paid = building.topup(OTHER, 100_00)
    receipt = building.answers(paid)[-1]["data"]["receipt"]
    building.request("reverse", account=OTHER, receipt=receipt, why="a slip")
    agreed(building, "refund", account=OTHER, amount_fen=10_00, method="cash", reference="slip 12", why="asked for")
    agreed(building, "compensate", account=OTHER, amount_fen=7_00, **MISTAKE)
    agreed(building, "deduct", account=OTHER, amount_fen=3_00, consent="signed 11-20", **MISTAKE)
    agreed(building, "correct", account=OTHER, to_account=DRY, amount_fen=2_00, why="room", papers="photo 3")
    building.request("refund", account=OTHER, amount_fen=10**9, method="cash", reference="x", why="refused")
    rejected = propose(building, {**HOURS, "id": "newprice"})
    request(building, "reject-price", "李强", proposal=rejected["data"]["proposal"], why="no")
    dry, other = (building.edge.core.state.accounts[id].row["tariff"] for id in (DRY, OTHER))
    set_price(building, {**HOURS, "id": dry}, effective_at="2026-11-20T21:00:00+08:00")
    single = {"id": other, "name": "单一制", "kind": "single", "price": "0.9000", "daily_fee": "0.50"}
    set_price(building, single, effective_at="2026-11-20T22:00:00+08:00")


def _night(building: Building) -> None:
    """Off, and there again at the evening's border and over midnight."""
    for wall in ("2026-11-20T20:50:00+08:00", "2026-11-20T23:50:00+08:00"):
        building.stop_edge()
        building.clock.advance((instant_of(wall) - building.clock.now()).total_seconds())
        building.start_edge()
        building.connect()
        building.run(minutes=30)
    assert len(building.of("closing/1")) == len(METERS)
    meter = building.edge.core.state.meters[BORDERING]
    assert meter.billed is not None and meter.account is not None
    wh = meter.billed.registers_wh["total"] - 50
    agreed(building, "correct-reading", account=meter.account, meter=BORDERING, why="misread", papers="photo 7",
           entry=f"charge:{BORDERING}:2026-11-20", total=f"{wh // 1000}.{wh % 1000:03d}")  # fmt: skip


def _meters(building: Building) -> None:
    """A meter is replaced by its neighbour on the line, and another one gets new transformers."""
    changes: list[tuple[str, dict[str, Any]]] = [
        ("replace-meter", {"meter": RUNS_DRY, "address": NEIGHBOUR, "serial": NEIGHBOUR}),
        ("change-multiplier", {"meter": BORDERING, "multiplier": 40}),
    ]
    for operation, fields in changes:
        asked = building.request(operation, who="电工老周", role="engineer", papers="photo 9", why="worn", **fields)
        building.run_until(lambda asked=asked: building.answers(asked)[-1]["status"] != "accepted", hours=1)
        answer = building.answers(asked)[-1]
        assert answer["status"] == "done", answer
        agreed = request(building, "approve-meter", "王敏", proposal=answer["data"]["proposal"])
        assert agreed["status"] == "done", agreed
    building.run(minutes=5)


def _moves_out(building: Building) -> None:
    core = building.edge.core
    account = core.state.accounts[OTHER]
    owed = core.state.posted_nano(OTHER) // 10**7 + 50_00
    agreed(building, "deduct", account=OTHER, amount_fen=max(owed, 1), consent="signed", **MISTAKE)
    agreed(building, "defer", account=OTHER, amount_fen=10_00, share_percent=50, papers="agreement 7")
    building.topup(OTHER, 200_00)
    building.run(minutes=5)
    assert account.purse.agreement is not None
    agreed(building, "settle", account=OTHER, method="cash", reference="slip 13", why="moves out", papers="keys back")


def _first_kind(building: Building) -> None:
    """The next tenant of the room moves in, and pays as an older Riser charged: a `tariff/1` and a `charge/1`."""
    core = building.edge.core
    since = instant_exact(building.clock.now())
    price = {"tariff": "old", "name": "Old", "version": 1, "effective_at": since, "price_kind": "single",
             "prices_micro": {"total": 850_000}, "windows": [], "by": "site file"}  # fmt: skip
    core.append(("tariff/1", "tariff:old:1", price))
    tenant = {"account": "100102b", "name": "新店", "room": "A102", "tariff": "old", "meters": [SINGLE]}
    proposed = request(building, "move-in", "王敏", "finance", papers="lease 9", **tenant)
    assert proposed["status"] == "done", proposed
    agreed = request(building, "approve-move-in", "李强", "finance", proposal=proposed["data"]["proposal"])
    assert agreed["status"] == "done", agreed
    building.run_until(lambda: core.state.meters[SINGLE].billed is not None, hours=1)
    meter, live = core.state.meters[SINGLE], core.lives[SINGLE]
    opened = meter.billed
    assert opened is not None
    building.run_until(
        lambda: live.sample and live.sample.registers_wh["total"] > opened.registers_wh["total"], hours=9
    )
    sample = live.sample
    assert sample is not None
    wh = (sample.registers_wh["total"] - opened.registers_wh["total"]) * meter.multiplier
    end = {"registers_wh": sample.registers_wh, "at": instant_exact(sample.read_at), "read_at": "", "source": "read",
           "frames": [list(each) for each in sample.frames]}  # fmt: skip
    line = {"rate": "total", "wh": wh, "price_micro": 850_000, "amount_nano": wh * 850_000}
    charge = {
        "account": "100102b", "meter": SINGLE, "start": mark_body(opened), "end": end,
        "multiplier": meter.multiplier, "tariff": "old", "version": 1, "lines": [line], "wh": wh, "days": 1,
        "amount_nano": line["amount_nano"], "balance_after_nano": -line["amount_nano"],
        "moves": [{"from": "account:100102b", "to": INCOME, "amount_nano": line["amount_nano"]}],
    }  # fmt: skip
    core.append(("charge/1", f"charge:{SINGLE}:first", charge))


def _seldom(building: Building) -> None:
    """What a quiet day and a half does not bring about, each as the edge would write it."""
    core, trip = building.edge.core, building.of("trip/1", meter=RUNS_DRY)[0]
    person = {"who": "王敏", "role": "manager", "request": {}}
    for kind, fields in (
        ("quarantine/1", {"meter": SINGLE, "registers_wh": {"total": 5}, "read_at": "", "rule": "R20", "why": "fell",
                          "frames": []}),
        ("release/1", {"meter": SINGLE, "why": "looked at", **person}),
        ("withdrawn/1", {"meter": RUNS_DRY, "evidence_seq": trip.seq, "why": "the port was busy"}),
        ("clock-set/1", {"meter": RUNS_DRY, "port": "line-1", "offset_s": 12, "why": "it was 12 s ahead"}),
        ("cover/1", {"meter": RUNS_DRY, "cover": "cover", "count": 3, "opened_at": None, "closed_at": None,
                     "why": "first look"}),
        ("time-table/1", {"meter": RUNS_DRY, "differs": False, "tariff": "catering", "version": 1, "told": [],
                          "day": "2026-11-21", "frames": []}),
        ("calendar/1", {"since": "2026-11-21", "until": "2026-12-31", "rest_days": [], "work_days": [], "by": "table"}),
        ("alarm/1", {"meter": RUNS_DRY, "alarm": "relay-moved", "text": "it moved"}),
        ("protection/1", {"account": OTHER, "protection": "dispute", "set": True, "why": "x",
                          "until": "2026-11-25T00:00:00+08:00", **person}),
        ("close-way/1", {"account": DRY, "close": "permit", "why": "an oven", **person,
                         "issued_at": "2026-11-21T02:30:00.000+00:00"}),
        ("brake/1", {"set": True, "why": "3 meters", "who": "policy", "role": "system"}),
    ):  # fmt: skip
        core.append((kind, core.own_id(kind.partition("/")[0]), fields))
    for kind, id, fields in _restored(building):
        core.append((kind, id, fields))
    core.append(("mode/1", core.own_id("mode"), {"mode": "normal", "why": ""}))


def _restored(building: Building) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The book goes on from a backup; an archive has a refund that it lost. Each as the one before it stands."""
    state = building.edge.core.state
    epoch, before, seq = "second", state.epoch, state.seq
    fields = {"epoch": epoch, "before": before, "seq": seq, "made_at": "2026-11-21T02:30:00+08:00", "version": "0.1.0"}
    yield "restored/1", f"restored:{epoch}", {**fields, "who": "李强"}
    former = {"epoch": before, "seq": seq + 4, "mark": "ab" * 8, "at": "2026-11-21T03:00:00+00:00", "kind": "refund/1",
              "id": "p-7", "account": DRY, "meter": None, "amount_fen": 500, "by": "王敏"}  # fmt: skip
    yield "missed/1", f"missed:{epoch}:{former['mark']}", {"former": former, "account": DRY, "why": "two people"}
    data = {"through": seq + 9, "brought": 0, "missed": 1}
    told = {"sha256": "", "answer": {"status": "done", "data": data}}
    fields = {"epoch": before, "holes": 0, **data, "who": "archive", "role": "archive"}
    yield "brought-back/1", "bridge:former-all", {**fields, "request": told}
