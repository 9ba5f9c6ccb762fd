"""A form as somebody typed it: what stands in its fields, and what is wrong with it, by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from bridge.contract.asking import new_transaction
from bridge.contract.units import is_plain, is_transaction
from panel.words import t

SHOWN = 240
"""Characters of a typed text that stand in the form again."""


class Mistake(Exception):
    """One sentence for the person who typed."""


@dataclass
class Form:
    """`values` are as they were typed; `mistakes` one sentence each, by field."""

    values: dict[str, str]
    mistakes: dict[str, str] = field(default_factory=dict, kw_only=True)

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def mistake(self, name: str) -> str | None:
        return self.mistakes.get(name)


class Fielded(Protocol):
    """An act that has a form."""

    @property
    def fields(self) -> tuple[str, ...]: ...


A = TypeVar("A", bound=Fielded)


@dataclass
class Typed(Form, Generic[A]):
    """The form of an act; `words` are the fields of its request, whole where there are no mistakes."""

    act: A
    transaction: str
    words: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> Typed[A]:
        """With texts no longer than a page shows again."""
        self.values = {name: text[:SHOWN] for name, text in self.values.items()}
        return self


def fresh(act: A, given: Mapping[str, str]) -> Typed[A]:
    """An empty form with a number of its own, or one filled from an address."""
    return Typed({name: given.get(name, "") for name in act.fields}, act, new_transaction()).shown()


def begun(act: A, form: Mapping[str, str], words: dict[str, Any]) -> Typed[A]:
    """A form that was sent, with its number; `words` are what its request says whatever was typed."""
    typed = Typed({name: form.get(name, "").strip() for name in act.fields}, act, form.get("transaction", ""), words)
    if not is_transaction(typed.transaction):  # Without its number a double click would be done twice.
        typed.transaction = new_transaction()
        typed.mistakes["form"] = t("This form lost its number on the way. Nothing was done; send it once more.")
    return typed


def unfit(text: str, longest: int) -> str | None:
    """What is wrong with a text that people will read, where something is."""
    if len(text) > longest:
        return t("At most {n} characters.", n=longest)
    if not is_plain(text):
        return t("There are characters in it that cannot be shown; type it anew.")
    return None
