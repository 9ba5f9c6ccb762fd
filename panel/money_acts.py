"""The acts with money at the counter, as one table: what each does, what its form asks for, who must approve.

What an act may do is the gateway's to say; here stands only what people are told and asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.contract.money_messages import Channel, Reason
from bridge.contract.permissions import MONEY
from bridge.contract.units import RATES
from panel.words import later, t

NOBODY, HALF_A_DAY, THREE_DAYS = "", "half a day", "three days"
"""How long a second person has; nobody else is needed where the act is done at once."""


@dataclass(frozen=True)
class Act:
    """`fields` in the order of the form; those of `optional` may stay empty. `within` is the second person's time."""

    operation: str
    title: str
    says: str
    fields: tuple[str, ...]
    within: str = HALF_A_DAY
    optional: tuple[str, ...] = ()
    form: bool = True
    """False: its form is another page, `pages/right_reading.py`."""

    def label(self, name: str) -> str:
        """What stands over a field: a reason in words is one's own where there is no list of them."""
        return REASON if name == "why" and "reason" not in self.fields else LABELS[name]

    @property
    def alone(self) -> bool:
        return self.within == NOBODY


REGISTERS = ("total", *RATES)
"""What a correction of a reading tells, in kWh or m³."""

ACTS: dict[str, Act] = {
    act.operation: act
    for act in (
        Act("reverse", later("Reverse a top-up"),
            later("Takes one top-up back in full, as if it had never been. Only while its money is unspent."),
            ("receipt", "why"), NOBODY),
        Act("refund", later("Refund"),
            later("Gives money back to the tenant, at most what is refundable."),
            ("amount", "method", "reference", "why")),
        Act("compensate", later("Compensation"),
            later("Credits the tenant for a mistake of ours. No money changes hands."),
            ("amount", "reason", "why", "papers"), optional=("why",)),
        Act("deduct", later("Deduction"),
            later("Takes out of the balance what a mistake left uncharged. The tenant must have agreed."),
            ("amount", "reason", "why", "consent", "papers"), optional=("why",)),
        Act("correct", later("Wrong-meter correction"),
            later("Moves an amount that was booked on the wrong meter's account to the account it belongs to."),
            ("to_account", "amount", "why", "papers")),
        Act("correct-reading", later("Correction of a reading"),
            later(
                "Puts right the register that a meter's newest charge ends at; the difference is charged or given back."
            ),
            ("meter", "entry", *REGISTERS, "why", "papers"), form=False),
        Act("bring", later("Bring in an opening balance"),
            later("Brings in the balance from before this book, once per account. With a minus it is a debt."),
            ("amount", "papers"), THREE_DAYS),
        Act("lend", later("Emergency credit"),
            later("Lends the fixed amount of this site, once until it is repaid. The next top-ups repay it first."),
            ("why",), NOBODY),
        Act("defer", later("Deferred debt"),
            later("Takes arrears out of the balance. A share of each top-up pays them off."),
            ("amount", "share", "cap", "papers"), optional=("cap",)),
        Act("settle", later("Settle the tenancy"),
            later("Ends the tenancy: final readings are charged, what is left is paid out, the meters become free."),
            ("method", "reference", "why", "papers"), THREE_DAYS, ("reference",)),
    )
}  # fmt: skip
"""By operation, in the order in which a clerk needs them."""

DECISIONS = {"approve-money": later("Approve"), "reject-money": later("Reject")}
assert {*ACTS, *DECISIONS} == MONEY

REASONS = {
    "wrong-meter": later("wrong meter"), "system-duplicate": later("booked twice by the system"),
    "price-reform": later("price reform not applied"), "other": later("another reason"),
}  # fmt: skip
METHODS = {"cash": later("Cash"), "transfer": later("Transfer"), "card": later("Card"), "online": later("Online")}
assert set(REASONS) == set(Reason.__args__) and set(METHODS) == set(Channel.__args__)  # type: ignore[attr-defined]

REASON = later("Reason")
LABELS = {
    "receipt": later("Which top-up"), "amount": later("Amount"), "to_account": later("To which account"),
    "method": later("How the money leaves"), "reference": later("Number of the signed slip or of the channel"),
    "reason": later("Reason"), "why": later("In words"), "papers": later("Papers: their numbers, or where they lie"),
    "consent": later("How and when the tenant agreed"), "share": later("Share of each top-up, %"),
    "cap": later("At most in a week, yuan"), "meter": later("Meter"), "entry": later("Entry|number"),
}  # fmt: skip

LONGEST = {"why": 200, "papers": 200, "consent": 200, "reference": 64, "receipt": 64}
"""Characters the gateway takes."""


SHORT = {
    **LABELS, "to_account": later("Goes to"), "reference": later("Number|slip"), "papers": later("Papers"),
    "consent": later("Tenant's consent"), "share": later("Share, %"), "cap": later("In a week at most"),
}  # fmt: skip
"""The same where they are only told."""


def told_label(operation: str, name: str) -> str:
    return t(REASON if name == "why" and ACTS[operation].label(name) == REASON else SHORT[name])


def approval_words(act: Act) -> str:
    """Whether somebody else must approve, and by when."""
    if act.alone:
        return t("It is done at once; nobody else needs to approve it.")
    if act.within == HALF_A_DAY:
        return t("Another person must approve it, within half a day. Until then nothing moves.")
    return t("Another person must approve it, within three days. Until then nothing moves.")


def act_title(operation: str) -> str:
    """The title of an act; its plain name where there are no words for it."""
    return t(ACTS[operation].title) if operation in ACTS else operation
