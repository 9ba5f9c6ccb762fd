"""A building in which an electrician takes a meter off and puts another one on, and tells the gateway so.

shop = Swapping(tmp_path)
shop.swap()                                the meter on the wall is another one now
shop.agree(shop.replace(serial=NEW))       proposed by one, approved by another
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.asking import ask
from bridge.contract.site import Site
from firmware_sim import shaft as sim_shaft
from firmware_sim.metrology import STEP_WUS
from tests.edge.building import KEYS, Building

POINT, ACCOUNT = "a101", "100101"
OLD_ADDRESS, OLD_SERIAL = "202603110101", "202511080101"
ADDRESS, SERIAL = "202603119901", "202611090001"
ENGINEER, CHECKER = "电工老周", "王敏"
PAPERS: dict[str, Any] = {"papers": "photos 12 and 13", "why": "the display is dark"}


class Swapping(Building):
    """The first meters of the demo's old line."""

    def __init__(self, directory: Path, **more: Any):
        settings: dict[str, Any] = {"meters": {POINT, "a102"}, "poll_s": 60, "idle_s": 2}
        super().__init__(directory, **settings | more)
        self.connect()
        self.run_until(lambda: len(self.of("opening/1")) == 2, hours=0.5)

    def swap(
        self, address: str = ADDRESS, serial: str = SERIAL, kwh: str = "0.35", watts: int = 2000,
        take_off: bool = True, registers: list[str] | None = None,
    ) -> Any:  # fmt: skip
        """Another meter on the wall. Returns it."""
        line, zone = self.shaft.lines["line-1"], ZoneInfo("Asia/Shanghai")
        row = {
            "id": POINT, "line": "line-1", "model": "dlt645-1p", "address": address, "serial": serial,
            "registers": registers or [kwh, "0.00", "0.00", kwh, "0.00"], "load": {"kind": "constant", "watts": watts},
        }  # fmt: skip
        newcomer = sim_shaft._meter(row, {}, zone, self.clock.now())
        if take_off:
            line.meters = [each for each in line.meters if each.meter_id != POINT]
        line.meters.append(newcomer)
        line.set_faults(line.faults)
        self.shaft.meters[POINT] = newcomer
        return newcomer

    def restart_after(self, seconds: float) -> None:
        """A power cut."""
        self.stop_edge()
        self.clock.advance(seconds)
        self.start_edge()
        self.connect()

    def ask_to(self, operation: str, **fields: Any) -> str:
        """A request of the engineer."""
        return self.request(operation, role="engineer", who=ENGINEER, **fields)

    def replace(self, **fields: Any) -> str:
        return self.ask_to(
            "replace-meter", **{"meter": POINT, "address": ADDRESS, "serial": SERIAL, **PAPERS, **fields}
        )

    def outcome(self, transaction: str) -> dict[str, Any]:
        """Wait until a request is done, refused or failed."""
        self.run_until(lambda: self._outcomes(transaction), hours=0.5)
        return self._outcomes(transaction)[-1]

    def _outcomes(self, transaction: str) -> list[dict[str, Any]]:
        return [each for each in self.answers(transaction) if each["status"] != "accepted"]

    def proposed(self, transaction: str) -> str:
        """The id of the proposal that a request has become."""
        answer = self.outcome(transaction)
        assert answer["status"] == "done", answer
        return answer["data"]["proposal"]

    def refused(self, transaction: str) -> str:
        answer = self.outcome(transaction)
        assert answer["status"] == "refused" and answer["error"], answer
        return answer["rule"]

    def agree(self, transaction: str) -> dict[str, Any]:
        """Another person approves what was proposed. The answer's data."""
        return self.approve(self.proposed(transaction))

    def approve(self, proposal: str, who: str = CHECKER) -> dict[str, Any]:
        answer = self.outcome(self.request("approve-meter", who=who, proposal=proposal))
        assert answer["status"] == "done", answer
        return answer["data"]

    def sealed(self, operation: str, who: str = ENGINEER, **fields: Any) -> tuple[str, bytes]:
        """A request that has not arrived yet."""
        seal = ("shell", KEYS["shell"])
        return ask(self.edge.topics, self.clock, seal, operation, who=who, role="engineer", **fields)[:2]

    # --- looking ---

    @property
    def meter(self) -> Any:
        return self.edge.core.state.meters[POINT]

    @property
    def live(self) -> Any:
        return self.edge.core.lives[POINT]

    def shown_wh(self) -> int:
        """What the meter on the wall shows now."""
        return self.sim_meter(POINT).metrology.total_wus // STEP_WUS * 10

    def charges_of(self, account: str) -> list[dict[str, Any]]:
        return [entry.fields for entry in self.of("charge/2", account=account)]

    def charges(self) -> list[dict[str, Any]]:
        return [entry.fields for entry in self.of("charge/2", meter=POINT)]


class Vacant(Swapping):
    """The shop behind the meter stands empty."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        tables["accounts"] = [row for row in tables["accounts"] if POINT not in row["meters"]]
        return Site.model_validate(tables)
