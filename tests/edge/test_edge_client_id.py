"""The edge's name at the broker is one that only the holder of its login can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.contract import secrets
from edge import __main__ as program


class Seen(Exception):
    """Ends the start where the edge would connect."""


def test_the_edge_connects_under_an_id_that_others_cannot_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An integrator who knows the gateway's id cannot come under the edge's name and throw it out (80)."""
    site = tmp_path / "site.toml"
    site.write_text('[site]\nname = "x"\ngateway = "east"\n')
    broker = {"url": "mqtt://127.0.0.1:1", "user": "edge", "password": "p", "protocol": "5"}
    secrets.write(tmp_path, "edge", {"broker": broker, "keys": {}})
    monkeypatch.setenv("RISER_DATA", str(tmp_path))
    monkeypatch.setenv("RISER_SITE", str(site))

    def link(login: Any, client_id: str, *_: Any, **__: Any) -> None:
        raise Seen(client_id)

    monkeypatch.setattr(program, "Link", link)
    with pytest.raises(Seen) as seen:
        program.main([])
    expected = secrets.read(tmp_path, "edge").broker.client_id("riser-edge-east")
    assert str(seen.value) == expected != "riser-edge-east"
