"""The building at a glance: floors are rows, shafts are columns, one state for each room.

The grid refreshes itself every two seconds from cached bytes; a browser that has them already is answered 304.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bridge.contract.messages import Info, MeterRow
from panel.drawer import till_nano
from panel.faces import CHIPS, chip_signs
from panel.final_warning import must_be_told
from panel.formats import Wall
from panel.guard import quiet
from panel.links import link
from panel.mirror import View
from panel.outlook import outlook_of
from panel.pages.lines import GOES_ON, MODES
from panel.pages.meter_chart import has_power
from panel.parts import Parts, parts
from panel.protections import standing
from panel.states import Room, room_of

blueprint = Blueprint("rooms", __name__)
quiet("rooms.grid")

CACHED_AT_MOST = 64
"""Grids kept: language, filter and search of the people who look at the moment."""

SLOT_S = 2.0
"""Ages move also when nothing arrives, so a grid is drawn anew at least this often while somebody looks."""

_cache_lock = threading.Lock()
Cache = OrderedDict[tuple[str, ...], tuple[tuple[int, int], bytes, str]]
"""(language, prefix, filter, search) to (version and time slot, bytes, ETag), one for each application."""


@dataclass(frozen=True)
class Shaft:
    name: str
    meters: int
    online: int


@dataclass(frozen=True)
class Floor:
    name: str
    power_w: int | None
    """None where no meter of the floor tells its power."""
    shafts: list[tuple[str, list[Room]]]


@blueprint.get("/rooms")
def rooms() -> str | AnyResponse:
    """The page; a search that finds exactly one room goes there when Enter was pressed."""
    state, text = _question()
    if text and request.args.get("enter"):
        found = [room for room in all_rooms(parts()) if room.matches(text)]
        if len(found) == 1:
            room = found[0]
            if room.tenant:
                return redirect(link("account.account", id=room.tenant.id))
            return redirect(link("meter.meter", id=room.meter.id))
    return render_template("rooms.html", grid=_grid(state, text)[0].decode(), state=state, text=text)


@blueprint.get("/rooms-grid")
def grid() -> Response:
    """The changing part of the page."""
    state, text = _question()
    body, etag = _grid(state, text)
    answer = make_response(body)
    answer.set_etag(etag)
    answer.headers["Cache-Control"] = "private, no-cache"
    if request.headers.get("HX-Trigger-Name") == "q":
        answer.headers["HX-Replace-Url"] = link(
            "rooms.rooms", **{k: v for k, v in (("state", state), ("q", text)) if v}
        )
    return answer.make_conditional(request)  # type: ignore[return-value]


def _question() -> tuple[str, str]:
    state = request.args.get("state", "")
    return state if state in {name for name, _, _ in CHIPS} else "", request.args.get("q", "").strip()[:40]


def all_rooms(stand: Parts) -> list[Room]:
    """Every meter that is installed, as a room."""
    view, wall = stand.mirror.view(), stand.wall()
    return [room_of(view, meter, wall, stand.stale_s) for meter in view.meters.values()]


def _grid(state: str, text: str) -> tuple[bytes, str]:
    """(bytes, their ETag) of the grid, drawn when a fact or the time slot has changed."""
    stand = parts()
    view = stand.mirror.view()
    cache: Cache = current_app.extensions.setdefault("riser-grid", OrderedDict())
    key = (g.language, request.script_root, state, text)
    stamp = (view.version, int(stand.clock.monotonic() / SLOT_S))
    with _cache_lock:
        known = cache.get(key)
    if known is not None and known[0] == stamp:
        return known[1], known[2]
    body = _draw(stand, view, state, text).encode()
    etag = hashlib.sha256(body).hexdigest()[:24]
    with _cache_lock:
        cache[key] = (stamp, body, etag)
        cache.move_to_end(key)
        while len(cache) > CACHED_AT_MOST:
            cache.popitem(last=False)
    return body, etag


def _draw(stand: Parts, view: View, state: str, text: str) -> str:
    rooms, gateway = all_rooms(stand), view.get(Info)
    shown = [room for room in rooms if room.matches(text)] if text else rooms
    wanted = next((faces for name, faces, _ in CHIPS if name == state), None)
    chips = [
        (name, paint, sign, word, sum(room.face in faces for room in shown))
        for name, faces, paint, sign, word in chip_signs()
    ]
    chosen = [room for room in shown if wanted is None or room.face in wanted]
    return render_template(
        "parts/grid.html", totals=totals(stand, rooms), chips=chips, count=len(shown), state=state, text=text,
        floors=by_floor(chosen, rooms), shafts=by_shaft(rooms), known=bool(view.meters), chosen=len(chosen),
        brake=gateway.brake if gateway else None, wall=stand.wall(), gateway=gateway, modes=MODES,
        goes_on=GOES_ON,
        ahead=ahead_of(chosen, gateway, stand.wall()),
    )  # fmt: skip


def ahead_of(rooms: list[Room], gateway: Info | None, wall: Wall) -> dict[str, str]:
    """Meter id to what the rules would do to its tenant today, in a sentence."""
    found = {}
    for room in rooms:
        outlook = outlook_of(room.account, [room], room.tenant.phone if room.tenant else "", gateway, wall)
        if outlook is not None and (outlook.kind != "never" or outlook.more):
            found[room.meter.id] = outlook.text
    return found


def totals(stand: Parts, rooms: list[Room]) -> dict[str, object]:
    """What stands above the grid: sums of published figures, nothing else."""
    accounts = {room.tenant.id: room.account for room in rooms if room.tenant and room.account}
    balances = [account.available_nano for account in accounts.values()]
    taken = [till_nano(line) for line in stand.history.topups_since(stand.wall().midnight())]
    names = {room.tenant.id: room.tenant.room for room in rooms if room.tenant}
    next_cuts = sorted(
        (account.cut_at, names[id], id) for id, account in accounts.items()
        if account.cut_at and account.can_cut and not (account.protected_until or account.blocked)
        and not must_be_told(account) and not standing(account, stand.wall())
    )  # fmt: skip
    gateway = stand.mirror.view().get(Info)
    return {
        "power_w": _sum(
            room.facts.power_w * room.meter.multiplier
            for room in rooms
            if room.facts and room.facts.power_w is not None
        ),
        "today_wh": _sum(
            room.facts.energy_today_wh * room.meter.multiplier
            for room in rooms
            if room.facts and room.facts.energy_today_wh is not None
        ),
        "topups": len(taken),
        "taken_nano": sum(taken),
        "owing": sum(nano < 0 for nano in balances),
        "owed_nano": sum(nano for nano in balances if nano < 0) if balances else None,
        "prepaid_nano": sum(nano for nano in balances if nano > 0) if balances else None,
        "next_cuts": next_cuts[:3],
        "window_open": gateway.cut_window_open if gateway else None,
        "window_next": gateway.cut_window_next if gateway else None,
    }


def _sum(figures: Iterable[int]) -> int | None:
    """The sum of what is known; nothing known is nothing, not 0."""
    known = list(figures)
    return sum(known) if known else None


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key under which room 2 stands before room 10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"[0-9]+|[^0-9]+", text)]


def _height(floor: str) -> tuple[int, str]:
    """Floors as they stand: 3F above 1F above B1."""
    digits = re.search(r"[0-9]+", floor)
    level = int(digits.group()) if digits else 0
    return (-level if floor.upper().startswith("B") or floor.startswith("负") else level), floor


def by_shaft(rooms: list[Room]) -> list[Shaft]:
    found: dict[str, list[Room]] = {}
    for room in rooms:
        found.setdefault(room.meter.shaft, []).append(room)
    return [
        Shaft(name, len(some), sum(not (r.availability and r.availability.state == "offline") for r in some))
        for name, some in sorted(found.items(), key=lambda pair: natural(pair[0]))
    ]


def by_floor(chosen: list[Room], everything: list[Room]) -> list[Floor]:
    """Floors from the top down, each with its rooms by shaft; a shaft without a room there keeps its column."""
    shafts = [shaft.name for shaft in by_shaft(everything)]
    floors: dict[str, list[Room]] = {}
    for room in chosen:
        floors.setdefault(room.meter.floor, []).append(room)
    found = []
    for name in sorted(floors, key=_height, reverse=True):
        some = sorted(floors[name], key=lambda room: natural(room.meter.room))
        measured = [room for room in some if has_power(room.meter)]
        power_w = sum(_power_w(room.meter, room) for room in measured) if measured else None
        found.append(Floor(name, power_w, [(s, [r for r in some if r.meter.shaft == s]) for s in shafts]))
    return found


def _power_w(meter: MeterRow, room: Room) -> int:
    return (room.facts.power_w or 0) * meter.multiplier if room.facts else 0
