"""The person at the tool: what is said to them, what they confirm, and the password they type or keep in a file.

A password is never an argument and never shown (I24): it is asked for without echo, or comes from the data directory's
secrets. An order goes out only after the person typed the end of the meter's address, or said `--yes`.
"""

from __future__ import annotations

import getpass
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.contract import secrets
from edge.codec.dlt645_orders import Password

CONFIRMED_BY = 4
"""Digits of the address that are typed: as many as tell the meters of a shaft apart on their plates."""


class Stopped(Exception):
    """Nothing was sent, or nothing more is: the text says why."""


class NotDone(Exception):
    """The meter refused, or did not follow: the text says what is known."""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _unseen(prompt: str) -> str:
    """Typed without echo, or not at all: where the terminal cannot hide it, it is as if nobody were there."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            raise EOFError from None


@dataclass
class Desk:
    """Where the person sits. `typed` and `typed_unseen` ask; tests hand in their own."""

    yes: bool = False
    level: str = "02"
    operator: str = "00000000"
    data: Path | None = None
    """The data directory whose secrets are used instead of asking; None asks."""
    say: Callable[[str], None] = _say
    typed: Callable[[str], str] = input
    typed_unseen: Callable[[str], str] = _unseen
    told: dict[str, Any] = field(default_factory=dict)
    """What programs get with --json."""

    def confirm(self, address: str, circuit: int | None = None) -> None:
        """Raises Stopped unless the person means this very meter; in a box its address alone does not tell which."""
        if self.yes:
            return
        wanted = address[-CONFIRMED_BY:] if circuit is None else f"{address}.{circuit}"
        asked = f"the last {len(wanted)} digits of the meter's address"
        try:
            typed = self.typed(
                f"Type {asked if circuit is None else 'address and circuit with a point between'} to go on: "
            ).strip()
        except EOFError:
            raise Stopped("nothing was sent: nobody is there to confirm it; --yes goes on without") from None
        if typed != wanted:
            told = "the address does not end in" if circuit is None else "address and circuit are not"
            raise Stopped(f"nothing was sent: {told} {typed[:12]!r}")

    def password(self, address: str) -> Password:
        """What the meter wants to hear: from the secrets, or typed without echo. Raises Stopped."""
        if self.data is not None:
            return self._kept(self.data, address)
        return Password(self.level, self.new("password", 6), self.operator)

    def new(self, what: str, digits: int) -> str:
        """Digits typed without echo; what was typed is never repeated. Raises Stopped."""
        try:
            typed = self.typed_unseen(f"{what.capitalize()} ({digits} digits, not shown): ").strip()
        except EOFError:
            raise Stopped(f"nothing was sent: there is no {what}; type it, or use --from-secrets") from None
        if len(typed) != digits or not (typed.isascii() and typed.isdigit()):
            raise Stopped(f"nothing was sent: a {what} has {digits} digits")
        return typed

    def _kept(self, data: Path, address: str) -> Password:
        """From `meter_passwords` of secrets/edge.json: the row of the meter that is installed at this address."""
        try:
            table = secrets.read(data, "edge").extra.get("meter_passwords", {})
            assert isinstance(table, dict)
            row = {**table.get("default", {}), **table.get(_installed_at(data, address), {})}
            return Password(**row)
        except (secrets.NoSecrets, TypeError, AssertionError, AttributeError):
            raise Stopped(
                f"nothing was sent: {secrets.path_of(data, 'edge')} holds no meter password that can be used"
            ) from None


def _installed_at(data: Path, address: str) -> str:
    """The id of the meter at an address, by what the edge wrote of its installation; empty where it is not known."""
    try:
        rows = json.loads((data / "registry.json").read_text(encoding="utf-8"))["meters"].values()
        return next((str(row["meter"]) for row in rows if row["address"] == address), "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
