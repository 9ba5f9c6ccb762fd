"""The quick way to price a charge again is the edge's own, line by line; and charges of the first kind stay checked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.contract.clock import ManualClock
from bridge.contract.entries import INCOME
from bridge.contract.units import instant_exact, instant_of, micros_of
from edge.audit.repricing import Repricing
from edge.audit.verify import verify
from edge.billing.days import Days
from edge.billing.tariff import local_midnight
from edge.book import Book
from edge.pricing import Pricing, line_body
from edge.state import AccountState, Counter, Mark, State
from tests.bench.grown_book import BEGINS, Grown
from tests.edge import forged
from tests.edge.building import Building
from tests.edge.pricing import HOURS, set_price

ZONE = ZoneInfo("Asia/Shanghai")
FULL = 100_000
RATES = ("peak", "valley")


def tariff(version: int, day: int, steps: list[tuple[int, int]] | None, hours: bool, extra: int) -> dict[str, Any]:
    at = local_midnight(date(2026, 1, 1) + timedelta(days=day), ZONE) + timedelta(hours=day % 24)
    prices = (
        {rate: 500_000 + 7 * version + n for n, rate in enumerate(RATES)} if hours else {"total": 700_001 + version}
    )
    return {
        "tariff": "t", "name": "T", "version": version, "effective_at": instant_exact(at),
        "price_kind": "tou" if hours else "single", "prices_micro": prices,
        "windows": [{"from": 0, "to": 480, "rate": "valley"}, {"from": 480, "to": 1440, "rate": "peak"}],
        "steps": None if steps is None else {
            "period": "month", "month": 1, "day": 3, "moving_in": "pro-rated",
            "steps": [{"above_wh": wh, "add_micro": micro} for wh, micro in steps]},
        "surcharges": [{"name": "x", "micro": extra, "category": None}, {"name": "y", "micro": 5, "category": "farm"}],
    }  # fmt: skip


VERSIONS = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.none() | st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 9)), min_size=1, max_size=3).map(sorted),
        st.integers(-5, 5),
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    VERSIONS, st.booleans(), st.booleans(), st.sampled_from([None, "farm"]), st.sampled_from(["freeze", "estimate"]),
    st.lists(st.tuples(st.integers(0, 55), st.integers(1, 4), st.integers(-300, 3000)), min_size=1, max_size=6),
)  # fmt: skip
def test_the_quick_way_is_the_edges_own(
    versions: list[tuple[int, Any, int]], hours: bool, borders: bool, category: str | None, source: str,
    spans: list[tuple[int, int, int]],
) -> None:  # fmt: skip
    """Random versions, steps, surcharges, spans, roll-overs and estimates taken back: the same lines and counter."""
    state = State(days=Days())
    state.tariffs["t"] = [tariff(n, day, steps, hours, extra) for n, (day, steps, extra) in enumerate(versions, 1)]
    row = {"tariff": "t", "meters": ["m"], "since": "2026-01-09T00:00:00+00:00", "category": category}
    account = AccountState("a", row)
    quick, own = Repricing(state, ZONE), Pricing(state, ZONE)
    for first, count, used in spans:
        start = {"total": 97_000, "peak": 99_000, "valley": 95_000}
        begins, ends = (local_midnight(date(2026, 1, 1) + timedelta(days=n), ZONE) for n in (first, first + count))
        end = {name: (wh + used) % FULL for name, wh in start.items()}
        if used < 0:
            source = "estimate"
        marks = [Mark(start, micros_of(begins), source), Mark(end, micros_of(ends), "freeze")]
        account.counters["kWh"] = Counter(date(2026, 1, 3), 1000 + first)
        priced = own.charge(account, marks, 3, FULL, unit="kWh", borders=borders, counters=account.counters)
        for _ in range(2):  # Once worked out, once remembered.
            lines, counter, used_marks = quick.charge(account, marks, 3, FULL, "kWh", borders)
            assert lines == [line_body(line) for line in priced.lines]
            assert counter == priced.counter and used_marks == priced.marks


def old_book(directory: Path) -> None:
    """A book of the first kind: a single price, charges without counters, closings without fees. Openings come after
    accounts in it, as in every book: tenants came with an empty book only, and meters were opened then."""
    grown = Grown(directory, 1)  # It brings the meter; its tenant is another, under an old price.
    book, start = grown.book, grown.clock.now()
    grown.grow(0)
    old = {"tariff": "old", "name": "Old", "version": 1, "effective_at": instant_exact(start), "price_kind": "single",
           "prices_micro": {"total": 850_000}, "windows": [], "by": "site file"}  # fmt: skip
    account = {"account": "old", "name": "O", "room": "1", "phone": "", "tariff": "old", "meters": ["m000"],
               "since": instant_exact(start), "by": "site file"}  # fmt: skip
    book.append(("tariff/1", "tariff:old:1", old), ("account/1", "account:old", account), grown._opened("m000", start))
    meter = grown.state.meters["m000"]
    begins, midnight = meter.billed, local_midnight(BEGINS + timedelta(days=1), ZONE)
    assert begins is not None
    grown.registers["m000"]["total"] += 12_340
    end = {"registers_wh": dict(grown.registers["m000"]), "at": instant_exact(midnight), "read_at": "",
           "source": "freeze", "frames": grown._frames("m000", "freeze-energy", midnight)}  # fmt: skip
    wh = 12_340 * meter.multiplier
    charge = {
        "account": "old", "meter": "m000",
        "start": {"registers_wh": begins.registers_wh, "at": instant_exact(start), "source": "opening"}, "end": end,
        "multiplier": meter.multiplier, "tariff": "old", "tariff_name": "Old", "version": 1,
        "lines": [{"rate": "total", "wh": wh, "price_micro": 850_000, "amount_nano": wh * 850_000}], "wh": wh,
        "amount_nano": wh * 850_000, "days": 1, "date": BEGINS.isoformat(),
        "moves": [{"from": "account:old", "to": INCOME, "amount_nano": wh * 850_000}],
        "balance_after_nano": -wh * 850_000,
    }  # fmt: skip
    closing = {"account": "old", "date": BEGINS.isoformat(), "charges": [f"charge:m000:{BEGINS}"], "deferred": [],
               "opening_nano": 0, "closing_nano": -wh * 850_000}  # fmt: skip
    book.append(("charge/1", f"charge:m000:{BEGINS}", charge), ("closing/1", f"close:old:{BEGINS}", closing))
    book.close()


def test_charges_of_the_first_kind_stay_checked(tmp_path: Path) -> None:
    """A book begun by an older Riser is derived again as well, and a lie in it is named."""
    old_book(tmp_path)
    report = verify(tmp_path)
    assert report.good and report.checked["charges priced again"] == 1, report.lie
    seq = next(row[0] for row in forged.rows(tmp_path) if row[6] == "charge/1")

    def cheaper(fields: dict[str, Any]) -> None:
        fields["lines"][0]["price_micro"] -= 1

    forged.rechained(tmp_path, seq, cheaper)
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.seq == seq and "price_micro" in report.lie.wrong


def test_nobody_is_charged_for_the_neighbours_meter(tmp_path: Path) -> None:
    """A charge whose account is another one's than its meter's is named by just that."""
    grown = Grown(tmp_path, 2)
    grown.grow(2)
    grown.book.close()

    def to_the_neighbour(fields: dict[str, Any]) -> None:
        fields["account"] = "tm001"

    seq = next(row[0] for row in forged.rows(tmp_path) if row[1].startswith("charge:m000:"))
    forged.rechained(tmp_path, seq, to_the_neighbour)
    lie = verify(tmp_path).lie
    assert lie is not None and (lie.seq, lie.wrong) == (seq, "meter m000 does not belong to account tm001")


def test_a_reading_set_aside_is_not_charged_before_its_release(tmp_path: Path) -> None:
    """A charge while the meter's reading is in quarantine lies, however right its sums are (I15)."""
    grown = Grown(tmp_path, 1)
    grown.grow(1)
    body = {"meter": "m000", "registers_wh": {"total": 5}, "read_at": "", "rule": "R20", "why": "fell", "frames": []}
    grown._append(("quarantine/1", f"quarantine:m000:{grown.book.seq + 1}", body))
    grown.grow(1)
    report = verify(tmp_path)
    assert report.lie is not None and "I15" in report.lie.wrong and report.lie.id == "charge:m000:2016-01-02"
    grown.book.close()


def test_monotonic_time_never_falls_within_a_boot(tmp_path: Path) -> None:
    """Entries whose own clock runs backwards within one boot were not written by one run of the edge (I16)."""
    clock = ManualClock(local_midnight(BEGINS, ZONE))
    book = Book(tmp_path, clock, "boot-1")
    clock.advance(10)
    book.append(("genesis/1", "genesis", {"gateway": "g", "zone": str(ZONE)}))
    book._clock = ManualClock(local_midnight(BEGINS, ZONE))
    book.append(("start/1", "start:2", {"version": "1", "boot": "boot-1"}))
    book.close()
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.seq == 2 and "I16" in report.lie.wrong


def agreed(grown: Grown, words: dict[str, Any], approver: str) -> dict[str, Any]:
    """A compensation that was proposed and approved, as the entry that carries it out."""
    id, maker = f"p-{grown.book.seq + 1}", {"who": "王敏", "role": "finance", "request": {}}
    until = instant_exact(grown.clock.now() + timedelta(hours=12))
    proposal = {"proposal": id, "what": "compensate", "body": words, "until": until, **maker}
    decision = {"proposal": id, "approved": True, "why": "", "who": approver, "role": "finance", "request": {}}
    grown._append(("proposal/1", f"panel:{id}", proposal), ("decision/1", f"panel:{id}-yes", decision))
    nano = words["amount_fen"] * 10**7
    return {**words, "who": "王敏", "role": "finance", "approved_by": approver, "proposal": id,
            "moves": [{"from": "expense:compensation", "to": "account:tm000", "amount_nano": nano}],
            "balance_after_nano": grown.state.posted_nano("tm000") + nano}  # fmt: skip


def test_what_was_made_and_approved_by_one_person_lies(tmp_path: Path) -> None:
    """A high-value act has an approver other than the one who asked for it, whatever else is right about it: neither
    the decision nor the act may name one person twice (I18)."""
    grown, words = Grown(tmp_path, 1), {"account": "tm000", "amount_fen": 100, "why": "doubled"}
    grown.grow(1)
    grown._append(("compensation/1", "panel:comp-1", agreed(grown, words, "李强")))
    assert verify(tmp_path).good
    grown._append(("compensation/1", "panel:comp-2", {**agreed(grown, words, "李强"), "approved_by": "王敏"}))
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.id == "panel:comp-2" and "I18" in report.lie.wrong
    grown.book.close()


def test_a_decision_by_the_maker_lies(tmp_path: Path) -> None:
    """The same person under another spelling decides: the decision is named, before any money moves (I18)."""
    grown = Grown(tmp_path, 1)
    grown.grow(1)
    agreed(grown, {"account": "tm000", "amount_fen": 100, "why": "doubled"}, "王 敏")
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.seq == grown.book.seq and "I18" in report.lie.wrong
    grown.book.close()


def test_a_price_by_hours_that_begins_within_a_span_divides_all_of_it(tmp_path: Path) -> None:
    """A meter without registers per rate pays a single price in the morning and one by hours from the afternoon on: its
    hours are told apart by readings at their borders although the price at the start had none. `verify` says so too."""
    building = Building(
        tmp_path, start=datetime(2026, 11, 11, 15, 20, tzinfo=UTC), meters={"a301"}, poll_s=300, idle_s=10
    )
    building.connect()
    building.run_until(lambda: building.of("opening/1"), hours=1)
    (account,) = building.edge.core.state.accounts.values()
    building.run_until(lambda: building.of("closing/1"), hours=1)
    set_price(building, {**HOURS, "id": account.row["tariff"]}, effective_at="2026-11-12T14:30:00+08:00")
    for wall in ("2026-11-12T14:20:00+08:00", "2026-11-12T23:50:00+08:00"):  # Off in between, there at both borders.
        building.stop_edge()
        building.clock.advance((instant_of(wall) - building.clock.now()).total_seconds())
        building.start_edge()
        building.run(minutes=20)
    first, second = (entry.fields for entry in building.of("charge/2"))
    assert (first["by"], second["by"]) == ("registers", "borders")
    assert [line["rate"] for line in second["lines"]] == ["total", "peak", "valley"]
    report = verify(tmp_path)
    assert report.good, report.lie
    assert report.checked["charges priced again"] == 2
