"""One line for whoever stands in the shaft: how busy it is, what goes wrong, what to do, each meter's last bytes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request

from bridge.contract.line_health import MUCH_PERCENT
from bridge.contract.messages import Info, PortStatistics
from panel.guard import quiet
from panel.line_figures import bytes_of, decode_of, meters_of, mishaps_of, shares_of
from panel.line_verdict import verdict_of
from panel.parts import parts

blueprint = Blueprint("line", __name__)
quiet("line.now")


@blueprint.get("/lines/port/<id>")
def line(id: str) -> str:
    """The page."""
    return render_template("line.html", **_now(id))


@blueprint.get("/lines/port-now/<id>")
def now(id: str) -> str:
    """The changing part."""
    return render_template("parts/line_now.html", **_now(id))


def _now(id: str) -> dict[str, Any]:
    stand = parts()
    view = stand.mirror.view()
    gateway, facts = view.get(Info), view.get(PortStatistics, id)
    port = next((each for each in gateway.ports if each.id == id), None) if gateway is not None else None
    if gateway is not None and port is None:
        abort(404)
    by = "slow" if request.args.get("by") == "slow" else "errors"
    meters = meters_of(id, facts, view, by)
    return {
        "id": id,
        "by": by,
        "gateway": gateway,
        "port": port,
        "facts": facts,
        "live": view.live,
        "meters": meters,
        "shares": shares_of(facts) if facts is not None else [],
        "mishaps": mishaps_of(facts, meters) if facts is not None else [],
        "much": MUCH_PERCENT,
        "bytes_of": bytes_of,
        "decode_of": decode_of,
        "wall": stand.line_wall(),
        "verdict": verdict_of(port, view) if port is not None else None,
    }
