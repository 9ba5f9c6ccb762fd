"""A restore, and what came back after it: the new epoch follows from the backup's newest entry, each act comes once."""

from __future__ import annotations

from typing import Any

from bridge.contract.recovering import BROUGHT_BACK
from edge.audit.lie import Wrong, must
from edge.audit.read import Read
from edge.restored import Restored
from edge.state import State

Fields = dict[str, Any]


class Restores:
    """The restores of one book, against its state so far."""

    def __init__(self, state: State):
        self._state = state

    def restored(self, entry: Read, fields: Fields) -> None:
        """Raises Wrong."""
        must(fields["before"], self._state.epoch, "the epoch before it")
        must(fields["seq"], self._state.seq, "the entry that the backup ended with")
        must(entry.id, f"restored:{fields['epoch']}", "its id")

    def came_back(self, entry: Read, fields: Fields) -> None:
        """An entry of the former epoch, once and of that epoch. Raises Wrong."""
        restored, former = self._restore(), fields["former"]
        must(former["epoch"], restored.before, "the epoch it came from")
        if former["seq"] <= restored.seq:
            raise Wrong(
                f"it comes from entry {former['seq']}", f"one after {restored.seq}, which the backup ended with"
            )
        if (known := restored.brought.get(former["mark"])) is not None:
            raise Wrong(f"entry {former['seq']} of the former epoch is entry {known[1]} already (I5)", "each once")
        if entry.kind not in BROUGHT_BACK and entry.kind != "missed/1":
            raise Wrong(f"{entry.kind} does not come back", f"one of {', '.join(BROUGHT_BACK)}")
        if entry.kind == "decision/1":
            proposal = self._state.proposals.get(fields["proposal"])
            if fields["approved"] or proposal is None or proposal.seq > restored.seq:
                raise Wrong(f"a decision of {fields['proposal']} came back", "a no to what the backup holds")

    def missed(self, entry: Read, fields: Fields) -> None:
        """Raises Wrong."""
        former = fields["former"]
        must(entry.id, f"missed:{self._restore().epoch}:{former['mark']}", "its id")
        for what, here in (("account", self._state.accounts), ("meter", self._state.meters)):
            must(fields.get(what), former[what] if former[what] in here else None, f"its {what}")

    def all_brought(self, entry: Read, fields: Fields) -> None:
        """Raises Wrong."""
        restored = self._restore()
        must(fields["epoch"], restored.before, "the epoch it came from")
        must((fields["brought"], fields["missed"]), (len(restored.brought), len(restored.missed)), "what it counts")
        if fields["through"] < restored.heard:
            raise Wrong(f"it ends with entry {fields['through']}", f"at least {restored.heard}")
        told = fields["request"]["answer"]["data"]
        must(told, {key: fields.get(key) for key in told}, "what was answered")

    def _restore(self) -> Restored:
        if self._state.restored is None:
            raise Wrong("nothing was restored before it", "a restored/1 before it")
        return self._state.restored
