"""A meter: registers, power over the day, the relay as told and as read back, and the commands an engineer may give.

A trip or a close names the tenant and the room, needs the room's number typed, of a box with its circuit, and a reason,
and is checked here whatever the browser did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.entries import CHARGES, REPLACED
from bridge.contract.messages import MeterFacts
from bridge.contract.switch_requests import REASONS
from bridge.contract.units import RATES, is_transaction
from panel.commands import Conflict, NotSent
from panel.guard import me, quiet, require
from panel.history import Line
from panel.links import link
from panel.locking import place_mistake, why_mistake, words_of_lock
from panel.meter_proposals import waiting_for
from panel.pages.answers import answer_to, told
from panel.pages.events import events_of
from panel.pages.meter_chart import chart_of, has_power
from panel.parts import Parts, parts
from panel.states import HOLDS, Room, lock_of, room_of
from panel.switches import agreement, moving_words, stands_words
from panel.words import t

blueprint = Blueprint("meter", __name__)
quiet("meter.now")
quiet("meter.chart")


@dataclass(frozen=True)
class Ask:
    """The dialog that switches supply off or on, as it was typed."""

    operation: str
    transaction: str
    room: str = ""
    why: str = ""
    hold: str = REASONS[0]
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
    """The page; `ask=trip` or `ask=close`, for a valve `ask=off` or `ask=on`, opens the dialog, `day` chooses the
    curve's day. `do` is `ask` of a form whose session had ended, with its `why`."""
    room, operation = one_room(id), request.args.get("ask", "") or request.args.get("do", "")
    ask = None
    if operation in (room.words.off, room.words.on) and room.meter.relay != "none":
        require(operation)
        ask = Ask(operation, new_transaction(), why=request.args.get("why", "")[:200])
    return _page(room, ask)


def page_with(room: Room, mistake: str, why: str) -> str:
    """The page with what stands against a decision."""
    return _page(room, None, mistake, why)


def _page(room: Room, ask: Ask | None, undecided: str | None = None, undecided_why: str = "") -> str:
    stand = parts()
    charge = stand.history.newest(room.meter.id, *CHARGES)
    return render_template(
        "meter.html", room=room, ask=ask, holds_to=_holds_to(room, ask), reasons=room.words.reasons,
        fresh=new_transaction(),
        answer=answer_to(request.args.get("answer")), frames=_frames(charge), frames_at=charge.at if charge else None,
        has_power=has_power(room.meter), undecided=undecided, undecided_why=undecided_why,
        waits=waiting_for(stand.mirror.view(), room.meter.id, room.meter.multiplier, stand.wall()),
        **chart_of(stand, room), **_now(stand, room),
    )  # fmt: skip


def _holds_to(room: Room, ask: Ask | None) -> dict[str, str]:
    """The holds that people may set now, or lift, with their words; by hand where none stands to be lifted."""
    if ask is None or ask.operation == "read":
        return {}
    stand = {hold.kind for hold in room.relay.holds} if room.relay else set[str]()
    sets = ask.operation == room.words.off
    return {kind: HOLDS[kind] for kind in REASONS if (kind in stand) != sets} or {REASONS[0]: HOLDS[REASONS[0]]}


def _now(stand: Parts, room: Room) -> dict[str, Any]:
    wall, facts = stand.wall(), room.facts
    base = stand.history.newest(room.meter.id, *CHARGES, *REPLACED, "opening/1")
    asked = [told(stand, one) for one in stand.commands.about(room.meter.id)]
    lock = lock_of(room.relay)
    return {
        "lock": lock,
        "locked": words_of_lock(lock, wall) if lock else "",
        "wall": wall,
        "registers": _registers(facts, base) if facts else [],
        "base_at": _base(base)[1],
        "holds": [(kind, t(word), _hold(room, kind)) for kind, word in HOLDS.items()],
        "agreement": agreement(room.relay, room.valve) if room.relay else "unknown",
        "stands": stands_words(room.relay, room.valve) if room.relay else "",
        "moving": moving_words(room.valve),
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
    names = ("meter_now", "meter_side", "meter_locked")
    return "".join(render_template(f"parts/{name}.html", **shown) for name in names)


@blueprint.get("/meter-chart/<id>")
def chart(id: str) -> str:
    """The curve, which refreshes itself."""
    room = one_room(id)
    return render_template("parts/chart.html", room=room, wall=parts().wall(), **chart_of(parts(), room))


@blueprint.post("/meter/<id>")
def act(id: str) -> str | tuple[str, int] | Response:
    """Read now; trip or close, or for a valve off or on: another kind's word is no word."""
    room, typed = one_room(id), request.form
    operation = typed.get("do", "")
    if operation not in ("read", room.words.off, room.words.on):
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
    ask = replace(ask, hold=typed.get("hold", ask.hold))
    if ask.hold not in REASONS:
        mistakes["hold"] = t("Choose what it is off for.")
    if wrong := place_mistake(room.meter, ask.room):
        mistakes["room"] = wrong
    if wrong := why_mistake(ask.why):
        mistakes["why"] = wrong
    if operation == room.words.on and (lock := lock_of(room.relay)) is not None:
        mistakes["form"] = t("It is {locked}. Nobody closes it before it is unlocked (R5).",
                             locked=words_of_lock(lock, parts().wall()))  # fmt: skip
    if mistakes:
        return _page(room, replace(ask, mistakes=tuple(mistakes.items()))), 422
    return _send(room, ask, {"why": ask.why, "hold": ask.hold})


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
