"""How live the page is, in words, and `/health` for whoever watches the panel itself."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from bridge.contract.messages import Info
from panel.formats import span
from panel.guard import quiet
from panel.links import link
from panel.parts import parts
from panel.words import t

blueprint = Blueprint("live", __name__)
quiet("live.pulse")


def liveness() -> dict[str, object]:
    """{live, words, age, lost}: what stands in the header, and the bar's sentence while the connection is lost."""
    stand = parts()
    view, wall = stand.mirror.view(), stand.wall()
    age = span(stand.clock.monotonic() - view.heard_s) if view.heard_s is not None else ""
    found: dict[str, object] = {"live": view.live, "age": t("{span} ago", span=age) if age else "", "lost": None}
    if view.live:
        return found | {"words": t("Live")}
    as_of = wall.stamp(view.heard_at, seconds=True)
    seen = t("What you see is from {time}.", time=as_of) if view.heard_at else t("Nothing has been heard yet.")
    if not view.broker:
        words = t("Connection lost, reconnecting.")
    elif view.gateway == "offline":
        words = t("The gateway is off line. It goes on reading, charging and restoring by itself.")
    elif view.gateway == "silent":
        words = t("The gateway is not heard any more.")
    else:
        words = t("Waiting for the gateway.")
    return found | {"words": t("Not live"), "lost": f"{words} {seen}"}


@blueprint.get("/pulse")
def pulse() -> str:
    """The header's live sign and the lost bar."""
    return render_template("parts/pulse.html", **liveness())


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    """Ready when the broker let us in; 503 until then. Needs no sign-in and tells nothing about tenants."""
    view = parts().mirror.view()
    facts = view.get(Info)
    found = {
        "ready": view.broker,
        "broker": view.broker,
        "gateway": view.gateway,
        "facts": len(view.facts),
        "seq": facts.seq if facts else 0,
    }
    return jsonify(found), 200 if view.broker else 503


@blueprint.get("/")
def root() -> AnyResponse:
    """The building is the first page."""
    return redirect(link("rooms.rooms"))
