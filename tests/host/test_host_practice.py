"""`riser up --site FILE --practice`: the very site file, simulated meters behind it, and no way to the real book."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from bridge.contract.clock import SystemClock
from bridge.contract.site_file import load
from edge.settings import lines_of
from host.demo import set_aside
from host.layout import Wish, lay_out
from host.ports import first_free
from host.programs import SIM, Wiring, commands, environment, programs
from riser import main
from tests.host.conftest import ROOT

EXAMPLE = ROOT / "site.example.toml"


def wiring(data: Path, practice: bool) -> Wiring:
    return Wiring(data, EXAMPLE, "", "127.0.0.1", 8080, False, practice)


def test_simulated_meters_stand_behind_every_port(tmp_path: Path) -> None:
    """The simulator is given the site file, and the edge looks for each port where the simulator puts it."""
    practised = wiring(tmp_path, practice=True)
    simulator = commands(practised, {})[SIM]
    assert simulator[-4:] == ("--site", str(EXAMPLE), "--run", str(practised.lines))
    told = environment(practised, "edge", {})["RISER_LINES"]
    lines = lines_of(load(EXAMPLE), tmp_path, told)
    assert [line.device for line in lines] == [practised.lines / "line-1", practised.lines / "line-2"]


def test_without_practice_the_devices_are_the_sites(tmp_path: Path) -> None:
    """An ordinary start knows of no simulator, also when the person's own environment names one."""
    ordinary = wiring(tmp_path, practice=False)
    assert SIM not in commands(ordinary, {})
    assert "RISER_LINES" not in environment(ordinary, "edge", {"RISER_LINES": "/tmp"})
    assert [str(line.device.parent) for line in lines_of(load(EXAMPLE), tmp_path)] == [
        "/dev/serial/by-id",
        "/dev/serial/by-path",
    ]


def test_practice_keeps_off_the_real_book(tmp_path: Path) -> None:
    """Practised money never stands among real money: practice has a directory of its own, begun afresh each time."""
    port = first_free("127.0.0.1", 18_200)
    (tmp_path / "book.db").write_text("real money")
    practice = tmp_path / "practice"
    practice.mkdir()
    (practice / "book.db").write_text("practised")
    said: list[str] = []
    layout = lay_out(tmp_path, Wish(site=EXAMPLE, practice=True, panel_port=port), said.append)
    layout.lock.close()
    assert layout.wiring.data == practice and not (practice / "book.db").exists()
    assert isinstance(layout.clock, SystemClock)
    assert (tmp_path / "book.db").read_text() == "real money"
    assert any("the last practice is kept in" in sentence for sentence in said)
    assert set_aside(practice) is not None, "broker and run files of this start go aside at the next one"


def test_a_person_speaks_to_the_edge_alone(tmp_path: Path) -> None:
    """What is said of a lost or recovered book reaches the edge, for one start, and no other program."""
    told = ("--recovered-by", "王敏")
    found = {each.name: each.once for each in programs(replace(wiring(tmp_path, False), edge_once=told), {})}
    assert found == {"edge": told, "bridge": (), "panel": ()}


def test_the_demo_is_no_practice() -> None:
    """Both at once is a mistake, said in one sentence."""
    answer = CliRunner().invoke(main, ["up", "--demo", "--practice"])
    assert answer.exit_code == 2 and "the demo has simulated meters already" in answer.output
