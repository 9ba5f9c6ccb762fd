"""R3 and R1: whom a person protects is not cut until the protection ends; a person may be a warning's channel."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.asking import ask as seal
from bridge.contract.units import instant_exact, instant_of, instant_text
from edge import cuttable
from edge.audit.verify import verify
from tests.edge.building import KEYS, Building
from tests.edge.wires import Watched

ROOM, ACCOUNT = "a206", "100206"
KEEP = {"account": ACCOUNT, "protection": "keep-power", "why": "the freezer of a clinic"}


def room(tmp_path: Path, **options: Any) -> Building:
    building = Building(tmp_path, meters={ROOM}, **{"poll_s": 30, "idle_s": 2, **options})
    building.connect()
    return building


def until(building: Building, **ahead: float) -> str:
    return instant_text(building.clock.now() + timedelta(**ahead))


def ask(building: Building, operation: str, **fields: Any) -> dict[str, Any]:
    return building.answers(building.request(operation, **fields))[-1]


def warned(building: Building) -> None:
    building.run_until(lambda: building.of("delivered/1"), hours=4)


def is_cut(building: Building) -> bool:
    return bool(building.sim_meter(ROOM).relay.open)


def test_r3_nobody_is_cut_who_is_protected_and_afterwards_the_warning_begins_anew(tmp_path: Path) -> None:
    """The warning that stood is taken back at once; six hours of arrears pass; an alarm comes before the end; then a
    new warning is delivered, and the cut follows half an hour later, not at once."""
    building = room(tmp_path, policy={"cut_window": {"days": "all", "from": "00:00", "to": "24:00"}})
    warned(building)
    assert ask(building, "protect", until=until(building, hours=6), **KEEP)["status"] == "done"
    assert building.of("cancelled/1", why="a person protects the tenant")
    fact = building.fact(f"account/{ACCOUNT}")
    assert (fact["state"], [each["kind"] for each in fact["protections"]]) == ("keep", ["keep-power"])
    building.run(hours=5.5)
    assert not building.of("trip/1") and not is_cut(building) and len(building.of("final/1")) == 1
    assert building.edge.core.balances.available_nano(building.edge.core.state.accounts[ACCOUNT]) < 0
    (alarm,) = building.of("alarm/1", alarm="protection-ends")
    assert re.search(r"keep-power ends at 2026-11-\d\d \d\d:\d\d(:\d\d)?; renew it", alarm.fields["text"])
    building.run_until(lambda: is_cut(building), hours=3)
    finals, (trip, *_) = building.of("final/1"), building.of("trip/1")
    assert len(finals) == 2 and trip.fields["final_seq"] == finals[1].seq and trip.fields["warned_s"] >= 1800
    assert (
        "protections" not in building.fact(f"account/{ACCOUNT}")
        or not building.fact(f"account/{ACCOUNT}")["protections"]
    )


def test_r3_a_protection_brings_back_who_was_cut(tmp_path: Path) -> None:
    """The bill is disputed after the cut: the light is back, read back, and stays through a restart."""
    building = room(tmp_path)
    building.run_until(lambda: is_cut(building), hours=4)
    ask(building, "protect", **KEEP | {"protection": "dispute"}, until=until(building, hours=2))
    building.run_until(lambda: not is_cut(building), hours=0.2)
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(hours=1)
    assert not is_cut(building) and building.fact(f"account/{ACCOUNT}")["state"] == "keep"
    building.run_until(lambda: is_cut(building), hours=24 * 4)


def test_r3_a_protection_that_is_lifted_ends_at_once(tmp_path: Path) -> None:
    """Then the tenant is warned like anybody."""
    building = room(tmp_path)
    warned(building)
    ask(building, "protect", **KEEP, until=until(building, days=1))
    building.run(minutes=20)
    assert ask(building, "unprotect", **KEEP)["status"] == "done"
    building.run_until(lambda: len(building.of("final/1")) == 2, hours=0.2)
    assert ask(building, "unprotect", **KEEP)["rule"] == "R3"


@pytest.mark.parametrize(
    ("ahead", "rule"),
    [
        ({"seconds": -1}, "R3"), ({"seconds": 0}, "R3"), ({"microseconds": 400}, "R3"), ({"seconds": 59}, "R3"),
        ({"seconds": 60}, None), ({"days": 93}, "R3"), ({"days": 92}, None),
    ],
)  # fmt: skip
def test_r3_a_protection_has_an_end_that_is_ahead_and_near(tmp_path: Path, ahead: dict[str, float], rule: str) -> None:
    """Nobody is protected for ever by one word, or until yesterday; and no word makes the book a lie for ever by an end
    that has passed when it is written down."""
    building = room(tmp_path)
    end = instant_exact(building.clock.now() + timedelta(**ahead))
    assert ask(building, "protect", until=end, **KEEP).get("rule") == rule
    assert bool(building.of("protection/1")) is (rule is None)
    building.stop_edge()
    assert verify(tmp_path).good


def test_r3_a_protection_that_has_ended_is_not_lifted(tmp_path: Path) -> None:
    """Nothing stands any more, so nothing is said to be done, and no lifting stands in the book."""
    building = room(tmp_path)
    ask(building, "protect", until=until(building, minutes=10), **KEEP)
    building.run(minutes=11)
    assert ask(building, "unprotect", **KEEP)["rule"] == "R3"
    assert [each.fields["set"] for each in building.of("protection/1")] == [True]


@pytest.mark.parametrize(
    ("fields", "role", "rule"),
    [
        ({"until": "tomorrow"}, "manager", "R7"),
        ({"account": "999999"}, "manager", "R7"),
        ({}, "engineer", "R32"),
        ({}, "operations", "R32"),
    ],
)
def test_r3_a_protection_that_cannot_be_is_refused(
    tmp_path: Path, fields: dict[str, str], role: str, rule: str
) -> None:
    """Each refusal names its rule, and nothing is written but the refusal."""
    building = room(tmp_path)
    words = KEEP | {"until": until(building, hours=3)} | fields
    assert ask(building, "protect", role=role, **words)["rule"] == rule
    assert not building.of("protection/1")


class PowerCut(Exception):
    """The process is gone at this very point."""


def test_r3_a_power_cut_at_the_protection_leaves_no_warning_of_before(tmp_path: Path) -> None:
    """The word stands in the book and the process is gone before it acts on it; when it is back the protection is over.
    The warning of before was taken back with the word: nobody is cut on it."""
    building = room(tmp_path, policy={"cut_window": {"days": "all", "from": "00:00", "to": "24:00"}})
    warned(building)
    building.run(minutes=25)

    def gone(*asked: Any, **answer: Any) -> None:
        raise PowerCut

    building.edge.requests.protecting._answer = gone
    with pytest.raises(PowerCut):
        building.request("protect", until=until(building, hours=1), **KEEP)
    building.stop_edge()
    building.clock.advance(2 * 3600)
    building.start_edge()
    building.connect()
    building.run_until(lambda: is_cut(building), hours=3)
    (word,), (trip, *_) = building.of("protection/1"), building.of("trip/1")
    assert trip.fields["final_seq"] > word.seq and trip.fields["warned_s"] >= 1800


def test_r1_a_power_cut_at_a_payment_does_not_save_the_warning_of_before(tmp_path: Path) -> None:
    """Two yuan stand in the book and the process is gone before it takes the warning back: when it runs again it does,
    and the tenant is warned anew before the cut, with the whole time to pay."""
    building = room(tmp_path, policy={"cut_window": {"days": "all", "from": "00:00", "to": "24:00"}})
    warned(building)
    building.run(minutes=25)

    def gone(*asked: Any, **answer: Any) -> None:
        raise PowerCut

    building.edge.requests.money.answer = gone
    with pytest.raises(PowerCut):
        building.topup(ACCOUNT, 200)
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run_until(lambda: is_cut(building), hours=3)
    (paid,), (trip, *_) = building.of("topup/1"), building.of("trip/1")
    assert trip.fields["final_seq"] > paid.seq and trip.fields["warned_s"] >= 1800
    assert building.of("cancelled/1", why="a payment came")


# --- told by a person (R1) ---


def test_r1_a_person_who_told_the_tenant_delivers_the_warning(tmp_path: Path) -> None:
    """The lamp never answers; the clerk rings up; half an hour of powered time later, and not before, the cut."""
    building = room(tmp_path)
    building.edge.relays.lamps._light = lambda meter, account: None  # type: ignore[method-assign]
    building.run_until(lambda: building.of("final/1"), hours=4)
    building.run(hours=1)
    assert not building.of("delivered/1") and not is_cut(building)
    answer = ask(building, "told", role="operations", who="小陈", account=ACCOUNT, how="phone", why="the owner")
    assert answer["status"] == "done", answer
    told = building.of("delivered/1")[0]
    assert (told.fields["channel"], told.fields["how"], told.fields["who"]) == ("person", "phone", "小陈")
    assert building.fact(f"account/{ACCOUNT}")["delivered_by"] == "person"
    building.run(minutes=29)
    assert not is_cut(building)
    building.run_until(lambda: is_cut(building), hours=0.5)
    assert building.of("trip/1")[0].fields["warned_s"] >= 1800
    assert ask(building, "told", account=ACCOUNT, how="phone")["rule"] == "R1"


def test_r1_nobody_is_told_of_a_warning_that_does_not_stand(tmp_path: Path) -> None:
    """Before one is given, and after it was delivered: refused, and no time runs from it."""
    building = room(tmp_path)
    assert ask(building, "told", account=ACCOUNT, how="phone")["rule"] == "R1"
    warned(building)
    assert ask(building, "told", account=ACCOUNT, how="note")["rule"] == "R1"
    assert len(building.of("delivered/1")) == 1


@pytest.mark.parametrize("says_which", [True, False])
def test_r1_what_was_told_counts_for_its_own_episode_only(tmp_path: Path, says_which: bool) -> None:
    """The clerk told the tenant of a warning; the tenant paid a little and ran dry again while the clerk's word lay in
    the broker, or in a form that stood open: it does not count for the new warning, nobody is cut on it."""
    building = room(tmp_path)
    building.edge.relays.lamps._light = lambda meter, account: None  # type: ignore[method-assign]
    building.run_until(lambda: building.of("final/1"), hours=4)
    of_it: dict[str, Any] = {"episode": 1} if says_which else {}
    topic, payload, late = seal(
        building.edge.topics, building.clock, ("shell", KEYS["shell"]), "told", who="小陈", role="finance",
        account=ACCOUNT, how="phone", valid_until=until(building, minutes=50), **of_it,
    )  # fmt: skip
    building.topup(ACCOUNT, 200)
    building.run_until(lambda: len(building.of("final/1")) == 2, hours=0.75)
    if says_which:
        answer = ask(building, "told", account=ACCOUNT, how="phone", **of_it)
    else:
        building.deliver(topic, payload)
        answer = building.answers(late)[-1]
    assert (answer["status"], answer["rule"]) == ("refused", "R1") and "an earlier final warning" in answer["error"]
    assert not building.of("delivered/1")
    assert ask(building, "told", account=ACCOUNT, how="phone", episode=2)["status"] == "done"


def test_r1_a_lamp_that_is_never_lit_warns_of_nothing(tmp_path: Path) -> None:
    """Of two meters one can be cut and has no lamp, the other has one and no relay that is used here: nobody lights it,
    so a person must tell the tenant, and is told so."""
    building = Building(tmp_path, meters={ROOM, "a205"})
    core = building.edge.core
    account, other = core.state.accounts[ACCOUNT], core.state.meters["a205"]
    account.row = account.row | {"meters": [ROOM, other.id]}
    assert not cuttable.needs_telling(core, account)
    model = core.lives[ROOM].model
    core.lives[ROOM].model = replace(model, relay=replace(model.relay, lamp=()))  # type: ignore[type-var]
    assert not cuttable.needs_telling(core, account), "the other one's lamp is lit"
    other.row = other.row | {"relay": "none"}
    assert cuttable.needs_telling(core, account)
    core.state.meters[ROOM].row = core.state.meters[ROOM].row | {"relay": "none"}
    assert not cuttable.needs_telling(core, account), "nothing can be cut, so there is nothing to tell"


def test_r1_an_attempt_counts_only_where_the_site_says_so(tmp_path: Path) -> None:
    """The lamp is ordered and stays dark: by default that is no warning; with `attempted` it is one."""
    for number, counts in enumerate(("delivered", "attempted")):
        building = room(tmp_path / str(number), policy={"warning_counts": counts})
        building.sim_meter(ROOM).relay.__class__.alarm = property(lambda own: False, lambda own, on: None)
        try:
            building.run(hours=3)
        finally:
            del building.sim_meter(ROOM).relay.__class__.alarm
        channels = [each.fields["channel"] for each in building.of("delivered/1")]
        assert channels == ([] if counts == "delivered" else ["attempted"])
        building.stop_edge()


@pytest.mark.parametrize("before", ["warned", "cut"])
def test_r1_an_attempt_that_counted_counts_no_more_once_the_site_asks_for_more(tmp_path: Path, before: str) -> None:
    """An order that was sent had warned; the site file now wants it delivered: the warning is taken back, given anew,
    and nobody is cut before it was read back and its lead has passed. Who is cut already stays so."""
    building = room(tmp_path, policy={"warning_counts": "attempted"})
    lamp = building.sim_meter(ROOM).relay.__class__
    lamp.alarm = property(lambda own: False, lambda own, on: None)
    try:
        building.run_until(lambda: building.of("delivered/1", channel="attempted"), hours=4)
        if before == "cut":
            building.run_until(lambda: is_cut(building), hours=2)
            building.run(minutes=1)
        building.stop_edge()
        policy = building.site.policy.model_copy(update={"warning_counts": "delivered"})
        building.site = building.site.model_copy(update={"policy": policy})
        building.start_edge()
        building.connect()
        building.run(hours=2)
    finally:
        del lamp.alarm
    if before == "cut":
        assert is_cut(building) and not building.of("cancelled/1")
        return
    assert not building.of("trip/1") and building.of("cancelled/1")[0].fields["episode"] == 1
    building.run_until(lambda: building.of("trip/1"), hours=2)
    assert building.of("delivered/1")[-1].fields["channel"] == "lamp"
    assert building.of("trip/1")[0].fields["warned_s"] >= 1800 and verify(tmp_path).good


def test_a_protection_ends_by_the_calendar(tmp_path: Path) -> None:
    """Its end is the instant that was answered."""
    building = room(tmp_path)
    wanted = until(building, hours=2)
    answer = ask(building, "protect", until=wanted, **KEEP)
    assert instant_of(answer["data"]["until"]) == instant_of(wanted)


def test_r5_a_protection_that_has_ended_does_not_come_back_with_a_clock_that_is_behind(tmp_path: Path) -> None:
    """Kept on until T, cut after it; a start with a clock of twenty minutes before T: not believed, nobody paid, and
    no supply is given back."""
    building = Watched(tmp_path, poll_s=60, idle_s=5)
    building.run(minutes=2)
    until = building.clock.now() + timedelta(hours=3)
    answer = building.answered(
        "protect", account="100206", protection="keep-power", until=instant_text(until), why="ill"
    )
    assert answer["status"] == "done"
    building.run_until(lambda: building.dark, hours=8)
    building.run(minutes=2)
    assert building.dark
    building.stop_edge()
    building.clock.step_calendar(-(building.clock.now() - until + timedelta(minutes=20)).total_seconds())
    building.start_edge()
    building.connect()
    building.run(minutes=10)
    assert building.edge.core.mode == "time" and building.dark
    assert not building.of("hold/1", set=False) and not building.of("close/1")
    assert verify(tmp_path).good
