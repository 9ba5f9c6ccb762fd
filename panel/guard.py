"""Every page needs a session unless it stands in `OPEN`, every form a CSRF token, every answer its headers.

Buttons are shown by role and the role is checked again when the form arrives; the edge checks it a third time.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from urllib.parse import quote, urlencode

from flask import Flask, abort, g, has_request_context, render_template, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import BadHost, HTTPException
from werkzeug.wrappers import Response

from bridge.contract.permissions import role_may
from bridge.contract.units import RATES
from panel.drafts import pack
from panel.links import go, here, link
from panel.parts import Parts, parts
from panel.users import User
from panel.whole_file import write_whole
from panel.words import DEFAULT, LANGUAGES

OPEN = frozenset({"static", "sign_in.sign_in", "live.health"})
"""Pages without a session, beside those that say so themselves."""

WHILE_ONE_TIME = frozenset({"sign_in.password", "sign_in.sign_out", "live.pulse"})
"""Pages for a person who still has a one-time password."""

QUIET: set[str] = set()
"""Pages that refresh themselves; they do not keep a session alive."""

OF_STRANGERS: set[str] = set()
"""Pages for whoever has their address: they need no session, and a form there needs no token beside the address."""

LONG = frozenset({"price_form.send", "move_in.send"})
"""Forms of many fields: all that was typed comes back, packed."""

LANGUAGE_COOKIE = "riser-language"

LONGEST_FORM = 64 * 1024
"""A form is a few hundred bytes; what is larger is refused before it is read."""

TYPED = {
    "account.top_up": ("amount", "method", "reference"), "meter.act": ("do", "why"), "proposals.decide": ("why",),
    "price_proposal.decide": ("why",), "price_new.begin": ("id", "name", "unit"),
    "money.step": ("receipt", "to_account", "amount", "method", "reference", "reason", "why", "consent", "papers",
                   "share", "cap"),
    "right_reading.step": ("entry", "total", *RATES, "why", "papers"),
    "protection.step": ("for", "until", "how", "why"), "lock.send": ("how", "why"),
}  # fmt: skip
"""What a person typed and finds again after signing in, where the session had ended in the meantime."""

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)

_INGRESS = re.compile(r"/[A-Za-z0-9/_.-]{1,200}\Z")


class SignedIn(UserMixin):
    """A person and the session that proves it."""

    def __init__(self, user: User, token: str):
        self.user, self.token = user, token

    def get_id(self) -> str:
        return self.token


def quiet(endpoint: str) -> None:
    """Say that this page refreshes itself."""
    QUIET.add(endpoint)


def open_to_all(*endpoints: str) -> None:
    """Say that whoever has the address may open these pages, and send their forms."""
    OF_STRANGERS.update(endpoints)


def me() -> User:
    """The person of this request; only on pages that need a session."""
    user: User = current_user.user
    return user


def i_may(operation: str) -> bool:
    return bool(current_user.is_authenticated) and role_may(current_user.user.role, operation)


def require(operation: str) -> None:
    """Stop with 403 when the role may not ask for this."""
    if not i_may(operation):
        abort(403)


def require_manager() -> None:
    if me().role != "manager":
        abort(403)


def begin_session(user: User) -> None:
    """Sign a person in with a fresh session: nothing of the one before survives."""
    session.clear()
    login_user(SignedIn(user, parts().sessions.begin(user)))


def end_session() -> None:
    if current_user.is_authenticated:
        parts().sessions.end(current_user.token)
    logout_user()
    session.clear()


class Cookies(SecureCookieSessionInterface):
    """The session cookie is marked Secure where the page came by TLS, also through a proxy that says so."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def secret_key(data_directory: Path) -> bytes:
    """The key that seals cookies, made at the first start, readable by its owner alone.

    An empty file is what earlier versions left when the power went in their first minute; nothing was sealed with it.
    """
    path = data_directory / "panel.key"
    if not path.exists() or path.stat().st_size == 0:
        write_whole(path, secrets.token_bytes(32))
    key = path.read_bytes()
    if len(key) != 32:
        raise ValueError(f"{path} is damaged; delete it, and everybody signs in again")
    return key


def install(app: Flask, stand: Parts) -> None:
    """Put the guard before every page of the application."""
    app.config.update(
        SECRET_KEY=secret_key(stand.data_directory),
        SESSION_COOKIE_NAME=f"riser-{stand.site.site.gateway}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # Checked below: not of strangers, whose address is their token.
        WTF_CSRF_TIME_LIMIT=None,  # A token lasts as long as its session: nothing typed is lost to a shorter limit.
        MAX_CONTENT_LENGTH=LONGEST_FORM,
    )
    app.session_interface = Cookies()
    app.before_request(_choose_language)  # First, so that a refusal by the ones below is in the person's language.
    forms = CSRFProtect(app)

    def token_needed() -> None:
        if request.endpoint is not None and request.endpoint not in OF_STRANGERS:
            forms.protect()

    app.before_request(token_needed)
    manager = LoginManager(app)
    manager.session_protection = None  # A phone changes its address; the token and its limits are the proof.

    @manager.user_loader
    def load(token: str) -> SignedIn | None:
        user = stand.sessions.find(token, act=request.endpoint not in QUIET)
        return SignedIn(user, token) if user else None

    app.before_request(_check)
    stand.history.missing = _history_missing
    app.after_request(_headers)
    app.register_error_handler(CSRFError, _no_token)
    app.register_error_handler(HTTPException, _told)


def _history_missing() -> None:
    """The page of this request lacks what the archive would have told, and says so."""
    if has_request_context():
        g.history_missing = True


def need_history() -> None:
    """Stop with 503 where the page would be a lie without the archive: sums of money, papers."""
    if g.get("history_missing"):
        abort(503)


def _choose_language() -> None:
    wanted = request.args.get("lang")
    user = current_user.user if current_user.is_authenticated else None
    if wanted in LANGUAGES:
        g.language = g.new_language = wanted
        if user is not None and user.language != wanted:
            parts().users.set_language(user.id, wanted)
        return
    kept = (user.language if user else None) or request.cookies.get(LANGUAGE_COOKIE)
    g.language = kept if kept in LANGUAGES else DEFAULT


def _check() -> Response | tuple[str, int, dict[str, str]] | None:
    if request.endpoint is None or request.endpoint in OPEN | OF_STRANGERS:
        return None
    if not current_user.is_authenticated:
        if request.headers.get("HX-Request"):
            return "", 401, {"HX-Refresh": "true"}
        return go("sign_in.sign_in", next=here()) if request.method == "GET" else _ended()
    if current_user.user.one_time and request.endpoint not in WHILE_ONE_TIME:
        return go("sign_in.password")
    return None


def _ended() -> Response:
    """A form came and its session is over: nothing is done, and what was typed is in the form after signing in."""
    names = TYPED.get(request.endpoint or "", ())
    typed = {name: value[:200] for name in names if (value := request.form.get(name, ""))}
    if request.endpoint in LONG and (draft := pack(request.form)):
        typed["draft"] = draft
    question = urlencode(typed, quote_via=quote)
    wanted = request.path.lstrip("/") + (f"?{question}" if question else "")
    return go("sign_in.sign_in", next=None if request.endpoint == "sign_in.sign_out" else wanted, ended=1)


def _headers(response: Response) -> Response:
    # Home Assistant shows an add-on inside its own page and says so; nobody else may frame the panel.
    ingress = _INGRESS.match(request.headers.get("X-Ingress-Path", ""))
    response.headers["Content-Security-Policy"] = CSP.format(ancestors="'self'" if ingress else "'none'")
    response.headers["X-Frame-Options"] = "SAMEORIGIN" if ingress else "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=86400" if "v" in request.args else "no-cache"
    elif "ETag" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if new := getattr(g, "new_language", None):
        response.set_cookie(LANGUAGE_COOKIE, new, max_age=365 * 86_400, httponly=True, samesite="Lax")
    return response


def _no_token(error: CSRFError) -> tuple[str, int]:
    if not current_user.is_authenticated and request.endpoint not in OPEN:
        return render_template("told.html", code=401, back=link("sign_in.sign_in")), 400
    return _tell(400)


def _told(error: HTTPException) -> tuple[str, int] | HTTPException:
    code = error.code or 500
    if code < 400 or isinstance(error, BadHost):
        return error  # A redirect of the router; or a name of this machine under which no page has an address.
    # 400 is kept for a form without its token; any other bad request is told as what cannot be done.
    return _tell(0 if code == 400 else code)[0], code


def _tell(code: int) -> tuple[str, int]:
    """What went wrong, in the reader's language."""
    if not hasattr(g, "language"):
        g.language = DEFAULT  # Whatever broke may be what the choice needs.
    return render_template("told.html", code=code, back=link("rooms.rooms"), kilobytes=LONGEST_FORM // 1024), code
