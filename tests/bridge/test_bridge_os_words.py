"""What the operating system refuses is told in words: no `[Errno 2]` reaches a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.contract import secrets
from bridge.contract.os_words import in_words
from bridge.contract.secrets import NoSecrets
from edge.device_words import why_closed


def test_a_refusal_of_the_system_is_words(tmp_path: Path) -> None:
    """Not there, no right, full, failing: each says so, without its number and without the file a second time."""
    with pytest.raises(OSError) as gone:
        (tmp_path / "none").read_text()
    assert in_words(gone.value) == "it is not there"
    with pytest.raises(OSError) as folder:
        tmp_path.read_text()
    assert in_words(folder.value) == "it is a directory, not a file"
    assert in_words(OSError(28, "No space left on device")) == "the disk is full"
    assert in_words(OSError(9999, "odd")) == "odd"
    assert in_words(ValueError("[Errno 5] odd")) == "odd"
    assert in_words(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x")) == "it is no text in UTF-8"


def test_better_words_of_our_own_are_kept() -> None:
    """Where the program itself said why, that is what is told."""
    assert in_words(PermissionError(13, "it belongs to somebody else")) == "it belongs to somebody else"


def test_people_see_no_errno(tmp_path: Path) -> None:
    """Missing secrets, and a device that fails while it is opened."""
    with pytest.raises(NoSecrets, match="it is not there") as missing:
        secrets.read(tmp_path, "edge")
    assert "Errno" not in str(missing.value)
    assert why_closed(tmp_path / "x", OSError(5, "Input/output error")).startswith("fails (input/output error): pull")
    assert "Errno" not in why_closed(tmp_path / "x", OSError(71, "[Errno 71] Protocol error"))
