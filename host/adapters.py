"""The serial adapters of this machine, looked at once for whoever asks, and the name of each that stays its own.

systemd's udev rules give two links (60-serial.rules). by-id holds maker, kind and serial number, and follows an adapter
into whatever socket it is plugged. Cheap adapters (CH340) have no serial number: all of a kind share one by-id, and
the link is anyone's. Theirs is by-path, the socket itself; it holds as long as nobody changes the plugs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttySC*", "ttyS*")
"""The serial devices that a line could hang on: adapters on USB, then the ports of boards."""

ON_USB = ("ttyUSB", "ttyACM")


@dataclass(frozen=True)
class Adapter:
    """A serial device of this machine. `number` is its own serial number; without one its by-id name is not its own."""

    path: str
    by_id: tuple[str, ...] = ()
    by_path: tuple[str, ...] = ()
    product: str = ""
    number: str | None = None
    usb: bool = False
    kind: tuple[str, ...] = field(default=(), compare=False)
    """The numbers of maker and product."""
    socket: str = field(default="", compare=False)
    """The device on USB that it is part of: an adapter with four lines is one."""


def found(root: Path = Path("/")) -> list[Adapter]:
    """Every serial device below /dev that is really there."""
    adapters = []
    by_id, by_path = _names(root / "dev/serial/by-id"), _names(root / "dev/serial/by-path")
    for kind in KINDS:
        for path in sorted((root / "dev").glob(kind), key=lambda each: (len(each.name), each.name)):
            if kind == "ttyS*" and not _is_real(path.name, root):
                continue
            real = os.path.realpath(path)
            ids, paths = tuple(by_id.get(real, ())), tuple(by_path.get(real, ()))
            usb = _usb_device(root / "sys/class/tty" / path.name / "device")
            if usb is None:
                adapters.append(Adapter(real, ids, paths))
                continue
            product = " ".join(filter(None, (_word(usb / each) for each in ("manufacturer", "product"))))
            number, kinds = _word(usb / "serial") or None, (_word(usb / "idVendor"), _word(usb / "idProduct"))
            adapters.append(Adapter(real, ids, paths, product, number, True, kinds, str(usb)))
    return adapters


def lines(adapters: Sequence[Adapter]) -> Iterator[str]:
    """What a person writes into the site file for each adapter on USB, and why."""
    on_usb = [each for each in adapters if Path(each.path).name.startswith(ON_USB)]
    if not on_usb:
        yield "no USB serial adapter is plugged in; plug them in, and `riser service show` names them"
    for adapter in sorted(on_usb, key=lambda each: (len(each.path), each.path)):
        name, why = name_of(adapter, adapters)
        yield f'device = "{name}"    # now {adapter.path}; {why}'


def name_of(adapter: Adapter, all_of_them: Sequence[Adapter]) -> tuple[str, str]:
    """(the name to write, what it hangs on)."""
    if adapter.by_id and adapter.number is not None and not is_copied(adapter, all_of_them):
        return adapter.by_id[0], "this adapter, whatever socket it is in"
    why = "has no serial number of its own" if adapter.number is None else "shares its serial number with another one"
    if adapter.by_path:
        return adapter.by_path[0], f"this socket, because the adapter {why}: leave the plugs where they are"
    return adapter.path, "the order of plugging in, for want of a better name; it may change at the next start"


def is_copied(adapter: Adapter, all_of_them: Sequence[Adapter]) -> bool:
    """True where a clone with the same serial number is plugged in as well: the by-id name is one of both."""
    same = {each.socket for each in all_of_them if (each.kind, each.number) == (adapter.kind, adapter.number)}
    return adapter.number is not None and len(same) > 1


def _is_real(name: str, root: Path) -> bool:
    """Debian makes ttyS0 to ttyS3 in any case; type 0 means that no chip is there."""
    kind = root / "sys/class/tty" / name / "type"
    return kind.exists() and kind.read_text().strip() != "0"


def _names(folder: Path) -> dict[str, list[str]]:
    """{device: the names it has in this folder}; systemd's own short link first when there are several."""
    names: dict[str, list[str]] = {}
    if folder.is_dir():
        for link in sorted(folder.iterdir(), key=lambda each: (len(each.name), each.name)):
            names.setdefault(os.path.realpath(link), []).append(str(link))
    return names


def _usb_device(device: Path) -> Path | None:
    """The folder of the USB device a tty belongs to: the nearest one above it that has a maker's number."""
    device = Path(os.path.realpath(device))
    return next((each for each in (device, *device.parents) if (each / "idVendor").exists()), None)


def _word(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
