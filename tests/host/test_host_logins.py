"""Secrets are made once, kept over restarts, and each program holds no more than its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.contract import secrets
from bridge.contract.permissions import KEYS, OPERATIONS, may
from bridge.contract.site import Broker
from host.exits import USAGE, Trouble
from host.logins import BrokerAccess, foreign_broker, kept_passwords, write_all

OURS = BrokerAccess("mqtt://127.0.0.1:1883", "5", True)


def make(data: Path, demo: bool = False, access: BrokerAccess = OURS) -> None:
    write_all(data, access, kept_passwords(data, demo), demo)


def tables(data: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in (data / "secrets").iterdir()}


def test_each_program_holds_its_own_key_and_the_edge_all(tmp_path: Path) -> None:
    """The edge checks seals and holds every key; a stolen file of another program holds that program's key alone."""
    make(tmp_path, demo=True)
    assert set(secrets.read(tmp_path, "edge").keys) == set(KEYS)
    for program in ("panel", "bridge", "shell", "demo", "integrator", "notices"):
        assert set(secrets.read(tmp_path, program).keys) == {program}
        assert secrets.read(tmp_path, program).keys[program] == secrets.read(tmp_path, "edge").keys[program]
    assert [op for op in OPERATIONS if may("integrator", "system", op)] == ["read"], "a reading, and nothing that moves"
    assert [op for op in OPERATIONS if may("notices", "notices", op)] == ["told"], "nor does it speak for a person"
    passwords = [table["broker"]["password"] for table in tables(tmp_path).values()]
    assert len(set(passwords)) == len(passwords) == 7


def test_secrets_can_be_read_by_their_owner_alone(tmp_path: Path) -> None:
    """Every secrets file has mode 0600, in a directory of mode 0700."""
    make(tmp_path)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o600}


def test_a_restart_keeps_passwords_and_keys(tmp_path: Path) -> None:
    """An integrator's client and a panel elsewhere go on after a restart, also when the broker's port has changed."""
    make(tmp_path)
    before = tables(tmp_path)
    make(tmp_path, access=BrokerAccess("mqtt://127.0.0.1:1884", "5", True))
    after = tables(tmp_path)
    for name, table in before.items():
        assert after[name]["keys"] == table["keys"]
        assert after[name]["broker"] == {**table["broker"], "url": "mqtt://127.0.0.1:1884"}


def test_meter_passwords_a_person_wrote_stay(tmp_path: Path) -> None:
    """Meter passwords begin as the factory's; a person's own survive every start."""
    make(tmp_path)
    assert tables(tmp_path)["edge"]["meter_passwords"]["default"]["level"] == "02"
    edge = tables(tmp_path)["edge"]
    edge["meter_passwords"] = {"default": {"level": "04", "password": "314159", "operator": "00000001"}}
    secrets.write(tmp_path, "edge", edge)
    make(tmp_path)
    assert tables(tmp_path)["edge"]["meter_passwords"] == edge["meter_passwords"]


def test_the_key_that_pays_by_itself_exists_in_the_demo_alone(tmp_path: Path) -> None:
    """On a real site there is neither a key nor a broker user of the demo's pretend tenant."""
    make(tmp_path, demo=True)
    make(tmp_path)
    assert "demo" not in tables(tmp_path)
    assert "demo" not in secrets.read(tmp_path, "edge").keys
    assert "demo" not in kept_passwords(tmp_path, demo=False)


def test_a_broker_named_in_the_site_file_is_used_by_all(tmp_path: Path) -> None:
    """With a broker of the site's own every program uses the user named there; the password file stands beside it."""
    (tmp_path / "word").write_text("open sesame\n")
    broker = Broker(url="mqtts://broker.example:8883", user="riser", password_file="word", protocol="3.1.1")
    make(tmp_path, access=foreign_broker(broker, tmp_path / "site.toml"))
    login = secrets.read(tmp_path, "panel").broker
    assert (login.host, login.port, login.tls, login.protocol) == ("broker.example", 8883, True, "3.1.1")
    assert (login.user, login.password) == ("riser", "open sesame")
    with pytest.raises(Trouble, match=r"broker\.password_file"):
        foreign_broker(Broker(url="mqtt://x", password_file="none"), tmp_path / "site.toml")


def test_back_from_a_foreign_broker_each_program_gets_a_user_of_its_own(tmp_path: Path) -> None:
    """A password of somebody else's broker is never written into our own."""
    make(tmp_path, access=BrokerAccess("mqtt://x", "5", False, "riser", "sesame"))
    assert "sesame" not in kept_passwords(tmp_path, demo=False).values()


def test_a_damaged_secrets_file_is_a_persons_decision(tmp_path: Path) -> None:
    """A secrets file that cannot be read is named and not replaced in silence."""
    make(tmp_path)
    secrets.path_of(tmp_path, "edge").write_text('{"keys": ')
    with pytest.raises(Trouble, match=r"edge\.json cannot be read") as caught:
        make(tmp_path)
    assert caught.value.code == USAGE
