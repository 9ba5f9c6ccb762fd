"""Which name of a serial adapter still means the same one tomorrow: with a number, without one, with a copied one."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.adapters import found, lines


class Machine:
    """A /dev and a /sys as Linux lays them out for USB serial adapters."""

    def __init__(self, root: Path):
        self.root = root
        (root / "dev").mkdir()

    def plug(self, tty: str, socket: str, maker: str, serial: str | None, id_name: str | None, port: int = 0) -> None:
        """An adapter in a socket such as 1-1.2; `id_name` is its link below by-id, which a twin's link replaces."""
        (self.root / "dev" / tty).touch()
        usb = self.root / "sys/devices/usb1" / socket
        device = usb / f"{socket}:1.{port}" / tty
        device.mkdir(parents=True, exist_ok=True)
        vendor, product = maker.split(":")
        for name, words in (("idVendor", vendor), ("idProduct", product), ("serial", serial)):
            if words is not None:
                (usb / name).write_text(f"{words}\n")
        of_tty = self.root / "sys/class/tty" / tty
        of_tty.mkdir(parents=True)
        (of_tty / "device").symlink_to(device)
        self.link("by-path", f"platform-usb-0:{socket[2:]}:1.{port}-port0", tty)
        self.link("by-path", f"platform-usbv2-0:{socket[2:]}:1.{port}-port0", tty)
        if id_name:
            self.link("by-id", id_name, tty)

    def link(self, kind: str, name: str, tty: str) -> None:
        link = self.root / "dev/serial" / kind / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(f"../../{tty}")

    def lines(self) -> list[str]:
        return [line.replace(str(self.root), "") for line in lines(found(self.root))]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_adapter_with_a_serial_number_has_its_own_name(machine: Machine) -> None:
    """Its name follows it into any socket; the four lines of one adapter have a name each."""
    machine.plug("ttyUSB0", "1-1.2", "0403:6001", "A50285BI", "usb-FTDI_FT232R_A50285BI-if00-port0")
    machine.plug("ttyUSB1", "1-1.3", "0403:6011", "FT7XYZ", "usb-FTDI_Quad_FT7XYZ-if00-port0")
    machine.plug("ttyUSB2", "1-1.3", "0403:6011", "FT7XYZ", "usb-FTDI_Quad_FT7XYZ-if01-port0", port=1)
    assert machine.lines() == [
        f'device = "/dev/serial/by-id/{name}"    # now /dev/{tty}; this adapter, whatever socket it is in'
        for tty, name in (
            ("ttyUSB0", "usb-FTDI_FT232R_A50285BI-if00-port0"),
            ("ttyUSB1", "usb-FTDI_Quad_FT7XYZ-if00-port0"),
            ("ttyUSB2", "usb-FTDI_Quad_FT7XYZ-if01-port0"),
        )
    ]


def test_an_adapter_without_a_serial_number_is_named_by_its_socket(machine: Machine) -> None:
    """A CH340 gets its socket's name, also while it is the only one: the second would take its by-id away."""
    machine.plug("ttyUSB0", "1-1.2", "1a86:7523", None, "usb-1a86_USB_Serial-if00-port0")
    (only,) = machine.lines()
    assert 'device = "/dev/serial/by-path/platform-usb-0:1.2:1.0-port0"    # now /dev/ttyUSB0; this socket' in only
    assert "has no serial number of its own: leave the plugs where they are" in only
    machine.plug("ttyUSB1", "1-1.3", "1a86:7523", None, "usb-1a86_USB_Serial-if00-port0")
    first, second = machine.lines()
    assert "by-path/platform-usb-0:1.2:" in first and "by-path/platform-usb-0:1.3:" in second


def test_copied_serial_numbers_are_noticed(machine: Machine) -> None:
    """Clones that all carry the same number are named by their sockets as well."""
    for tty, socket in (("ttyUSB0", "1-1.2"), ("ttyUSB1", "1-1.3")):
        machine.plug(tty, socket, "10c4:ea60", "0001", "usb-Silicon_Labs_CP2102_0001-if00-port0")
    machine.plug("ttyACM0", "1-1.4", "1a86:55d3", "5A6B", "usb-1a86_USB_Single_Serial_5A6B-if00")
    acm, first, second = machine.lines()
    assert "by-id" in acm
    assert "shares its serial number with another one" in first and "by-path" in first and "by-path" in second


def test_without_adapters_and_without_links(machine: Machine) -> None:
    """A machine without adapters says so; one without udev's links gets the bare name and a warning."""
    assert machine.lines() == ["no USB serial adapter is plugged in; plug them in, and `riser service show` names them"]
    (machine.root / "dev/ttyUSB0").touch()
    (line,) = machine.lines()
    assert line.startswith('device = "/dev/ttyUSB0"') and "may change at the next start" in line
