"""Signing in: no default password, nobody locked out, sessions that end when they should."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from panel_stage import Stage, Visitor

from panel.users import Refused, check_new_password

GOOD = "three blue kettles"


def first_visitor(stage: Stage) -> tuple[Visitor, str]:
    password = stage.users.first_start()
    assert password
    visitor = stage.visitor()
    visitor.sign_in("admin", password)
    return visitor, password


def test_the_first_start_makes_one_manager_with_a_one_time_password(stage: Stage, tmp_path: Path) -> None:
    """The first start makes admin, writes the password for its owner alone, and makes nobody on the second start."""
    password = stage.users.first_start()
    file = tmp_path / "first-password.txt"
    assert password and file.read_text().strip() == password
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [(user.name, user.role, user.one_time) for user in stage.users.all()] == [("admin", "manager", True)]
    assert stage.users.first_start() == password, "it still waits to be changed, so it is told again"
    assert len(stage.users.all()) == 1


def test_two_installations_never_share_a_first_password(tmp_path: Path) -> None:
    """There is no default password: every installation makes its own."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert Stage(tmp_path / "a").users.first_start() != Stage(tmp_path / "b").users.first_start()


def test_a_one_time_password_opens_nothing_but_its_own_change(stage: Stage) -> None:
    """Before the one-time password is changed, every page leads to changing it."""
    visitor, _ = first_visitor(stage)
    for path in ("/rooms", "/people", "/rooms-grid", "/account/x"):
        answer = visitor.get(path)
        assert answer.status_code == 303 and answer.headers["Location"].endswith("password"), path


def test_changing_the_first_password_deletes_its_file(stage: Stage, tmp_path: Path) -> None:
    """After the change the file is gone, the panel opens, and the one-time password is worth nothing."""
    visitor, password = first_visitor(stage)
    answer = visitor.post("/password", old=password, new=GOOD, again=GOOD)
    assert answer.status_code == 303 and visitor.get("/rooms").status_code == 200
    assert not (tmp_path / "first-password.txt").exists()
    assert stage.visitor().sign_in("admin", password).status_code == 401
    assert stage.users.first_start() is None


@pytest.mark.parametrize(
    ("new", "again"),
    [("short", "short"), ("1234567890", "1234567890"), ("aaaaaaaaaaaa", "aaaaaaaaaaaa"), (GOOD, GOOD + "x")],
)
def test_weak_new_passwords_are_refused(new: str, again: str) -> None:
    """Too short, too common, one letter repeated, or mistyped: refused with a sentence."""
    with pytest.raises(Refused):
        check_new_password("admin", "old one here", new, again)


def test_the_old_password_is_not_a_new_one(stage: Stage) -> None:
    """A one-time password cannot be kept by changing it into itself."""
    visitor, password = first_visitor(stage)
    assert visitor.post("/password", old=password, new=password, again=password).status_code == 422
    assert stage.users.named("admin").one_time  # type: ignore[union-attr]


def test_without_a_session_every_page_asks_to_sign_in(stage: Stage) -> None:
    """Only the sign-in page, the static files and /health answer a stranger; a tenant's page who has its address."""
    stranger = stage.visitor()
    for rule in stage.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "sign_in.sign_in", "live.health"):
            continue
        path = rule.rule.replace("<id>", "x").replace("<transaction>", "t" * 12)
        answer = stranger.get(path)
        if rule.endpoint == "tenant.page":
            assert answer.status_code == 404
            continue
        assert answer.status_code == 303 and "sign-in" in answer.headers["Location"], path


def test_after_signing_in_the_wanted_page_opens_and_no_other_site(shop: Stage) -> None:
    """`next` leads back to one of our pages and never elsewhere."""
    shop.visitor("manager").sign_out()
    for wanted, place in (
        ("account/100206", "account/100206"), ("//evil.example/", "rooms"), ("https://evil.example", "rooms"),
        ("\\evil.example", "rooms"), ("javascript:alert(1)", "rooms"),
    ):  # fmt: skip
        visitor = shop.visitor()
        answer = visitor.post(
            "/sign-in", "/sign-in", name="manager-1", password="a good password of manager", next=wanted
        )
        assert answer.headers["Location"] == place, wanted


def test_guessing_is_slowed_down_and_the_owner_is_not_locked_out(stage: Stage) -> None:
    """Five wrong passwords from one place wait a minute there; the owner's own browser signs in all the while."""
    owner = stage.visitor("finance")
    owner.sign_out()
    thief = stage.visitor()
    for _ in range(5):
        assert thief.sign_in("finance-1", "guess").status_code == 401
    assert thief.sign_in("finance-1", "a good password of finance").status_code == 429
    assert owner.sign_in("finance-1", "a good password of finance").status_code == 303
    stage.clock.advance(61)
    assert thief.sign_in("finance-1", "a good password of finance").status_code == 303


def test_many_sources_guessing_one_name_are_slowed_down_together(stage: Stage) -> None:
    """A crowd of addresses gets no more tries at one name than the limit for the name."""
    stage.visitor("finance").sign_out()
    for number in range(60):
        stage.parts.throttle.wrong(f"10.0.0.{number}", "finance-1")
    assert stage.parts.throttle.wait_s("10.9.9.9", "Finance-1") > 0
    assert stage.parts.throttle.wait_s("10.9.9.9", "somebody-else") == 0


def test_a_form_without_its_token_does_nothing(shop: Stage) -> None:
    """A POST that another site made carries no token and is refused, on every form there is."""
    visitor = shop.visitor("manager")
    for path in ("/account/100206", "/meter/a206", "/people", "/password", "/sign-out", "/lines/ports", "/sign-in"):
        answer = visitor.client.post(path, data={"amount": "5", "method": "cash", "do": "read"})
        assert answer.status_code == 400, path
    assert shop.link.published[1:] == [], "nothing left the panel but its own status"


def test_a_session_ends_after_half_an_hour_without_an_act(stage: Stage) -> None:
    """A page left open refreshes itself and yet the session ends; an act keeps it alive."""
    visitor = stage.visitor("manager")
    stage.clock.advance(29 * 60)
    assert visitor.get("/rooms").status_code == 200
    for _ in range(4):
        stage.clock.advance(8 * 60)
        left_open = visitor.get("/rooms-grid", headers={"HX-Request": "true"})
    assert left_open.status_code == 401 and left_open.headers["HX-Refresh"] == "true"
    assert visitor.get("/rooms").status_code == 303


def test_a_session_ends_after_twelve_hours(stage: Stage) -> None:
    """Acting all the time does not keep a session beyond twelve hours."""
    visitor = stage.visitor("manager")
    for _ in range(12 * 4):
        stage.clock.advance(15 * 60)
        assert visitor.get("/rooms").status_code == 200
    stage.clock.advance(60)
    assert visitor.get("/rooms").status_code == 303


def test_signing_in_begins_a_new_session_and_signing_out_ends_it_everywhere(stage: Stage) -> None:
    """A copied cookie is worth nothing after signing out, and a new sign-in gets another one."""
    visitor = stage.visitor("manager")
    cookie = visitor.client.get_cookie("riser-jx-a")
    assert cookie is not None and cookie.http_only and cookie.same_site == "Lax"
    visitor.sign_out()
    thief = stage.app.test_client()
    thief.set_cookie("riser-jx-a", cookie.value)
    assert thief.get("/rooms").status_code == 303
    visitor.sign_in("manager-1", "a good password of manager")
    assert visitor.client.get_cookie("riser-jx-a").value != cookie.value  # type: ignore[union-attr]


def test_a_changed_role_ends_the_sessions_of_that_person(stage: Stage) -> None:
    """Whoever loses a role is out at once, in every browser."""
    boss, clerk = stage.visitor("manager"), stage.visitor("finance")
    user = stage.users.named("finance-1")
    assert user is not None and clerk.get("/rooms").status_code == 200
    boss.post("/people", do="role", user=str(user.id), role="operations")
    assert clerk.get("/rooms").status_code == 303


def test_the_manager_adds_people_and_a_password_is_shown_once(stage: Stage) -> None:
    """A new person gets a one-time password on the answering page; the next look does not show it."""
    boss = stage.visitor("manager")
    page = boss.post("/people", do="add", name="王敏", role="finance").text
    user = stage.users.named("王敏")
    assert user is not None and user.one_time and user.role == "finance"
    shown = page.split('class="mono">')[1].split("<")[0]
    assert stage.visitor().sign_in("王敏", shown).status_code == 303
    assert shown not in boss.see("/people")
    assert boss.post("/people", do="add", name="王敏", role="finance").status_code == 422


def test_the_last_manager_stays(stage: Stage) -> None:
    """Neither removing nor a role change leaves a site without a manager."""
    boss = stage.visitor("manager")
    own = str(stage.users.named("manager-1").id)  # type: ignore[union-attr]
    assert boss.post("/people", do="remove", user=own).status_code == 422
    assert boss.post("/people", do="role", user=own, role="finance").status_code == 422
    assert stage.users.named("manager-1").role == "manager"  # type: ignore[union-attr]


def test_only_a_manager_sees_people(stage: Stage) -> None:
    """Everybody else gets 403, and no link leads there."""
    for role in ("finance", "engineer", "operations"):
        visitor = stage.visitor(role)
        assert visitor.get("/people").status_code == 403
        assert 'href="people"' not in visitor.get("/rooms").text


def test_the_cookie_key_is_made_here_and_readable_by_its_owner_alone(stage: Stage, tmp_path: Path) -> None:
    """No default secret: 32 random bytes in a file of mode 0600, the same after a restart."""
    key = tmp_path / "panel.key"
    assert len(key.read_bytes()) == 32 and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "panel.db").stat().st_mode) == 0o600
    assert Stage(tmp_path).app.secret_key == stage.app.secret_key
