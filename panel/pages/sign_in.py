"""Signing in and out, and changing the password; a one-time password must be changed before anything else."""

from __future__ import annotations

import secrets

from flask import Blueprint, current_app, redirect, render_template, request
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from panel.guard import begin_session, end_session, me
from panel.links import go, safe_next
from panel.parts import parts
from panel.users import Refused
from panel.words import t

blueprint = Blueprint("sign_in", __name__)

MARK_S = 180 * 86_400
"""How long a browser in which somebody signed in is remembered as theirs."""

Page = str | tuple[str, int] | Response


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or b"", salt="riser-browser")


def _mark_cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-browser"


def _marked() -> tuple[str, str] | None:
    """(name, mark) of a browser in which somebody signed in in the last months."""
    try:
        owner, mark = _serializer().loads(request.cookies.get(_mark_cookie(), ""))
    except (BadSignature, ValueError, TypeError):
        return None
    return str(owner), str(mark)


def _mark(name: str) -> str | None:
    """The mark of a browser in which this person signed in before."""
    found = _marked()
    return found[1] if found is not None and found[0].casefold() == name.casefold() else None


def of_staff() -> bool:
    """True in a browser in which somebody of the staff is signed in, or was in the last months."""
    return current_user.is_authenticated or _marked() is not None


def _source() -> str:
    """Where the request comes from; behind a proxy on this machine, whom that proxy saw."""
    address = request.remote_addr or "unknown"
    forwarded = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
    return forwarded if forwarded and address in ("127.0.0.1", "::1") else address


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Page:
    """Name and password; afterwards the page that was wanted."""
    wanted = request.values.get("next")
    if request.method == "GET":
        ended = t("Your session has ended. Nothing was done; what you typed is in the form again after you sign in.")
        return render_template(
            "sign_in.html", name="", wanted=wanted, mistake=ended if "ended" in request.args else None
        )
    stand = parts()
    name, password = request.form.get("name", "").strip()[:64], request.form.get("password", "")[:256]
    source, mark = _source(), _mark(name)
    if (wait_s := stand.throttle.wait_s(source, name, mark)) > 0:
        mistake = t("Too many wrong passwords. Try again in {n} seconds.", n=int(wait_s) + 1)
        return render_template("sign_in.html", name=name, wanted=wanted, mistake=mistake), 429
    user = stand.users.check(name, password)
    if user is None:
        stand.throttle.wrong(source, name, mark)
        left = stand.throttle.left(source, name, mark)
        mistake = t("Name or password is not right. {n} more tries, then a minute's wait.", n=left)
        return render_template("sign_in.html", name=name, wanted=wanted, mistake=mistake), 401
    stand.throttle.right(source, name, mark)
    begin_session(user)
    answer = go("sign_in.password") if user.one_time else redirect(safe_next(wanted) or "rooms", 303)
    mark = mark or secrets.token_urlsafe(12)
    answer.set_cookie(
        _mark_cookie(), _serializer().dumps([user.name, mark]), max_age=MARK_S, httponly=True, samesite="Lax"
    )
    return answer


@blueprint.post("/sign-out")
def sign_out() -> Page:
    """End the session here and in the database."""
    end_session()
    return go("sign_in.sign_in")


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Page:
    """Change one's own password."""
    if request.method == "GET":
        return render_template("password.html", mistake=None)
    stand, user = parts(), me()
    old, new, again = (request.form.get(field, "") for field in ("old", "new", "again"))
    if (wait_s := stand.throttle.wait_s("password", user.name, str(user.id))) > 0:
        mistake = t("Too many wrong passwords. Try again in {n} seconds.", n=int(wait_s) + 1)
        return render_template("password.html", mistake=mistake), 429
    try:
        stand.users.change_password(user, old, new, again)
    except Refused as refused:
        stand.throttle.wrong("password", user.name, str(user.id))
        return render_template("password.html", mistake=t(refused.sentence, **refused.places)), 422
    changed = stand.users.get(user.id)
    assert changed is not None
    end_session()
    begin_session(changed)
    return go("rooms.rooms")
