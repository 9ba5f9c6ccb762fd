"""Tells findings to a person on a phone: what is good first, what is wrong last, because the end stays in view."""

from __future__ import annotations

import re
from typing import Any
from unicodedata import east_asian_width

import click

from host.doctor.findings import GROUPS, Finding, Severity, count, of

HEADS: tuple[tuple[Severity, str, str], ...] = (
    ("good", "GOOD", "green"),
    ("worth knowing", "WORTH KNOWING", "yellow"),
    ("wrong", "WRONG", "red"),
)

NARROW, WIDE = 36, 96
"""A phone held upright shows some 40 letters; longer lines than the second nobody reads well."""

BREAKS = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]\s*|[^\s\u2e80-\u9fff\uf900-\ufaff]+\s*|\s+")
"""What stays together in a line: a word, or one Chinese character."""

MOST_OF_A_GROUP = 8
"""A site file of another building differs in everything; nobody reads 200 such lines."""


def wrap(text: str, width: int, first: str, rest: str) -> list[str]:
    """Lines no wider than `width` columns; a Chinese character takes two, and a line may break beside it."""
    told, line = [], first
    for word in BREAKS.findall(text):
        if columns(line + word.rstrip()) > width and line.strip(" ->"):
            told.append(line.rstrip())
            line = rest + word.lstrip()
        else:
            line += word
    return [*told, line.rstrip()]


def columns(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def lines(findings: list[Finding], head: str, width: int, command: str = "./riser doctor") -> list[str]:
    """The whole text, worst last, each group in its order, and a last line that sums up."""
    width = max(NARROW, min(width - 1, WIDE))
    told = [head]
    for severity, title, colour in HEADS:
        of_this = [each for each in findings if each.severity == severity]
        if of_this:
            told += ["", click.style(title, fg=colour, bold=True)]
        for group in GROUPS:
            told += _group(group, [each for each in of_this if each.group == group], width, command)
    return [*told, "", summary(findings)]


def _group(group: str, findings: list[Finding], width: int, command: str) -> list[str]:
    if not findings:
        return []
    told = [group]
    shown = findings[:MOST_OF_A_GROUP]
    for number, each in enumerate(shown):
        told += wrap(each.sentence, width, "- ", "  ")
        if number + 1 < len(shown) and _cure(shown[number + 1]) == _cure(each):
            continue  # One cure for several things is read once, below the last.
        if each.remedy:
            told += wrap(each.remedy, width, "  > ", "    ")
        if each.command:  # Not wrapped: it is copied as it is.
            told.append(f"  $ {each.command}")
    if (more := len(findings) - MOST_OF_A_GROUP) > 0:
        told.append(f"- and {more} more: {command} --json")
    return told


def _cure(finding: Finding) -> tuple[str, str]:
    return finding.remedy, finding.command


def summary(findings: list[Finding]) -> str:
    """The last line."""
    bad, odd = count(findings, "wrong"), count(findings, "worth knowing")
    if not bad:
        return f"Nothing is wrong; {of(odd, 'thing')} worth knowing." if odd else "Nothing is wrong."
    return f"{of(bad, 'thing')} wrong, {odd} worth knowing."


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """{"wrong", "worth_knowing", "findings": [{"severity", "group", "about", "sentence", "remedy", "command"}, ...]}"""
    ordered = sorted(findings, key=lambda each: GROUPS.index(each.group))
    return {
        "wrong": count(findings, "wrong"),
        "worth_knowing": count(findings, "worth knowing"),
        "findings": [dict(each.__dict__) for each in ordered],
    }
