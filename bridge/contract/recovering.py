"""After a restore: what the book lost, how an archive gives it back, and the person who says that it is complete.

    restored/1 ── info.restored ──▶ bridge ── bring-back, one former entry at a time ──▶ edge ── once ──▶ book
                                       └───── all-brought ─────▶ edge      a person ── recovered ──▶ normal

The former epoch ended with entry `seq` as far as the backup knows. What was written after that, an archive may still
have. An entry of it goes back under its own id, so that doubled, late or repeated bringing changes nothing (I5).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.contract.fields import Plain, Whole
from bridge.contract.message import Part
from bridge.contract.request import Request

BROUGHT_BACK = (
    "topup/1", "reversal/1", "credit/1", "hold/1", "trip/1", "withdrawn/1", "protection/1", "close-way/1", "decision/1",
)  # fmt: skip
"""Kinds that one person or the policy made alone: they are written again. A trip comes back as the hold that it set,
one that was withdrawn as its lift; of decisions those that said no."""

SHOWN = (
    "refund/1", "compensation/1", "deduction/1", "correction/1", "opening-balance/1", "debt/1", "exit/1", "account/1",
    "tariff/1", "tariff/2", "meter/1", "replacement/1", "ratio/1", "reading-correction/1", "release/1", "proposal/1",
)  # fmt: skip
"""Kinds that two people agreed on, or that hang on readings of then: each is shown to a person, who does it again."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Line = Annotated[Plain, Field(max_length=200)]


class RestoredFacts(Part):
    """The newest restore of this book, and what came back since."""

    open: bool = Field(description="no person has said yet that every payment is here again: nobody is cut")
    first: str = Field(description="the epoch in which this book began")
    before: str = Field(description="the epoch that the backup was made in")
    seq: int = Field(description="the newest entry of the backup: what came after it in that epoch is not here")
    hash: str = Field(description="hash of that entry")
    made_at: str = Field(description="when the backup was made")
    heard: int = Field(description="the newest entry of the former epoch that an archive brought back or showed")
    through: int | None = Field(
        default=None, description="an archive said that it has no more than this entry; absent until one did"
    )
    holes: int = Field(default=0, description="entries before that which the archive itself lacks")
    brought: int = Field(description="entries that were written again")
    missed: int = Field(description="entries that a person must look at")


class BringBack(Request):
    """One entry of the former epoch, as the archive has it. Done when it stands in the book again, or stood there
    already; what cannot be written again is shown to people instead. Only after a restore, and before `recovered`."""

    operation = "bring-back"
    epoch: str = Field(max_length=64, description="the former epoch")
    seq: Count
    id: Line
    at_us: Whole = Field(description="microseconds since 1970 UTC")
    boot: Line
    mono_ns: Whole
    trusted: bool
    kind: Line
    body: str | None = Field(
        default=None, max_length=8000, description="the entry's own text; absent of a kind that is only shown"
    )
    prev_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)
    account: Line | None = None
    meter: Line | None = None
    amount_fen: int | None = Field(default=None, ge=0, lt=2**63)
    by: Line | None = Field(default=None, description="of an entry that is only shown: who made it")


class AllBrought(Request):
    """The archive has no more of the former epoch than up to entry `through`, and lacks `holes` before that."""

    operation = "all-brought"
    epoch: str = Field(max_length=64)
    through: Count
    holes: Count = 0


class Recovered(Request):
    """A person says that every payment since the backup stands in the book: mode recovery ends. Refused while no
    archive has said that it brought everything, unless `without_archive` says that there is none."""

    operation = "recovered"
    why: Plain = Field(min_length=1, max_length=200, description="how that was found out: lists and receipts compared")
    without_archive: bool = False


RECOVERY_REQUESTS: tuple[type[Request], ...] = (BringBack, AllBrought, Recovered)
