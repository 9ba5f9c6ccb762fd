"""What came of a tenant who is to move in, in the words of the answer card."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from panel.commands import Asked
from panel.drafts import pack
from panel.formats import Wall
from panel.links import link
from panel.moving_in import MOVE_IN, typed_from
from panel.words import later, t

TITLES = {
    MOVE_IN: later("A tenant moves in"),
    "approve-move-in": later("Approve: a tenant moves in"),
    "reject-move-in": later("Reject: a tenant moves in"),
}


def done(asked: Asked, found: dict[str, object], wall: Wall) -> str:
    """The sentence for what was done."""
    if asked.operation == MOVE_IN:
        until = found.get("until")
        when = wall.when(until) if isinstance(until, str) else "—"
        return t("Proposed. Somebody else must approve it, {when} at the latest.", when=when)
    if asked.operation == "approve-move-in":
        id = str(found.get("account", ""))
        return t("Moved in as account {id}. The meters are being read twice; from there it is charged.", id=id)
    return t("Rejected. Nothing was changed; the proposal stays in the book with its reason.")


def again(asked: Asked) -> str | None:
    """The form of a refused request with what was typed in it."""
    if asked.operation != MOVE_IN:
        return None
    values, meters = typed_from(asked.fields)
    draft = pack(MultiDict([*values.items(), *(("meters", id) for id in meters)]))
    return link("move_in.form", id=asked.subject, draft=draft) if draft else None
