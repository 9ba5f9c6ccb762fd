"""Tells findings to a person on a phone: what is good first, what is wrong last, because the end stays in view."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from host.doctor.findings import GROUPS, Finding, Severity, count, of

HEADS: tuple[tuple[Severity, str, str], ...] = (
    ("good", "GOOD", "green"),
    ("worth knowing", "WORTH KNOWING", "yellow"),
    ("wrong", "WRONG", "red"),
)

NARROW, WIDE = 36, 96
"""A phone held upright shows some 40 letters; longer lines than the second nobody reads well."""

MOST_OF_A_GROUP = 8
"""A site file of another building differs in everything; nobody reads 200 such lines."""


def lines(findings: list[Finding], head: str, width: int) -> list[str]:
    """The whole text, worst last, each group in its order, and a last line that sums up."""
    width = max(NARROW, min(width - 1, WIDE))
    told = [head]
    for severity, title, colour in HEADS:
        of_this = [each for each in findings if each.severity == severity]
        if of_this:
            told += ["", click.style(title, fg=colour, bold=True)]
        for group in GROUPS:
            told += _group(group, [each for each in of_this if each.group == group], width)
    return [*told, "", summary(findings)]


def _group(group: str, findings: list[Finding], width: int) -> list[str]:
    if not findings:
        return []
    told = [group]
    for each in findings[:MOST_OF_A_GROUP]:
        told += textwrap.wrap(each.sentence, width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        if each.remedy:
            told += textwrap.wrap(
                each.remedy, width, initial_indent="  > ", subsequent_indent="    ", break_on_hyphens=False
            )
    if (more := len(findings) - MOST_OF_A_GROUP) > 0:
        told.append(f"- and {more} more: ./riser doctor --json")
    return told


def summary(findings: list[Finding]) -> str:
    """The last line."""
    bad, odd = count(findings, "wrong"), count(findings, "worth knowing")
    if not bad:
        return f"Nothing is wrong; {of(odd, 'thing')} worth knowing." if odd else "Nothing is wrong."
    return f"{of(bad, 'thing')} wrong, {odd} worth knowing."


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """{"wrong", "worth_knowing", "findings": [{"severity", "group", "about", "sentence", "remedy"}]}, by group."""
    ordered = sorted(findings, key=lambda each: GROUPS.index(each.group))
    return {
        "wrong": count(findings, "wrong"),
        "worth_knowing": count(findings, "worth knowing"),
        "findings": [dict(each.__dict__) for each in ordered],
    }
