"""Looks at /dev, /sys and /proc for serial ports. No device is opened: opening moves RTS, and with it a busy line.

Who holds a device stands in /proc/<pid>/fd (own processes, all for root), in /proc/locks (everybody's flock, which
pyserial takes) and in /run/lock/LCK..<tty> (older programs). A TIOCEXCL alone cannot be seen without opening.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from bridge.contract.site import Port
from host import adapters
from host.doctor.seen import Holder, PortSeen, PortsSeen, User

LOCKS = ("run/lock", "var/lock")


def look(wired: Iterable[Port], data: Path, runner: User, me: User, own: frozenset[int], root: Path) -> PortsSeen:
    """All ports of a site. `own` are Riser's own processes. `root` is / but in tests. Raises OSError."""
    ports = list(wired)
    real = {port.id: os.path.realpath(data / port.device) for port in ports}
    held, blind = holders(set(real.values()), own, root, data)
    seen = tuple(_port(port, data / port.device, real[port.id], held, runner, me, root) for port in ports)
    return PortsSeen(seen, tuple(adapters.found(root)), blind)


def _port(
    port: Port, path: Path, real: str, held: dict[str, tuple[Holder, ...]], runner: User, me: User, root: Path
) -> PortSeen:
    relative = not Path(port.device).is_absolute()
    try:
        about = os.stat(real)
    except FileNotFoundError:
        return PortSeen(port.id, port.device, path, relative, exists=False, is_device=False, real=real)
    except PermissionError as error:
        raise PermissionError(error.errno, f"port {port.id}: {error.strerror}", real) from None
    group = group_name(about.st_gid)
    latency = root / "sys/class/tty" / Path(real).name / "device/latency_timer"
    # For oneself the kernel is asked, which knows more than the mode says (access lists, capabilities).
    may = os.access(real, os.R_OK | os.W_OK) if runner.uid == me.uid else may_open(about, runner)
    return PortSeen(
        id=port.id,
        device=port.device,
        path=path,
        relative=relative,
        is_device=stat.S_ISCHR(about.st_mode),
        real=real,
        mode=stat.S_IMODE(about.st_mode),
        owner=user_name(about.st_uid),
        group=group,
        group_may=about.st_mode & 0o060 == 0o060,
        may_open=may,
        in_group=runner.name in _members(about.st_gid),
        holders=held.get(real, ()),
        latency_ms=int(latency.read_text()) if latency.exists() else None,
        latency_file=str(latency),
    )


def may_open(about: os.stat_result, user: User) -> bool:
    """May this user read and write, by owner, group and mode?"""
    if user.uid == 0:
        return True
    shift = 6 if about.st_uid == user.uid else 3 if about.st_gid in user.groups else 0
    return about.st_mode >> shift & 0o6 == 0o6


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _members(gid: int) -> list[str]:
    try:
        return grp.getgrgid(gid).gr_mem
    except KeyError:
        return []


def _of_riser(process: Path, data: Path) -> bool:
    """Our own edge and its ports' process, whom the run file need not name, and any simulator: none is in the way."""
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        if b"firmware_sim" in words:
            return True
        ours = {b"edge", b"edge.line"} & set(words)
        environ = (process / "environ").read_bytes().split(b"\0") if ours else []
    except OSError:
        return False
    return f"RISER_DATA={data}".encode() in environ


def holders(
    devices: set[str], own: frozenset[int], root: Path, data: Path = Path()
) -> tuple[dict[str, tuple[Holder, ...]], int]:
    """({device: who has it open or locked, without us}, how many processes could not be looked into)."""
    found: dict[str, dict[int, Holder]] = {}
    blind = 0
    ours = own | {os.getpid()}
    nodes = {_node(os.stat(device)): device for device in devices if os.path.exists(device)}
    names = {Path(device).name for device in nodes.values()}
    for process in (root / "proc").iterdir():
        if not process.name.isdigit() or int(process.name) in ours or _of_riser(process, data):
            continue
        try:
            links = [each for each in (process / "fd").iterdir() if _named(each) in names]
            open_here = {_node(about) for each in links if (about := _opened(each)) is not None}
        except PermissionError:
            blind += 1
            continue
        except (FileNotFoundError, ProcessLookupError):  # It ended while we looked.
            continue
        for node in nodes.keys() & open_here:
            found.setdefault(nodes[node], {})[int(process.name)] = _holder(int(process.name), root)
    for device in devices:
        for pid in {*_locked_by(device, root), *_lock_file(device, root)} - ours:
            if _of_riser(root / "proc" / str(pid), data):
                continue
            found.setdefault(device, {}).setdefault(pid, _holder(pid, root))
    return {device: tuple(each.values()) for device, each in found.items()}, blind


def _node(about: os.stat_result) -> str:
    """The one node behind all names, as /proc/locks writes it; /dev/pts/3 of a container is another one than ours."""
    return f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"


def _named(link: Path) -> str:
    """The name of an open file, without touching the file: on a dead network drive that would hang."""
    try:
        return Path(os.readlink(link)).name
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _opened(link: Path) -> os.stat_result | None:
    """What an open file is; None for one that was closed while we looked."""
    try:
        return link.stat()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _holder(pid: int, root: Path) -> Holder:
    try:
        return Holder(pid, (root / "proc" / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip())
    except (FileNotFoundError, ProcessLookupError):
        return Holder(pid, "a process")


def _locked_by(device: str, root: Path) -> set[int]:
    """Processes with a lock on the device's own node: `7: FLOCK  ADVISORY  WRITE 1234 00:05:89 0 EOF` (proc(5))."""
    locks = root / "proc/locks"
    if not os.path.exists(device) or not locks.exists():
        return set()
    node = _node(os.stat(device))
    rows = [line.split() for line in locks.read_text().splitlines()]
    return {int(row[4]) for row in rows if len(row) > 5 and row[5] == node and int(row[4]) > 0}


def _lock_file(device: str, root: Path) -> set[int]:
    """The process named in a lock file of the UUCP kind, while it lives."""
    for folder in LOCKS:
        path = root / folder / f"LCK..{Path(device).name}"
        if path.exists():
            words = path.read_text(encoding="ascii", errors="replace").split()
            if words and words[0].isdigit() and (root / "proc" / words[0]).exists():
                return {int(words[0])}
    return set()
