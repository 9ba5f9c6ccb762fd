"""Hostile requests, pages, facts, site files, model files and backups: no crash, no hang, nothing that must not be."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import threading
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.contract import escapes, permissions, signing
from bridge.contract.messages import REQUESTS
from bridge.contract.site_file import BadSite
from edge import install, model_file, requests
from host.backup import file, proof
from tests.fuzz.doors import rights, trying
from tests.fuzz.doors.files import ROOT
from tests.fuzz.doors.trying import DOORS, kept, line_of, tried

EACH = {"requests": 4000, "pages": 1500, "facts": 1500, "site": 3000, "model": 2000, "backup": 1200}


def found_by(name: str, runs: int, seed: int = 1) -> tuple[dict[str, Any], str]:
    told = io.StringIO()
    return tried([name], runs, seed, told), told.getvalue()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", DOORS)
def test_no_hostile_input_breaks_a_door(name: str) -> None:
    """Half of them the same every time, half new: refused or taken, in words, at once; nothing forbidden is done."""
    taken = 0
    for seed in (645, int.from_bytes(os.urandom(3), "big")):
        found, told = found_by(name, EACH[name] // 2, seed)
        assert not found["broken"], told
        taken += found["doors"][name][1]
    assert taken > 0, "not one was taken for what it says"


@pytest.mark.parametrize("name", DOORS)
def test_what_is_kept_breaks_no_door(name: str) -> None:
    """What once broke one stays mended, what once got deep still does, and from others' hands it is refused."""
    found, told = found_by(name, 0)
    assert not found["broken"], told
    assert found["kept"][name][0] >= len(kept(name)) > 0 < found["kept"][name][1]


@pytest.mark.parametrize("name", DOORS)
def test_an_input_is_the_same_after_it_was_kept(name: str, tmp_path: Path) -> None:
    """The line that a run prints makes the very bytes again, and what the door needs to judge them."""
    door = DOORS[name](tmp_path)
    for number in range(150):
        given = door.make(Random(f"kept/{name}/{number}"))
        line = json.loads(line_of(door, given))
        again = door.again(line["input"])[-1]
        assert again.raw == given.raw, line
        assert json.loads(line_of(door, again)) == line


def test_what_breaks_is_told_as_a_line_to_keep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pasted into the file, the line of a broken input breaks the door again, before anything is made up."""
    monkeypatch.setattr(model_file, "sentence", lambda text: text)
    monkeypatch.setattr(trying, "KEPT", tmp_path / "kept.jsonl")
    trying.KEPT.write_text("", encoding="utf-8")
    found, told = found_by("model", 2000)
    assert found["forbidden"] and found["kept"]["model"] == [0, 0]
    trying.KEPT.write_text(told.splitlines()[-1] + "\n", encoding="utf-8")
    assert found_by("model", 0)[0]["broken"] == ["model kept 1"]


def test_an_input_that_waits_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that nobody gives back takes no processor time, and is a hang; so is a loop without an end."""
    before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 0
    monkeypatch.setattr(trying, "WAITS_S", 0.2)
    held = threading.Lock()
    held.acquire()
    for waits in (held.acquire, lambda: next(each for each in itertools.count() if each < 0)):
        monkeypatch.setattr(install, "look", lambda path, waits=waits: waits())
        found, told = found_by("site", 1)
        assert found["hangs"] == 1 and "Hangs: it still waits" in told
    assert before == (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 0)


def test_who_may_what_is_known_of_every_request() -> None:
    """A request, a role, a key that came or went is written down by hand in `rights.py` as well, with who may."""
    assert {*rights.WHO_MAY, *rights.UNSEALED} == set(REQUESTS) == set(permissions.OPERATIONS)
    assert set(rights.ROLES) == set(permissions.ROLES) and set(rights.SPEAKS_FOR) == set(permissions.KEYS)
    for key, role, operation in itertools.product(rights.SPEAKS_FOR, rights.ROLES, rights.WHO_MAY):
        right = role in rights.SPEAKS_FOR[key] and role in rights.WHO_MAY[operation]
        assert permissions.may(key, role, operation) is right, (key, role, operation)


def test_what_a_page_may_ask_for_its_role_may() -> None:
    """And every role of the panel has its pages; each request that they have a form for is kept as such a form."""
    assert set(rights.PAGES_MAY) == {None, *rights.SPEAKS_FOR["panel"]} - {"tenant"}
    for role, operations in rights.PAGES_MAY.items():
        assert all(role in rights.WHO_MAY[operation] for operation in operations), role
    asked = {line["input"].get("asks") for line in kept("pages")} - {None}
    assert asked == set.union(*rights.PAGES_MAY.values()) - {"release"}, "for `release` there is a shell"


@pytest.mark.parametrize(
    ("role", "operation", "door"), [("engineer", "settle", "pages"), ("finance", "close", "pages"),
                                    ("operations", "trip", "requests"), ("finance", "unlock", "requests")],
)  # fmt: skip
def test_one_right_too_many_is_noticed(monkeypatch: pytest.MonkeyPatch, role: str, operation: str, door: str) -> None:
    """Of all rights one that a role should not have, at the page and at the gateway."""
    monkeypatch.setitem(permissions.ROLES, role, permissions.ROLES[role] | {operation})
    found, told = found_by(door, 0)
    assert found["forbidden"] and f"{role} {'asked for' if door == 'pages' else 'was allowed'}" in told


def test_a_key_that_speaks_for_others_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The payment channel's key, which says that a clerk asks."""
    monkeypatch.setitem(permissions.KEYS, "demo", frozenset({"payment", "finance"}))
    found, told = found_by("requests", 0)
    assert found["forbidden"] and "the key demo spoke for finance" in told


def test_a_page_that_asks_in_anothers_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaves names the person whose browser sent it."""
    monkeypatch.setattr("panel.pages.meter.me", lambda: SimpleNamespace(name="manager-1", role="manager"))
    found, told = found_by("pages", 0)
    assert found["forbidden"] and "in the name of" in told


def test_a_seal_that_is_not_looked_at_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door of requests finds an edge that believes a wrong seal."""
    monkeypatch.setattr(signing.hmac, "compare_digest", lambda one, other: True)
    found, told = found_by("requests", 400)
    assert found["forbidden"] and "forged" in told


def test_a_role_that_may_everything_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door of requests finds an edge in which everybody may take money and cut."""
    monkeypatch.setattr(requests.permissions, "may", lambda key, role, operation: True)
    found, told = found_by("requests", 2000)
    assert found["forbidden"] and ("was allowed" in told or "spoke for" in told)


def test_a_page_that_breaks_or_shows_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door of pages finds buttons that everybody has: an engineer who takes money."""
    monkeypatch.setattr("panel.guard.role_may", lambda role, operation: True)
    found, told = found_by("pages", 0)
    assert found["forbidden"] and "asked for" in told


def test_a_backup_that_is_believed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door of backups finds a restore that takes a file's own word for what is in it."""
    monkeypatch.setattr(proof, "prove", lambda path, scratch: (file.unpack(path, scratch), {}))
    found, told = found_by("backup", 400)
    assert found["forbidden"] and "what it says of itself" in told


def test_a_file_that_rings_the_bell_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doors of files find a mistake that carries a control character to the terminal."""
    monkeypatch.setattr(model_file, "sentence", lambda text: text)
    assert escapes.escaped("a\x07b") == "a\\x07b"
    assert found_by("model", 2000)[0]["forbidden"]


# --- what the doors found stays mended ---


def test_a_mistake_in_a_file_carries_no_control_characters(tmp_path: Path) -> None:
    """A bell, a mark that turns the text around, a line break in a name: the sentence shows them as escapes."""
    text = (ROOT / "site.example.toml").read_text(encoding="utf-8")
    for odd, shown in (("na\u202eme", "\\u202e"), ('"\ufeff" = 1 #', "\\ufeff"), ('"a\\nb" = 1 #', "a\\nb")):
        (place := tmp_path / "site.toml").write_text(text.replace("name", odd, 1), encoding="utf-8")
        with pytest.raises(BadSite) as bad:
            raise install.look(place).refuse()
        assert any(shown in line and line.isprintable() for line in bad.value.lines), bad.value.lines


def test_a_protocol_that_is_a_table_is_a_mistake_like_any_other(tmp_path: Path) -> None:
    """It is told with its path; it ended the check with a traceback once."""
    text = (ROOT / "site.example.toml").read_text(encoding="utf-8")
    place = tmp_path / "site.toml"
    place.write_text(text.replace('protocol = "dlt645-2007"', 'protocol = {from = "09:00"}', 1), encoding="utf-8")
    assert any("protocol" in words for words in install.look(place).refuse().mistakes)


def test_a_value_without_an_end_is_cut_in_its_middle(tmp_path: Path) -> None:
    """Quotes that swallow half of the file: the sentence keeps its place and what to write."""
    text = (ROOT / "site.example.toml").read_text(encoding="utf-8")
    place = tmp_path / "site.toml"
    place.write_text(f"{text.replace('zone', 'old', 1)}".replace("[site]", '[site]\nzone = "' + "x" * 2000 + '"', 1))
    (told,) = (line for line in install.look(place).refuse().lines if "site.zone" in line)
    assert len(told) < 400 and " ... " in told and told.startswith("line ")


def test_a_name_of_a_setting_is_cut_in_a_sentence(tmp_path: Path) -> None:
    """A key of 300 characters does not fill the screen."""
    place = tmp_path / "site.toml"
    place.write_text(f'[site]\nname = "x"\ngateway = "g"\n{"k" * 300} = 1\n', encoding="utf-8")
    assert all(len(line) < 200 for line in install.look(place).refuse().lines)


def test_all_doors_are_known() -> None:
    """Every kind of input has its number of tries here."""
    assert set(EACH) == set(DOORS) and set(permissions.UNSIGNED) == {"replay", "preview-price"}
