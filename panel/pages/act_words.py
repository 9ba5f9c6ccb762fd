"""What people said when they did something with money: who, who agreed, on which papers, in labelled rows."""

from __future__ import annotations

from typing import Any

from bridge.contract.entries import REPLACED
from panel.bill_words import method_word
from panel.edge_words import person, reason
from panel.formats import fen
from panel.meter_told import of_registers
from panel.money_acts import REASONS
from panel.moving_in import MOVE_IN, told
from panel.parts import parts
from panel.words import t


def acted(kind: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """(label, words) of an act; none for what the gateway does by itself."""
    if kind.startswith("proposal/"):
        body = {**body["body"], **body}
    tenancy: list[tuple[str, str]] = []
    if kind == "account/1" or body.get("what") == MOVE_IN:
        tenancy, body = told(parts().mirror.view(), body), {**body, "papers": ""}
    said = str(body.get("reason") or "")
    found = [
        *tenancy,
        (t("Registers|statement"), of_registers(kind, body) if kind in REPLACED else ""),
        (t("Amount"), _yuan(body.get("amount_fen"))),
        (t("Method"), method_word(body.get("method")) if body.get("method") else ""),
        (t("Receipt"), body.get("receipt")),
        (t("Takes back the top-up|act"), body.get("original_receipt")),
        (t("Number of the channel or slip|act"), body.get("reference")),
        (t("Cause|act"), t(REASONS[said]) if said in REASONS else said),
        (t("Reason"), reason(body.get("who"), body.get("why"))),
        (t("Papers|act"), body.get("papers")),
        (t("The tenant's consent|act"), body.get("consent")),
        (t("Paid off by|act"), _share(body)),
        (t("Done by|act"), person(body.get("who"))),
        (t("Approved by|act"), person(body.get("approved_by"))),
        (t("Proposal|act"), body.get("proposal")),
    ]
    return [(label, str(words)) for label, words in found if words]


def _yuan(amount: Any) -> str:
    return t("{amount} yuan", amount=fen(amount)) if type(amount) is int else ""


def _share(body: dict[str, Any]) -> str:
    if not body.get("share_percent"):
        return ""
    cap = body.get("weekly_cap_fen")
    if not cap:
        return t("{n} % of each top-up|debt", n=body["share_percent"])
    return t("{n} % of each top-up, at most {amount} yuan a week|debt", n=body["share_percent"], amount=fen(cap))
