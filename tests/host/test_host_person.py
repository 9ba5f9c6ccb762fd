"""Who sits at a shell is what the operating system says, not what somebody wrote into the environment."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.contract import secrets
from host import request as shell


@pytest.fixture
def sits(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A process of a user, in an environment."""

    def sit(number: int, name: str | None, **environment: str) -> str:
        monkeypatch.setattr(os, "getuid", lambda: number)
        for variable in ("SUDO_USER", "LOGNAME", "USER"):
            monkeypatch.delenv(variable, raising=False)
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)

        def named(asked: int) -> Any:
            if name is None:
                raise KeyError(asked)
            return SimpleNamespace(pw_name=name)

        monkeypatch.setattr(shell.pwd, "getpwuid", named)
        return shell.person()

    return sit


def test_the_environment_makes_nobody_else(sits: Any) -> None:
    """LOGNAME and USER are anybody's to write, and so is SUDO_USER of whoever is not root."""
    assert sits(1000, "zhou") == "zhou"
    assert sits(1000, "zhou", LOGNAME="lin", USER="lin", SUDO_USER="lin") == "zhou"
    assert sits(0, "root", SUDO_USER="lin") == "lin" and sits(0, "root") == "root"
    assert sits(4711, None) == "user 4711", "a container without such a name"


def test_the_user_goes_along_whatever_the_name(sits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--who` names a person, and `login` is the process's; it cannot be given as a field."""
    sits(1000, "zhou")
    sent: list[bytes] = []
    monkeypatch.setattr(secrets, "read", lambda *_: SimpleNamespace(keys={"shell": b"s" * 32}))
    monkeypatch.setattr(shell, "answers", lambda run, op, words, transaction, limit: sent.append(words[1]) or [])
    run: Any = SimpleNamespace(base="riser", gateway="east", clock="", directory=None)
    fields = {"account": "101", "amount_fen": 100, "method": "cash"}
    shell.request(run, "topup", fields, who="林芳", role="manager", transaction=None, limit_s=1)
    assert b"zhou" in sent[0] and "林芳".encode() in sent[0]
    with pytest.raises(shell.Trouble):
        shell.fields_of("topup", ("account=101", "login=lin"))
