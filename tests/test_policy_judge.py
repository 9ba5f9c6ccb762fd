"""The judge of `riser bench policy` is not blind: each thing that must never be is seen, what is right is let be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from edge.codec import dlt645, dlt645_orders
from edge.codec.dlt645_orders import Password
from tests.bench.policy_judge import Judge
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import Plan, Room, RoomMeter
from tests.bench.policy_truth import opened

TEN = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # A Friday, ten o'clock in Shanghai.
NUMBER = "000000000011"


class Case:
    """One tenant of 6 kW whose 8.50 yuan last for 100 minutes, warned in time and cut when they were used up."""

    def __init__(self) -> None:
        meter = RoomMeter("m011", 0, NUMBER, "constant", 6000, 1)
        plan = Plan(1, "Asia/Shanghai", TEN, 1, (Room("a001", "single", 850, (meter,)),), {})
        self.kernel_since: float | None = None
        self.judge = Judge(plan, lambda: self.kernel_since)
        self.seen = self.judge.by_id["m011"]
        relay = SimpleNamespace(alarm=True, keep_power=False, open=False, order=None, stuck=False)
        self.device = self.seen.device = SimpleNamespace(serial=NUMBER, relay=relay)
        self.mono, self.word = 0.0, 0x0080
        self.read("0001ff00")

    @property
    def now(self) -> datetime:
        return TEN + timedelta(seconds=self.mono)

    def read(self, item: str) -> None:
        di = bytes.fromhex(item)[::-1]
        asked, told = dlt645.Frame(NUMBER, 0x11, di), dlt645.Frame(NUMBER, 0x91, di + self.word.to_bytes(2, "little"))
        self.judge.asks(dlt645.encode(asked), self.now, self.mono)
        self.judge.answers(dlt645.encode(asked), b"\x4d\x68" + dlt645.encode(told), self.now, self.mono)

    def order(self, command: str) -> None:
        frame = dlt645_orders.control(command, NUMBER, {NUMBER}, Password(), None)
        self.judge.asks(frame, self.now, self.mono)
        self.judge.answers(frame, dlt645.encode(dlt645.Frame(NUMBER, 0x9C, b"")), self.now, self.mono)

    def warn(self, minute: float = 69) -> None:
        self.mono = minute * 60
        self.order("alarm")
        self.read("04000503")

    def cut(self, minute: float = 101) -> None:
        self.mono = minute * 60
        for item in ("04000402", "0001ff00", "0001ff00", "04000503"):
            self.read(item)
        self.order("trip")

    @property
    def rules(self) -> set[str]:
        return {each.rule for each in self.judge.violations}


def test_a_rightful_cut_is_none_of_its_business() -> None:
    """Used up, warned 32 minutes before, at 11:41 on a Friday, freshly read: nothing is said, nor of the light."""
    case = Case()
    case.warn()
    case.cut()
    assert case.judge.violations == [] and case.judge.trips == 1 and case.judge.smallest_gap_s == 32 * 60
    case.judge.payment("a001", 2000, case.now)
    case.order("direct")
    assert case.judge.violations == [] and case.judge.closes == 1


def paid(case: Case) -> None:
    case.judge.payment("a001", 500, case.now)


def paid_and_dry_again(case: Case) -> None:
    case.judge.payment("a001", 500, case.now)
    case.mono += 3600.0


def taken_back(case: Case) -> None:
    case.order("alarm-off")


def off(case: Case) -> None:
    case.judge.off_s += 180


def kept(case: Case) -> None:
    case.device.relay.keep_power, case.word = True, 0x1080


def swapped(case: Case) -> None:
    case.device.serial = "000000000012"


def unsure(case: Case) -> None:
    case.kernel_since = case.mono


def sunday(case: Case) -> None:
    case.mono += 2 * 86_400


WRONGS: list[tuple[str, Callable[[Case], None]]] = [
    ("R1", paid), ("R1", taken_back), ("R1", off), ("R2", sunday), ("R3", kept), ("R3", swapped), ("R3", unsure),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "wrong"), WRONGS, ids=lambda each: getattr(each, "__name__", each))
def test_each_wrong_cut_is_seen(rule: str, wrong: Callable[[Case], None]) -> None:
    """The same cut with one thing wrong: said, by the rule that it breaks."""
    case = Case()
    case.warn()
    wrong(case)
    case.cut(101 + case.mono / 60 - 69)
    assert case.rules == {rule}


def test_a_warning_of_before_a_payment_is_none() -> None:
    """Warned, paid five yuan, used up again: the old lamp does not count."""
    case = Case()
    case.warn()
    paid_and_dry_again(case)
    case.cut(69 + 110)
    assert case.rules == {"R1"} and "no lamp" in case.judge.violations[0].why


@pytest.mark.parametrize("minutes", [29.9, 30.0])
def test_the_lead_is_told_to_the_second(minutes: float) -> None:
    """Six seconds short of half an hour are too few, half an hour is enough."""
    case = Case()
    case.warn(101 - minutes)
    case.cut()
    assert case.rules == ({"R1"} if minutes < 30 else set())


def test_a_cut_without_fresh_reads_is_seen() -> None:
    """The number and the registers were read two minutes before the trip."""
    case = Case()
    case.warn()
    case.mono = 101 * 60
    case.order("trip")
    assert case.rules == {"R3"} and len(case.judge.violations) == 2


def test_a_close_without_a_cause_or_under_a_hold_is_seen() -> None:
    """Nobody paid; or somebody works there."""
    case = Case()
    case.warn()
    case.cut()
    case.order("direct")
    assert case.rules == {"R5"}
    case.judge.violations.clear()
    case.judge.payment("a001", 2000, case.now)
    case.seen.held = True
    case.order("direct")
    assert case.rules == {"R5"}


def test_one_cut_too_many_within_the_hour_is_seen() -> None:
    """Two are allowed here; the third one is told of, an hour later it is not, nor is another attempt at the second."""
    meters = [RoomMeter(f"m{n}", 0, f"{n:012d}", "constant", 1000, n) for n in (1, 2, 3)]
    rooms = tuple(Room(f"a{meter.id}", "single", -100, (meter,)) for meter in meters)
    for apart_s, told in ((60, {"R4"}), (3601, set())):
        judge = Judge(Plan(1, "Asia/Shanghai", TEN, 1, rooms, {"brake_meters": 2, "brake_percent": 1}), lambda: None)
        for which, at in ((0, TEN), (1, TEN), (1, TEN), (2, TEN + timedelta(seconds=apart_s))):
            seen = judge.by_id[meters[which].id]
            seen.device = SimpleNamespace(serial=seen.meter.address)
            mono = (at - TEN).total_seconds() + 5000
            seen.read_s, seen.lit_s, seen.ordered = {"04000402": mono, "0001ff00": mono}, 0.0, True
            frame = dlt645_orders.control("trip", seen.meter.address, {seen.meter.address}, Password(), None)
            judge.asks(frame, at, mono)
        assert {each.rule for each in judge.violations} == told


def test_what_no_register_tells_is_nobodys_debt() -> None:
    """A register stood still for two hours of the load: the gateway counts the tenant that much richer, and a payment
    brings the light back that would not if it were known. What the register did tell stays owed (R5)."""
    for untold, rules in ((2, set[str]()), (1, {"R5"})):
        case = Case()
        case.warn()
        case.cut()
        case.judge.moved(case.seen, case.now)
        case.mono += 2 * 3600
        for _ in range(2):
            case.read("0001ff00")
        case.seen.unsaid_nano = untold * 5_100_000_000
        case.judge.payment("a001", 180, case.now)
        case.order("direct")
        assert case.rules == rules, untold


def test_an_order_that_was_overtaken_ends_no_warning_of_another_meter() -> None:
    """The lamp of a tenant's silent meter is put out for the warning before, moments after the next one was begun at
    another meter: that one counts. An order a minute later ends it, for then it is of this warning."""
    for wait_s, counts in ((0.2, True), (61.0, False)):
        case = Case()
        case.warn()
        sibling = Seen(case.seen.room, case.seen.meter, case.seen.used)
        case.judge.rooms[case.seen.room.account].append(sibling)
        frame = dlt645_orders.control("alarm-off", "000000000012", {"000000000012"}, Password(), None)
        heard = opened(frame)
        assert heard is not None
        case.judge.meters[heard[0]] = sibling
        case.mono += wait_s
        case.judge.asks(frame, case.now, case.mono)
        assert case.seen.ordered == counts and (case.seen.lit_s is not None) == counts
