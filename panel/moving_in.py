"""A tenant who moves in, as people see it: what is typed into the form, what the request says, what waits to be agreed.

Here is judged only the form of what was typed; whether an id was used, a price fits, a meter is free is the gateway's
to say. What is known to fit is offered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.contract.messages import AccountRow, MeterRow, Proposals, Tariff
from bridge.contract.site_prices import HOUSEHOLD, SHOP
from bridge.contract.units import is_id
from panel.mirror import View
from panel.price_words import category_name
from panel.typed import Form, unfit
from panel.words import later, t

MOVE_IN = "move-in"

FIELDS = ("account", "name", "room", "phone", "tariff", "water_tariff", "category", "household", "close", "papers")
"""Of the form, beside its meters."""

LONGEST = {"account": 32, "name": 64, "room": 64, "phone": 20, "papers": 200}

SAYS = later(
    "Opens an account for a new tenant. Its meters are read twice when it is approved, and what is used from then on "
    "is charged; what was used without a tenant stays charged to nobody."
)
TITLE = later("A tenant moves in")

HOUSEHOLDS = {"yes": later("yes|household"), "no": later("no|household")}

CLOSES = {"direct": later("by itself|supply"), "permit": later("by the meter's button|supply")}
"""How supply returns after a cut (R6)."""

EMPTY = {
    "name": later("The tenant's name is needed; it stands on the bill."),
    "room": later("The room is needed; it stands on the bill."),
    "papers": later("Say where the contract is; whoever approves looks at it."),
}

LABELS = {
    "account": later("Account number"), "name": later("Tenant"), "room": later("Room"), "phone": later("Phone"),
    "meters": later("Meters"), "tariff": later("Price of electricity"), "water_tariff": later("Price of water"),
    "category": later("Surcharges as"), "household": later("Household"), "close": later("Supply returns after a cut"),
    "papers": later("Contract"),
}  # fmt: skip

_PHONE = re.compile(r"[0-9+ -]{0,20}")


@dataclass
class Typed(Form):
    """A tenant who moves in; `fields` are those of the request."""

    meters: list[str]
    fields: dict[str, Any] = field(default_factory=dict)


def begun(view: View, meter: MeterRow, typed: Mapping[str, str], meters: list[str]) -> Typed:
    """A form to be filled in: the room's meter, a number that was nobody's, the room's last price; or a draft again."""
    if typed:
        return Typed({name: typed.get(name, "")[: 2 * LONGEST.get(name, 32)] for name in FIELDS}, meters or [meter.id])
    before = last_tenant(view, meter)
    kind = "water_tariff" if "volume_l" in meter.quantities else "tariff"
    price = (getattr(before, kind) if before else None) or ""  # Nobody guesses what a new tenant pays.
    values = {"account": suggested(view, meter), "room": meter.room, kind: price}
    if before is not None and before.category:
        values["category"] = before.category
    return Typed(values, [meter.id])


def last_tenant(view: View, meter: MeterRow) -> AccountRow | None:
    """Who had this room before, as far as the accounts say."""
    gone = [row for row in view.accounts.values() if row.room == meter.room and not row.meters]
    return max(gone, key=lambda row: row.since, default=None)


def suggested(view: View, meter: MeterRow) -> str:
    """A number that no account has had: that of the room's first one with a -2, -3, ... behind it."""
    here = (row for row in view.accounts.values() if row.room == meter.room)
    first = min(here, key=lambda row: row.since, default=None)
    stem = first.id if first is not None else meter.room.lower()
    if not is_id(stem) or len(stem) > 28:
        return ""
    ids = [stem, *(f"{stem}-{n}" for n in range(2, 1000))]
    return next((id for id in ids if id not in view.accounts), "")


def prices(view: View, kind: str) -> dict[str, str]:
    """{id: name} of the prices that a field can name: per kWh, or per m3."""
    unit = "m3" if kind == "water_tariff" else "kWh"
    topics = {topic.rsplit("/", 1)[1]: fact.message for topic, fact in view.facts.items()}
    found = {id: one for id, one in topics.items() if isinstance(one, Tariff)}
    return {id: one.name for id, one in sorted(found.items()) if one.versions and one.versions[-1].unit == unit}


def categories(view: View) -> dict[str, str]:
    """{word: shown} of what an account may be; a surcharge's own word as it is written."""
    tariffs = [fact.message for fact in view.facts.values() if isinstance(fact.message, Tariff)]
    told = {each.category for one in tariffs for each in (one.versions[-1].surcharges if one.versions else ())}
    return {word: category_name(word) for word in dict.fromkeys((HOUSEHOLD, SHOP, *sorted(filter(None, told))))}


def vacant(view: View, meter: MeterRow) -> tuple[list[MeterRow], list[MeterRow]]:
    """Meters without a tenant: those of the same room, this one first, and the others."""
    free = [row for row in view.meters.values() if row.account is None]
    here = sorted((row for row in free if row.room == meter.room), key=lambda row: (row.id != meter.id, row.id))
    return here, sorted((row for row in free if row.room != meter.room), key=lambda row: (row.room, row.id))


def read(typed: Mapping[str, str], meters: list[str], view: View) -> Typed:
    """A form that was sent. Its fields are whole where there are no mistakes."""
    form = Typed({name: typed.get(name, "").strip() for name in FIELDS}, meters)
    for name, most in LONGEST.items():
        text = form.value(name)
        if not text and name in EMPTY:
            form.mistakes[name] = t(EMPTY[name])
        elif wrong := unfit(text, most):
            form.mistakes[name] = wrong
    if not is_id(form.value("account")):
        form.mistakes["account"] = t("1 to 32 of a to z, 0 to 9 and -, beginning with a letter or digit.")
    elif form.value("account") in view.accounts:
        form.mistakes["account"] = t("This number was a tenant's already, and is used once (R10).")
    if "phone" not in form.mistakes and not _PHONE.fullmatch(form.value("phone")):
        form.mistakes["phone"] = t("Digits, spaces, + and - only, at most 20.")
    if not meters:
        form.mistakes["meters"] = t("Choose at least one meter.")
    elif gone := [id for id in meters if id not in view.meters or view.meters[id].account is not None]:
        form.mistakes["meters"] = t("Meter {id} has a tenant now, or is not there any more.", id=gone[0][:32])
    if not form.value("tariff") and not form.value("water_tariff"):
        form.mistakes["tariff"] = t("Choose the price by which this tenant pays.")
    form.values = {name: text[:240] for name, text in form.values.items()}
    form.fields = {name: form.value(name) for name in LONGEST} | {"meters": meters}
    form.fields |= {name: form.value(name) or None for name in ("tariff", "water_tariff", "category")}
    form.fields["close"] = form.value("close") if form.value("close") in CLOSES else None
    form.fields["household"] = {"yes": True, "no": False}.get(form.value("household"))
    return form


def typed_from(fields: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The way back: the fields of a request as they stand in its form."""
    values = {name: fields[name] for name in FIELDS if isinstance(fields.get(name), str)}
    if isinstance(said := fields.get("household"), bool):
        values["household"] = "yes" if said else "no"
    return values, [id for id in fields.get("meters") or () if isinstance(id, str)]


def waiting_about(view: View, meter: str) -> str | None:
    """The proposal for a tenant of this meter that waits; its id."""
    fact = view.get(Proposals)
    rows = [row for row in fact.proposals if row.what == MOVE_IN] if fact else []
    return next((row.id for row in rows if meter in (row.body.get("meters") or ())), None)


def title(body: Mapping[str, Any]) -> str:
    """What heads a proposal: the room and who moves in, as far as it says."""
    room, name = (body[key] if isinstance(body.get(key), str) else "" for key in ("room", "name"))
    return t("{room} {name} moves in", room=room, name=name) if room and name else t(TITLE)


def told(view: View, body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(label, text) of a proposal; what is not what it should be is left out."""
    texts = {name: body[name] for name in LABELS if isinstance(body.get(name), str) and body[name]}
    if isinstance(meters := body.get("meters"), list):
        texts["meters"] = ", ".join(_meter(view, id) for id in meters if isinstance(id, str))
    for kind in ("tariff", "water_tariff"):
        if kind in texts:
            texts[kind] = prices(view, kind).get(texts[kind], texts[kind])
    if "category" in texts:
        texts["category"] = categories(view).get(texts["category"], texts["category"])
    if "close" in texts:
        texts["close"] = t(CLOSES.get(texts["close"], texts["close"]))
    if isinstance(said := body.get("household"), bool):
        texts["household"] = t(HOUSEHOLDS["yes" if said else "no"])
    return [(t(word), texts[name]) for name, word in LABELS.items() if name in texts]


def _meter(view: View, id: str) -> str:
    row = view.meters.get(id)
    return f"{id} ({row.room})" if row is not None and row.room else id
