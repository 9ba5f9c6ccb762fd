"""After a restore: what an archive still knows of the former epoch comes back, each entry once, under its own id (I5).

What one person or the policy did alone is written again (`former_acts.py`). Everything else that people did is shown
to a person, who does it again. Nobody is cut before a named person says that the book is complete.
"""

from __future__ import annotations

import logging
from typing import Any

from bridge.contract.entries import KINDS
from bridge.contract.recovering import BROUGHT_BACK, AllBrought, BringBack, Recovered
from edge import former_acts
from edge.accounts import Accounts
from edge.asked import Answer, Asked, Refusal
from edge.billing.money import Forbidden
from edge.core import Core
from edge.entry import Draft, Entry
from edge.restored import Restored, mark_of

log = logging.getLogger("riser.requests")

Fields = dict[str, Any]

OF_MORE = "two people, or readings of then, belong to it"
NOT_HEARD = (
    "no archive has told yet what was paid after the backup; wait for it, or say that there is none "
    "(without_archive=true)"
)
USED = "its id is used by another entry here"


class Recovery:
    """Carries out `bring-back`, `all-brought` and `recovered`."""

    def __init__(self, core: Core, accounts: Accounts, answer: Answer):
        self._core, self._accounts, self._answer = core, accounts, answer

    # --- what the archive says ---

    def bring_back(self, asked: Asked, body: BringBack) -> None:
        """One former entry; asked again, the same answer."""
        restored = self._of_epoch(body.epoch)
        if body.seq <= restored.seq:
            raise Refusal("I5", f"entry {body.seq} stands in the backup; what came after {restored.seq} is wanted")
        known = restored.brought.get(mark_of(body.hash))
        seq = known[1] if known else self._shown(restored, body) or self._back(restored, body)
        self._answer(asked, "done", data={"heard": restored.heard, **({"seq": seq} if seq else {})})

    def _shown(self, restored: Restored, body: BringBack) -> int | None:
        entry = self._core.book.find(_missed_id(restored, body))
        return entry.seq if entry else None

    def _back(self, restored: Restored, body: BringBack) -> int | None:
        """Write it again, or show it. Returns the number of what was written here; None where nothing needs to be."""
        why = OF_MORE
        if body.kind in BROUGHT_BACK and body.body is not None:
            fields = _true(body, body.body)
            stands = self._core.book.find(body.id)
            if stands is not None and stands.kind == body.kind:
                return stands.seq  # The same request came again by itself, before the archive was asked.
            try:
                if stands is not None:
                    raise Forbidden("R7", USED)
                draft = former_acts.again(self._core, restored, body, fields)
                return None if draft is None else self._write(draft)
            except Forbidden as forbidden:
                why = f"{forbidden.rule}: {forbidden.sentence}"
        return self._show(restored, body, why)

    def _write(self, draft: Draft) -> int:
        (entry,) = self._core.append(draft)
        fields = entry.fields
        log.info("entry %d of the former epoch is entry %d here: %s", fields["former"]["seq"], entry.seq, entry.kind)
        if (account := self._core.state.accounts.get(fields.get("account") or "")) is not None:
            self._accounts.evaluate(account)
        if fields.get("meter"):
            self._core.changed("relay", fields["meter"])
        return entry.seq

    def _show(self, restored: Restored, body: BringBack, why: str) -> int:
        """An entry that a person sees, on its tenant's page too."""
        state, kind = self._core.state, body.kind if body.kind in KINDS else "unknown"
        told = {"account": body.account, "meter": body.meter, "amount_fen": body.amount_fen, "by": body.by}
        former = {**former_acts.former(restored, body), "id": body.id, "kind": kind, **told}
        fields: Fields = {"former": former, "why": why}
        if body.account in state.accounts:
            fields["account"] = body.account
        if body.meter in state.meters:
            fields["meter"] = body.meter
        (entry,) = self._core.append(("missed/1", _missed_id(restored, body), fields))
        return entry.seq

    def all_brought(self, asked: Asked, body: AllBrought) -> None:
        restored = self._of_epoch(body.epoch)
        if body.through < restored.heard:
            raise Refusal("I5", f"entry {restored.heard} of that epoch was brought back already, and {body.through} is "
                          "said to be its last")  # fmt: skip
        figures = {"brought": len(restored.brought), "missed": len(restored.missed)}
        answer: Fields = {"status": "done", "data": {"through": body.through, **figures}}
        fields = {"epoch": body.epoch, "through": body.through, "holes": body.holes, **figures}
        self._core.append(("brought-back/1", asked.id, {**fields, **asked.written(answer)}))
        self._answer(asked, **answer)
        log.warning("an archive brought back %(brought)d entries and showed %(missed)d", figures)

    def _of_epoch(self, epoch: str) -> Restored:
        restored = self._core.state.restored
        if restored is None or self._core.state.recovering is None:
            raise Refusal("I5", "this book waits for nothing: it was not restored, or a person has said it is complete")
        if epoch != restored.before:
            raise Refusal("I5", f"this book goes on from the epoch {restored.before}, not from {epoch[:32]}")
        return restored

    # --- what a person says ---

    def recovered(self, asked: Asked, body: Recovered) -> None:
        restored = self._core.state.restored
        if self._core.state.recovering is None:
            raise Refusal("I5", "the gateway is not in mode recovery; nothing to do")
        if restored is not None and restored.through is None and not body.without_archive:
            raise Refusal("I5", NOT_HEARD)
        answer: Fields = {"status": "done", "data": {}}
        fields = {"mode": "normal", "why": f"{body.who} says that the book is complete: {body.why}"}
        self._core.append(("mode/1", asked.id, {**fields, **asked.written(answer)}))
        self._answer(asked, **answer)
        log.warning("mode recovery ends, says %s: %s", body.who, body.why)


def _missed_id(restored: Restored, body: BringBack) -> str:
    return f"missed:{restored.epoch}:{mark_of(body.hash)}"


def _true(body: BringBack, text: str) -> Fields:
    """The fields of a former entry whose hash fits. Raises Refusal."""
    at, mono = body.at_us, body.mono_ns
    entry = Entry(body.seq, body.id, at, body.boot, mono, body.trusted, body.kind, text, body.prev_hash, body.hash)
    if entry.computed_hash != body.hash:
        raise Refusal("I17", f"what the archive says of entry {body.seq} does not fit its hash; look at the archive")
    return entry.fields
