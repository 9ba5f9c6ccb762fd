"""People who set prices in a building: proposals, decisions, previews."""

from __future__ import annotations

from typing import Any

from bridge.contract.asking import ask, query
from tests.edge.building import KEYS, Building

CATERING: dict[str, Any] = {"id": "catering", "name": "餐饮单一制", "kind": "single", "price": "1.1000"}
"""The next version of the price of account 100206, which is 1.05 in the demo."""

HOURS: dict[str, Any] = {
    "id": "catering", "name": "餐饮分时", "kind": "tou", "prices": {"peak": "1.30", "valley": "0.40"},
    "windows": [
        {"from": "00:00", "to": "08:00", "rate": "valley"}, {"from": "08:00", "to": "22:00", "rate": "peak"},
        {"from": "22:00", "to": "24:00", "rate": "valley"},
    ],
}  # fmt: skip


def request(building: Building, operation: str, who: str, role: str = "manager", **fields: Any) -> dict[str, Any]:
    """A signed request by somebody, and its answer."""
    topic, payload, transaction = ask(
        building.edge.topics, building.clock, ("shell", KEYS["shell"]), operation, who=who, role=role, **fields
    )
    building.deliver(topic, payload)
    return building.answers(transaction)[-1]


def propose(building: Building, price: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return request(building, "propose-price", "王敏", price=price, **fields)


def approve(building: Building, proposed: dict[str, Any], who: str = "李伟") -> dict[str, Any]:
    return request(building, "approve-price", who, proposal=proposed["data"]["proposal"])


def set_price(building: Building, price: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Propose and approve; the answer to the second."""
    answer = approve(building, propose(building, price, **fields))
    assert answer["status"] == "done", answer
    return answer


def preview(building: Building, price: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The answer to a preview, once it is worked out."""
    topic, payload, transaction = query(building.edge.topics, "preview-price", price=price, **fields)
    building.deliver(topic, payload)
    building.run_until(lambda: building.answers(transaction), hours=1)
    return building.answers(transaction)[-1]
