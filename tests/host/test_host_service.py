"""Starting with the machine: what install would do, step by step, and what it does below a scratch root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from host import service_verbs, standing, units
from host.backup import units as backup_units
from host.backup.units import SERVICE, TIMER
from host.demo import SITE
from host.exits import FAILED, FINE, IN_USE, MISSING, USAGE, Trouble
from host.service import Account, Found, Remove, Run, Write, carry_out, installation, removal
from host.units import NAME, RULES, UNIT, Wanted
from tests.host.conftest import ROOT

WANTED = Wanted(Path("/opt/riser"), Path("/usr/bin/python3.11"))
OURS = {UNIT: units.unit(WANTED), RULES: units.rules(), **backup_units.texts(WANTED)}
NO_RULES = {path: text for path, text in OURS.items() if path != RULES}
SETTLED = Found(OURS, Account("riser", True), data_owner="riser", enabled=True, active=True)


def commands(steps: list) -> list[str]:
    return [" ".join(step.argv) for step in steps if isinstance(step, Run)]


def test_a_fresh_machine_gets_user_data_unit_and_rules() -> None:
    """The first install makes a user of its own, the data directory, the unit and the rules, and starts it."""
    steps = installation(WANTED, Found(unreadable=(Path("/etc/riser/site.toml"),)))
    assert commands(steps) == [
        "useradd --system --user-group --groups dialout --no-create-home --home-dir /var/lib/riser "
        "--shell /usr/sbin/nologin riser",
        "install -d -m 0700 -o riser -g riser /var/lib/riser",
        "chgrp riser /etc/riser/site.toml",
        "chmod g+r /etc/riser/site.toml",
        "udevadm control --reload",
        "udevadm trigger --action=add --subsystem-match=usb-serial",
        "systemctl daemon-reload",
        "systemctl enable --now riser-backup.timer",
        "systemctl enable riser.service",
        "systemctl start riser.service",
    ]
    assert [(step.path, step.text) for step in steps if isinstance(step, Write)] == list(OURS.items())
    assert all(step.sentence for step in steps if isinstance(step, Write))


def test_a_second_install_changes_only_what_differs() -> None:
    """On a machine that is as it should be nothing is done; another site file changes the units, and starts it anew."""
    assert installation(WANTED, SETTLED) == []
    other = Wanted(WANTED.repository, WANTED.python, site=Path("/etc/riser/east.toml"))
    steps = installation(other, SETTLED)
    assert [step.path for step in steps if isinstance(step, Write)] == [UNIT, SERVICE]
    assert commands(steps) == ["systemctl daemon-reload", "systemctl restart riser.service"]


def test_the_nightly_backup_goes_where_it_was_told(tmp_path: Path) -> None:
    """Another disk and a passphrase file stand in the unit, which may write nowhere else; the service is not started
    anew for it."""
    steps = installation(replace(WANTED, backup_to=Path("/mnt/usb"), backup_secrets=Path("/etc/riser/pass")), SETTLED)
    (unit,) = (step for step in steps if isinstance(step, Write))
    assert unit.path == SERVICE and "ReadWritePaths=/var/lib/riser /mnt/usb\n" in unit.text
    assert "--to /mnt/usb --keep 14 --secrets /etc/riser/pass\n" in unit.text
    assert "--without-secrets\n" in OURS[SERVICE]
    assert commands(steps) == ["systemctl daemon-reload"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found(OURS, Account("riser", False), data_owner="riser", enabled=True, active=True),
         ["usermod --append --groups dialout riser"]),
        (Found(OURS, Account("staff", True), data_owner="root", enabled=True, active=True),
         ["chown -R riser:staff /var/lib/riser"]),
        (Found(OURS, Account("riser", True), data_owner="riser", enabled=True), ["systemctl start riser.service"]),
        (Found(OURS, Account("riser", True), data_owner="riser", active=True),
         ["systemctl daemon-reload", "systemctl enable riser.service"]),
        (Found(NO_RULES, SETTLED.account, data_owner="riser", enabled=True, active=True, udev=False), []),
    ],
    ids=["user without ports", "data of root's", "ended by hand", "a broken install", "a container without udev"],
)  # fmt: skip
def test_what_was_half_there_is_completed(found: Found, expected: list[str]) -> None:
    """Whatever an earlier install or a person left unfinished is finished, and nothing else is touched."""
    assert commands(installation(WANTED, found)) == expected


def test_uninstall_takes_back_the_files_and_nothing_of_the_persons() -> None:
    """Unit and rules go; no step touches data, site file or user; what is not there is not removed."""
    steps = removal(SETTLED)
    assert [step.path for step in steps if isinstance(step, Remove)] == [UNIT, RULES, SERVICE, TIMER]
    assert commands(steps) == [
        "systemctl disable --now riser.service", "systemctl disable --now riser-backup.timer",
        "systemctl daemon-reload", "udevadm control --reload",
    ]  # fmt: skip
    assert not any("/var/lib/riser" in text or "/etc/riser" in text or "userdel" in text for text in commands(steps))
    assert removal(Found()) == []


def test_a_machine_without_the_group_of_the_ports_is_told() -> None:
    """Where serial ports belong to another group than Debian's, nothing is changed and the group is named."""
    with pytest.raises(Trouble, match="no group dialout") as caught:
        installation(WANTED, Found(lines_group=False))
    assert caught.value.code == MISSING


@pytest.mark.parametrize("path", ['/srv/a"b', "/srv/50%", "/srv/$HOME", "/srv/a\\b"])
def test_a_path_that_a_unit_cannot_hold_is_refused(path: str) -> None:
    """A path in which systemd would read a meaning of its own is refused before anything is written."""
    with pytest.raises(Trouble, match="systemd cannot hold"):
        Wanted(WANTED.repository, WANTED.python, data=Path(path)).check()
    with pytest.raises(Trouble, match="needs nothing of root's"):
        Wanted(WANTED.repository, WANTED.python, user="root").check()


def test_a_failing_command_stops_there_and_is_named(tmp_path: Path) -> None:
    """The person reads which command failed and its own words; nothing is done after it."""
    said: list[str] = []
    steps = [
        Run(("sh", "-c", "echo no >&2; echo such user >&2; exit 1"), "first"),
        Run(("touch", str(tmp_path / "x")), ""),
    ]
    with pytest.raises(Trouble, match="failed: no such user") as caught:
        carry_out(list(steps), Path("/"), said.append)
    assert (caught.value.code, said, (tmp_path / "x").exists()) == (FAILED, ["first"], False)
    with pytest.raises(Trouble, match="no-such-command is missing"):
        carry_out([Run(("no-such-command",), "")], Path("/"), said.append)


# --- as a person types it ---


def riser(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "riser.py"), "service", *words], capture_output=True, text=True, timeout=60
    )


def test_below_a_scratch_root(tmp_path: Path) -> None:
    """Install, again, with another user, and uninstall: only four files come and go, and every step is said."""
    data = tmp_path / "var/lib/riser"
    data.mkdir(parents=True)
    (data / "book.db").write_text("a book")
    unit, rules = tmp_path / "etc/systemd/system/riser.service", tmp_path / "etc/udev/rules.d/70-riser.rules"
    first = riser("install", "--root", str(tmp_path))
    assert first.returncode == FINE, first.stderr
    assert f"riser: {UNIT}: the service\n" in first.stderr and f"riser: {RULES}: the rules" in first.stderr
    assert "left for the machine itself: useradd" in first.stderr
    assert (unit.stat().st_mode & 0o777, rules.stat().st_mode & 0o777) == (0o644, 0o644)
    written = unit.stat().st_mtime_ns
    again = riser("install", "--root", str(tmp_path))
    assert (again.returncode, unit.stat().st_mtime_ns) == (FINE, written)
    assert str(UNIT) not in again.stderr
    other = riser("install", "--root", str(tmp_path), "--user", "meters")
    assert str(UNIT) in other.stderr and str(RULES) not in other.stderr
    assert "User=meters\n" in unit.read_text()
    gone = riser("uninstall", "--root", str(tmp_path))
    assert "data directory, the site file and the user stay" in gone.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [data / "book.db"]
    assert "nothing to do" in riser("uninstall", "--root", str(tmp_path)).stderr


def test_show_prints_exactly_what_install_writes(tmp_path: Path) -> None:
    """Whoever wants to look first sees the very files, and changes nothing by looking."""
    shown = riser("show", "--site", "/srv/a b/site.toml").stdout
    riser("install", "--root", str(tmp_path), "--site", "/srv/a b/site.toml")
    for path in (UNIT, RULES):
        assert f"# {path}\n{(tmp_path / path.relative_to('/')).read_text()}" in shown
    assert "# Serial adapters of this machine" in shown


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with systemd and root, on which every command would be an error."""
    monkeypatch.setattr(standing, "has_systemd", lambda: True)
    monkeypatch.setattr(standing, "is_root", lambda: True)
    monkeypatch.setattr(standing, "closed_doors", lambda wanted: [])
    monkeypatch.setattr(service_verbs, "carry_out", lambda *_: pytest.fail("nothing may be changed"))
    site = tmp_path / "site.toml"
    site.write_text('[site]\nname = "East"\ngateway = "east"\n[broker]\nurl = "mqtt://b"\npassword_file = "pw"\n')
    (tmp_path / "pw").write_text("secret")
    return site


def install(site: Path, data: Path = Path("/nowhere/riser")) -> int:
    return service_verbs.install_verb.main(["--site", str(site), "--data", str(data)], standalone_mode=False)


def test_what_stands_against_it_is_one_sentence(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong site file, closed folders, no root, no systemd: each is said with what to do, and nothing is changed."""
    with pytest.raises(Trouble, match="there is no such file") as caught:
        install(machine.with_name("none.toml"))
    assert caught.value.code == USAGE
    unknown = machine.with_name("unknown.toml")
    unknown.write_text(SITE.read_text(encoding="utf-8").replace('"dlt645-1p"', '"dlt645-9p"', 1), encoding="utf-8")
    with pytest.raises(Trouble, match="there is no model 'dlt645-9p'") as caught:
        install(unknown)
    assert caught.value.code == USAGE
    monkeypatch.setattr(standing, "closed_doors", lambda wanted: ["/root is closed"])
    with pytest.raises(Trouble, match=r"riser could not run it: /root is closed\. Move it, to /opt/riser"):
        install(machine)
    monkeypatch.setattr(standing, "is_root", lambda: False)
    with pytest.raises(Trouble, match=r"type: sudo ./riser service install") as caught:
        install(machine)
    assert caught.value.code == USAGE
    monkeypatch.setattr(standing, "has_systemd", lambda: False)
    with pytest.raises(Trouble, match="not started by systemd") as caught:
        install(machine)
    assert caught.value.code == MISSING


def test_a_riser_that_runs_from_a_terminal_is_not_disturbed(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data directory is not taken from under a Riser that runs in it."""

    class Running:
        pid = 4711

    monkeypatch.setattr(service_verbs, "live_run", lambda base: Running())
    monkeypatch.setattr(standing, "look", lambda *_: Found())
    with pytest.raises(Trouble, match="process 4711") as caught:
        install(machine)
    assert caught.value.code == IN_USE


def test_the_brokers_password_is_made_readable_too(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site file names a password file beside it; what Riser's user cannot read of the two is given to its group."""
    asked: list[tuple[Path, ...]] = []
    monkeypatch.setattr(standing, "look", lambda wanted, root, files: asked.append(files) or SETTLED)
    monkeypatch.setattr(service_verbs, "carry_out", lambda *_: None)
    install(machine)
    assert asked == [(machine, machine.with_name("pw"))]
    account = Account(machine.group(), True)
    modes = {0o644: True, 0o640: True, 0o600: False, 0o604: True}
    for mode, readable in modes.items():
        machine.chmod(mode)
        assert standing._readable(machine, account) is readable
    machine.chmod(0o640)
    assert not standing._readable(machine, Account("another", True)) and not standing._readable(machine, None)


def test_a_folder_that_riser_cannot_pass_is_named(tmp_path: Path) -> None:
    """Programs below /root, which is closed to all others, are noticed before a service that could never start."""
    home = tmp_path / "root"
    program = home / "riser/riser.py"
    program.parent.mkdir(parents=True)
    program.touch(0o644)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(folder.stat().st_mode | 0o011)
    assert standing._closed(program, "somebody-else", True) is None
    program.chmod(0o600)
    assert standing._closed(program, "somebody-else", True) == program
    home.chmod(0o700)
    assert standing._closed(program, "somebody-else", True) == home
    assert standing._closed(program, home.owner(), True) is None
    assert standing._closed(tmp_path / "none/of/this", "somebody-else", False) is None


def keys(unit: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))


def test_the_unit_needs_nobody(tmp_path: Path) -> None:
    """At boot neither network, time, root, pip nor a person is waited for, and no number of failures is the last."""
    found = keys(units.unit(WANTED))
    assert found["ExecStart"] == "/opt/riser/riser up --site /etc/riser/site.toml --data /var/lib/riser"
    assert "online" not in found["After"] and "time-sync" not in found["After"]
    assert not {"Requires", "BindsTo", "ExecStartPre", "StartLimitBurst"} & found.keys()
    assert (found["StartLimitIntervalSec"], found["Restart"], found["User"]) == ("0", "always", "riser")
    assert (found["Type"], found["NotifyAccess"], found["KillMode"]) == ("notify", "main", "mixed")
    assert int(found["WatchdogSec"]) >= 30 and "RISER_UNATTENDED=1" in found["Environment"]


def test_homes_are_open_only_where_something_of_ours_lives_there() -> None:
    """Nobody's home can be looked into, unless the programs, their Python, the site file or the data are in one."""
    assert keys(units.unit(WANTED))["ProtectHome"] == "true"
    home = Path("/home/pi/riser")
    for wanted in (
        Wanted(home, WANTED.python),
        Wanted(WANTED.repository, Path("/root/.pyenv/bin/python3.11")),
        Wanted(WANTED.repository, WANTED.python, site=home),
        Wanted(WANTED.repository, WANTED.python, data=home),
    ):
        assert keys(units.unit(wanted))["ProtectHome"] == "read-only"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("place", ["/opt/riser", "/srv/a b/riser"])
def test_systemd_itself_accepts_the_unit(tmp_path: Path, place: str) -> None:
    """systemd-analyze finds no unknown word and no unusable value, also where a path has a space in it."""
    root = tmp_path / "root"
    for program in (f"{place}/riser", "/usr/bin/true"):
        (root / program[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / program[1:]).write_text("#!/bin/sh\n")
        (root / program[1:]).chmod(0o755)
    base = Path(place)
    wanted = Wanted(base, WANTED.python, base.with_name("site.toml"), base.with_name("data"))
    unit = root / "etc/systemd/system" / NAME
    unit.parent.mkdir(parents=True)
    unit.write_text(units.unit(wanted))
    for target in ("sysinit", "basic", "network", "time-set", "multi-user", "shutdown"):
        (unit.parent / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    (unit.parent / "tmp.mount").write_text("[Mount]\nWhat=tmpfs\nWhere=/tmp\n")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--root={root}", NAME], capture_output=True, text=True, timeout=60
    )
    words = [line for line in verified.stderr.splitlines() if NAME in line]
    assert (words, verified.returncode) == ([], 0), verified.stderr
