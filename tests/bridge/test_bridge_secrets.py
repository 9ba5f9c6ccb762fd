"""Secrets: readable by their owner alone, whole or absent, and never in a log line."""

from pathlib import Path

import pytest

from bridge.contract import secrets

TABLES: dict[str, object] = {
    "broker": {"url": "mqtt://127.0.0.1:18830", "user": "bridge", "password": "hunter2", "protocol": "3.1.1"},
    "keys": {"bridge": "00ff"},
    "note": 7,
}


def test_what_was_written_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    """Login and keys come back; nobody else on the machine may open the file or its directory."""
    path = secrets.write(tmp_path, "bridge", TABLES)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    found = secrets.read(tmp_path, "bridge")
    assert (found.broker.host, found.broker.port, found.broker.protocol) == ("127.0.0.1", 18830, "3.1.1")
    assert found.keys == {"bridge": b"\x00\xff"} and found.extra == {"note": 7}
    assert not list(path.parent.glob("*.new"))


def test_a_password_does_not_reach_a_log_line(tmp_path: Path) -> None:
    """Printing a login or a program's secrets shows neither password nor key (I24)."""
    secrets.write(tmp_path, "bridge", TABLES)
    found = secrets.read(tmp_path, "bridge")
    shown = f"{found!r} {found} {found.broker!r} {found.broker}"
    assert "hunter2" not in shown and "00ff" not in shown and "\\xff" not in shown


def test_a_client_id_is_the_programs_own() -> None:
    """No other client of the broker can come under the edge's id and throw it out; the edge itself keeps it (80)."""
    edge, other = (secrets.BrokerLogin("b", 1883, False, "edge", password, "5") for password in ("p", "q"))
    assert edge.client_id("riser-edge-a") == edge.client_id("riser-edge-a")
    assert len({login.client_id(name) for login in (edge, other) for name in ("riser-edge-a", "riser-edge-b")}) == 4
    assert edge.client_id("riser-edge-a") != "riser-edge-a" and len(edge.client_id("riser-edge-" + "a" * 32)) <= 65
    nobody = secrets.BrokerLogin("b", 1883, False, None, None, "5")
    assert nobody.client_id("riser-edge-a") == "riser-edge-a"  # Where anybody may come in, an id keeps nobody out.


@pytest.mark.parametrize(
    "text", [None, "", "{", '{"keys": {}}', '{"broker": {}}', '{"broker": {"url": "mqtt://x"}, "keys": {"a": "zz"}}']
)
def test_missing_or_broken_secrets_say_who_writes_them(tmp_path: Path, text: str | None) -> None:
    """A program without its secrets does not start, and says which command writes them."""
    if text is not None:
        secrets.path_of(tmp_path, "bridge").parent.mkdir()
        secrets.path_of(tmp_path, "bridge").write_text(text)
    with pytest.raises(secrets.NoSecrets, match="`riser up` writes it"):
        secrets.read(tmp_path, "bridge")


def test_ports_follow_the_scheme() -> None:
    """Without a port, mqtt means 1883 and mqtts means 8883 with TLS."""
    plain, safe = (secrets.BrokerLogin.of({"url": f"{scheme}://broker.lan"}) for scheme in ("mqtt", "mqtts"))
    assert (plain.port, plain.tls, safe.port, safe.tls) == (1883, False, 8883, True)
    assert plain.user is None and plain.protocol == "5"
