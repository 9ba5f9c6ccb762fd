"""A meter is replaced (R22): one action of two people, the old one charged to its last register, the new from there.

Between the two nothing is lost and nothing is billed twice, whatever stops in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bridge.contract.units import instant_of
from bridge.mqtt import Received
from edge import install
from edge.audit.verify import verify
from edge.inbox import Event
from tests.edge.building import START
from tests.edge.calendars import WrongCalendar
from tests.edge.swapping import ACCOUNT, ADDRESS, CHECKER, OLD_ADDRESS, OLD_SERIAL, POINT, SERIAL, Swapping, Vacant

ORDER = ("total", "sharp", "peak", "flat", "valley")
LATE = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)  # Friday 23:20 in Shanghai.


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Swapping]:
    """On Friday morning; at the end the whole book is derived again."""
    yield from lived_in(Swapping(tmp_path))


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Swapping]:
    """Late on Friday evening."""
    yield from lived_in(Swapping(tmp_path, start=LATE))


def lived_in(building: Swapping) -> Iterator[Swapping]:
    yield building
    building.edge.core.book.close()
    report = verify(building.directory)
    assert report.good, report.lie


def midnight(shop: Swapping) -> None:
    """Until the day has closed."""
    shop.run_until(lambda: shop.of("closing/1", account=ACCOUNT, date="2026-11-20"), hours=16)


def test_the_day_has_two_spans_on_one_bill(late: Swapping) -> None:
    """The old meter is charged to what it said last, the new one from what it said twice; the day's closing names both
    charges, the next day goes on with the new one alone, and the account's counter and money are the same account's."""
    shop = late
    shop.run(minutes=12)
    last = shop.live.sample
    shop.swap()
    shop.run(minutes=3)
    data = shop.outcome(request := shop.replace())["data"]
    assert data["closing"] == last.registers_wh and data["serial"] == SERIAL
    shop.agree(request)
    (entry,) = shop.of("replacement/1")
    (first,) = shop.charges()
    assert first["end"]["registers_wh"] == last.registers_wh and first["end"]["source"] == "read"
    assert entry.fields["was"]["registers_wh"] == last.registers_wh and entry.fields["was"]["serial"] == OLD_SERIAL
    assert entry.fields["charge"] == shop.of("charge/2", meter=POINT)[0].id
    assert entry.fields["approved_by"] == CHECKER and entry.fields["papers"] == "photos 12 and 13"
    midnight(shop)
    old, new = shop.charges()
    assert new["start"]["registers_wh"] == entry.fields["registers_wh"] and new["start"]["at"] == entry.fields["at"]
    (closing,) = shop.of("closing/1", account=ACCOUNT, date="2026-11-20")
    assert closing.fields["charges"] == [each.id for each in shop.of("charge/2", meter=POINT)]
    assert old["date"] == new["date"] == "2026-11-20" and not closing.fields["deferred"]
    shop.restart_after(24 * 3600)
    shop.run_until(lambda: shop.of("closing/1", account=ACCOUNT, date="2026-11-21"), hours=2)
    assert len(shop.charges()) == 3 and shop.charges()[-1]["start"]["registers_wh"] == new["end"]["registers_wh"]


def test_what_the_new_meter_counts_before_the_approval_is_not_lost(shop: Swapping) -> None:
    """Approved eight hours later, and it counts from the moment of the proposal; the day that ended meanwhile waits."""
    shop.run(minutes=30)
    shop.swap(watts=3000)
    proposal = shop.proposed(shop.replace())
    opening = shop.of("proposal/1")[0].fields["body"]["mark"]
    shop.clock.advance(3600 * 5)
    shop.run(hours=4)
    assert not shop.charges()
    assert shop.edge.core.state.meters[POINT].changing == proposal
    shop.approve(proposal)
    shop.run_until(lambda: shop.live.sample is not None)
    account = shop.edge.core.state.accounts[ACCOUNT]
    used = shop.edge.core.balances.unposted(account)[1]["kWh"]
    assert used == shop.live.sample.registers_wh["total"] - opening["registers_wh"]["total"] > 20_000


def test_a_day_is_not_closed_while_its_division_waits(late: Swapping) -> None:
    """Midnight passes between proposal and approval: no charge leaps over it, and afterwards the day closes with the
    new meter's own frozen midnight; though the old one still hangs on the line and kept its own."""
    shop = late
    shop.run(minutes=15)
    shop.swap(take_off=False)
    proposal = shop.proposed(shop.replace())
    shop.run_until(lambda: shop.of("closing/1", account="100102", date="2026-11-20"), hours=3)
    shop.run(minutes=30)
    assert not shop.of("closing/1", account=ACCOUNT) and not shop.charges()
    kept = {**shop.charges_of("100102")[0]["end"], "registers_wh": shop.live.sample.registers_wh}
    shop.edge.closing._midnights._marks[POINT, date(2026, 11, 21)] = kept  # As of one that has no freeze memory.
    shop.approve(proposal)
    midnight(shop)
    old, new = shop.charges()
    assert new["end"]["source"] == "freeze" and instant_of(new["end"]["at"]).astimezone(UTC).hour == 16
    assert old["date"] == new["date"] == "2026-11-20"


def test_a_person_reads_the_display_of_a_dead_meter(shop: Swapping) -> None:
    """What the old meter counted after it was last heard is charged by what its display shows, and the bill says who
    read it; a figure that does not follow on what the meter said is refused (R20, R21)."""
    shop.run(minutes=30)
    heard = shop.live.sample.registers_wh
    shop.shaft.lines["line-1"].meters = [each for each in shop.shaft.lines["line-1"].meters if each.meter_id != POINT]
    shop.run(minutes=40)
    shop.swap()
    below = {**heard, "total": heard["total"] - 1000}
    assert shop.refused(shop.replace(closing=below)) == "R20"
    assert shop.refused(shop.replace(closing={**heard, "total": heard["total"] + 10**8})) == "R21"
    assert shop.refused(shop.replace(closing={"peak": 5})) == "R22"
    display = {**heard, "total": heard["total"] + 700, "flat": heard["flat"] + 700}
    shop.agree(shop.replace(closing=display))
    (charge,) = shop.charges()
    assert charge["end"]["registers_wh"] == display and charge["end"]["source"] == "display"
    assert charge["wh"] == display["total"] - charge["start"]["registers_wh"]["total"] and charge["end"]["frames"] == []


def test_a_display_read_off_just_now_is_of_before_the_new_meters_answer(shop: Swapping) -> None:
    """Who types what the old display shows and gives no time means now. The answer of the new meter takes a moment from
    the line to the loop, and is no reason to say that the new one was read first."""
    shop.run(minutes=5)
    step, shown = shop.edge.step, {name: wh + 50 for name, wh in shop.live.sample.registers_wh.items()}

    def later(event: Event | None) -> None:
        shop.clock.advance(0.004)
        step(event)

    shop.edge.step = later  # type: ignore[method-assign]
    shop.swap()
    shop.agree(shop.replace(closing=shown))
    (charge,) = shop.charges()
    (entry,) = shop.of("replacement/1")
    assert charge["end"]["source"] == "display" and charge["end"]["at"] == entry.fields["at"]


def test_the_same_address_is_quarantined_until_two_people_say_so(shop: Swapping) -> None:
    """Swapped in silence, under the old address: the register fell, so it is set aside and nothing is charged; the
    replacement releases it, and the old meter is charged to what it said itself, never to the new one's register."""
    shop.run(minutes=30)
    last = shop.live.sample.registers_wh
    shop.swap(address=OLD_ADDRESS)
    shop.run_until(lambda: shop.of("quarantine/1"), hours=0.5)
    shop.agree(shop.replace(address=OLD_ADDRESS))
    assert [entry.fields["why"] for entry in shop.of("release/1")] == ["the meter was replaced"]
    (charge,) = shop.charges()
    assert charge["end"]["registers_wh"] == last
    shop.run(minutes=5)
    assert shop.live.quality == "good" and shop.live.sample.registers_wh["total"] < 10_000
    assert len(shop.of("quarantine/1")) == 1


def test_another_number_than_the_plates_is_refused(shop: Swapping) -> None:
    """An address typed wrongly reaches somebody else: what the meter says it is decides, and the point stays as it
    was; the old meter itself is no new one, and a number must be given (R22)."""
    shop.run(minutes=5)
    shop.swap(serial="202611090002")
    assert shop.refused(shop.replace()) == "R22"
    assert shop.refused(shop.replace(serial=None)) == "R22"
    assert shop.refused(shop.replace(address="202603110102")) == "I21"
    assert shop.refused(shop.replace(address="12")) == "R22"
    assert shop.refused(shop.replace(model="dlt645-1p-purse")) == "R14"
    assert shop.refused(shop.replace(model="eastron-sdm630")) == "R22"
    assert shop.refused(shop.replace(model="of-another-world")) == "R22"
    assert shop.refused(shop.replace(meter="nobody")) == "R7"
    assert shop.refused(shop.replace(removed_at="yesterday")) == "R7"
    shop.swap(address=ADDRESS, serial=OLD_SERIAL)
    assert shop.refused(shop.replace(serial=OLD_SERIAL)) == "R22"
    assert shop.meter.row["address"] == OLD_ADDRESS and not shop.of("proposal/1") and not shop.charges()


def test_a_meter_that_does_not_answer_is_not_proposed(shop: Swapping) -> None:
    """Nobody at the new address: failed, in words that say what to do; nothing is written, and the very same request
    may be made again once the wire is mended."""
    shop.run(minutes=5)
    request = shop.replace(transaction="wired-wrongly")
    answer = shop.outcome(request)
    assert answer["status"] == "failed" and "look at its wiring" in answer["error"]
    assert shop.meter.changing is None and not shop.of("proposal/1")
    shop.swap()
    again = shop.replace(transaction="wired-wrongly")
    shop.run_until(lambda: shop.answers(again)[-1]["status"] == "done", hours=0.5)


def test_nobody_approves_their_own_and_one_proposal_waits_at_a_time(shop: Swapping) -> None:
    """R32, R22: the maker does not approve, a second proposal waits for the first, finance may do neither, and what
    was rejected changes nothing."""
    shop.run(minutes=5)
    shop.swap()
    proposal = shop.proposed(shop.replace())
    own = shop.request("approve-meter", who="电工老周", proposal=proposal)
    assert shop.refused(own) == "R32"
    assert shop.refused(shop.replace(why="again")) == "R22"
    assert shop.refused(shop.request("approve-meter", role="finance", who="李娜", proposal=proposal)) == "R32"
    assert shop.refused(shop.request("approve-money", who="李娜", proposal=proposal)) == "R32"
    shop.request("reject-meter", who="李娜", proposal=proposal, why="no photo of the plate")
    assert shop.meter.changing is None and shop.meter.row["address"] == OLD_ADDRESS
    assert shop.refused(shop.request("approve-meter", who="李娜", proposal=proposal)) == "R32"
    assert not shop.of("replacement/1") and not shop.charges()


def test_asked_twice_it_is_done_once(shop: Swapping) -> None:
    """The same request again while the meter is being read, and after; the same approval twice: one proposal, one
    replacement, one charge (R7)."""
    shop.run(minutes=30)
    shop.swap()
    request = shop.replace(transaction="double-click")
    shop.replace(transaction="double-click")
    proposal = shop.proposed(request)
    shop.replace(transaction="double-click")
    assert len(shop.of("proposal/1")) == 1 and shop.answers(request)[-1]["data"]["proposal"] == proposal
    for _ in range(2):
        shop.request("approve-meter", who=CHECKER, transaction="approve-twice", proposal=proposal)
    assert len(shop.of("replacement/1")) == 1 and len(shop.charges()) == 1


@pytest.mark.parametrize("when", ["while it is read", "when it is proposed", "when it is approved"])
def test_a_power_cut_between_the_steps_loses_nothing(late: Swapping, when: str) -> None:
    """The process is gone at each step: what was not proposed is asked again, what was proposed waits, what was
    approved stands, and no register of the old meter is taken for the new one's."""
    shop = late
    shop.run(minutes=10)
    last = shop.live.sample.registers_wh
    shop.swap(watts=3000)

    def cut() -> None:
        shop.restart_after(600)

    request = shop.replace(transaction="before-the-cut")
    if when == "while it is read":
        cut()
        assert not shop.of("proposal/1") and shop.outcome(request)["status"] == "failed"
        shop.replace(transaction="before-the-cut")
        shop.run_until(lambda: shop.of("proposal/1"), hours=0.5)
    proposal = shop.proposed(request)
    if when == "when it is proposed":
        cut()
    shop.approve(proposal)
    if when == "when it is approved":
        cut()
    account = shop.edge.core.state.accounts[ACCOUNT]
    assert shop.edge.core.balances.unposted(account)[1]["kWh"] < 3000  # Not the old meter's 16,000 kWh.
    midnight(shop)
    old, new = shop.charges()
    opening = shop.of("replacement/1")[0].fields
    assert old["end"]["registers_wh"] == (last if when != "while it is read" else opening["was"]["registers_wh"])
    assert new["start"]["registers_wh"] == opening["registers_wh"]
    assert not shop.of("quarantine/1")


def test_what_the_old_meter_still_says_is_not_the_new_ones(shop: Swapping) -> None:
    """Both hang on the line for a while: an answer of the old one that was on its way when the approval came, and all
    that it says later, reach nobody; the relay, the clock and the covers are the new one's."""
    shop.run(minutes=30)
    shop.swap(take_off=False)
    proposal = shop.proposed(shop.replace())
    asked = [shop.sealed("read", meter=POINT), shop.sealed("approve-meter", who=CHECKER, proposal=proposal)]
    for topic, payload in asked:
        shop.edge.enqueue(Received(topic, payload, False))
    while not shop.of("replacement/1"):
        shop.edge.step(shop.edge.events.get_nowait())
    heard = shop.live
    shop.run_until(lambda: heard.suspect is not None or heard.sample is not None, hours=0.1)
    assert heard.suspect.registers_wh["total"] < 10_000 and heard.values.get("power_w", 2000) <= 2000
    shop.run(minutes=10)
    assert shop.live.serial in (None, SERIAL) and shop.live.sample.registers_wh["total"] < 10_000
    assert shop.live.online and not shop.of("quarantine/1") and shop.meter.observed == "closed"
    assert shop.edge.polls["line-1"]._asking[OLD_ADDRESS] == 0  # Whoever gets this address next is asked.


def test_holds_stay_and_the_new_relay_follows_them(shop: Swapping) -> None:
    """A meter that was held off is held off as a new one: its relay is looked at, found closed, and opened again, with
    the new number read back before the order; lifting the hold brings supply."""
    shop.run(minutes=5)
    shop.ask_to("trip", meter=POINT, why="service")
    shop.run_until(lambda: shop.meter.observed == "open", hours=0.2)
    shop.swap()
    shop.agree(shop.replace())
    assert set(shop.meter.holds) == {"manual"} and shop.meter.observed == "unknown" and shop.meter.restore is None
    shop.run_until(lambda: shop.meter.observed == "open", hours=0.5)
    assert shop.of("trip/1", meter=POINT)[-1].fields["read"]["serial"] == SERIAL
    shop.ask_to("close", meter=POINT, why="service over")
    shop.run_until(lambda: shop.meter.observed == "closed", hours=0.5)


def test_what_was_ordered_of_the_old_meter_is_begun_anew(shop: Swapping) -> None:
    """Attempts that never reached the old one make nobody wait for the new one, and no frame for the old address is
    left."""
    shop.run(minutes=5)
    shop.swap()
    shop.ask_to("trip", meter=POINT, why="danger")
    shop.run(minutes=2)
    assert [task.attempts for task in shop.edge.relays.commands.of(shop.meter)] == [3]  # The next is ten minutes away.
    shop.agree(shop.replace())
    assert shop.edge.relays.commands.of(shop.meter) == []
    shop.run_until(lambda: shop.meter.observed == "open", hours=0.1)


def test_an_order_that_waits_at_the_port_does_not_leave_for_the_old_address(shop: Swapping) -> None:
    """Both hang on the line, an order to cut the old one waits for its turn, and the replacement is approved: the order
    is taken back at the last look (I8), for by now somebody else may have that address; the new one is cut instead."""
    shop.run(minutes=5)
    shop.swap(take_off=False)
    old = next(each for each in shop.shaft.lines["line-1"].meters if each.address == OLD_ADDRESS)
    proposal = shop.proposed(shop.replace())
    shop.ask_to("trip", meter=POINT, why="danger")
    port = shop.ports["line-1"]
    shop.run_until(lambda: port.trip is not None, hours=0.1)
    shop.edge.enqueue(Received(*shop.sealed("approve-meter", who=CHECKER, proposal=proposal), False))
    ready, approval = shop.edge.events.get_nowait(), shop.edge.events.get_nowait()
    shop.edge.step(approval)
    shop.edge.step(ready)
    shop.run_until(lambda: shop.meter.observed == "open", hours=0.1)
    assert not old.relay.open and shop.sim_meter(POINT).relay.open


def test_a_new_meter_that_stands_off_is_switched_on(shop: Swapping) -> None:
    """Delivered with an open relay, and no hold is set: supply is brought, for its cause stands in the book (I10)."""
    shop.run(minutes=5)
    newcomer = shop.swap()
    newcomer.relay.open = True
    shop.agree(shop.replace())
    assert shop.meter.restore is not None
    shop.run_until(lambda: shop.meter.observed == "closed", hours=0.5)
    assert shop.of("close/1", meter=POINT)[-1].fields["cause"].startswith("the meter was replaced")
    assert shop.meter.restore is None


def test_nobody_is_cut_while_a_replacement_waits(shop: Swapping) -> None:
    """What is used is not known until two people have agreed (R3); afterwards the account is judged as ever."""
    shop.run(minutes=5)
    account = shop.edge.core.state.accounts[ACCOUNT]
    shop.swap(address=OLD_ADDRESS, kwh="99999.00")
    proposal = shop.proposed(shop.replace(address=OLD_ADDRESS))
    core = shop.edge.core
    core.terms = core.terms.__class__(**{**vars(core.terms), "cut_limit_nano": 10**15})
    verdict = shop.edge.accounts.verdict(account, shop.meter)
    assert (verdict.allowed, verdict.rule) == (False, "R3") and "waits to be approved" in verdict.why
    shop.approve(proposal)


def test_where_only_an_estimate_is_known_the_display_is_asked_for(tmp_path: Path) -> None:
    """A meter silent for a day was charged by an estimate beyond what it ever said: its display settles that, up or
    down, and until somebody has read it there is nothing to propose (R22, R24)."""
    shop = Swapping(tmp_path, start=LATE)
    shop.restart_after(8 * 86_400)
    shop.run_until(lambda: len(shop.of("closing/1", account=ACCOUNT)) == 8, hours=1)
    shop.run(minutes=6)
    heard = shop.live.sample.registers_wh
    shop.shaft.lines["line-1"].meters = [each for each in shop.shaft.lines["line-1"].meters if each.meter_id != POINT]
    shop.restart_after(12 * 3600)
    shop.run_until(lambda: shop.charges()[-1]["end"]["source"] == "estimate", hours=2)
    shop.swap()
    assert shop.refused(shop.replace()) == "R22"
    display = {**heard, "total": heard["total"] + 100, "flat": heard["flat"] + 100}
    shop.agree(shop.replace(closing=display))
    charges = shop.charges()
    assert charges[-1]["wh"] < 0 and charges[-1]["end"]["source"] == "display"
    first = charges[0]["start"]["registers_wh"]["total"]
    assert sum(each["wh"] for each in charges) == display["total"] - first
    shop.edge.core.book.close()
    assert verify(tmp_path).lie is None


def test_a_site_file_that_was_overtaken_is_told_at_each_start(shop: Swapping) -> None:
    """The book counts, also after a restart with the old file; what the file should say is named until it does."""
    assert install.overtaken(shop.edge.core, shop.site) == []
    shop.run(minutes=5)
    shop.swap()
    shop.agree(shop.replace())
    shop.restart_after(60)
    (told,) = install.overtaken(shop.edge.core, shop.site)
    assert f"address is {ADDRESS}, not {OLD_ADDRESS}" in told and "The book counts" in told
    shop.run(minutes=5)
    assert shop.live.sample.registers_wh["total"] < 10_000 and shop.fact("meters")["meters"][0]["serial"] == SERIAL
    row = next(each for each in shop.site.meters if each.id == POINT)
    mended = row.model_copy(update={"address": ADDRESS, "serial": SERIAL})
    meters = [mended if each is row else each for each in shop.site.meters]
    assert install.overtaken(shop.edge.core, shop.site.model_copy(update={"meters": meters})) == []


def test_a_meter_without_a_tenant_is_replaced_without_a_charge(tmp_path: Path) -> None:
    """An empty shop: nobody pays, and both registers stand in the book."""
    shop = Vacant(tmp_path)
    shop.run(minutes=20)
    last = shop.live.sample.registers_wh
    shop.swap()
    shop.agree(shop.replace())
    (entry,) = shop.of("replacement/1")
    assert entry.fields["charge"] is None and entry.fields["account"] is None
    assert entry.fields["was"]["registers_wh"] == last and not shop.charges()
    shop.edge.core.book.close()
    assert verify(tmp_path).lie is None


def test_the_clock_must_be_believed(shop: Swapping) -> None:
    """Nobody can tell when the day is divided while the calendar is in doubt (R25)."""
    shop.run(minutes=5)
    shop.swap()
    proposal = shop.proposed(shop.replace())
    shop.edge.core.book.trusted = False
    shop.edge.modes.judge = lambda: None  # type: ignore[method-assign]
    assert shop.refused(shop.request("approve-meter", who=CHECKER, proposal=proposal)) == "R25"
    assert not shop.of("replacement/1")


def test_a_reading_of_an_hour_that_nobody_knows_divides_no_charge(shop: Swapping) -> None:
    """The old meter spoke last while the calendar was wrong and known to be so, and the gateway was started anew since.
    When it said that is not known: the display is asked for, instead of a bill to an hour that was none (R22, R25)."""
    shop.run(minutes=5)
    shop.edge.modes.judge = lambda: None  # type: ignore[method-assign]
    shop.edge.core.book.trusted = False
    shop.run(minutes=10)
    shop.sim_meter(POINT).advance(shop.clock.now())
    shown = dict(zip(ORDER, (10 * steps for steps in shop.sim_meter(POINT).metrology.registers()), strict=True))
    shop.swap()
    shop.restart_after(60)
    shop.run(minutes=2)
    floor = shop.live.floor
    assert floor is not None and not floor.believed and shop.live.sample is None
    assert shop.refused(shop.replace()) == "R22"
    shop.agree(shop.replace(closing=shown))
    (charge,) = shop.charges()
    assert charge["end"]["source"] == "display" and charge["end"]["registers_wh"] == shown


def test_a_reading_of_a_wrong_hour_is_not_the_new_meters(tmp_path: Path) -> None:
    """The old meter spoke under a calendar that was an hour ahead and known to be wrong, then it was replaced, and the
    power went before the new one was read again: what the old one had counted is not laid to the new one."""
    clock = WrongCalendar(START)
    shop = Swapping(tmp_path, clock=clock)
    shop.run(minutes=5)
    judge, clock.off_s = shop.edge.modes.judge, 3600
    shop.edge.modes.judge, shop.edge.core.book.trusted = (lambda: None), False  # type: ignore[method-assign]
    shop.run(minutes=10)
    shop.edge.modes.judge, shop.edge.core.book.trusted, clock.off_s = judge, True, 0  # type: ignore[method-assign]
    shown = {name: 10 * steps for name, steps in zip(ORDER, shop.sim_meter(POINT).metrology.registers(), strict=True)}
    shop.swap()
    shop.agree(shop.replace(closing=shown))
    shop.restart_after(1)
    assert shop.meter.serial == SERIAL and shop.live.floor is None


def test_the_day_it_was_removed_bounds_what_the_old_meter_said(shop: Swapping) -> None:
    """Under one address a used meter may stand a little above the old one, and its first readings pass for the old
    one's; who says when it was taken off is believed, and the last register is of before that."""
    shop.run(minutes=30)
    last, off = shop.live.sample, shop.clock.now()
    a_little_more = [f"{(last.registers_wh[name] + 10) / 1000:.2f}" for name in ORDER]
    shop.swap(address=OLD_ADDRESS, registers=a_little_more)
    shop.run(minutes=10)
    assert shop.live.sample.read_at > off
    removed = (off + timedelta(seconds=1)).isoformat()
    asked = shop.replace(address=OLD_ADDRESS, removed_at=removed)
    assert shop.refused(asked) == "R22"  # This run remembers only what came after: the display must be read.
