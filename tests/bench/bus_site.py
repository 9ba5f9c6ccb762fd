"""The benches' buildings: lines with their meters as a site file and as the simulated shaft behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.judged import Wire

WATTS = 10_000
"""So much load that a register moves with every sweep: what was read and what was told can be compared."""

FAR = "far"
"""The port of those accounts whose meters hang on an adapter that is not there."""


@dataclass(frozen=True)
class Building:
    """Lines of one kind with so many meters each, and accounts on a port that is closed."""

    wire: Wire
    lines: Sequence[str] = ("line",)
    meters_each: int = 32
    far_accounts: int = 0

    @property
    def model(self) -> str:
        return "dlt645-1p" if self.wire.protocol == "dlt645-2007" else "acrel-ddsy1352"

    def meters(self) -> list[tuple[str, str, str]]:
        """(id, line, address) of everybody on the lines."""
        found = []
        for number, line in enumerate(self.lines):
            for n in range(1, self.meters_each + 1):
                address = f"{1000 * number + n:012d}" if self.wire.protocol == "dlt645-2007" else str(n)
                found.append((f"{line}-{n:02d}", line, address))
        return found

    def site(self) -> str:
        rows = [
            '[site]\nname = "bench"\ngateway = "bench"\n[clock]\ntrust = "always"\n',
            '[[tariffs]]\nid = "price"\nname = "price"\nkind = "single"\nprice = "1.0000"\n',
        ]
        ports = [(line, self.wire.protocol, self.wire.baud) for line in self.lines]
        ports += [(FAR, "dlt645-2007", 2400)] if self.far_accounts else []
        for id, protocol, baud in ports:
            rows.append(f'[[ports]]\nid = "{id}"\ndevice = "sim/{id}"\nprotocol = "{protocol}"\nbaud = {baud}\n')
        for id, line, address in self.meters():
            rows.append(_household(id, self.model, line, address, "direct" if self.model == "dlt645-1p" else "none"))
        for n in range(self.far_accounts):
            rows.append(_household(f"far-{n:04d}", "dlt645-1p", FAR, f"{900_000 + n:012d}", "direct"))
        return "\n".join(rows)

    def shaft(self) -> str:
        rows = [
            '[shaft]\nname = "bench"\nzone = "Asia/Shanghai"\nseed = 7\nhistory_days = 3\n',
            '[[day_tables]]\nname = "flat"\nwindows = [{ from = "00:00", rate = "flat" }]\n',
        ]
        for line in self.lines:
            rows.append(f'[[lines]]\nid = "{line}"\nprotocol = "{self.wire.protocol}"\nbaud = {self.wire.baud}\n')
        for n, (id, line, address) in enumerate(self.meters(), 1):
            rows.append(
                f'[[meters]]\nid = "{id}"\nline = "{line}"\nmodel = "{self.model}"\naddress = "{address}"\n'
                f'serial = "{n:012d}"\nregisters = ["100.00", "0.00", "0.00", "100.00", "0.00"]\nday_table = "flat"\n'
                f'load = {{ kind = "constant", watts = {WATTS + 10 * n}, seed = {n} }}\n'
                + ("lead = 0\n" if self.model == "dlt645-1p" else "")
            )
        return "\n".join(rows)


def _household(id: str, model: str, port: str, address: str, relay: str) -> str:
    return (
        f'[[meters]]\nid = "{id}"\nmodel = "{model}"\nport = "{port}"\naddress = "{address}"\nroom = "{id}"\n'
        f'relay = "{relay}"\n[[accounts]]\nid = "a-{id}"\nname = "{id}"\nroom = "{id}"\ntariff = "price"\n'
        f'meters = ["{id}"]\nopening = "5000.00"\n'
    )
