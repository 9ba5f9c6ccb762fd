"""The USB serial adapters of this machine, and the name of each that still means the same one tomorrow.

systemd's udev rules give two links (60-serial.rules). by-id holds maker, kind and serial number, and follows an adapter
into whatever socket it is plugged. Cheap adapters (CH340) have no serial number: all of a kind share one by-id, and
the link is anyone's. Theirs is by-path, the socket itself; it holds as long as nobody changes the plugs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINKS = ("by-id", "by-path")


@dataclass(frozen=True)
class Adapter:
    """One port of an adapter. `number` names the adapter itself and is None where it has no serial number."""

    device: str
    number: tuple[str, ...] | None
    socket: Path
    by_id: str | None
    by_path: str | None


def found(root: Path = Path("/")) -> list[Adapter]:
    """Every USB serial port below /dev, in order."""
    links = {kind: _links(root / "dev/serial" / kind) for kind in LINKS}
    adapters = []
    for node in sorted((root / "dev").glob("tty[UA][SC][BM]*"), key=lambda each: (len(each.name), each.name)):
        usb = _usb_device(root / "sys/class/tty" / node.name / "device")
        number = tuple(_words(usb / each) for each in ("idVendor", "idProduct", "serial")) if usb else ()
        by_id, by_path = (links[kind].get(node.name) for kind in LINKS)
        adapters.append(
            Adapter(f"/dev/{node.name}", number if number and number[2] else None, usb or node, by_id, by_path)
        )
    return adapters


def lines(adapters: list[Adapter]) -> Iterator[str]:
    """What a person writes into the site file for each, and why."""
    if not adapters:
        yield "no USB serial adapter is plugged in; plug them in, and `riser service show` names them"
    for adapter in adapters:
        name, why = name_of(adapter, adapters)
        yield f'device = "{name}"    # now {adapter.device}; {why}'


def name_of(adapter: Adapter, all_of_them: list[Adapter]) -> tuple[str, str]:
    """(the name to write, what it hangs on)."""
    twins = {each.socket for each in all_of_them if each.number == adapter.number}
    if adapter.by_id and adapter.number and len(twins) == 1:
        return adapter.by_id, "this adapter, whatever socket it is in"
    why = "has no serial number of its own" if adapter.number is None else "shares its serial number with another one"
    if adapter.by_path:
        return adapter.by_path, f"this socket, because the adapter {why}: leave the plugs where they are"
    return adapter.device, "the order of plugging in, for want of a better name; it may change at the next start"


def _links(folder: Path) -> dict[str, str]:
    """{tty name: the link that leads to it}; systemd's own short link first when there are several."""
    found: dict[str, str] = {}
    if folder.is_dir():
        for link in sorted(folder.iterdir(), key=lambda each: (len(each.name), each.name)):
            found.setdefault(Path(os.readlink(link)).name, f"/dev/serial/{folder.name}/{link.name}")
    return found


def _usb_device(device: Path) -> Path | None:
    """The folder of the USB device a tty belongs to: the nearest one above it that has a maker's number."""
    device = device.resolve()
    return next((each for each in (device, *device.parents) if (each / "idVendor").exists()), None)


def _words(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace").strip() if file.exists() else ""
