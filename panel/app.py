"""The factory: one Flask application over the parts it is handed; it starts nothing and connects to nothing."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_login import current_user

from bridge.contract.asking import new_transaction
from bridge.contract.units import instant_text
from panel import formats, guard, links, words
from panel.bill_words import line_word, quantity, rate_word, source_word, unit_word
from panel.edge_water_words import VALVE
from panel.edge_words import person, reason, said
from panel.meter_proposals import meters_waiting
from panel.model_words import modelled
from panel.money_figures import beside_of
from panel.moving_in import waiting_about
from panel.pages import (
    account,
    accounts,
    answers,
    bill,
    demo,
    line,
    lines,
    live,
    lock,
    meter,
    meter_change,
    money,
    move_in,
    people,
    policy,
    price_form,
    price_new,
    price_proposal,
    prices,
    proposals,
    protection,
    receipt,
    recovering,
    right_reading,
    rooms,
    sign_in,
    slip,
    statement,
    takings,
    tenant,
    tenant_link,
)
from panel.pages.people import ROLE_WORDS
from panel.parts import EXTENSION, Parts
from panel.proposals import waiting_for_me
from panel.states import WORDS
from panel.status_words import status_words
from panel.switches import meter_number, number_of, place_of, typed_place
from panel.telling import rule_words

PAGES = (
    live, sign_in, people, rooms, accounts, takings, account, money, protection, right_reading, proposals, receipt,
    slip, bill, statement, answers, meter, meter_change, lock, move_in, prices, price_new, price_form, price_proposal,
    policy, lines, line, recovering, tenant, tenant_link, demo,
)  # fmt: skip


def create_app(stand: Parts) -> Flask:
    """The panel as a WSGI application."""
    app = Flask(__name__)
    app.extensions[EXTENSION] = stand
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    guard.install(app, stand)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    for name in (
        "yuan",
        "yuan_signed",
        "yuan_step",
        "yuan_all",
        "yuan_exactly",
        "price",
        "kwh",
        "cubic_metres",
        "fen",
        "kilowatts",
        "number",
        "span",
        "lasts",
        "countdown",
    ):
        app.jinja_env.filters[name] = getattr(formats, name)
    app.jinja_env.filters |= {
        "line_word": line_word, "rate_word": rate_word, "source_word": source_word, "quantity": quantity,
        "unit_word": unit_word, "said": said, "person": person, "modelled": modelled, "status_words": status_words,
        "place": place_of, "typed_place": typed_place, "number_of": number_of, "meter_number": meter_number,
    }  # fmt: skip

    @app.context_processor
    def shared() -> dict[str, Any]:
        return {
            "t": words.t,
            "link": links.link,
            "asset": links.asset,
            "i_may": guard.i_may,
            "me": current_user.user if current_user.is_authenticated else None,
            "role_words": ROLE_WORDS,
            "state_words": WORDS,
            "valve_words": VALVE,
            "rule_words": rule_words,
            "reason": reason,
            "language": words.language_now(),
            "html_language": words.HTML_LANGUAGE[words.language_now()],
            "site_name": stand.site.site.name,
            "demo": stand.demo is not None,
            "calendar_now": instant_text(stand.clock.now()),
            "calendar_speed": f"{stand.clock.speed:g}",
            "liveness": live.liveness,
            "prices_menu": prices.menu,
            "policy_menu": policy.IN_MENU,
            "new_number": new_transaction,
            "move_in_waiting": lambda meter: waiting_about(stand.mirror.view(), meter),
            "meters_waiting": lambda: meters_waiting(stand.mirror.view()),
            "waiting_for_me": lambda: waiting_for_me(stand.mirror.view()),
            "beside_of": beside_of,
        }

    return app
