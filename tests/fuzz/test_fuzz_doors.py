"""Hostile requests, pages, facts, site files, model files and backups: no crash, no hang, nothing that must not be."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from bridge.contract import escapes, permissions, signing
from bridge.contract.site_file import BadSite
from edge import install, model_file, requests
from host.backup import file, proof
from tests.fuzz.doors.files import ROOT
from tests.fuzz.doors.trying import DOORS, tried

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
        taken += found["doors"][name][1]  # Of a thousand model files some three: of the new ones there may be none.
    assert taken > 0, "not one was taken for what it says"


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
    found, told = found_by("pages", 20_000)
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
