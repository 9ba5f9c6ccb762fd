"""A new version of a price: filled in from the one that counts now, checked, tried on last month's readings, proposed.

Two steps, each one form: what was typed travels along, so every mistake leaves everything as it was. Nothing counts
before another person has approved it (R32).
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from bridge.contract.asking import new_transaction
from bridge.contract.site_prices import HOUSEHOLD, SHOP
from bridge.contract.units import RATES, is_plain, is_transaction
from panel.commands import Conflict, NotSent
from panel.drafts import unpack
from panel.guard import me, quiet, require
from panel.links import go
from panel.pages.price_answers import again
from panel.pages.price_new import begun
from panel.parts import parts
from panel.price_begin import Begin, begins, markup_mistake, same_as, version_of_table
from panel.price_reading import Reading, reading_of
from panel.price_toml import text_of_table
from panel.price_tries import OPERATION, ask_for, chosen_month, months, try_of
from panel.price_typed import Typed, typed_from, typed_of
from panel.price_versions import Price, one_price, table_of
from panel.price_words import DAY_WORDS, category_name, changes, per, rate_name, told_version, unit_word
from panel.words import later, t

blueprint = Blueprint("price_form", __name__)
quiet("price_form.tried")

PROPOSE = "propose-price"
NOT_TYPED = ("csrf_token", "do", "transaction", "tried", "month-tried")
"""What the second step does not carry along as typed."""


PERIODS = (("", later("no steps")), ("month", later("by the month")), ("year", later("by the year")))


def the_price(id: str) -> Price:
    """The price with this id, or one that begins with this form; 404 where there is none."""
    found = one_price(parts().mirror.view(), id, parts().clock.now())
    if found is None or found.newest is None:
        found = begun(id, request.args, request.form)
    if found is None:
        abort(404)
    return found


@blueprint.get("/price/<id>/new")
def new(id: str) -> str:
    """The form. `draft` is one whose session had ended, `again` a request that was refused."""
    require(PROPOSE)
    price = the_price(id)
    typed = typed_from(table_of(price.id, price.name, price.newest)) if price.newest else Typed(price.name)
    if (draft := unpack(request.args["draft"]) if "draft" in request.args else None) is not None:
        typed = typed_of(draft)
    elif asked := again(request.args.get("again", ""), price.id):
        kept = begins(asked.fields.get("effective_at"), parts().site.zone)
        typed = typed_from(asked.fields["price"], why=asked.fields["why"], accept=asked.fields["accept_markup"], **kept)
    return _form(price, typed)


@blueprint.post("/price/<id>/new")
def send(id: str) -> str | tuple[str, int] | Response:
    """A step further: more rows, the other way of writing it, back to the form, the check, or the proposal."""
    require(PROPOSE)
    price, form = the_price(id), request.form
    typed, do = typed_of(form), form.get("do", "")
    if do in ("edit", "more", "add-table") or do.startswith("drop-"):
        return _form(price, typed, roomy=do == "more")
    reading, begin = _read(price, typed, checked=do in ("check", "propose"))
    if do in ("text", "fields") and reading.table is not None:
        kept = {"why": typed.why, "accept": typed.accept, "when": typed.when, "date": typed.date, "time": typed.time}
        as_text = text_of_table(reading.table) if do == "text" else None
        return _form(price, typed_from(reading.table, **kept, text=as_text))
    if reading.mistakes or reading.table is None:
        return _form(price, typed, reading.mistakes), 422
    if do == "propose":
        return _propose(price, typed, reading.table, begin)
    return _check(price, typed, reading.table, begin)


def _read(price: Price, typed: Typed, checked: bool) -> tuple[Reading, Begin]:
    """The table, and from when on; `checked` with everything that the gateway would refuse and that is known here."""
    stand = parts()
    reading = reading_of(typed, price.id, price.unit)
    if not checked:
        return reading, Begin(None, {})
    begin = Begin.of(typed, price, stand.clock.now(), stand.site.zone)
    reading.mistakes |= begin.mistakes
    if len(typed.why.strip()) > 200:
        reading.mistakes["why"] = t("At most 200 characters.")
    elif not is_plain(typed.why):
        reading.mistakes["why"] = t("There are characters in it that cannot be shown; type it anew.")
    if reading.table is not None:
        if price.newest and same_as(reading.table, table_of(price.id, price.name, price.newest)):
            words = t("This is what version {n} says already; change something first.", n=price.newest.version)
            reading.mistakes["form"] = words
        if above := markup_mistake(reading.table, stand.site.policy.markup_limit_percent, typed.accept):
            reading.mistakes["accept"] = above
    return reading, begin


def _form(price: Price, typed: Typed, mistakes: dict[str, str] | None = None, roomy: bool = False) -> str:
    stand = parts()
    return render_template(
        "price_form.html", price=price, typed=typed, mistakes=mistakes or {}, more=4 if roomy else 0, rates=RATES,
        rate_name=rate_name, per=per(price.unit), unit=unit_word(price.unit), categories=_categories(typed),
        category_name=category_name, today=stand.wall().now.date(), wall=stand.wall(),
        limit=stand.site.policy.markup_limit_percent, day_words=DAY_WORDS, periods=PERIODS,
    )  # fmt: skip


def _categories(typed: Typed) -> list[str]:
    """Categories that an account here has, or that a surcharge names."""
    known = {HOUSEHOLD, SHOP} | {row[2] for row in typed.surcharges}
    known |= {row.category for row in parts().mirror.view().accounts.values() if row.category}
    return sorted(known - {""})


def _check(
    price: Price, typed: Typed, table: dict[str, Any], begin: Begin, mistake: str = "", code: int = 200
) -> tuple[str, int]:
    """The second step: what changes, from when on, and what it would have cost."""
    stand, form = parts(), request.form
    version = version_of_table(table, price, stand.site.policy.markup_limit_percent)
    month = chosen_month(form.get("month-tried", ""), stand.wall().now.date())
    tried = None
    try:
        if price.newest is not None:  # By a new one nobody pays yet, so there is nothing to try.
            tried = try_of(stand, ask_for(table, month, me().name, form.get("tried", "")))
    except NotSent:
        mistake = mistake or t("The connection to the gateway is lost, so nothing can be tried or proposed now.")
    number = form.get("transaction", "")
    page = render_template(
        "price_check.html", price=price, typed=typed, mistake=mistake, begin=begin, wall=stand.wall(),
        lines=changes(price.newest, version), tried=tried, months=months(stand.wall().now.date()),
        month=month, transaction=number if is_transaction(number) and not mistake else new_transaction(),
        carried=_carried(form), told=told_version(version), unit=unit_word(price.unit),
    )  # fmt: skip
    return page, code


def _carried(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in form.items(multi=True) if name not in NOT_TYPED]


def _propose(price: Price, typed: Typed, table: dict[str, Any], begin: Begin) -> tuple[str, int] | Response:
    user, number = me(), request.form.get("transaction", "")
    if not is_transaction(number):  # Without its number a double click would propose twice.
        words = t("This form lost its number on the way. Nothing was done; send it once more.")
        return _check(price, typed, table, begin, words, 422)
    try:
        parts().commands.send(
            PROPOSE, price.id, who=user.name, role=user.role, transaction=number, price=table,
            version=price.next_version, effective_at=begin.at, accept_markup=typed.accept, why=typed.why.strip(),
        )  # fmt: skip
    except NotSent:
        words = t("Not sent: the connection to the gateway is lost. Nothing was done.")
        return _check(price, typed, table, begin, words, 503)
    except Conflict:
        words = t("This form was already used for something else. Check the state, then send it once more.")
        return _check(price, typed, table, begin, words, 409)
    return go("prices.page", answer=number)


@blueprint.get("/price-try/<transaction>")
def tried(transaction: str) -> str:
    """The card of a try, which asks for itself again until it is worked out."""
    require(PROPOSE)
    asked = parts().commands.find(transaction)
    if asked is None or asked.operation != OPERATION:
        abort(404)
    return render_template("parts/price_try.html", tried=try_of(parts(), asked), wall=parts().wall())
