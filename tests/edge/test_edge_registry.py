"""The registry is a fold that any program may read: whole or not there, and rebuilt from the book when it is odd."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.registry import AtomicStorage, Registry
from edge.state import AccountState, MeterState, State


def state(seq: int = 12, name: str = "A206", epoch: str = "e1") -> State:
    folded = State(seq=seq, installed_seq=seq, genesis={"epoch": epoch})
    folded.meters["a206"] = MeterState("a206", {"meter": "a206", "name": name})
    folded.accounts["100206"] = AccountState("100206", {"account": "100206", "meters": ["a206"], "name": "张三"})
    folded.tariffs["shop"] = [{"tariff": "shop", "version": 1}, {"tariff": "shop", "version": 2}]
    return folded


def names(directory: Path) -> list[str]:
    """The meters as another program reads them, with nothing but a JSON reader."""
    tables = json.loads((directory / "registry.json").read_text(encoding="utf-8"))
    return [row["name"] for row in tables["meters"].values()]


def test_what_is_installed_can_be_read_without_the_book(tmp_path: Path) -> None:
    """Meters, accounts and the newest price version stand in one JSON file, with the entry they were folded to."""
    registry = Registry(tmp_path)
    assert registry.seq() == 0 and registry.meters() == []
    registry.refresh(state())
    for again in (registry, Registry(tmp_path)):
        assert again.seq() == 12 and again.meters() == [{"meter": "a206", "name": "A206"}]
        assert again.accounts()[0]["name"] == "张三"
    tables = json.loads((tmp_path / "registry.json").read_text(encoding="utf-8"))
    assert [row["version"] for row in tables["tariffs"].values()] == [2]


def test_it_is_written_when_the_book_has_newer_and_only_then(tmp_path: Path) -> None:
    """An unchanged installation costs no write to the card; a new meter, a new name is written at once."""
    registry = Registry(tmp_path)
    registry.refresh(state())
    written = (tmp_path / "registry.json").stat().st_mtime_ns, (tmp_path / "registry.json").stat().st_ino
    registry.refresh(state())
    Registry(tmp_path).refresh(state())
    assert written == ((tmp_path / "registry.json").stat().st_mtime_ns, (tmp_path / "registry.json").stat().st_ino)
    registry.refresh(state(13, "A206b"))
    assert names(tmp_path) == ["A206b"] and registry.meters()[0]["name"] == "A206b"


def test_a_book_begun_anew_has_its_own_registry(tmp_path: Path) -> None:
    """Another book that happens to have as many entries: its meters are shown, not those of the lost one."""
    Registry(tmp_path).refresh(state())
    Registry(tmp_path).refresh(state(12, "other", epoch="e2"))
    assert names(tmp_path) == ["other"]


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "{",
        '{"folded": {"1": {"seq": 12',
        "[1, 2]",
        "null",
        "{}",
        '{"folded": {}}',
        '{"folded": {"1": {}}}',
        '{"folded": {"1": {"seq": "twelve"}}}',
        "\x00" * 100,
    ],
)
def test_a_damaged_registry_is_rebuilt(tmp_path: Path, contents: str) -> None:
    """Cut short, emptied, zeroed or something else altogether: nobody crashes, it is folded from the book again."""
    (tmp_path / "registry.json").write_text(contents, encoding="utf-8")
    registry = Registry(tmp_path)
    assert registry.seq() == 0 and registry.meters() == [] and registry.accounts() == []
    registry.refresh(state())
    assert names(tmp_path) == ["A206"] and Registry(tmp_path).seq() == 12


def test_bytes_that_are_no_text_are_rebuilt(tmp_path: Path) -> None:
    """A file with broken characters is damaged like any other."""
    (tmp_path / "registry.json").write_bytes(b'{"folded": "\xff\xfe')
    registry = Registry(tmp_path)
    registry.refresh(state())
    assert names(tmp_path) == ["A206"]


def test_a_cut_before_the_rename_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes between writing and renaming: the old registry stands, whole; the next start writes the new."""
    Registry(tmp_path).refresh(state())

    def power_cut(*_: Any) -> None:
        raise InterruptedError("the power is gone")

    with monkeypatch.context() as cut:
        cut.setattr(Path, "replace", power_cut)
        with pytest.raises(InterruptedError):
            Registry(tmp_path).refresh(state(13, "A206b"))
        with pytest.raises(InterruptedError):
            Registry(tmp_path).refresh(state(14, "A206c"))
    assert names(tmp_path) == ["A206"] and Registry(tmp_path).seq() == 12
    Registry(tmp_path).refresh(state(13, "A206b"))
    assert names(tmp_path) == ["A206b"]


def test_the_file_is_safe_before_its_name_and_the_name_before_we_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contents are synced, then renamed, then the directory is synced; any other order can lose both copies."""
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(descriptor: int) -> None:
        done.append("sync " + Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        sync(descriptor)

    def noted_replace(self: Path, target: Path) -> Path:
        done.append(f"rename {self.name}")
        assert json.loads(self.read_text(encoding="utf-8"))["folded"], "whole before it gets its name"
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    AtomicStorage(tmp_path / "registry.json").write({"folded": {"1": {"seq": 1}}})
    assert done == ["sync registry.new", "rename registry.new", f"sync {tmp_path.name}"]
