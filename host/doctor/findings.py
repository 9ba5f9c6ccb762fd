"""A finding is one sentence about one thing, how bad it is, and what to do; it can be read without any other."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

OF_DATA = ("up", "status", "request", "doctor", "price", "backup")
"""Verbs that take --data."""

Severity = Literal["good", "worth knowing", "wrong"]

GROUPS = (
    "programs",
    "ports",
    "rights",
    "meters",
    "clock",
    "broker",
    "disk",
    "book and site file",
    "accounts",
    "panel",
)
"""The order in which things are looked at and told: from the machine to the wire to the money."""


@dataclass(frozen=True)
class Finding:
    """`about` names the port, meter, account or file for programs; the sentence names it for people.

    `command` is to be typed as it is.
    """

    severity: Severity
    group: str
    about: str
    sentence: str
    remedy: str = ""
    command: str = ""


def good(group: str, about: str, sentence: str) -> Finding:
    return Finding("good", group, about, sentence)


def know(group: str, about: str, sentence: str, remedy: str = "", command: str = "") -> Finding:
    return Finding("worth knowing", group, about, sentence, remedy, command)


def wrong(group: str, about: str, sentence: str, remedy: str, command: str = "") -> Finding:
    return Finding("wrong", group, about, sentence, remedy, command)


def with_data(finding: Finding, data: str) -> Finding:
    """The finding with a command that means the data directory that was given; others' commands stay as they are."""
    words = finding.command.split(" ", 2)
    if words[0] != "./riser" or words[1] not in OF_DATA or " --data" in finding.command:
        return finding
    return replace(finding, command=f"{finding.command} --data {shlex.quote(data)}")


def count(findings: Iterable[Finding], severity: Severity) -> int:
    return sum(each.severity == severity for each in findings)


def names(ids: Iterable[str], most: int = 8) -> str:
    """Ids in a sentence; a long list is cut with its length told, because it is read on a phone."""
    found = list(ids)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


def of(number: int, word: str) -> str:
    """`1 meter`, `2 meters`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
