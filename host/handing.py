"""Verbs that are programs of their own: the front door hands over to them, and is gone."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from host.places import ROOT

PASSES_ON: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": []}


def hand_over(group: click.Group, name: str, module: str, words: str) -> None:
    """A verb that is another program of this repository, with options of its own."""

    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def verb(arguments: tuple[str, ...]) -> NoReturn:
        become(module, arguments)

    group.command(name, context_settings=PASSES_ON, help=words)(verb)


def become(module: str, arguments: tuple[str, ...]) -> NoReturn:
    """Hand over to a program of this repository, in the person's own working directory."""
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], {**os.environ, "PYTHONPATH": str(ROOT)})
