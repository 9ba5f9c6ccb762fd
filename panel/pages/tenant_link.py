"""For the counter: the address of a tenant's own page, as text and as a picture to scan; made anew, and ended."""

from __future__ import annotations

from urllib.parse import urlsplit

import segno
from flask import Blueprint, abort, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from bridge.contract.loopback import is_loopback
from panel.guard import me, require
from panel.links import go, link
from panel.pages.account import tenancy
from panel.parts import parts
from panel.tenant_links import TenantLink

blueprint = Blueprint("tenant_link", __name__)


@blueprint.get("/tenant-link/<id>")
def address(id: str) -> str:
    """The address there is, or none."""
    require("topup")
    found, known = tenancy(id), parts().tenant_links.of(id)
    full = _full(known) if known else None
    return render_template(
        "tenant_link.html", it=found.row, ended=found.ended, known=known, full=full, wall=parts().wall(),
        picture=_picture(full) if full else None, unreached=known is not None and _unreached(),
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
    return go("tenant_link.address", id=id)


def _full(known: TenantLink) -> str:
    """As a phone reaches it: below the site file's `url`, else below the address at which the counter sees us."""
    path = link("tenant.page", token=known.token).lstrip("./")
    return f"{(parts().site.panel.url or request.url_root).rstrip('/')}/{path}"


def _unreached() -> bool:
    """True where no phone gets here by that address: only this machine has it, or another program shows our pages."""
    if parts().site.panel.url is not None:
        return False
    host = urlsplit(request.url_root).hostname
    return not host or is_loopback(host) or "X-Ingress-Path" in request.headers


def _picture(text: str) -> Markup:
    """Black on white in either theme, so that a camera reads it."""
    code = segno.make(text, error="m")
    return Markup(code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff"))
