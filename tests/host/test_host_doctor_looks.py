"""The doctor's own eyes: scratch directories that look like /dev, /sys and /proc, real pseudo-terminals, real files."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.contract import messages as m
from bridge.contract.clock import SystemClock
from bridge.contract.messages import Topics
from bridge.contract.site import Port
from host import adapters
from host.doctor import gather as gathering
from host.doctor import see_broker, see_files, see_machine, see_ports, visit
from host.doctor.findings import Finding
from host.doctor.gather import Looks, gather, which
from host.doctor.seen import Adapter, Holder, User
from tests.host.doctor_snapshots import FTDI, facts, info, line, row, run, silent, site_seen, values

ROOT = Path("/")
ME = see_files.me()


def wired(id: str, device: Path | str) -> Port:
    return Port(id=id, device=str(device), protocol="dlt645-2007")


@pytest.fixture
def terminal() -> Iterator[tuple[int, Path]]:
    """A pseudo-terminal: (its open end, the name a port would use)."""
    master, slave = os.openpty()
    yield slave, Path(os.ttyname(slave))
    os.close(master)
    os.close(slave)


# --- ports ---


def machine(root: Path) -> Path:
    """Two USB adapters, one with a number of its own, one without; a real ttyS0 and a ttyS1 that is only a name."""
    for name, usb, number in (("ttyUSB0", "1-1", "A1"), ("ttyUSB1", "1-2", None)):
        node = root / "sys/devices/usb1" / usb / f"{usb}:1.0" / name
        node.mkdir(parents=True)
        (node / "latency_timer").write_text("16\n")
        above = node.parent.parent
        (above / "idVendor").write_text("0403\n")
        (above / "manufacturer").write_text("FTDI\n")
        (above / "product").write_text("FT232R\n")
        if number:
            (above / "serial").write_text(f"{number}\n")
        (root / "sys/class/tty" / name).mkdir(parents=True)
        (root / "sys/class/tty" / name / "device").symlink_to(node)
    for name, kind in (("ttyS0", "4"), ("ttyS1", "0")):
        (root / "sys/class/tty" / name).mkdir(parents=True)
        (root / "sys/class/tty" / name / "type").write_text(f"{kind}\n")
    for folder in ("dev/serial/by-id", "dev/serial/by-path", "proc"):
        (root / folder).mkdir(parents=True)
    for name in ("ttyUSB0", "ttyUSB1", "ttyS0", "ttyS1", "tty0"):
        (root / "dev" / name).touch()
    (root / "dev/serial/by-id/usb-FTDI_FT232R_A1").symlink_to("../../ttyUSB0")
    for number in (0, 1):
        (root / f"dev/serial/by-path/usb-{number}").symlink_to(f"../../ttyUSB{number}")
    return root


def test_the_adapters_of_a_machine(tmp_path: Path) -> None:
    """Each adapter with both its lasting names, its maker and its number; a ttyS without a chip is none."""
    dev = machine(tmp_path) / "dev"
    ids, paths = dev / "serial/by-id", dev / "serial/by-path"
    assert adapters.found(tmp_path) == [
        Adapter(f"{dev}/ttyUSB0", (f"{ids}/usb-FTDI_FT232R_A1",), (f"{paths}/usb-0",), "FTDI FT232R", "A1", True),
        Adapter(f"{dev}/ttyUSB1", (), (f"{paths}/usb-1",), "FTDI FT232R", None, True),
        Adapter(f"{dev}/ttyS0", (), (), "", None, False),
    ]


def test_a_device_is_looked_at_without_opening_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a port moves RTS and spoils a running line: only names, modes and the latency file are read."""
    root = machine(tmp_path)
    opened: list[str] = []
    monkeypatch.setattr(os, "open", lambda path, *_: opened.append(str(path)))
    link, gone = root / "dev/serial/by-id/usb-FTDI_FT232R_A1", root / "dev/ttyUSB7"
    seen = see_ports.look([wired("a", link), wired("b", gone)], root, ME, ME, frozenset(), root)
    a, b = seen.ports
    assert (a.exists, a.is_device, a.real, a.latency_ms) == (True, False, f"{root}/dev/ttyUSB0", 16)
    assert a.latency_file == f"{root}/sys/class/tty/ttyUSB0/device/latency_timer"
    assert (b.exists, b.relative) == (False, False)
    assert opened == []


def test_a_relative_device_is_looked_up_in_the_data_directory(tmp_path: Path) -> None:
    """The demo's lines stand below the data directory."""
    (port,) = see_ports.look([wired("a", "sim/line-1")], tmp_path, ME, ME, frozenset(), ROOT).ports
    assert (port.relative, port.path, port.exists) == (True, tmp_path / "sim/line-1", False)


def test_who_may_open_a_device(tmp_path: Path) -> None:
    """Owner, group, others in this order, as the kernel does it; root always."""
    node = tmp_path / "tty"
    node.touch()
    mine = os.stat(node)
    owner, member = User(mine.st_uid or 4242, ""), User(4243, "", frozenset({mine.st_gid}))
    about = os.stat_result((0o20660, *mine[1:4], owner.uid, *mine[5:]))
    assert see_ports.may_open(about, owner) and see_ports.may_open(about, member)
    assert not see_ports.may_open(about, User(4244, "")) and see_ports.may_open(about, User(0, "root"))
    closed_to_group = os.stat_result((0o20606, *about[1:]))
    assert not see_ports.may_open(closed_to_group, member) and see_ports.may_open(closed_to_group, User(4244, ""))


HOLD = "import fcntl, os, sys; d = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); fcntl.flock(d, fcntl.LOCK_EX); "
HOLD += "print('held', flush=True); sys.stdin.read()"


@pytest.mark.processes
def test_a_real_holder_is_found_both_ways(terminal: tuple[int, Path], tmp_path: Path) -> None:
    """Another program has the port open and locked: found by its open files, and by its lock where those are closed
    to us; our own processes are no strangers."""
    _, device = terminal
    command = [sys.executable, "-c", HOLD, str(device)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        name = Path(f"/proc/{other.pid}/comm").read_text().strip()
        holder = Holder(other.pid, name)
        # Strangers may hold a terminal of this number that hung up long ago, so only ours is looked for.
        assert holder in see_ports.holders({str(device)}, frozenset(), ROOT)[0][str(device)]
        assert holder not in see_ports.holders({str(device)}, frozenset({other.pid}), ROOT)[0].get(str(device), ())
        (tmp_path / "proc" / str(other.pid)).mkdir(parents=True)
        (tmp_path / f"proc/{other.pid}/comm").write_text(name)
        (tmp_path / "proc/locks").write_text(Path("/proc/locks").read_text())
        assert holder in see_ports.holders({str(device)}, frozenset(), tmp_path)[0][str(device)]
        other.communicate("")


def test_open_files_alone_give_a_holder_away(tmp_path: Path) -> None:
    """A terminal program that takes no lock is found by what it has open; one that has another file open is not."""
    device, other = tmp_path / "ttyUSB0", tmp_path / "ttyUSB1"
    for pid, target in ((11, device), (12, other)):
        target.touch()
        (tmp_path / f"proc/{pid}/fd").mkdir(parents=True)
        (tmp_path / f"proc/{pid}/comm").write_text("screen\n")
        (tmp_path / f"proc/{pid}/fd/5").symlink_to(target)
        (tmp_path / f"proc/{pid}/fd/6").symlink_to("/closed/meanwhile")
    found, _ = see_ports.holders({str(device)}, frozenset(), tmp_path)
    assert found == {str(device): (Holder(11, "screen"),)}


def test_a_lock_file_counts_while_its_process_lives(tmp_path: Path) -> None:
    """LCK..ttyUSB0 of a program that is gone holds nothing."""
    (tmp_path / "run/lock").mkdir(parents=True)
    (tmp_path / "run/lock/LCK..ttyUSB0").write_text("      4711 minicom root\n")
    (tmp_path / "proc").mkdir()
    assert see_ports.holders({"/dev/ttyUSB0"}, frozenset(), tmp_path) == ({}, 0)
    (tmp_path / "proc/4711/fd").mkdir(parents=True)
    (tmp_path / "proc/4711/comm").write_text("minicom\n")
    assert see_ports.holders({"/dev/ttyUSB0"}, frozenset(), tmp_path)[0] == {"/dev/ttyUSB0": (Holder(4711, "minicom"),)}


def test_processes_that_we_may_not_look_into_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be seen is counted, and a process that ends meanwhile disturbs nobody."""
    for pid in (7, 8):
        (tmp_path / f"proc/{pid}/fd").mkdir(parents=True)
    read = Path.iterdir

    def refused(self: Path) -> Iterator[Path]:
        if "/proc/7" in str(self):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        if "/proc/8" in str(self):
            raise ProcessLookupError(errno.ESRCH, "No such process")
        return read(self)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert see_ports.holders({"/dev/ttyUSB0"}, frozenset(), tmp_path) == ({}, 1)


# --- files ---


def test_a_full_size_look_at_a_directory(tmp_path: Path) -> None:
    """Free space, sizes with their -wal, measured syncs; and not one name more in the directory afterwards."""
    (tmp_path / "book.db").write_bytes(b"x" * 100)
    (tmp_path / "book.db-wal").write_bytes(b"x" * 20)
    (tmp_path / "book.begun").touch()
    (tmp_path / "log").mkdir()
    (tmp_path / "log/edge.log").write_bytes(b"x" * 7)
    before = sorted(tmp_path.rglob("*"))
    seen = see_files.disk(tmp_path, SystemClock())
    assert sorted(tmp_path.rglob("*")) == before
    assert (seen.files["book"], seen.files["logs"], seen.files["archive"]) == (120, 7, 0)
    assert (seen.book_begun, seen.book_size, seen.read_only) == (True, 100, False)
    assert 0 < seen.free <= seen.size
    assert seen.fsync_s is not None and len(seen.fsync_s) == see_files.SYNCS and all(s > 0 for s in seen.fsync_s)


def test_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    """Before the first start the disk it will be on is looked at, and nothing is written."""
    seen = see_files.disk(tmp_path / "a/b", SystemClock())
    assert seen.fsync_s is None and seen.book_size is None and seen.free > 0
    assert not see_files.place(tmp_path / "a/b", None, False, "").exists


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EOPNOTSUPP])
def test_a_disk_that_takes_no_trial_is_only_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """Full, read-only, somebody else's or without nameless files: no number, and no crash."""

    def refuse(*_: object) -> int:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "open", refuse)
    assert see_files.syncs(tmp_path, SystemClock()) is None


def test_the_file_system_of_a_path() -> None:
    """The longest mount point counts, of two on one place the later; blanks in names are written as \\040."""
    table = "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / /srv/my\\040data rw shared:1 - vfat /dev/sdb rw\n"
    table += "3 1 0:3 / /tmp rw - ext4 x rw\n4 3 0:4 / /tmp rw - tmpfs x rw\nnonsense\n"
    assert see_files.mount_of(Path("/srv/my data/riser"), table) == ("/srv/my data", "vfat")
    assert see_files.mount_of(Path("/srv/mydata"), table) == ("/", "ext4")
    assert see_files.mount_of(Path("/tmp/x"), table) == ("/tmp", "tmpfs")


FOLD = {
    "folded": {"1": {"seq": 9, "epoch": "e"}},
    "meters": {"1": {"meter": "a101", "port": "p"}},
    "accounts": {"1": {"account": "7"}},
    "tariffs": {"1": {"tariff": "shop"}},
}


def test_the_copy_of_the_book(tmp_path: Path) -> None:
    """Read by id, with the book's epoch; a missing one is told as missing."""
    assert see_files.registry(tmp_path).missing
    (tmp_path / "registry.json").write_text(json.dumps(FOLD))
    seen = see_files.registry(tmp_path)
    assert (seen.seq, seen.epoch, seen.trouble) == (9, "e", None)
    assert (list(seen.meters), list(seen.accounts), list(seen.tariffs)) == (["a101"], ["7"], ["shop"])


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[1]", "{}", '{"folded": {"1": {"seq": "x"}}}', "\x00" * 50, "[" * 100_000,
     json.dumps({**FOLD, "meters": {"1": {}}}), json.dumps({**FOLD, "meters": [1]}),
     json.dumps({**FOLD, "accounts": {"1": 5}})],
)  # fmt: skip
def test_a_damaged_copy_is_told(tmp_path: Path, text: str) -> None:
    """Cut short, zeroed, nested too deep, or of another shape: one word, never a stack trace."""
    (tmp_path / "registry.json").write_text(text)
    assert see_files.registry(tmp_path).trouble == "it is damaged"


def test_secrets_are_judged_and_never_shown(tmp_path: Path) -> None:
    """Modes, the factory password and a damaged file are seen; no password is in what was seen (I24)."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "edge.json").write_text(json.dumps({"broker": {"password": "hush"}, "meter_passwords": {
        "default": {"password": "123456"}, "a101": {"password": "000000"}}}))  # fmt: skip
    (folder / "panel.json").write_text("{")
    (folder / "edge.json").chmod(0o640)
    (tmp_path / "first-password.txt").write_text("ABCD-EFGH\n")
    seen = see_files.secrets(tmp_path)
    assert seen.factory_passwords and seen.first_password_file == str(tmp_path / "first-password.txt")
    assert [file.mode for file in seen.files if file.path.endswith("edge.json")] == [0o640]
    assert len(seen.broken) == 1 and "panel.json is damaged" in seen.broken[0]
    assert "hush" not in repr(seen) and "ABCD" not in repr(seen) and "123456" not in repr(seen)
    (folder / "edge.json").write_text(json.dumps({"meter_passwords": {"default": {"password": "123456"}}}))
    assert not see_files.secrets(tmp_path).factory_passwords


def test_the_last_complaint_of_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest error counts, not the first, and nothing that is only a warning."""
    log = tmp_path / "log/edge.log"
    log.parent.mkdir()
    log.write_text(
        "2026-11-20 10:00:00 ERROR the first\n2026-11-20 10:00:01 CRITICAL the book is gone\n"
        "2026-11-20 10:00:02 WARNING ERROR in a name\n"
    )
    started = run(edge="restarting", panel="running")
    started = type(started)(**{**started.__dict__, "data": str(tmp_path)})
    assert see_machine.last_words(started) == {"edge": "the book is gone"}


# --- broker ---


def test_a_visit_ends_when_everything_has_come() -> None:
    """Every meter and account of the lists is waited for; a payload of another version is named and left out."""
    topics = Topics("riser", "east")
    whole = facts(account={})
    heard = {topics.of(m.Status): m.Status(state="online"), topics.of(m.Info): info(),
             topics.of(m.Meters): m.Meters(meters=[row("a101")]), topics.of(m.Accounts): m.Accounts(accounts=[]),
             topics.of(m.MeterFacts, "a101"): values(), topics.of(m.Availability, "a101"): silent()}  # fmt: skip
    payloads = {topic: message.payload() for topic, message in heard.items()}
    assert not see_broker.complete(topics, payloads), "the broker's own version is still missing"
    payloads[see_broker.VERSION_TOPIC] = b"mosquitto version 2.0.11"
    assert not see_broker.complete(topics, payloads), "the figures of the line are still missing"
    payloads[topics.of(m.PortStatistics, "line-1")] = line().payload()
    assert see_broker.complete(topics, payloads)
    seen = see_broker.understood(topics, payloads)
    assert seen.availability == {"a101": silent()} and seen.values == {"a101": values()}
    assert (
        seen.lines == {"line-1": line()} and seen.version == whole.version and seen.relays == {} and seen.account == {}
    )
    payloads[topics.of(m.Availability, "a101")] = b'{"state": "asleep"}'
    seen = see_broker.understood(topics, payloads)
    assert seen.strange == ("riser/east/meter/a101/availability",) and not see_broker.complete(topics, payloads)


# --- gathering ---


def test_an_error_of_the_machine_is_a_finding() -> None:
    """A disk that answers with an I/O error: said with the file, and the other looks go on. No right is no error."""
    looks = Looks("./riser doctor")

    def broken() -> None:
        raise OSError(errno.EIO, "Input/output error", "/srv/riser/log")

    assert looks.at("disk", "the disk", broken) is None and looks.at("clock", "the clock", lambda: 5) == 5
    (told,) = looks.troubles
    assert (
        told.sentence
        == "The disk could not be looked at: /srv/riser/log: the device under it fails (input/output error)."
    )
    assert (told.severity, told.group) == ("wrong", "disk")


def test_to_practise_no_real_adapter_is_missed() -> None:
    """With simulated meters behind the ports the site file's devices are not looked for; else they are."""
    assert [port.device for port in gathering.wired(site_seen(), run(sim="running"))] == ["sim/line-1"]
    for real in (run(edge="running"), None):
        assert [port.device for port in gathering.wired(site_seen(), real)] == [FTDI]


def test_only_a_demo_was_ever_run(tmp_path: Path) -> None:
    """Without a site of one's own the demo's directory is meant; with one, never."""
    assert which(tmp_path) == tmp_path
    (tmp_path / "demo").mkdir()
    assert which(tmp_path) == tmp_path / "demo"
    (tmp_path / "book.db").touch()
    assert which(tmp_path) == tmp_path


SITE = """
[site]
name = "East"
gateway = "east"
[[ports]]
id = "line-1"
device = "{device}"
protocol = "dlt645-2007"
[[tariffs]]
id = "shop"
name = "Shop"
kind = "single"
price = "0.85"
[[meters]]
id = "a101"
model = "dlt645-1p"
port = "line-1"
address = "202603110101"
room = "A101"
relay = "none"
[[accounts]]
id = "7"
name = "Tea"
room = "A101"
tariff = "shop"
meters = ["a101"]
"""


def groups(findings: list[Finding], severity: str) -> set[str]:
    return {each.group for each in findings if each.severity == severity}


@pytest.mark.processes
def test_a_whole_look_at_a_stopped_installation(terminal: tuple[int, Path], tmp_path: Path) -> None:
    """A real directory, a real pseudo-terminal held by this very test, the edge asked about the site file: the book
    and its directory are as before, to the byte and the instant."""
    slave, device = terminal
    data, site = tmp_path / "data", tmp_path / "site.toml"
    (data / "secrets").mkdir(parents=True, mode=0o700)
    data.chmod(0o700)
    (data / "book.db").write_bytes(b"not to be opened")
    (data / "registry.json").write_text("{")
    site.write_text(SITE.format(device=device))
    fcntl.flock(slave, fcntl.LOCK_EX)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_atime_ns) for path in [data, data / "book.db"]}
    (tmp_path / "root/proc").mkdir(parents=True)  # What else runs on the machine of the test is not its matter.
    snapshot = gather(data, site, SystemClock(), "./riser doctor", tmp_path / "root")
    told = visit.judge(snapshot)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_atime_ns) for path in before} == before
    assert snapshot.troubles == () and snapshot.unseen == () and snapshot.site.models["dlt645-1p"]["lamp"]
    assert groups(told, "wrong") <= {"clock", "broker", "disk"}, "which depend on the machine of the test"
    never = [each for each in told if each.group == "accounts" and each.severity == "worth knowing"]
    assert "1 of 1 account is never cut: 7 (Tea)" in never[0].sentence
    assert any("registry.json cannot be used" in each.sentence for each in told)
    site.write_text(SITE.format(device=device).replace("dlt645-1p", "dlt645-9p"))
    mistaken = visit.judge(gather(data, site, SystemClock(), "./riser doctor", tmp_path / "root"))
    assert any("there is no model 'dlt645-9p'" in each.sentence for each in mistaken)
    assert visit.code(mistaken) == 1


def test_good_and_worth_knowing_end_with_zero() -> None:
    """Only what is wrong makes the exit code 1."""
    assert visit.code([Finding("good", "disk", "", "x"), Finding("worth knowing", "disk", "", "x")]) == 0


def test_our_own_ports_process_is_not_in_the_way(tmp_path: Path) -> None:
    """The process that holds the lines of this data directory is Riser's own; another directory's is another Riser."""
    process = tmp_path / "4711"
    process.mkdir()
    (process / "cmdline").write_bytes(b"python\0-m\0edge.line\0008\0")
    (process / "environ").write_bytes(b"HOME=/root\0RISER_DATA=/var/lib/riser\0")
    assert see_ports._of_riser(process, Path("/var/lib/riser"))
    assert not see_ports._of_riser(process, Path("/var/lib/other"))
    (process / "cmdline").write_bytes(b"python\0-m\0somebody.else\0")
    assert not see_ports._of_riser(process, Path("/var/lib/riser"))
