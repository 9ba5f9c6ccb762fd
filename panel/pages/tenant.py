"""The tenant's own page, for whoever has its address: balance, what happens next, the newest bills.

Seeing it delivers a final warning (R1). A messenger that opens addresses by itself does not see it: the page tells by a
form, which is sent when it has stood in view for a moment, or by a button where no script runs. The counter makes the
address, and ends it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import segno
from flask import Blueprint, abort, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from bridge.contract.units import nano_of_yuan
from panel.commands import Conflict, NotSent
from panel.concerning import concerning_of
from panel.final_warning import undelivered
from panel.guard import me, require
from panel.links import go, link
from panel.pages.account import Tenancy, tenancy, tenancy_of
from panel.pages.entries import rows_of
from panel.parts import parts
from panel.telling import least_nano
from panel.tenant_links import TenantLink
from panel.tenant_words import standing_of

blueprint = Blueprint("tenant", __name__)

SHOWN, WITHIN = 31, 120
"""Bills and payments on the page, at most; among so many of the newest entries."""

HERE_ALONE = ("127.0.0.1", "localhost", "::1")


@blueprint.get("/tenant/<token>")
def page(token: str) -> str | tuple[str, int]:
    """`seen`: it was said just now that the warning was seen."""
    found = _of(token)
    if found is None:
        return render_template("tenant_gone.html"), 404
    stand, wall = parts(), parts().wall()
    least = least_nano(found.account, found.rooms, nano_of_yuan(stand.site.policy.topup_min))
    rows = rows_of(
        stand.history.of_account(concerning_of(found.row, found.ended), limit=WITHIN), found.row.id, stand, wall
    )
    return render_template(
        "tenant.html", it=found, wall=wall, stands=standing_of(found, least, wall), token_=token,
        rows=[row for row in rows if row.amount_nano][:SHOWN],
        to_see=undelivered(found.account) and "seen" not in request.args,
    )  # fmt: skip


@blueprint.post("/tenant/<token>")
def seen(token: str) -> Response | tuple[str, int]:
    """The page with its warning stood before somebody's eyes: told to the gateway, once a minute at most."""
    found = _of(token)
    if found is None:
        return render_template("tenant_gone.html"), 404
    account, episode = found.account, request.form.get("episode", "")
    if account is not None and undelivered(account) and episode == str(account.episode):
        minute = int(parts().clock.now().timestamp()) // 60
        try:
            parts().commands.send(
                "told", found.row.id, who="tenant", role="tenant", how="page", account=found.row.id,
                transaction=f"page-{token}-{account.episode}-{minute}", episode=account.episode,
            )  # fmt: skip
        except (NotSent, Conflict):
            return go("tenant.page", token=token)  # It stands there again, and tries again.
    return go("tenant.page", token=token, seen=1)


def _of(token: str) -> Tenancy | None:
    """Whose page it is; None where the address leads nowhere, or its account is gone."""
    stand, view = parts(), parts().mirror.view()
    row = view.accounts.get(stand.tenant_links.account_of(token) or "")
    return tenancy_of(stand, view, row) if row is not None else None


@blueprint.get("/tenant-link/<id>")
def address(id: str) -> str:
    """For the counter: the address, as text and as a picture to scan, for paper too."""
    require("topup")
    found, known = tenancy(id), parts().tenant_links.of(id)
    full = _full(known) if known else None
    return render_template(
        "tenant_link.html", it=found.row, ended=found.ended, known=known, full=full, wall=parts().wall(),
        picture=_picture(full) if full else None, alone=full and urlsplit(full).hostname in HERE_ALONE,
    )  # fmt: skip


@blueprint.post("/tenant-link/<id>")
def change(id: str) -> Response:
    """`do`: `make` a new address, or `end` the one there is."""
    require("topup")
    found, wanted = tenancy(id), request.form.get("do")
    if wanted not in ("make", "end") or (wanted == "make" and found.ended):
        abort(400)
    if wanted == "make":
        parts().tenant_links.make(id, me().name)
    else:
        parts().tenant_links.end(id)
    return go("tenant.address", id=id)


def _full(known: TenantLink) -> str:
    """As a phone reaches it: below the site file's `url`, else below the address at which the counter sees us."""
    path = link("tenant.page", token=known.token).lstrip("./")
    return f"{(parts().site.panel.url or request.url_root).rstrip('/')}/{path}"


def _picture(text: str) -> Markup:
    """Black on white in either theme, so that a camera reads it."""
    code = segno.make(text, error="m")
    return Markup(code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff"))
