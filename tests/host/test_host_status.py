"""`riser status` says ready only when it is, and otherwise what is missing; nothing unknown is filled with a guess."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

import riser
from bridge.contract.clock import ManualClock
from bridge.contract.messages import Info, PortFacts, Status
from host import runfile, status
from host.asking import Gateway
from host.exits import FAILED, FINE, NOT_RUNNING
from host.runfile import Run


def info(read: int = 4, installed: int = 4, rounds: tuple[str | None, ...] = ("2026-11-20T02:30:00+00:00",)) -> Info:
    ports = [
        PortFacts(
            id=f"p{number}", device="d", protocol="dlt645-2007", baud=2400, state="open", meters=2, read=0,
            round_at=at, asked=0, failed=0,
        )
        for number, at in enumerate(rounds)
    ]  # fmt: skip
    return Info(
        gateway="east", name="East", version="0", at="x", started_at="x", zone="Asia/Shanghai", clock_trusted=False,
        clock_why="no time server answered", mode="time", seq=9, hash="", epoch="e", sweep=1, ports=ports,
        meters_installed=installed, meters_read=read, cut_window_open=True,
    )  # fmt: skip


def a_run(data: Path, panel_url: str = "http://127.0.0.1:1", **programs: str) -> Run:
    facts = {name: {"state": state, "pid": 5, "restarts": 0} for name, state in programs.items()}
    return Run(1, 1, "", False, str(data), "", "riser", "east", "", "mqtt://127.0.0.1:1", panel_url, facts)


@pytest.mark.parametrize(
    ("facts", "done"),
    [
        (info(), True),
        (info(read=0), False),
        (info(rounds=("2026-11-20T02:30:00+00:00", None)), False),
        (info(rounds=()), False),
        (info(read=0, installed=0, rounds=()), True),
    ],
)
def test_a_round_is_read_when_every_line_has_finished_one(facts: Info, done: bool) -> None:
    """Ready means that each line was read once, however slow; a site without meters has nothing to wait for."""
    assert status.round_read(facts) is done


@pytest.mark.parametrize(
    ("gateway", "words"),
    [
        (Gateway(None, None), "the broker has no word of the gateway"),
        (Gateway(Status(state="offline"), info()), "the gateway is off line"),
        (Gateway(Status(state="online"), info(read=0)), "no round of the meters is read yet"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gateway: Gateway, words: str) -> None:
    """Not ready comes with the reason: which program, panel, gateway, or meters."""
    monkeypatch.setattr(status, "look", lambda *_: gateway)
    standing = status.gather(a_run(tmp_path, edge="restarting", panel="running"))
    assert not standing.ready
    assert standing.missing[0].startswith("edge is restarting (see ")
    assert standing.missing[1:] == ["the panel does not answer yet", words]
    assert status.as_lines(standing)[0].startswith("not ready: edge is restarting")


def test_all_well_is_ready_and_an_untrusted_clock_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With everything in place it is ready, and the lines for people carry the clock's doubt in words."""
    monkeypatch.setattr(status, "look", lambda *_: Gateway(Status(state="online"), info()))
    monkeypatch.setattr(status, "panel_answers", lambda _: True)
    standing = status.gather(a_run(tmp_path, edge="running"))
    assert status.as_json(standing)["ready"] is True
    assert status.as_json(standing)["clock"]["trusted"] is False
    assert any("not trusted: no time server answered" in line for line in status.as_lines(standing))


def test_what_speaks_against_a_trusted_clock_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusted as it is, most meters agree on another time: people and programs read that beside the time."""
    doubt = "most meters agree with each other on a time -240 s from the gateway's"
    doubted = info().model_copy(update={"clock_trusted": True, "clock_doubt": doubt})
    monkeypatch.setattr(status, "look", lambda *_: Gateway(Status(state="online"), doubted))
    standing = status.gather(a_run(tmp_path, edge="running"))
    assert status.as_json(standing)["clock"]["doubt"] == doubt
    lines = status.as_lines(standing)
    assert [lines[at - 1].split()[0] for at, line in enumerate(lines) if doubt in line] == ["clock"]


@pytest.mark.parametrize(
    ("standing", "words", "code"),
    [
        (status.Standing(a_run(Path("/nowhere"), edge="running")), ["--ready"], FINE),
        (status.Standing(a_run(Path("/nowhere"), edge="running"), missing=["x"]), ["--ready"], FAILED),
        (status.Standing(a_run(Path("/nowhere"), edge="running"), missing=["x"]), [], FINE),
        (status.Standing(None, missing=["x"]), ["--ready"], NOT_RUNNING),
    ],
)
def test_a_container_asks_with_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, standing: status.Standing, words: list[str], code: int
) -> None:
    """`status` fails only where nothing runs; `status --ready` also while anything stands between this and ready."""
    monkeypatch.setattr(riser, "gather", lambda _: standing)
    assert riser.main.commands["status"].main(words, standalone_mode=False) == code  # type: ignore[attr-defined]


def test_unknown_is_null(tmp_path: Path) -> None:
    """What nobody told is null in JSON, never zero, never yesterday's."""
    found = status.as_json(status.Standing(a_run(tmp_path, edge="running"), missing=["x"]))
    assert (found["meters"], found["seq"], found["mode"]) == ({"installed": None, "read": None}, None, None)
    assert found["clock"]["trusted"] is None


def test_a_panel_that_listens_and_never_answers_is_no_panel() -> None:
    """A hanging panel counts as none, within seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not status.panel_answers(f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_a_damaged_run_file_is_no_run(tmp_path: Path) -> None:
    """A run file cut short by a power cut means that nothing runs, and not a stack trace."""
    (tmp_path / "run.json").write_text('{"pid": 1')
    assert runfile.live([tmp_path, tmp_path / "none"]) is None


def test_the_process_id_of_another_program_is_not_believed(tmp_path: Path) -> None:
    """After a power cut the old process id may belong to somebody else; its start gives that away."""
    runfile.write(a_run(tmp_path, edge="running"))
    assert runfile.started_ticks(1) not in (None, 1)
    assert runfile.live([tmp_path]) is None


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Shanghai", "clock     2026-11-20 10:30:00 in Asia/Shanghai, not trusted"),
        ("Mars/Base", "clock     2026-11-20 02:30:00 in UTC, not trusted"),
    ],
)
def test_people_read_the_sites_own_time(tmp_path: Path, zone: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is told in the zone of the site, and in UTC, said so, where the machine does not know that zone."""
    standing = status.Standing(a_run(tmp_path, edge="running"), Gateway(None, info().model_copy(update={"zone": zone})))
    monkeypatch.setattr(status, "from_environment", lambda _: ManualClock(datetime(2026, 11, 20, 2, 30, tzinfo=UTC)))
    assert any(line.startswith(words) for line in status.as_lines(standing))
