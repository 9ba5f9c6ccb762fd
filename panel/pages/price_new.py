"""A price with a new id: its id, name and unit are asked for first, and then it is the same form as for a new version.

Nothing is kept in between: the form's address says the unit, and the form carries it along.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.units import is_id, is_plain
from panel.drafts import unpack
from panel.guard import require
from panel.links import go
from panel.pages.price_answers import again
from panel.parts import parts
from panel.price_versions import Price, one_price
from panel.words import later, t

blueprint = Blueprint("price_new", __name__)

PROPOSE = "propose-price"
UNITS = {"kWh": later("electricity, per kWh"), "m3": later("water, per m³")}
LONGEST = {"id": 32, "name": 64}


@blueprint.get("/price-new")
def form() -> str:
    """The first step; its fields may be filled by the address."""
    require(PROPOSE)
    return _page(request.args, {})


@blueprint.post("/price-new")
def begin() -> Response | tuple[str, int]:
    """On to the form, or back with a sentence beside each field."""
    require(PROPOSE)
    typed = {name: text.strip() for name, text in request.form.items()}
    if mistakes := _mistakes(typed):
        return _page(typed, mistakes), 422
    return go("price_form.new", id=typed["id"], unit=typed["unit"], name=typed["name"])


def _mistakes(typed: Mapping[str, str]) -> dict[str, str]:
    id, name, found = typed.get("id", ""), typed.get("name", ""), {}
    if not is_id(id):
        found["id"] = t("An id has small letters, digits and hyphens, begins with a letter or digit, and at most 32 of "
                        "them.")  # fmt: skip
    elif one_price(parts().mirror.view(), id, parts().clock.now()) is not None:
        found["id"] = t("There is a price with this id; propose a new version of it, or take another id.")
    if not name:
        found["name"] = t("A name is needed; the bill shows it.")
    elif len(name) > LONGEST["name"]:
        found["name"] = t("At most {n} characters.", n=LONGEST["name"])
    elif not is_plain(name):
        found["name"] = t("There are characters in it that cannot be shown; type it anew.")
    if typed.get("unit") not in UNITS:
        found["unit"] = t("Choose one of them.")
    return found


def _page(typed: Mapping[str, str], mistakes: dict[str, str]) -> str:
    values = {name: typed.get(name, "")[:80] for name in ("id", "name", "unit")}
    return render_template("price_new.html", values=values, mistakes=mistakes, units=UNITS, longest=LONGEST)


def begun(id: str, asked: Mapping[str, str], form: Mapping[str, str]) -> Price | None:
    """A price without versions, as its form or the address of its form says; None where neither says its unit. A draft
    and a proposal that was refused say it too."""
    if not is_id(id):
        return None
    told = {**asked, **form}
    if (draft := unpack(asked["draft"]) if "draft" in asked else None) is not None:
        told |= draft.to_dict()
    elif refused := again(asked.get("again", ""), id):
        price = refused.fields["price"]
        told |= {"unit": price.get("unit", "kWh"), "name": price["name"]}
    unit = told.get("unit", "")
    return Price(id, told.get("name", "")[:80] or id, None, [], [], unit) if unit in UNITS else None
