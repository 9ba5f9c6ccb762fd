"""What came of protecting a tenant, lifting that, having told one, or choosing how supply returns: the answer card."""

from __future__ import annotations

from panel.commands import Asked
from panel.edge_words import said
from panel.formats import Wall
from panel.links import link
from panel.parts import parts
from panel.protecting import ACTS, typed_from
from panel.protections import kind_words
from panel.switches import water_alone
from panel.words import later, t

TITLES = {
    "protect": later("Protect from a cut-off"),
    "unprotect": later("Lift a protection"),
    "told": later("I have told the tenant"),
    "set-close": later("How supply returns"),
}

OF_WATER = {"protect": later("Protect from a shut-off|water")}
"""In place of the title above, where a tenant has water alone."""

BY_BUTTON = later("From now on supply returns by the meter's button.")
BY_ITSELF = later("From now on supply returns by itself.")

SILENT = later("No answer (30 s). Not sent again. Look at the account before you do it once more.")


def of_water(asked: Asked) -> dict[str, str]:
    """The titles that are others for this tenant."""
    return OF_WATER if water_alone(parts().mirror.view(), asked.subject) else {}


def done(asked: Asked, found: dict[str, object], wall: Wall) -> str:
    """The sentence for what was done."""
    if asked.operation == "told":
        return t("The final warning counts as delivered; the time to pay has begun.")
    if asked.operation == "set-close":
        by_button = asked.fields.get("close") == "permit"
        return " ".join(filter(None, (t(BY_BUTTON if by_button else BY_ITSELF), said(str(found.get("text") or "")))))
    water = water_alone(parts().mirror.view(), asked.subject)
    kind = kind_words(str(asked.fields.get("protection")), water)
    if asked.operation == "unprotect":
        return t("Lifted: {kind}. From now on the rules decide again.", kind=kind)
    return t("In the book: {kind} until {when}.", kind=kind, when=_when(found.get("until"), wall))


def _when(at: object, wall: Wall) -> str:
    try:
        return wall.when(str(at))
    except ValueError:
        return "—"


def again(asked: Asked) -> str | None:
    """The form of a refused act with what was typed in it."""
    if asked.operation not in TITLES:
        return None
    fixed = tuple((name, asked.fields[name]) for name in ("protection", "close") if name in asked.fields)
    act = next((act for act in ACTS.values() if (act.operation, act.fixed) == (asked.operation, fixed)), None)
    if act is None:
        return None
    words = typed_from(asked.fields, parts().wall())
    return link("protection.form", name=act.name, id=asked.subject, **words)
