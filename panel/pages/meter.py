"""A meter: registers, power over the day, the relay as told and as read back, and the commands an engineer may give.

A trip or a close names the tenant and the room, needs the room's number typed and a reason, and is checked here
whatever the browser did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.entries import CHARGES
from bridge.contract.messages import MeterFacts, Tariff, Window
from bridge.contract.units import RATES, instant_of, is_plain, is_transaction
from panel.charts import Day, power_chart
from panel.commands import Conflict, NotSent
from panel.guard import me, quiet, require
from panel.history import Line, Point
from panel.links import link
from panel.pages.answers import answer_to, told
from panel.pages.events import events_of
from panel.parts import Parts, parts
from panel.states import HOLDS, Room, room_of
from panel.telling import is_following
from panel.words import later, t

blueprint = Blueprint("meter", __name__)
quiet("meter.now")
quiet("meter.chart")

REASONS = (later("service work"), later("the tenant asked"), later("danger"))


@dataclass(frozen=True)
class Ask:
    """The dialog of a trip or a close as it was typed."""

    operation: str
    transaction: str
    room: str = ""
    why: str = ""
    mistakes: tuple[tuple[str, str], ...] = ()

    def mistake(self, field: str) -> str | None:
        return dict(self.mistakes).get(field)


def one_room(id: str) -> Room:
    """The meter with this id; 404 where none is installed."""
    stand = parts()
    view = stand.mirror.view()
    row = view.meters.get(id)
    if row is None:
        abort(404)
    return room_of(view, row, stand.wall(), stand.stale_s)


@blueprint.get("/meter/<id>")
def meter(id: str) -> str:
    """The page; `ask=trip` or `ask=close` opens the dialog, `day` chooses the curve's day. `do` is `ask` of a form
    whose session had ended, with its `why`."""
    room, operation = one_room(id), request.args.get("ask", "") or request.args.get("do", "")
    ask = None
    if operation in ("trip", "close") and room.meter.relay != "none":
        require(operation)
        ask = Ask(operation, new_transaction(), why=request.args.get("why", "")[:200])
    return _page(room, ask)


def _page(room: Room, ask: Ask | None) -> str:
    stand = parts()
    charge = stand.history.newest(room.meter.id, *CHARGES)
    return render_template(
        "meter.html", room=room, ask=ask, reasons=REASONS, fresh=new_transaction(),
        answer=answer_to(request.args.get("answer")), frames=_frames(charge), frames_at=charge.at if charge else None,
        **_chart(stand, room), **_now(stand, room),
    )  # fmt: skip


def _now(stand: Parts, room: Room) -> dict[str, Any]:
    wall, facts = stand.wall(), room.facts
    base = stand.history.newest(room.meter.id, *CHARGES) or stand.history.newest(room.meter.id, "opening/1")
    asked = [told(stand, one) for one in stand.commands.about(room.meter.id)]
    return {
        "wall": wall,
        "registers": _registers(facts, base) if facts else [],
        "base_at": _base(base)[1],
        "holds": [(kind, t(word), _hold(room, kind)) for kind, word in HOLDS.items()],
        "following": is_following(room.relay) if room.relay else True,
        "events": events_of(stand, room.meter.id),
        "asked": asked,
        "port": room.meter.port,
    }


def _hold(room: Room, kind: str) -> Any:
    return next((hold for hold in room.relay.holds if hold.kind == kind), None) if room.relay else None


def _base(line: Line | None) -> tuple[dict[str, int], str | None]:
    """The registers up to which the meter is charged, and their instant."""
    if line is None:
        return {}, None
    stood = line.body["end"] if line.kind in CHARGES else line.body
    return stood["registers_wh"], stood["at"]


def _registers(facts: MeterFacts, base: Line | None) -> list[tuple[str, int, int | None]]:
    """(rate, register, used since the last charge), in Wh of the meter, the total first."""
    charged, _ = _base(base)
    found = []
    for rate in ("total", *RATES):
        name = "energy_wh" if rate == "total" else f"energy_{rate}_wh"
        value = getattr(facts, name, None)
        if value is not None:
            found.append((rate, value, value - charged[rate] if rate in charged else None))
    return found


def _frames(charge: Line | None) -> list[tuple[str, str]]:
    """The raw frames behind the newest charge: (request, reply) in groups of two digits."""
    frames = charge.body["end"].get("frames") or [] if charge else []
    return [(_spaced(sent), _spaced("".join(got))) for sent, *got in frames]


def _spaced(text: str) -> str:
    digits = "".join(text.split()).upper()
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))


@blueprint.get("/meter-now/<id>")
def now(id: str) -> str:
    """Registers, momentary values, relay, commands and events, which refresh themselves."""
    room = one_room(id)
    shown = _now(parts(), room) | {"room": room, "oob": True}
    return render_template("parts/meter_now.html", **shown) + render_template("parts/meter_side.html", **shown)


@blueprint.get("/meter-chart/<id>")
def chart(id: str) -> str:
    """The curve, which refreshes itself."""
    room = one_room(id)
    return render_template("parts/chart.html", room=room, wall=parts().wall(), **_chart(parts(), room))


def _chart(stand: Parts, room: Room) -> dict[str, Any]:
    wall = stand.wall()
    today = wall.now.date()
    try:
        wanted = date.fromisoformat(request.args.get("day", "")[:10])
    except ValueError:
        wanted = today
    wanted = min(wanted, today) if wanted.year > 2000 else today
    start, end = (_midnight(stand, wanted + timedelta(days=days)) for days in (0, 1))
    points = stand.history.power(room.meter.id, start, end)
    points += _live(room, points, end, stand.stale_s)
    before = stand.history.power(room.meter.id, _midnight(stand, wanted - timedelta(days=1)), start)
    length = start.astimezone(UTC) - _midnight(stand, wanted - timedelta(days=1)).astimezone(UTC)
    moved = [replace(point, at=point.at + length) for point in before]
    windows = _windows(stand, room, start)
    drawn = power_chart(Day(start, end, wall.instant), points, moved, windows, stand.stale_s)
    return {
        "chart": drawn if points or before else Markup(""),
        "day": wanted,
        "yesterday": wanted - timedelta(days=1),
        "tomorrow": wanted + timedelta(days=1) if wanted < today else None,
        "highest": _highest(points),
        "rates": _rates(windows),
        "dashed": bool(before),
    }


def _live(room: Room, points: Sequence[Point], end: datetime, stale_s: float) -> list[Point]:
    """The newest power, where the archive does not hold it yet: the curve ends with the figure beside it."""
    facts = room.facts
    if not points or facts is None or facts.power_w is None or facts.power_read_at is None:
        return []
    at = instant_of(facts.power_read_at)
    goes_on = at < end and 0 < (at - points[-1].at).total_seconds() <= stale_s
    return [Point(at, facts.power_w)] if goes_on else []


def _rates(windows: Sequence[Window]) -> dict[str, list[str]]:
    """Rate to its hours, for the key under the curve; the dearest first, as the rates are numbered."""
    found = {rate: [f"{w.from_}–{w.to}" for w in windows if w.rate == rate] for rate in RATES}
    return {rate: spans for rate, spans in found.items() if spans}


def _highest(points: Sequence[Point]) -> Point | None:
    return max(points, key=lambda point: point.power_w, default=None)


def _midnight(stand: Parts, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=stand.site.zone)


def _windows(stand: Parts, room: Room, at: datetime) -> list[Window]:
    """The rates of the day, from the tariff version in force at its start."""
    tariff = stand.mirror.view().get(Tariff, room.tenant.tariff) if room.tenant else None
    if tariff is None or not tariff.versions:
        return []
    earlier = [version for version in tariff.versions if instant_of(version.effective_at) <= at]
    return max(earlier, key=lambda version: version.version).windows if earlier else tariff.versions[0].windows


@blueprint.post("/meter/<id>")
def act(id: str) -> str | tuple[str, int] | Response:
    """Read now, trip or close."""
    room, typed = one_room(id), request.form
    operation = typed.get("do", "")
    if operation not in ("read", "trip", "close"):
        abort(404)
    require(operation)
    mistakes: dict[str, str] = {}
    transaction = typed.get("transaction", "")
    if not is_transaction(transaction):  # Without its number a double click would be two commands.
        transaction = new_transaction()
        mistakes["form"] = t("This form lost its number on the way. Nothing was done; send it once more.")
    if operation == "read":
        # Reading changes nothing, so a read whose form lost its number is simply a new one.
        return _send(room, Ask("read", transaction), {})
    if room.meter.relay == "none":
        abort(404)
    ask = Ask(operation, transaction, typed.get("room", ""), typed.get("why", "").strip()[:400])
    if ask.room.strip().casefold() != room.meter.room.casefold():
        mistakes["room"] = t("That is not this room. Type {room} to confirm.", room=room.meter.room)
    if not ask.why:
        mistakes["why"] = t("A reason is needed; it stands in the book.")
    elif len(ask.why) > 200:
        mistakes["why"] = t("At most 200 characters.")
    elif not is_plain(ask.why):
        mistakes["why"] = t("There are characters in it that cannot be shown; type it anew.")
    if mistakes:
        return _page(room, replace(ask, mistakes=tuple(mistakes.items()))), 422
    return _send(room, ask, {"why": ask.why})


def _send(room: Room, ask: Ask, fields: dict[str, str]) -> tuple[str, int] | Response:
    user, id = me(), room.meter.id
    try:
        parts().commands.send(
            ask.operation, id, who=user.name, role=user.role, transaction=ask.transaction, meter=id, **fields
        )
    except NotSent:
        words = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _page(room, replace(ask, mistakes=(("form", words),))), 503
    except Conflict:
        words = t("This form was already used for something else. Check the state, then send it once more.")
        return _page(room, replace(ask, transaction=new_transaction(), mistakes=(("form", words),))), 409
    return redirect(link("meter.meter", id=id, answer=ask.transaction), 303)
