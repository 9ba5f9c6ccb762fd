"""A purse in a meter beside an account of ours: double billing is told, and so is a relay that the purse opened."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.messages import Relay
from bridge.contract.site import Site
from edge import model, purses
from edge.live import Live
from firmware_sim.dlt645_frame import build, parse
from tests.edge.building import Building

SHAFT = """
[shaft]
name = "x"
[[lines]]
id = "line-1"
protocol = "dlt645-2007"
baud = 2400
"""

METERS = {
    "off": {"model": "dlt645-1p-purse", "purse": "off"},
    "plain": {"model": "dlt645-1p"},
    "shown": {"model": "dlt645-1p-purse"},
    "bare": {"model": "dlt645-1p", "relay": "none"},
}
"""As the site file has them: `off` and `plain` have an account, `shown` keeps its own money, `bare` has no relay."""

BUILT = {"plain": "dlt645-1p-purse"}
"""What really hangs there, where it is something else than was written down."""


class Mixed(Building):
    """One line with meters that keep money and meters that do not."""

    def __init__(self, directory: Path, balance: str = "50.00", refused: Iterable[tuple[str, bytes]] = ()):
        self.balance = balance
        self.refused = set(refused)
        super().__init__(directory)
        self.connect()
        self.run_until(lambda: len(self.of("opening/1")) == len(METERS), hours=0.5)
        self.run(minutes=4)

    def _described(self) -> Path:
        text = SHAFT
        for number, (id, row) in enumerate(METERS.items(), 1):
            model = BUILT.get(id, row["model"])
            text += f'[[meters]]\nid = "{id}"\nline = "line-1"\nmodel = "{model}"\naddress = "00000000000{number}"\n'
            text += f'serial = "00000000000{number}"\nload = {{ kind = "constant", watts = 3600, seed = {number} }}\n'
            if model.endswith("-purse"):
                text += f'balance = "{self.balance}"\npurse = "{row.get("purse", "meter")}"\n'
        path = self.directory / "shaft.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        rows = [
            {"id": id, "port": "line-1", "address": f"00000000000{number}", "room": id, **row}
            for number, (id, row) in enumerate(METERS.items(), 1)
        ]
        accounts = [
            {"id": f"t-{id}", "name": id, "room": id, "tariff": "home", "meters": [id], "opening": "100.00"}
            for id in ("off", "plain")
        ]
        port = {"id": "line-1", "device": "line-1", "protocol": "dlt645-2007", "baud": 2400, "poll_s": poll_s}
        return Site.model_validate(
            {
                "site": {"name": "x", "gateway": "x"},
                "clock": {"trust": "always"},
                "ports": [port],
                "tariffs": [{"id": "home", "name": "Home", "kind": "single", "price": "0.5"}],
                "meters": rows,
                "accounts": accounts,
            }
        )

    def answer_of(self, line: str) -> Any:
        real = super().answer_of(line)

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            asked = parse(frame.lstrip(b"\xfe"))
            for id, identifier in self.refused:
                if asked and asked[0] == self.sim_meter(id).wire and asked[2][:4] == identifier:
                    return build(asked[0], asked[1] | 0xC0, b"\x02"), 0.05
            return real(frame, now, mono)

        return answer

    def relay(self, meter: str) -> Relay:
        return Relay.model_validate(self.fact(f"meter/{meter}/relay"))

    def alarms(self, meter: str) -> list[str]:
        return [entry.fields["alarm"] for entry in self.of("alarm/1", meter=meter)]

    def events(self, meter: str) -> list[bytes]:
        return [payload for topic, payload, _ in self.broker.heard if topic.endswith(f"meter/{meter}/event")]

    def answered(self, operation: str, meter: str, **more: str) -> list[dict[str, Any]]:
        """A request about a meter, and both its answers."""
        asked = self.request(operation, meter=meter, **more)
        self.run_until(lambda: len(self.answers(asked)) == 2, hours=0.1)
        return self.answers(asked)


MONEY = {"purse_counts": True, "purse_of": "money"}
ENERGY = {"purse_counts": True, "purse_of": "energy"}
STATUS_3, LEFT = (bytes.fromhex(each)[::-1] for each in ("04000503", "00900200"))


def test_who_pays_twice_is_told_and_nobody_else(tmp_path: Path) -> None:
    """A purse meter taken for a plain one alarms with the amount in it; one that is off, and one without an account,
    do not."""
    building = Mixed(tmp_path)
    assert building.alarms("plain") == ["purse-counts"]
    (entry,) = building.of("alarm/1")
    assert entry.fields["account"] == "t-plain" and "pays twice" in entry.fields["text"]
    assert sum(b'"purse-counts"' in each for each in building.events("plain")) == 1
    facts = building.fact("meter/plain")
    assert facts["purse_counts"] is True and 0 < facts["purse_remaining_fen"] < 5000, "seen though no model row asks it"
    assert building.fact("meter/off")["purse_counts"] is False
    assert building.fact("meter/bare")["purse_counts"] is False
    assert building.fact("meter/shown")["purse_counts"] is True


def test_the_alarm_comes_with_the_purse_and_goes_with_it(tmp_path: Path) -> None:
    """Off in the site file and counting again in the meter: told once, over a restart too, and taken back when off."""
    building = Mixed(tmp_path)
    building.sim_meter("off").counting = True
    building.run_until(lambda: building.alarms("off") == ["purse-counts"], hours=0.1)
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(minutes=5)
    assert building.alarms("off") == ["purse-counts"] and building.fact("meter/off")["purse_counts"] is True
    building.sim_meter("off").counting = False
    building.run_until(lambda: building.alarms("off") == ["purse-counts", "purse-off"], hours=0.1)
    building.sim_meter("plain").counting = False
    building.run_until(lambda: building.alarms("plain") == ["purse-counts", "purse-off"], hours=0.1)
    building.run(minutes=1)
    assert "purse_remaining_fen" not in building.fact("meter/plain"), "an amount of an hour ago is nobody's amount"


def test_a_meter_with_prepaid_energy_is_not_called_empty(tmp_path: Path) -> None:
    """Bits 01: what is prepaid is energy, and the amount in yuan is 0.00. Its tenant pays twice all the same; the
    amount is not asked for, and a relay that it opened is perhaps the purse's."""
    building = Mixed(tmp_path, balance="1.00")
    meter = building.sim_meter("plain")
    honest = meter.status_word
    meter.status_word = lambda number: honest(number) & ~0x0300 | 0x0100 if number == 3 else honest(number)
    building.run_until(lambda: building.fact("meter/plain").get("purse_of") == "energy", hours=0.1)
    building.run_until(lambda: building.relay("plain").observed == "open", hours=2)
    building.run(minutes=5)
    assert building.alarms("plain") == ["purse-counts", "relay-moved"]
    assert "purse_remaining_fen" not in building.fact("meter/plain")
    assert (building.relay("plain").why, building.relay("plain").own_purse) == (purses.PERHAPS, "perhaps")


def test_what_a_purse_meter_tells_of_its_purse_stays(tmp_path: Path) -> None:
    """With its purse off, a purse meter still tells the amount left in it: each status takes nothing away from that."""
    building = Mixed(tmp_path)
    meter = building.sim_meter("off")
    honest, meter.counting = meter.status_word, True  # This kind answers for its purse whether or not it counts.
    meter.status_word = lambda number: honest(number) & ~0x0300 if number == 3 else honest(number)
    building.run_until(lambda: "purse_remaining_fen" in building.fact("meter/off"), hours=2)
    heard = len(building.broker.heard)
    building.run(minutes=5)
    facts = [json.loads(p) for topic, p, _ in building.broker.heard[heard:] if topic.endswith("/meter/off")]
    assert len(facts) > 5 and all(0 < each.get("purse_remaining_fen", 0) < 5000 for each in facts)


def test_one_wrong_status_word_is_no_double_billing(tmp_path: Path) -> None:
    """A single frame whose sum was right by chance says prepaid: nobody is called."""
    building = Mixed(tmp_path)
    meter = building.sim_meter("bare")
    building.edge.core.state.meters["bare"].account = "t-off"
    honest, lies = meter.status_word, [0x0200]
    meter.status_word = lambda number: honest(number) | (lies.pop() if number == 3 and lies else 0)
    building.run_until(lambda: not lies, hours=0.1)
    building.run(minutes=5)
    assert building.alarms("bare") == []


def test_a_meter_without_a_relay_may_lack_the_status_word(tmp_path: Path) -> None:
    """It refuses 04000503: asked again after an hour, counted as no failure, and read on request all the same."""
    building = Mixed(tmp_path, refused={("bare", STATUS_3)})
    live, port = building.edge.core.lives["bare"], building.edge.polls["line-1"]
    assert "status" in live.lacks and live.online
    failed = port.failed
    building.run(minutes=20)
    assert port.failed == failed
    assert building.answered("read", "bare")[-1]["status"] == "done"


def test_a_purse_that_ran_out_is_why_it_is_dark(tmp_path: Path) -> None:
    """The relay's own word, before and after the amount is known to be zero, and in the answer to `close`."""
    building = Mixed(tmp_path, balance="1.00")
    building.run_until(lambda: building.relay("shown").observed == "open", hours=2)
    building.run_until(lambda: building.relay("shown").why == purses.EMPTY, hours=0.1)
    building.run_until(lambda: building.relay("plain").why == purses.EMPTY, hours=0.1)
    assert building.relay("shown").own_purse == building.relay("plain").own_purse == "empty"
    building.sim_meter("shown").set_stuck(True)
    accepted, failed = building.answered("close", "shown", why="the tenant called")
    assert accepted["status"] == "accepted" and accepted["data"]["text"] == purses.EMPTY
    assert failed["status"] == "failed" and failed["error"] == purses.EMPTY
    building.run_until(lambda: not building.relay("shown").following, hours=0.5)
    assert building.relay("shown").why == purses.EMPTY
    building.sim_meter("shown").set_stuck(False)
    building.run_until(lambda: building.relay("shown").observed == "closed", hours=0.5)
    assert building.relay("shown").why == "nothing holds it" and building.relay("shown").own_purse is None


def test_a_relay_that_we_opened_is_not_laid_to_the_purse(tmp_path: Path) -> None:
    """A person cut it here: that is said, and closing it again speaks of no purse, though the meter has one."""
    building = Mixed(tmp_path, refused={("plain", LEFT)})
    assert building.alarms("plain") == ["purse-counts"]
    assert "purse_remaining_fen" not in building.fact("meter/plain"), "refused, so nobody knows what is in it"
    building.answered("trip", "plain", why="the tenant called")
    assert building.relay("plain").why == "held open: manual"
    accepted, done = building.answered("close", "plain", why="the tenant called")
    assert "text" not in accepted["data"] and done["status"] == "done"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, None),
        ({"purse_counts": False, "purse_remaining_fen": 0}, None),
        (MONEY, purses.PERHAPS),
        ({**MONEY, "purse_remaining_fen": 0}, purses.EMPTY),
        ({**MONEY, "purse_remaining_fen": 0, "purse_overdrawn_fen": 900}, purses.EMPTY),
        ({**MONEY, "purse_remaining_fen": 900}, None),
        ({**MONEY, "purse_remaining_fen": 900, "purse_alarm_2_fen": 1000}, purses.WARNS),
        ({**MONEY, "purse_remaining_fen": 1100, "purse_alarm_2_fen": 1000}, None),
        ({**ENERGY, "purse_remaining_fen": 0}, purses.PERHAPS),
        ({**ENERGY, "purse_remaining_fen": 900, "purse_alarm_2_fen": 1000}, purses.PERHAPS),
    ],
)
def test_only_what_the_meter_says_is_said(values: dict[str, Any], why: str | None) -> None:
    """Empty, at its second alarm, unknown, or none of it: a full purse opens no relay; a person looks. An amount of
    money says nothing of energy that is prepaid."""
    assert purses.why_open(Live(model.load("dlt645-1p-purse"), values=values)) == why
