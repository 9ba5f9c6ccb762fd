"""What came of locking a meter for work or of unlocking it, in the words of the answer card."""

from __future__ import annotations

from panel.commands import Asked
from panel.formats import Wall
from panel.links import link
from panel.parts import parts
from panel.switches import words_of
from panel.telling import hold_words_of
from panel.words import later, t

TITLES = {"lock": later("Lock for work"), "unlock": later("Unlock")}

SILENT = later("No answer (30 s). Not sent again. Do not rely on the lock before the meter's page shows it.")


def moves(asked: Asked) -> bool:
    """True where something is switched, so that it is done when it was read back."""
    return asked.operation == "unlock" or (asked.operation == "lock" and asked.fields.get("off") is True)


def done(asked: Asked, found: dict[str, object], wall: Wall) -> str:
    """The sentence for what was done."""
    words = words_of(parts().mirror.view().meters.get(asked.subject))
    if asked.operation == "lock" and not moves(asked):
        return t("Locked as it stands. Nothing was switched off.")
    if asked.operation == "lock":
        return t("Locked.") + " " + t(words.is_off)
    if holds := found.get("holds"):
        kinds = [str(kind) for kind in holds] if isinstance(holds, list) else []
        return t("Unlocked. These holds remain: {holds}.", holds=hold_words_of(kinds))
    return t("Unlocked, and read back.")


def again(asked: Asked) -> str | None:
    """The form of what was refused, with what was typed in it."""
    if asked.operation not in TITLES:
        return None
    how = "off" if asked.fields.get("off", True) else "stands"
    return link("lock.form", id=asked.subject, why=asked.fields.get("why", ""), how=how)
