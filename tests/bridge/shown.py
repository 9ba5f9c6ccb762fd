"""An installation as Home Assistant shall see it: two meters, two tenants, both forms of discovery."""

from __future__ import annotations

from bridge.announcements import Announcements, Form, installation, tenancies
from bridge.contract.messages import AccountRow, Accounts, MeterRow, Meters, PortFacts
from bridge.discovery_entities import quantities
from tests.bridge.fake_edge import FakeEdge

DEVICE, ENTITY = Form("riser"), Form("riser", per="entity")
UNITS = {entity.key: "x" for entity in quantities(1)}
FULL = MeterRow(
    id="m301", name="301 电表", model="dlt645-3p", model_name="三相表", protocol="dlt645-2007", port="line-1",
    address="000000000301", serial="000000000301", room="301", floor="3", shaft="A", phases=3, multiplier=40,
    relay="direct", account="a-301", quantities=UNITS,
)  # fmt: skip
BARE = FULL.model_copy(
    update={
        "id": "m302",
        "name": "",
        "room": "302",
        "serial": None,
        "multiplier": 1,
        "relay": "none",
        "protocol": "modbus-rtu",
        "quantities": {"energy_wh": "Wh"},
    }
)
TENANTS = Accounts(
    accounts=[
        AccountRow(id="a-301", name="张三丰", room="301", phone="13800138000", tariff="t", meters=["m301"], since="x"),
        AccountRow(id="a-302", name="李四", room="", phone="", tariff="shop", meters=["m302"], since="x"),
    ]
)  # fmt: skip
PORTS = [
    PortFacts(id=id, device="d", protocol="dlt645-2007", baud=2400, state="open", meters=1, read=1, asked=9, failed=0)
    for id in ("line-1", "line-2")
]
INFO = FakeEdge().info().model_copy(update={"ports": PORTS})


def all_of(form: Form) -> Announcements:
    return {
        **installation(form, "shaft-a", INFO, Meters(meters=[FULL, BARE])),
        **tenancies(form, "shaft-a", TENANTS),
    }
