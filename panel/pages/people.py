"""Who may sign in: the manager adds people, changes roles, gives new one-time passwords and removes people."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from panel.guard import me, require_manager
from panel.links import go
from panel.parts import parts
from panel.users import ROLES, Refused, User
from panel.words import later, t

blueprint = Blueprint("people", __name__)

ROLE_WORDS = {
    "manager": later("Manager"),
    "finance": later("Finance"),
    "engineer": later("Engineer"),
    "operations": later("Operations"),
}
ROLE_MAY = {
    "manager": later("everything: money, prices, meters, the brake, people"),
    "finance": later("money, tenants and prices, also as the second person; reads meters"),
    "engineer": later("trips, closes, replaces and reads meters"),
    "operations": later("looks, and reads meters"),
}


@blueprint.get("/people")
def people() -> str:
    """Everybody who may sign in."""
    return _page()


def _page(mistake: str | None = None, fresh: tuple[str, str] | None = None, name: str = "", role: str = "") -> str:
    require_manager()
    return render_template(
        "people.html", people=parts().users.all(), roles=ROLES, role_words=ROLE_WORDS, role_may=ROLE_MAY,
        mistake=mistake, fresh=fresh, name=name, role=role,
    )  # fmt: skip


def _chosen(number: str) -> User | None:
    """The person with this number; None for what is no number of a person."""
    digits = number.isascii() and number.isdigit() and len(number) < 16
    return parts().users.get(int(number)) if digits else None


@blueprint.post("/people")
def act() -> str | tuple[str, int] | Response:
    """Add a person, or act on one. A one-time password is shown once, on the page that answers."""
    require_manager()
    users, form = parts().users, request.form
    name, role = form.get("name", "").strip(), form.get("role", "")
    try:
        if form.get("do") == "add":
            return _page(fresh=(name, users.add(name, role)))
        user = _chosen(form.get("user", ""))
        if user is None:
            raise Refused(later("This person is no longer here."))
        match form.get("do"):
            case "role":
                users.set_role(user.id, role)
            case "new-password":
                return _page(fresh=(user.name, users.new_one_time(user.id)))
            case "remove" if user.id == me().id:
                raise Refused(later("Nobody removes themselves."))
            case "remove":
                users.remove(user.id)
    except Refused as refused:
        return _page(mistake=t(refused.sentence, **refused.places), name=name, role=role), 422
    return go("people.people")
