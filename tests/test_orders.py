"""Any part first, any part last, a broker killed, emptied, replaced: in the end all agree, and nobody claims too much.

The parts are the real edge, the bridge's archive and discovery, and the panel's mirror; only the broker is pretended.
"""

from __future__ import annotations

import json
import shutil
from itertools import permutations
from pathlib import Path

import pytest

from bridge.contract.messages import Account, Info, Meters, Status
from bridge.contract.units import instant_of_micros
from tests.edge import books
from tests.whole import PARTS, Whole

ROOM, ACCOUNT = "a206", "100206"
TWO = {ROOM, "a207"}


def agree(whole: Whole) -> None:
    """All four run: the archive equals the book, and the panel shows what the edge knows."""
    building = whole.building
    whole.run(20)
    for _ in range(6):
        if whole.archive_differs() is None:
            break
        whole.run(20)
    assert whole.archive_differs() is None
    view, info = whole.view, whole.view.get(Info)
    assert view.live and view.gateway == "online" and info is not None
    assert set(view.meters) == set(building.edge.core.state.meters)
    assert info.epoch == building.edge.core.state.genesis["epoch"] and building.edge.core.book.seq - info.seq <= 2
    for account in building.edge.core.state.accounts.values():
        shown = view.get(Account, account.id)
        assert shown is not None and shown.posted_nano == building.edge.core.state.posted_nano(account.id)
    assert any(topic.startswith("homeassistant/device/") for topic in whole.hub.retained)


def says_nothing_it_cannot_know(whole: Whole) -> None:
    """While nothing was heard of the gateway the panel calls it unknown and shows no meter."""
    if "panel" in whole.on and not {"edge", "broker"} <= whole.on and not whole.hub.retained:
        assert whole.view.gateway == "unknown" and not whole.view.live and whole.view.meters == {}


@pytest.mark.parametrize("order", list(permutations(PARTS)), ids="-".join)
def test_any_first_any_last(tmp_path: Path, order: tuple[str, ...]) -> None:
    """Started in any order they agree; ended in any order and started in the other, they agree again."""
    whole = Whole(tmp_path, meters=TWO)
    for part in order:
        whole.start(part)
        says_nothing_it_cannot_know(whole)
        whole.run(6)
    agree(whole)
    for part in order[1:] + order[:1]:
        whole.end(part)
        whole.run(4)
    for part in reversed(order):
        whole.start(part)
        whole.run(6)
    agree(whole)


def test_the_edge_alone_for_half_a_day(tmp_path: Path) -> None:
    """No broker from the beginning: levels, warning, cut, midnight; on connect everything is told, nothing twice."""
    whole = Whole(tmp_path, meters=TWO, poll_s=60, idle_s=5)
    building = whole.building
    whole.start("edge")
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=3)
    building.clock.advance(10 * 3600)
    building.run_until(lambda: building.of("closing/1", account=ACCOUNT), hours=4)
    assert whole.hub.heard == []
    kinds = {entry.kind for entry in building.entries()}
    assert {"level/1", "final/1", "delivered/1", "trip/1", "closing/1", "charge/2"} <= kinds
    for part in ("panel", "bridge", "broker"):
        whole.start(part)
    agree(whole)
    shown = whole.view.get(Account, ACCOUNT)
    assert shown is not None and shown.state == "cut"
    told = [json.loads(payload)["seq"] for topic, payload, _ in whole.hub.heard if topic.endswith("/entry")]
    assert sorted(set(told)) == list(range(1, max(told) + 1))
    books.check(building)


def test_a_payment_whose_answer_the_broker_swallowed(tmp_path: Path) -> None:
    """Booked in the instant in which the broker died: light comes back, and asked again the answer is the same one."""
    whole = Whole(tmp_path, meters=TWO, poll_s=30, idle_s=5)
    building = whole.building
    for part in PARTS:
        whole.start(part)
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=2)
    whole.end("broker")
    building.topup(ACCOUNT, 200_00, transaction="paid-and-unheard")
    assert building.answers("paid-and-unheard") == []
    building.run(minutes=1)
    assert not building.sim_meter(ROOM).relay.open, "light does not wait for a broker"
    whole.hub.retained.clear()
    whole.start("broker")
    building.topup(ACCOUNT, 200_00, transaction="paid-and-unheard")
    first, again = building.answers("paid-and-unheard")
    assert first["status"] == "done" and {**again, "at": first["at"]} == first, "told when the broker is back"
    assert len(building.of("topup/1")) == 1
    agree(whole)


def test_a_broker_that_forgot_everything(tmp_path: Path) -> None:
    """Killed and its persistence deleted: each retained fact and each discovery message is there again by itself."""
    whole = Whole(tmp_path, meters=TWO)
    for part in PARTS:
        whole.start(part)
    agree(whole)
    stood = set(whole.hub.retained)
    whole.end("broker")
    whole.run(10)
    whole.hub.retained.clear()
    whole.start("broker")
    agree(whole)
    assert set(whole.hub.retained) == stood and len(stood) > 10


def test_a_broker_with_the_facts_of_another_book(tmp_path: Path) -> None:
    """A broker taken over from an older installation of this name: its facts are replaced, and nobody is held up."""
    other = Whole(tmp_path / "other", meters=TWO | {"a208"})
    for part in PARTS:
        other.start(part)
    other.run(120)
    whole = Whole(tmp_path / "this", meters=TWO)
    whole.hub.retained |= other.hub.retained
    old = Info.model_validate_json(whole.hub.retained[whole.topics.of(Info)])
    whole.hub.retained[whole.topics.of(Info)] = old.model_copy(update={"seq": 10_000}).payload()
    for part in ("broker", "panel", "bridge", "edge"):
        whole.start(part)
    agree(whole)
    assert whole.building.edge.core.mode == "normal"
    meters = Meters.model_validate_json(whole.hub.retained[whole.topics.of(Meters)])
    assert {row.id for row in meters.meters} == TWO


def test_a_book_put_back_from_a_copy(tmp_path: Path) -> None:
    """The broker knows more of this book than it holds: no cuts, over restarts too, until a person says so (51)."""
    whole = Whole(tmp_path, meters=TWO, poll_s=30, idle_s=5)
    building = whole.building
    for part in PARTS:
        whole.start(part)
    building.run_until(lambda: building.of("final/1", account=ACCOUNT), hours=4)
    whole.end("edge")
    shutil.copytree(building.directory, tmp_path / "copy")
    whole.start("edge")
    building.topup(ACCOUNT, 5_00, transaction="paid-after-the-copy")
    building.run(minutes=2)
    whole.end("edge")
    shutil.rmtree(building.directory)
    shutil.copytree(tmp_path / "copy", building.directory)
    building._seen.clear()
    whole.start("edge")
    building.run(minutes=3)
    assert building.edge.core.mode == "recovery"
    shown = whole.view.get(Info)
    assert shown is not None and shown.mode == "recovery" and "the broker knows entry" in (shown.mode_why or "")
    building.topup(ACCOUNT, 5_00, transaction="paid-after-the-copy")
    assert building.answers("paid-after-the-copy")[-1]["status"] == "done", "money goes in, once more"
    for _ in range(2):
        building.run(hours=1)
        assert building.of("trip/1") == [] and not building.sim_meter(ROOM).relay.open
        whole.end("edge")
        whole.start("edge")
    assert building.edge.core.mode == "recovery"
    whole.end("edge")
    whole.on.add("edge")
    building.start_edge(recovered_by="王敏")
    whole._connect("edge")
    building.run_until(lambda: building.of("trip/1"), hours=1)
    named = [entry for entry in building.of("mode/1") if "王敏" in entry.fields["why"]]
    assert len(named) == 1 and building.edge.core.mode == "normal"
    assert building.of("trip/1")[0].fields["warned_s"] >= 1800


def test_a_broker_that_kept_the_last_online_of_a_dead_edge(tmp_path: Path) -> None:
    """Broker and edge die together, the broker comes back alone with what it kept: the panel does not call it live."""
    whole = Whole(tmp_path, meters=TWO)
    for part in PARTS:
        whole.start(part)
    agree(whole)
    whole.end("broker")
    whole.end("edge")
    whole.run(60)
    whole.start("broker")
    assert json.loads(whole.hub.retained[whole.topics.of(Status)]) == {"state": "online"}, "this is what Mosquitto does"
    whole.run(40)
    assert not whole.view.live and whole.view.gateway == "silent"
    whole.start("edge")
    agree(whole)
    assert instant_of_micros(whole.building.entries()[-1].at) <= whole.clock.now()
