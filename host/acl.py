"""Who may read and write which topic: one row per right, made from the table of messages, so no topic is forgotten.

A topic has one writer. Facts and requests never share a branch. Names and phones stand in `accounts`, in
`proposals` and in the book's entries, and an integrator's client sees neither. Who sends notices sees `accounts`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.contract.messages import MESSAGES, Accounts, BridgeStatus, Entry, PanelStatus, Proposals, Topics

ROLES = ("edge", "bridge", "panel", "shell", "integrator", "notices")
"""The users of a site's own broker. The demo adds `demo`, whose key may mint money."""

DEMO = "demo"


def edge_facts() -> list[str]:
    """Every topic the edge writes, below the gateway, with `+` for ids."""
    return [cls.topic.replace("{id}", "+") for cls in MESSAGES if cls.writer == "edge"]


def rights(role: str, base: str, gateway: str, discovery_prefix: str) -> list[tuple[str, str]]:
    """The (verb, topic filter) rows of one role. Verbs are Mosquitto's: read, write, readwrite."""
    any_gateway = Topics(base, "+")
    facts = [f"{any_gateway.root}/{topic}" for topic in edge_facts()]
    statuses = [any_gateway.of(BridgeStatus), any_gateway.of(PanelStatus)]
    match role:
        case "edge":
            own = Topics(base, gateway)
            # It looks at its own retained facts once after a connect, and clears a retained request (R7).
            rows = [("readwrite", f"{own.root}/{topic}") for topic in edge_facts()]
            return [*rows, ("readwrite", own.request("+"))]
        case "bridge":
            rows = [("read", topic) for topic in [*facts, *statuses]]
            asks = ("replay", "bring-back", "all-brought")
            rows += [("write", any_gateway.of(BridgeStatus)), *(("write", any_gateway.request(each)) for each in asks)]
            return [*rows, ("read", f"{discovery_prefix}/status"), ("write", f"{discovery_prefix}/#")]
        case "panel":
            rows = [("read", topic) for topic in [*facts, *statuses]]
            return [*rows, ("write", any_gateway.of(PanelStatus)), ("write", any_gateway.request("+"))]
        case "shell":
            rows = [("read", f"{base}/#"), ("read", f"{discovery_prefix}/#"), ("read", "$SYS/#")]
            return [*rows, ("write", any_gateway.request("+"))]
        case "integrator":
            hidden = {f"{any_gateway.root}/{cls.topic}" for cls in (Accounts, Entry, Proposals)}
            rows = [("read", topic) for topic in [*facts, *statuses] if topic not in hidden]
            rows += [("read", f"{discovery_prefix}/#"), ("write", f"{discovery_prefix}/status")]
            return [*rows, ("write", any_gateway.request("read")), ("write", any_gateway.request("replay"))]
        case "notices":
            hidden = {f"{any_gateway.root}/{cls.topic}" for cls in (Entry, Proposals)}
            return [*(("read", topic) for topic in [*facts, *statuses] if topic not in hidden),
                    ("write", any_gateway.request("told"))]  # fmt: skip
        case "demo":
            own = Topics(base, gateway)
            rows = [("read", f"{own.root}/account/+"), ("read", own.response("+"))]
            return [*rows, ("write", own.request("topup"))]
    raise ValueError(f"{role} is no user of the broker")


def acl_text(roles: Sequence[str], base: str, gateway: str, discovery_prefix: str) -> str:
    """Mosquitto's ACL file."""
    lines = ["# Written by `riser up` at every start; changes are lost."]
    for role in roles:
        lines += ["", f"user {role}"]
        lines += [f"topic {verb} {topic}" for verb, topic in merged(rights(role, base, gateway, discovery_prefix))]
    return "\n".join(lines) + "\n"


def merged(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """One row per topic: Mosquitto takes the first row that matches, so read and write of one topic must be one."""
    verbs: dict[str, set[str]] = {}
    for verb, topic in rows:
        verbs.setdefault(topic, set()).update({"read", "write"} if verb == "readwrite" else {verb})
    return [("readwrite" if len(each) == 2 else next(iter(each)), topic) for topic, each in verbs.items()]
