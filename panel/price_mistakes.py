"""What the contract says of a price that cannot be, in the reader's language: each complaint by its pattern.

`bridge.contract.site_prices` and `mistakes` write plain English for whoever wrote a site file. What is not known here
is shown as it comes, behind the name of its field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from bridge.contract import mistakes
from panel.words import later, t

COMPLAINTS = (
    later("is missing"),
    later("there is no such setting; is it misspelt?"),
    later("may not be empty"),
    later("at most {n} characters"),
    later("at most {n} of them"),
    later("name at least {n}"),
    later("is {found}; at least {n}"),
    later("is {found}; at most {n}"),
    later("is a text in quotes, not {found}"),
    later("write it in quotes: {found}"),
    later("write it without quotes: {found}"),
    later("is a whole number, not {found}"),
    later("is a table of its own, not {found}"),
    later("stands in [[ ]], one for each row"),
    later("is a list; write it in [ ]"),
    later("{found} is no season; write month-day..month-day, such as 07-01..08-31"),
    later("{found} is no amount; write kWh (or m3) with at most three decimals, such as 180"),
    later("{found} is not a price: write yuan per kWh with at most six decimals, such as 0.8512"),
    later("{found} is not an amount: write yuan with at most two decimals, such as 200 or 200.50"),
    later("{found} is no wall time; write HH:MM"),
    later("{found} is no wall time; write 00:00 to 24:00"),
    later("a fee is not below zero"),
    later("says neither `seasons` nor `days`, so it would count on every day; name some"),
    later('`month` is for period = "year"; leave it out'),
    later("bounds rise from one to the next, the first above 0"),
    later("a single price has `price` and neither `prices` nor `windows`"),
    later('tables by season or day are for kind = "tou"; a single price is one at all hours'),
    later("the surcharge {found} stands there twice; a bill names each once"),
    later("a time-of-use price has `prices` and `windows`, no `price`"),
    later('no water meter tells hours apart; write kind = "single"'),
    later("unknown rates {found}; rates are sharp, peak, flat, valley, deep"),
    later("windows name rates without a price: {found}"),
    later("with its surcharges a {unit} would cost {found} for all"),
    later("with its surcharges a {unit} would cost {found} for category {n}"),
    later("`purchase` is {found}, or a price for each of {n}"),
    later("`purchase` is {found}"),
    later("windows leave a gap or overlap at {found}"),
    later("windows do not reach 24:00"),
    later("is not TOML ({found}): {n}; {words}. What follows this line was not looked at"),
    later("look at its quotes and brackets"),
    later("it stands twice; leave one"),
    later("a quote is missing, or a character that no text may hold"),
    later("a heading ends with ]"),
    later("is {found}; write {words}"),
)


def told_mistake(error: Mapping[str, Any]) -> str:
    """One of pydantic's complaints about a table: where, and what to write instead."""
    words = said_mistake(mistakes.words(error))
    path = ".".join(map(str, error["loc"]))[:60]
    return t("{path}: {words}.", path=path, words=words) if path else t("This is no price: {words}.", words=words)


def said_mistake(text: str) -> str:
    """A complaint in the language of this request; one that is not known as it comes."""
    for sentence, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return t(sentence, **{name: _SAID.get(name, str)(words) for name, words in found.groupdict().items()})
    return text


def known(text: str) -> bool:
    return any(pattern.fullmatch(text) for _, pattern in _patterns())


_SAID = {"words": said_mistake}
"""A place that holds another complaint."""


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for sentence in COMPLAINTS:
        pieces = re.split(r"\{(\w+)\}", sentence)
        pattern = "".join(f"(?P<{p}>.+?)" if n % 2 else re.escape(p) for n, p in enumerate(pieces))
        found.append((sentence, re.compile(pattern, re.S)))
    return found
