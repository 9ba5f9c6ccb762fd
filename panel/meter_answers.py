"""What came of a proposal about a meter or for its next tenant, or of its decision, in words."""

from __future__ import annotations

from panel import move_in_answers
from panel.commands import Asked
from panel.formats import Wall
from panel.words import later, t

PROPOSING = ("replace-meter", "change-multiplier")

TITLES = {
    "replace-meter": later("Replace the meter"),
    "change-multiplier": later("Change the multiplier"),
    "approve-meter": later("Approve"),
    "reject-meter": later("Reject"),
    **move_in_answers.TITLES,
}

SILENT = later("No answer (30 s). Not sent again. Look below whether a proposal waits before you send it once more.")
ON_ITS_WAY = later("Accepted by the gateway; the meter is being read twice.")


def step_word(operation: str) -> str:
    """What has to happen after it was sent."""
    return t("Read twice|meter") if operation in PROPOSING else t("In the book|meter")


def on_its_way(operation: str) -> str:
    waits = later("Accepted by the gateway; waiting until it stands in the book.")
    return t(ON_ITS_WAY) if operation in PROPOSING else t(waits)


def done(asked: Asked, found: dict[str, object], wall: Wall) -> str:
    """The sentence for what was done."""
    if asked.operation in move_in_answers.TITLES:
        return move_in_answers.done(asked, found, wall)
    if asked.operation in PROPOSING:
        until = found.get("until")
        when = wall.when(until) if isinstance(until, str) else "—"
        return t("Proposed. Somebody else must approve it, {when} at the latest.", when=when)
    if asked.operation == "approve-meter":
        return t("Approved. It counts from the reading that stands in the proposal.")
    return t("Rejected. Nothing was changed; the proposal stays in the book with its reason.")
