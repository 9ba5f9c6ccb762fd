"""R6: how supply comes back is each tenant's own, and a person may change it while the book runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Site
from bridge.mqtt import Received
from edge import cuttable
from edge.audit.verify import verify
from edge.commands import BUTTON
from edge.fold import apply
from edge.state import MeterState, State
from tests.edge.building import Building
from tests.edge.losing import Archive, backed_up, restored
from tests.edge.pricing import request
from tests.edge.test_edge_move_in import LEASE, SETTLE
from tests.edge.wires import ACCOUNT, ROOM, Watched, order_of

WHY = "an oven stands there"


class Wanted(Watched):
    """The same room, whose meter closes at once, let to a tenant who wants it otherwise."""

    close: str | None = "permit"

    @property
    def meter(self) -> MeterState:
        return self.edge.core.state.meters[ROOM]

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        told = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        told["accounts"] = [row | {"close": self.close} for row in told["accounts"]]
        return Site.model_validate(told)


class Usual(Wanted):
    close = None


def orders(building: Watched) -> list[str]:
    """Every order that leaves from now on, as it leaves."""
    left: list[str] = []
    building.before = lambda frame: left.append(order) if (order := order_of(frame)) else None
    return left


def ask(building: Building, **fields: Any) -> dict[str, Any]:
    fields = {"account": ACCOUNT, "why": WHY} | fields
    return building.answers(building.request("set-close", **fields))[-1]


def closed_by(building: Building) -> str:
    """The meter's row as people see it."""
    return next(row["relay"] for row in building.fact("meters")["meters"] if row["id"] == ROOM)


def test_r6_a_tenant_of_the_site_file_comes_back_by_the_button(tmp_path: Path) -> None:
    """The meter is wired direct; no order that closes it leaves, and the room is dark until the button is pressed."""
    building = Wanted(tmp_path)
    building.cut()
    left = orders(building)
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=5)
    assert set(left) - {"alarm", "alarm-off"} == {"permit"} and building.dark and closed_by(building) == "permit"
    assert building.of("close/1")[-1].fields["command"] == "permit" and building.fact("meters")["meters"][0]["button"]
    building.press()
    building.run(minutes=2)
    assert not building.dark


def test_r6_a_change_counts_for_the_close_that_waits_for_its_button(tmp_path: Path) -> None:
    """It was permitted and nobody came; by itself from now on: light within seconds, after a restart as well."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    assert building.dark
    assert ask(building, close="direct")["status"] == "done"
    building.run(seconds=20)
    assert not building.dark and closed_by(building) == "direct"
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(minutes=1)
    assert closed_by(building) == "direct" and verify(tmp_path).good
    state = State()
    for entry in building.edge.core.book.entries(1):
        apply(state, entry)
    assert state == building.edge.core.state


def test_r6_nobody_is_sent_to_a_button_that_is_not_waited_for_any_more(tmp_path: Path) -> None:
    """It was permitted; then by itself from now on, while the newest look at the relay is in doubt and nothing can be
    begun: who is told that it is paid and dark does not hear of the button."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    commands, live = building.edge.relays.commands, building.edge.core.lives[ROOM]
    assert commands.at_its_button(building.meter)
    live.seen_doubt = live.seen
    assert ask(building, close="direct")["status"] == "done"
    assert commands.step(building.meter) == BUTTON and not commands.at_its_button(building.meter)
    building.clock.advance(600)
    building.edge.relays.looking.watch(building.meter)
    assert "supply should be back" in building.of("alarm/1", alarm="paid-and-dark")[-1].fields["text"]


def test_r6_an_order_of_the_old_way_does_not_leave(tmp_path: Path) -> None:
    """The direct order stands at its port and waits for its last look when somebody says: by the button."""
    building = Usual(tmp_path)
    building.cut()
    left = orders(building)
    building.topup(ACCOUNT, 500_00)
    waiting = building.until_ready("close")
    assert ask(building, close="permit")["status"] == "done"
    for event in waiting:
        building.edge.step(event)
    building.run(minutes=1)
    assert "direct" not in left and "permit" in left and building.dark
    assert [each.fields["command"] for each in building.of("close/1")][-1] == "permit"


def test_r6_a_person_s_hold_takes_the_permission_back_whatever_the_tenant_wants_now(tmp_path: Path) -> None:
    """Permitted, then held off by a person while no trip gets through, and set to come back by itself meanwhile: as
    soon as the meter hears, the permission is gone, and its button closes nothing."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    building.deaf_to = {"trip"}
    building.request("trip", meter=ROOM, why="works")
    assert ask(building, close="direct")["status"] == "done"
    building.run(minutes=1)
    building.deaf_to = set()
    building.run(minutes=15)
    assert not building.sim_meter(ROOM).relay.permitted, "not even for the moment until somebody looks"
    building.press()
    building.run(minutes=2)
    assert building.dark


@pytest.mark.parametrize(
    ("fields", "rule", "says"),
    [
        ({"close": "permit"}, "R6", "that way already"),
        ({"close": "direct", "account": "nobody"}, "R7", "there is no account"),
    ],
)
def test_r6_what_is_refused_changes_nothing(tmp_path: Path, fields: dict[str, Any], rule: str, says: str) -> None:
    """The same way once more, an account that is not there: told why, and nothing written."""
    building = Wanted(tmp_path)
    building.connect()
    building.run(minutes=2)
    answer = ask(building, **fields)
    assert (answer["status"], answer["rule"]) == ("refused", rule) and says in answer["error"]
    assert not building.of("close-way/1") and closed_by(building) == "permit"


def test_r6_a_role_that_may_not_choose_is_refused(tmp_path: Path) -> None:
    """Operations staff look and tell; they do not decide who must be there when light returns."""
    building = Wanted(tmp_path)
    building.connect()
    building.run(minutes=2)
    answer = ask(building, close="direct", role="operations")
    assert (answer["status"], answer["rule"]) == ("refused", "R32")


# --- while orders are on their way ---


def commands(building: Building) -> list[str]:
    """How each close left, as the book says it."""
    return [each.fields["command"] for each in building.of("close/1")]


def said_when(building: Watched, order: str, close: str) -> list[str]:
    """Somebody chooses another way in the moment in which that order reaches the meter; every close that leaves."""
    left: list[str] = []

    def before(frame: Any) -> None:
        name = order_of(frame)
        if name in ("direct", "permit"):
            if name == order and order not in left:
                topic, payload, _ = building.asked("set-close", account=ACCOUNT, close=close, why=WHY)
                building.edge.enqueue(Received(topic, payload, False))
            left.append(name)

    building.before = before
    return left


def test_i9_a_permission_that_is_being_read_back_gives_way_to_light(tmp_path: Path) -> None:
    """The permission is on the wire when somebody says: by itself. Light within seconds, not with the hour."""
    building = Wanted(tmp_path)
    building.cut()
    left = said_when(building, "permit", "direct")
    building.topup(ACCOUNT, 500_00)
    building.run(seconds=30)
    assert left == ["permit", "direct"] and not building.dark
    assert commands(building) == ["permit", "direct"] and verify(tmp_path).good


def test_r6_the_book_says_of_each_order_how_it_was_to_close(tmp_path: Path) -> None:
    """A direct order is lost on the wire, and the next attempt is a permission: two entries, each with its command."""
    building = Usual(tmp_path)
    building.cut()
    building.deaf_to = {"direct"}
    left = said_when(building, "direct", "permit")
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=3)
    assert left == commands(building) == ["direct", "permit"] and building.dark and verify(tmp_path).good


def test_r6_a_close_that_was_withdrawn_leaves_its_entry_to_the_next(tmp_path: Path) -> None:
    """In a second arrears episode the first order is withdrawn at its last look: the one that leaves has an entry."""
    building = Usual(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 60_00)
    building.run_until(lambda: not building.dark, hours=1)
    building.run_until(lambda: building.dark, hours=60)
    building.run(minutes=2)
    building.topup(ACCOUNT, 500_00)
    waiting = building.until_ready("close")
    ask(building, close="permit")
    for event in waiting:
        building.edge.step(event)
    building.run(minutes=1)
    assert commands(building) == ["direct", "permit"]


def test_r6_an_order_whose_task_is_over_does_not_leave(tmp_path: Path) -> None:
    """The line is busy while people say direct, off, permit, on: the first order waits there and is another task's."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    left, port = orders(building), building.ports["line-2"]
    pump = port.pump
    port.pump = lambda: False  # type: ignore[method-assign]
    for operation, fields in (
        ("set-close", {"account": ACCOUNT, "close": "direct"}), ("off", {"meter": ROOM}),
        ("set-close", {"account": ACCOUNT, "close": "permit"}), ("on", {"meter": ROOM}),
    ):  # fmt: skip
        building.request(operation, why="x", **fields)
        building.clock.advance(0.3)
    port.pump = pump  # type: ignore[method-assign]
    building.run(minutes=2)
    assert "direct" not in left and building.dark and verify(tmp_path).good


def test_r6_who_chose_the_button_hears_of_an_order_that_has_left(tmp_path: Path) -> None:
    """The light may come once more by itself: said with the answer, not found out later."""
    building = Usual(tmp_path)
    building.cut()
    building.deaf_to = {"direct"}
    building.topup(ACCOUNT, 500_00)
    building.run_until(lambda: building.edge.relays.commands.has_left(building.meter, "close", "direct"), hours=0.1)
    assert "an order to close has left already" in ask(building, close="permit")["data"]["text"]


def left_by_its_tenant(tmp_path: Path) -> tuple[Wanted, list[str]]:
    """Paid, permitted, not pressed, settled; and what leaves for the meter from then on."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    left = orders(building)
    settled = request(building, "settle", "王敏", "finance", account=ACCOUNT, **SETTLE)["data"]["proposal"]
    assert request(building, "approve-money", "李强", "finance", proposal=settled)["status"] == "done"
    return building, left


def test_r6_a_room_whose_tenant_has_left_is_not_lit_where_only_the_button_was_wanted(tmp_path: Path) -> None:
    """Paid, permitted, not pressed, settled: an empty room with an oven in it. No order closes it by itself; whoever
    stands there and presses has light, and so has a person who says on."""
    building, left = left_by_its_tenant(tmp_path)
    building.run(minutes=70)
    assert "direct" not in left and building.dark and building.meter.account is None
    assert (
        building.answers(building.request("on", meter=ROOM, why="the next one looks at it"))[-1]["status"] != "refused"
    )
    building.run(minutes=1)
    assert not building.dark and verify(tmp_path).good


def test_r6_a_lock_that_comes_and_goes_lights_no_empty_room(tmp_path: Path) -> None:
    """Paid, permitted, settled; an electrician locks and unlocks: nobody has asked for light."""
    building, left = left_by_its_tenant(tmp_path)
    building.run(minutes=2)
    building.request("lock", role="engineer", meter=ROOM, why="a cable is laid", off=False)
    building.run(minutes=2)
    building.request("unlock", role="engineer", meter=ROOM, why="done")
    building.run(minutes=5)
    assert "direct" not in left and building.dark and verify(tmp_path).good


def test_i9_the_next_tenant_s_way_counts_for_what_the_last_one_left_permitted(tmp_path: Path) -> None:
    """By the button, permitted, never pressed, settled; the next one wants light by itself and pays: within minutes."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)

    def by(operation: str, who: str = "王敏", **fields: Any) -> dict[str, Any]:
        return request(building, operation, who, "finance", **fields)

    by("approve-money", "李强", proposal=by("settle", account=ACCOUNT, **SETTLE)["data"]["proposal"])
    building.run(seconds=30)
    tariff = building.edge.core.state.accounts[ACCOUNT].row["tariff"]
    lease = {**LEASE, "account": "300206", "room": "A206", "meters": [ROOM], "close": "direct", "tariff": tariff}
    by("approve-move-in", "李强", proposal=by("move-in", **lease)["data"]["proposal"])
    building.topup("300206", 500_00)
    building.run(minutes=5)
    assert not building.dark and verify(tmp_path).good


def test_r7_the_last_word_stands_however_the_wires_deliver_it(tmp_path: Path) -> None:
    """The older wish of the same program comes second: refused, with who asked what when."""
    building = Usual(tmp_path)
    building.run(minutes=2)
    older = building.asked("set-close", account=ACCOUNT, close="direct", why="no oven")
    building.clock.advance(20)
    assert ask(building, close="permit")["status"] == "done"
    building.deliver(older[0], older[1])
    answer = building.answers(older[2])[-1]
    assert (answer["status"], answer["rule"]) == ("refused", "R7") and "came first and stands" in answer["error"]
    assert closed_by(building) == "permit"


def test_r25_a_wish_for_light_by_itself_is_not_carried_out_hours_later(tmp_path: Path) -> None:
    """Nobody's calendar is believed, but the gateway has counted the hours; the button needs no time."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    old = building.asked("set-close", account=ACCOUNT, close="direct", why="of hours ago")
    building.run(hours=5)
    building.edge.core.book.trusted = False
    building.deliver(old[0], old[1])
    assert building.answers(old[2])[-1]["status"] == "refused" and closed_by(building) == "permit"


def test_i5_the_button_that_was_chosen_after_the_backup_is_chosen_again(tmp_path: Path) -> None:
    """Restored, and the archive gives it back: a payment in recovery permits and does not light."""
    building = Usual(tmp_path / "lives")
    building.cut()
    made = backed_up(building, tmp_path / "copy")
    ask(building, close="direct")
    building.clock.advance(1)
    assert ask(building, close="permit")["status"] == "done"
    building.run(minutes=1)
    archive = Archive(building, restored(building, made, tmp_path / "copy"))
    rows = [row for row in archive.rows if row["kind"] == "close-way/1"]
    for row in reversed(rows):  # The older one comes last, and changes nothing.
        assert archive.bring(row)["status"] == "done"
    left = orders(building)
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=3)
    assert len(rows) == 2 and closed_by(building) == "permit" and "direct" not in left and building.dark
    assert ask(building, close="direct")["status"] == "done"
    building.run(minutes=1)
    assert not building.dark and verify(building.directory).good


# --- where it cannot be ---


def test_r6_a_relay_without_a_button_is_not_permitted_and_a_valve_needs_none(tmp_path: Path) -> None:
    """Its model moves the relay by other means: refused, with the meter's name; a valve of the tenant is not asked."""
    building = Usual(tmp_path)
    building.run(minutes=2)
    live = building.edge.core.lives[ROOM]
    plain = live.model
    live.model = replace(plain, relay=replace(plain.relay, kind="modbus"))  # type: ignore[type-var]
    answer = ask(building, close="permit")
    assert (answer["status"], answer["rule"]) == ("refused", "R6") and f"meter {ROOM} (" in answer["error"]
    live.model = replace(plain, relay=replace(plain.relay, kind="valve"))  # type: ignore[type-var]
    answer = ask(building, close="permit")
    assert (answer["status"], answer["rule"]) == ("refused", "R6") and "no meter with a relay" in answer["error"]
    account = building.edge.core.state.accounts[ACCOUNT]
    account.row = account.row | {"close": "permit"}
    assert live.model.relay_is_valve and cuttable.closing(building.edge.core, building.meter) == "direct"


def test_r33_a_settled_tenancy_has_no_way(tmp_path: Path) -> None:
    """Its meters are nobody's, or somebody else's."""
    building = Usual(tmp_path)
    building.topup(ACCOUNT, 100_00)
    building.run(minutes=10)
    proposed = request(building, "settle", "王敏", "finance", account=ACCOUNT, **SETTLE)
    request(building, "approve-money", "李强", "finance", proposal=proposed["data"]["proposal"])
    answer = ask(building, close="permit")
    assert (answer["status"], answer["rule"]) == ("refused", "R33")


def test_r6_nobody_moves_in_by_a_button_that_is_not_there(tmp_path: Path) -> None:
    """Refused when it is proposed, with the meter's name."""
    building = Usual(tmp_path)
    building.run(minutes=2)
    live = building.edge.core.lives[ROOM]
    live.model = replace(live.model, relay=replace(live.model.relay, kind="modbus"))  # type: ignore[type-var]
    building.meter.account = None
    lease = {**LEASE, "account": "300206", "meters": [ROOM], "close": "permit"}
    answer = request(building, "move-in", "王敏", "finance", **lease)
    assert (answer["status"], answer["rule"]) == ("refused", "R6") and f"meter {ROOM} (" in answer["error"]


def test_i9_a_button_that_nobody_presses_is_told_as_that(tmp_path: Path) -> None:
    """Ten minutes after the payment a person hears that somebody must press, not that something is broken."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=15)
    (alarm,) = building.of("alarm/1", alarm="paid-and-dark")
    assert "nobody has pressed the button" in alarm.fields["text"]


@pytest.mark.parametrize("command", ["direct", "permit"])
def test_r6_verify_names_a_close_in_another_way_than_the_tenant_s(tmp_path: Path, command: str) -> None:
    """The order in the book must be of the way that stood then."""
    building = Wanted(tmp_path)
    building.cut()
    core = building.edge.core
    core.append(("hold/1", core.own_id("lift"), {"meter": ROOM, "account": ACCOUNT, "hold": "arrears", "set": False,
                                                "why": "paid", "who": "policy", "role": "system"}))  # fmt: skip
    order = {"meter": ROOM, "account": ACCOUNT, "command": command, "cause": "paid"}
    (entry,) = core.append(("close/1", core.own_id(f"close:{ROOM}"), order))
    building.stop_edge()
    report = verify(tmp_path)
    assert report.good if command == "permit" else report.lie is not None and report.lie.seq == entry.seq


@pytest.mark.parametrize("close", ["direct", "permit", "never"])
def test_r6_verify_names_a_choice_that_changes_nothing(tmp_path: Path, close: str) -> None:
    """The edge writes none, so one in the book was made by somebody else."""
    building = Wanted(tmp_path)
    building.run(minutes=2)
    core = building.edge.core
    fields = {"account": ACCOUNT, "close": close, "why": "x", "who": "王敏", "role": "manager", "request": {},
              "issued_at": "2026-11-20T00:00:00+00:00"}  # fmt: skip
    (entry,) = core.append(("close-way/1", "shell:forged-1", fields))
    building.stop_edge()
    report = verify(tmp_path)
    assert report.good if close == "direct" else report.lie is not None and report.lie.seq == entry.seq
