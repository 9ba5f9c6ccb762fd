"""What readings, lines and ledger accounts are called on a bill, in a word and in a sentence."""

from __future__ import annotations

from typing import Any

from panel.formats import cubic_metres, kwh
from panel.states import RATE_WORDS
from panel.words import later, t

METHOD_WORDS = {
    "cash": later("Cash"), "transfer": later("Transfer"), "card": later("Card"), "online": later("Online"),
}  # fmt: skip

SOURCES = {
    "freeze": later("daily freeze"),
    "border": later("read at the border"),
    "live": later("read"),
    "read": later("read"),
    "opening": later("opening reading"),
    "load-record": later("load record"),
    "interpolated": later("between two readings"),
    "estimate": later("estimated"),
    "corrected": later("corrected by people"),
    "display": later("read off the display"),
    "saved": later("read and saved"),
}

MEANS = {
    "freeze": later(
        "Daily freeze: at midnight the meter itself put this register aside; it was asked for it afterwards, twice, "
        "and said the same both times."
    ),
    "border": later(
        "Read at the border: the meter was read within a minute of this instant, and read again to be sure."
    ),
    "live": later("Read from the meter at this instant."),
    "read": later("Read from the meter at this instant."),
    "opening": later(
        "Opening register: read when charging began and confirmed by a second reading. What was used before is not "
        "charged here."
    ),
    "load-record": later(
        "Load record: the meter itself noted this register at that instant; it was asked for it afterwards."
    ),
    "interpolated": later(
        "Worked out, not read: nobody could read the meter at this instant, only before and after it. The next charge "
        "begins at this very register, so nothing is lost and nothing is paid twice."
    ),
    "estimate": later(
        "Estimated, not read: the meter did not answer. By what its last seven whole days were like. It is trued up by "
        "the next real reading, and nobody is cut off on it."
    ),
    "display": later(
        "Read off the meter's display by a person when the meter was taken off; another person looked at the papers."
    ),
    "saved": later("Read from the meter and saved, before the gateway was last started."),
    "corrected": later("Corrected by two people, with papers: the register that stood here before was wrong."),
}

GUESSES = ("interpolated", "estimate")
"""Sources that no meter has said."""

LEDGER = {
    "income:energy": later("income from electricity"),
    "income:water": later("income from water"),
    "income:fees": later("income from daily fees"),
    "income:deductions": later("income from deductions"),
    "income:residue": later("parts of a fen"),
    "expense:compensation": later("cost of compensations"),
    "equity:opening": later("balances from before this book"),
}

OF_TENANT = {"account": later("balance of account {id}"), "credit": later("emergency credit of account {id}"),
             "debt": later("agreed debt of account {id}")}  # fmt: skip


def rate_word(rate: str) -> str:
    return t(RATE_WORDS[rate]) if rate in RATE_WORDS else rate


def source_word(source: str) -> str:
    return t(SOURCES[source]) if source in SOURCES else source


def source_means(source: str) -> str:
    """How a register was obtained, and what that means, in a sentence or two."""
    return t(MEANS[source]) if source in MEANS else t("Obtained as: {source}", source=source)


def method_word(method: Any) -> str:
    return t(METHOD_WORDS[method]) if method in METHOD_WORDS else str(method or "")


def line_word(line: dict[str, Any]) -> str:
    """What a line of a charge is for."""
    kind, rate = line.get("kind", "rate"), str(line["rate"])
    if kind == "step":
        return t("Step {n}, on top", n=rate)
    if kind == "surcharge":
        return t("Reduction: {name}", name=rate) if line["price_micro"] < 0 else t("Surcharge: {name}", name=rate)
    return rate_word(rate)


def quantity(units: int | None, unit: str) -> str:
    """kWh from Wh, or m³ from litres, without its unit."""
    return cubic_metres(units) if unit == "m3" else kwh(units)


def unit_word(unit: str) -> str:
    return "m³" if unit == "m3" else "kWh"


def ledger_word(name: str) -> str:
    """A ledger account in words of people."""
    if name in LEDGER:
        return t(LEDGER[name])
    kind, _, id = name.partition(":")
    if kind in OF_TENANT:
        return t(OF_TENANT[kind], id=id)
    return t("till: {method}", method=method_word(id)) if kind == "till" else name
