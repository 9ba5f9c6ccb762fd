"""Ports: is the device there, under a name that stays, may it be opened, has somebody else got it, does it work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bridge.contract.messages import PortFacts
from bridge.contract.site import Port
from host.adapters import Adapter, is_copied, name_of
from host.doctor import line_errors
from host.doctor.findings import Finding, good, know, of, wrong
from host.doctor.seen import PortSeen, PortsSeen, Snapshot

UNSTABLE = re.compile(r"/dev/tty(USB|ACM)\d+$")
"""Names that the kernel gives in the order of plugging in: after a restart they may be swapped."""

SLOW_LATENCY_MS = 2

GRABBERS = {
    "ModemManager": "sudo systemctl disable --now ModemManager",
    "brltty": "sudo systemctl disable --now brltty",
    "gpsd": "sudo systemctl disable --now gpsd.socket gpsd",
    "agetty": "sudo raspi-config nonint do_serial_cons 1",
    "getty": "sudo raspi-config nonint do_serial_cons 1",
}
"""Programs of Debian that take serial ports by themselves, and how they are made to let go."""


def findings(snapshot: Snapshot) -> list[Finding]:
    """Everything about ports and the rights to open them."""
    site, seen = snapshot.site.site, snapshot.ports
    if site is None or seen is None or snapshot.other_gateway is not None:
        return []
    if not site.ports:
        return [know("ports", "", "The site file has no ports, so no meter is read.", "Write a [[ports]] table.")]
    found = list(_shared(seen))
    live = {port.id: port for port in snapshot.facts.info.ports} if snapshot.facts.info else {}
    for wired, port in zip(site.ports, seen.ports, strict=True):
        facts = live.get(port.id)
        told = [*_device(snapshot, port), *_holders(snapshot, port, facts)]
        told += _name(snapshot, port, seen)
        if facts is not None:
            told += _live(snapshot, wired, port, facts, any(each.severity == "wrong" for each in told))
        if not any(each.severity != "good" for each in told):
            told.append(good("ports", port.id, _well(snapshot, port, facts)))
        found += told
    if seen.blind and not live and snapshot.place.me.uid != 0:
        found.append(
            know(
                "ports",
                "",
                f"The open files of {of(seen.blind, 'program')} of other users could not be seen; one of them "
                "could hold a port.",
                "To be sure, look as root.",
                f"sudo {snapshot.place.command}",
            )
        )
    return found


def _well(snapshot: Snapshot, port: PortSeen, facts: PortFacts | None) -> str:
    if facts is None or facts.state != "open":
        if not port.exists:  # Only a simulated line that nobody simulates now comes here.
            return f"Port {port.id} is a simulated line; it comes with `riser up --demo`."
        return f"Port {port.id}: {port.device} is there and {snapshot.place.runner.name} may open it."
    words = f"Port {port.id} is open at {facts.baud} baud; {facts.read} of {facts.meters} meters read"
    return words + (f", a round takes {facts.round_s:.1f} s." if facts.round_s is not None else ".")


def _device(snapshot: Snapshot, port: PortSeen) -> Iterator[Finding]:
    who = snapshot.place.runner.name
    if not port.exists:
        if not (snapshot.place.demo and snapshot.run is None):
            yield _missing(snapshot, port)
    elif not port.is_device:
        yield wrong(
            "ports",
            port.id,
            f"Port {port.id}: {port.path} is no serial device.",
            f"Write the adapter's name as device of port {port.id} in {snapshot.site.path}.",
        )
    elif not port.may_open:
        sentence = f"Port {port.id}: {who} may not open {port.device}, it belongs to {port.owner}:{port.group}"
        sentence += f" with mode {port.mode:04o}."
        command = ""
        if port.in_group:
            remedy = f"{who} is in the group {port.group} already, this session is older: sign out and in again, then "
            remedy += "start Riser again."
        elif port.group_may and port.group != "root":
            remedy = "Type this, then sign in again and start Riser again."
            command = f"sudo usermod -aG {port.group} {who}"
        else:
            remedy = f"Group {port.group} may not open it either; give the device to the group dialout by a udev rule, "
            remedy += "or, until it is plugged in again, by this."
            command = f"sudo chown root:dialout {port.real} && sudo chmod 660 {port.real}"
        yield wrong("rights", port.id, sentence, remedy, command)


def _missing(snapshot: Snapshot, port: PortSeen) -> Finding:
    assert snapshot.ports is not None
    taken = {each.real for each in snapshot.ports.ports if each.exists}
    free = [adapter for adapter in snapshot.ports.adapters if adapter.path not in taken]
    sentence = f"Port {port.id}: its device {port.device} is not there."
    if port.relative:
        sentence = f"Port {port.id}: {port.path} is not there ({port.device} is looked up in the data directory)."
    if not snapshot.ports.adapters:
        return wrong(
            "ports",
            port.id,
            f"{sentence} No serial adapter at all is seen on this machine.",
            "Plug the adapter in, try another socket or cable; then see what the kernel says of it.",
            "sudo dmesg | tail -20",
        )
    if not free:
        return wrong(
            "ports",
            port.id,
            f"{sentence} Every adapter that is here belongs to another port.",
            "Plug the missing adapter in, try another socket or cable; then see what the kernel says of it.",
            "sudo dmesg | tail -20",
        )
    here = "; ".join(_adapter_words(each, snapshot.ports.adapters) for each in free)
    return wrong(
        "ports",
        port.id,
        f"{sentence} Here and not used by another port: {here}.",
        f"Plug the missing adapter in; or, if one of these is this line, write its name as device of port {port.id} "
        f"in {snapshot.site.path} and start Riser again.",
    )


def _adapter_words(adapter: Adapter, here: Sequence[Adapter]) -> str:
    return f"{stable_name(adapter, here) or adapter.path}" + (f" ({adapter.product})" if adapter.product else "")


def stable_name(adapter: Adapter, here: Sequence[Adapter]) -> str | None:
    """The name that stays this adapter's, as `riser service show` gives it; None where it has none."""
    name, _ = name_of(adapter, here)
    return name if name != adapter.path else None


def _name(snapshot: Snapshot, port: PortSeen, seen: PortsSeen) -> Iterator[Finding]:
    adapter = next((each for each in seen.adapters if each.path == port.real), None)
    if not port.exists:
        return
    if UNSTABLE.match(port.device):
        better = stable_name(adapter, seen.adapters) if adapter is not None else None
        sentence = f"Port {port.id} is named {port.device}; with a second adapter or after a restart that may be "
        sentence += "another one."
        remedy = f'Write device = "{better}"' if better else "Write its name below /dev/serial/by-id or by-path"
        yield know("ports", port.id, sentence, f"{remedy} for port {port.id} in {snapshot.site.path}.")
    elif "/by-id/" in port.device and adapter is not None:
        copied, none = is_copied(adapter, seen.adapters), adapter.number is None
        twins = [each for each in seen.adapters if each.usb and each.product == adapter.product]
        twins = [each for each in twins if each.number == adapter.number]
        if copied or (none and len(twins) > 1):
            path = adapter.by_path[0] if adapter.by_path else "its name below /dev/serial/by-path"
            yield know(
                "ports",
                port.id,
                f"Port {port.id}: {len(twins)} adapters here have this same by-id name, because they "
                f"{'have no serial number' if none else 'carry the same serial number'}; it may mean the other one "
                "after a restart.",
                f'Write device = "{path}" for port {port.id} in {snapshot.site.path}, and leave each adapter in its '
                "USB socket.",
            )


def _holders(snapshot: Snapshot, port: PortSeen, facts: PortFacts | None) -> Iterator[Finding]:
    if not port.holders:
        return
    who = " and ".join(f"{each.command} (process {each.pid})" for each in port.holders)
    cures = [cure for name, cure in GRABBERS.items() if any(name == each.command for each in port.holders)]
    remedy = "It takes serial ports by itself; switch it off." if cures else "End it there, or by this."
    command = cures[0] if cures else f"kill {' '.join(str(each.pid) for each in port.holders)}"
    both = " Two programs on one line spoil each other's answers." if facts and facts.state == "open" else ""
    yield wrong("ports", port.id, f"Port {port.id}: {port.device} is held by {who}.{both}", remedy, command)


def _shared(seen: PortsSeen) -> Iterator[Finding]:
    by_device: dict[str, list[PortSeen]] = {}
    for port in seen.ports:
        if port.exists:
            by_device.setdefault(port.real, []).append(port)
    for real, ports in by_device.items():
        if len(ports) > 1:
            ids = [port.id for port in ports]
            yield wrong(
                "ports",
                ids[0],
                f"Ports {' and '.join(ids)} are one and the same device, {real}, under different "
                "names: only the first can open it.",
                "Give each port its own adapter, or make them one port.",
            )


def _live(snapshot: Snapshot, wired: Port, port: PortSeen, facts: PortFacts, explained: bool) -> Iterator[Finding]:
    if facts.state != "open":
        if not explained:
            yield wrong(
                "ports",
                port.id,
                f"Port {port.id} is closed: {facts.why or 'not opened yet'}.",
                "It is tried again every few seconds; if this stays, pull the adapter and plug it in again.",
            )
        return
    changed = [name for name in ("baud", "protocol") if getattr(wired, name) != getattr(facts, name)]
    for name in changed:
        yield know(
            "ports",
            port.id,
            f"Port {port.id} runs with {name} {getattr(facts, name)}, the site file says "
            f"{getattr(wired, name)}: it was changed after the start.",
            "Start Riser again.",
        )
    if port.latency_ms is not None and port.latency_ms > SLOW_LATENCY_MS:
        yield know(
            "ports",
            port.id,
            f"Port {port.id}: the adapter holds every answer back by {port.latency_ms} ms.",
            "Shorten it, and write a udev rule to keep it so over restarts.",
            f"echo 1 | sudo tee {port.latency_file}",
        )
    if not list(line_errors.of_line(snapshot, port.id)):  # Told there with the meters that it is about.
        yield from line_errors.since_start(snapshot, facts)
    stale_s = snapshot.site.site.policy.stale_min * 60 if snapshot.site.site else 900
    if facts.round_s is not None and facts.round_s > max(wired.poll_s, stale_s):
        yield know(
            "ports",
            port.id,
            f"Port {port.id}: a round of its {facts.meters} meters takes {facts.round_s:.0f} s, and "
            f"a reading counts as old after {stale_s} s: nobody on this line can be cut.",
            "Set the meters and the port to a higher baud rate, or divide the line over two ports.",
        )
