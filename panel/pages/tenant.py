"""The tenant's own page, for whoever has its address: balance, what happens next, the newest bills.

Seeing it delivers a final warning (R1). A messenger opens addresses by itself, and a page may stand open where nobody
sits: so it is told once somebody touches the page, types, or presses its button.
"""

from __future__ import annotations

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from bridge.contract.units import nano_of_yuan
from panel.commands import NotSent
from panel.concerning import concerning_of
from panel.final_warning import undelivered
from panel.guard import open_to_all, quiet
from panel.links import go
from panel.pages.account import Tenancy, tenancy_of
from panel.pages.entries import Row, rows_of
from panel.pages.sign_in import of_staff
from panel.parts import parts
from panel.telling import least_nano
from panel.tenant_words import standing_of

blueprint = Blueprint("tenant", __name__)
quiet("tenant.page")
open_to_all("tenant.page", "tenant.seen")

Answer = str | Response | tuple[str, int]


@blueprint.get("/tenant/<token>")
def page(token: str) -> Answer:
    """`seen`: the episode of the warning that was told of just now. `top`: balance and banner, which refresh."""
    found = _of(token)
    if not isinstance(found, Tenancy):
        return found
    stand, wall, live = parts(), parts().wall(), parts().mirror.view().live
    least = least_nano(found.account, found.rooms, nano_of_yuan(stand.site.policy.topup_min))
    stands, account = standing_of(found, least, wall), found.account
    seen = account is not None and request.args.get("seen") == str(account.episode)
    # The form stands under the warning alone: under another word nobody would have read it.
    to_see = live and stands.warns and undelivered(account) and not seen and not of_staff()
    return render_template(
        "tenant.html", it=found, wall=wall, stands=stands, token_=token, live=live, seen=seen, to_see=to_see,
        rows=_rows(found) if "top" not in request.args else [],
    )  # fmt: skip


def _rows(found: Tenancy) -> list[Row] | None:
    """The newest bills; None where they cannot be read now."""
    stand, id = parts(), found.row.id
    concerning = concerning_of(found.row, found.ended)
    lines = stand.tenant_bills.of(id, concerning, lambda: bool(g.get("history_missing")))
    return None if lines is None else rows_of(lines, id, stand, stand.wall())


@blueprint.post("/tenant/<token>")
def seen(token: str) -> Answer:
    """Somebody touched the page with its warning; one of the staff who looks at it is not the tenant."""
    found, view = _of(token), parts().mirror.view()
    if not isinstance(found, Tenancy):
        return found
    if found.account is not None and view.live and not of_staff():
        try:
            if parts().tenant_seen.tell(found.row.id, found.account, request.form.get("episode", "")):
                return go("tenant.page", token=token, seen=found.account.episode)
        except NotSent:
            pass  # The form stands there again, and the next touch tries again.
    return go("tenant.page", token=token)


def _of(token: str) -> Tenancy | Answer:
    """Whose page it is; a page in its place where the address leads nowhere, or the gateway was not heard yet."""
    stand, view = parts(), parts().mirror.view()
    id = stand.tenant_links.account_of(token)
    if (row := view.accounts.get(id or "")) is not None:
        return tenancy_of(stand, view, row)
    gone = id is None or bool(view.accounts)
    return render_template("tenant_gone.html", gone=gone), 404 if gone else 503
