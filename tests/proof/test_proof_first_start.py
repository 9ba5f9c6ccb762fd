"""Unpacked, switched on, and the plug pulled in the first minute: the panel starts and its owner can sign in."""

from __future__ import annotations

import pytest

from panel import users
from tests.proof import first_start


def test_the_plug_is_pulled_in_the_first_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """At any write of the first start: the panel starts again by itself, the first password is shown until it was
    changed, a changed one stays changed, who was added is there and who was removed is not."""
    monkeypatch.setattr(users, "generate_password_hash", first_start.quick_hash)
    found = first_start.after_cuts(each=16, seed=1)
    assert found["violations"] == [] and found["images"] > 60
