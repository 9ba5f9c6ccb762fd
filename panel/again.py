"""Where the form of a refused request is opened again, filled as it was typed."""

from __future__ import annotations

from panel import lock_answers, money_answers, move_in_answers, protecting_answers
from panel.commands import Asked


def again(asked: Asked) -> str | None:
    """Its address; None where it has no such form."""
    modules = (money_answers, move_in_answers, protecting_answers, lock_answers)
    found = (module.again(asked) for module in modules)  # type: ignore[attr-defined]
    return next((address for address in found if address), None)
