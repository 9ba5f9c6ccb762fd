"""What a slip relies on in the book's entries of a refund and of a settled tenancy; a strange body gives no paper."""

from __future__ import annotations

from pydantic import Field, ValidationError

from bridge.contract.entries import CREDIT, DEBT, RESIDUE, TILL
from bridge.contract.fields import Whole
from panel.bodies import Body
from panel.history import Line


class Move(Body):
    """One move between ledger accounts."""

    giver: str = Field(alias="from")
    taker: str = Field(alias="to")
    amount_nano: Whole


class Paid(Body):
    """What refund/1 and exit/1 both say."""

    account: str
    amount_fen: Whole
    method: str
    reference: str = ""
    why: str = ""
    papers: str = ""
    receipt: str
    who: str
    approved_by: str
    balance_after_nano: Whole
    moves: list[Move]
    charges: list[str] = Field(default_factory=list)
    residue_nano: Whole = 0

    def moved_nano(self, prefix: str) -> int:
        """What went to ledger accounts that begin so, less what came from there."""
        return sum(
            move.amount_nano * (move.taker.startswith(prefix) - move.giver.startswith(prefix)) for move in self.moves
        )

    @property
    def paid_nano(self) -> int:
        """The money that left."""
        return self.moved_nano(TILL)

    @property
    def credit_nano(self) -> int:
        return self.moved_nano(CREDIT)

    @property
    def debt_nano(self) -> int:
        return self.moved_nano(DEBT)

    @property
    def written_off_nano(self) -> int:
        """Parts of a fen, left or lacking (R11)."""
        return self.moved_nano(RESIDUE)

    @property
    def before_nano(self) -> int:
        """The balance with the final charges, before anything was paid."""
        return self.balance_after_nano + self.paid_nano + self.credit_nano + self.debt_nano + self.written_off_nano


KINDS = ("refund/1", "exit/1")


def paid_of(line: Line) -> Paid | None:
    """The body of a refund or an exit; None where it is another kind, or not what it should be."""
    try:
        return Paid.model_validate(line.body) if line.kind in KINDS else None
    except ValidationError:
        return None
